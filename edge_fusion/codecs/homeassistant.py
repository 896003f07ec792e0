"""Home Assistant: one device per site, described by one retained discovery message.

Device-based discovery (`homeassistant/device/<id>/config`): `dev` says what the device is, `o`
who says so, `cmps` which entities it has. An entity that is left out of a later message stays
until it has been sent once with its platform `p` alone. What the device has in common, `cmps`
take over for availability and topics only, so each asks for QoS 1 by itself
(homeassistant/components/mqtt/schemas.py, SHARED_OPTIONS).

The state of an alert does not expire in Home Assistant: it is retained, and holds until the box
says otherwise or is offline. What windows say does, since nothing is said of a site that is silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.topics import (
    alert_topic,
    discovery_id,
    discovery_topic,
    event_topic,
    safe_id,
    snapshot_topic,
    status_topic,
    window_topic,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE, Publication

ORIGIN: Final = "edge-fusion"
_PROBLEM: Final = "problem"
# https://www.home-assistant.io/integrations/binary_sensor/#device-class; there is none for fire.
_DEVICE_CLASSES: Final[Mapping[str, str]] = {
    "smoke": "smoke",
    "fire": "heat",
    "flame": "heat",
    "heat": "heat",
    "gas": "gas",
    "co": "carbon_monoxide",
    "leak": "moisture",
    "water": "moisture",
    "person": "occupancy",
    "occupancy": "occupancy",
    "motion": "motion",
    "camera_blocked": "tamper",
}
_UNITS: Final[Mapping[str, str]] = {TEMPERATURE: "°C", HUMIDITY: "%"}
_STATE = "{{ 'ON' if value_json.state == 'firing' else 'OFF' }}"
_EVENT = "{{ dict(value_json, event_type=value_json.state) | to_json }}"
_LAST_SCORE = "{{ value_json.score }}"


def discovery(
    site: str,
    labels: Iterable[str],
    *,
    prefix: str,
    box: str,
    model: ModelIdentity,
    version: str,
    quantities: Iterable[str] = (),
    unscored: Iterable[str] = (),
    windows: bool = True,
    snapshots: bool = True,
    fresh_for: int = 0,
    root: str = "homeassistant",
) -> Publication:
    """The retained discovery message of `site`.

    Per label of the model a binary sensor, its score, and with `snapshots` the picture that it
    rests on; per `unscored` label a binary sensor; per quantity a sensor; and one event entity.
    With `windows`, scores and quantities come from the window topic, and are out of date after
    `fresh_for` seconds (0: never); without, there are no quantities, and a score is that of the
    alert. `root` is the discovery prefix that Home Assistant was told.
    """
    place = _Place(prefix, site)
    entities = [place.event()]
    for label in labels:
        entities.append(place.alert(label))
        entities.append(place.live_score(label, fresh_for) if windows else place.score(label))
        if snapshots:
            entities.append(place.snapshot(label))
    entities += [place.alert(label) for label in unscored]
    if windows:
        entities += [place.reading(quantity, fresh_for) for quantity in quantities]
    payload = {
        "dev": {
            "ids": [place.device],
            "name": f"Edge fusion {site}",
            "mf": ORIGIN,
            "mdl": model.name,
            "sw": version,
        },
        "o": {"name": ORIGIN, "sw": version},
        "availability": [{"topic": status_topic(prefix, box)}],
        "cmps": dict(entities),
    }
    return Publication(discovery_topic(prefix, site, root), orjson.dumps(payload), retain=True)


Entity = tuple[str, dict[str, Any]]
"""A key, by which Home Assistant knows the entity again in a later message, and what it is."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The entities of one site."""

    prefix: str
    site: str

    @property
    def device(self) -> str:
        return discovery_id(self.prefix, self.site)

    def alert(self, label: str) -> Entity:
        topic = alert_topic(self.prefix, self.site, label)
        return f"alert_{safe_id(label)}", {
            **self._entity("binary_sensor", label),
            "name": _title(label),
            "device_class": _DEVICE_CLASSES.get(label, _PROBLEM),
            "state_topic": topic,
            "value_template": _STATE,
            "json_attributes_topic": topic,
        }

    def score(self, label: str) -> Entity:
        return f"score_{safe_id(label)}", {
            **self._entity("sensor", f"{label}_score"),
            "name": f"{_title(label)} score",
            "state_class": "measurement",
            "suggested_display_precision": 2,
            "entity_category": "diagnostic",
            "state_topic": alert_topic(self.prefix, self.site, label),
            "value_template": _LAST_SCORE,
        }

    def live_score(self, label: str, fresh_for: int) -> Entity:
        key, entity = self.score(label)
        return key, entity | self._by_window(_highest_score(label), fresh_for)

    def snapshot(self, label: str) -> Entity:
        return f"snapshot_{safe_id(label)}", {
            **self._entity("image", f"{label}_snapshot"),
            "name": f"{_title(label)} snapshot",
            "image_topic": snapshot_topic(self.prefix, self.site, label),
            "content_type": "image/jpeg",
        }

    def reading(self, quantity: str, fresh_for: int) -> Entity:
        known = quantity in _UNITS
        return f"reading_{safe_id(quantity)}", {
            **self._entity("sensor", quantity),
            "name": _title(quantity),
            "state_class": "measurement",
            **self._by_window(_last_reading(quantity), fresh_for),
            **(
                {"device_class": quantity, "unit_of_measurement": _UNITS[quantity]} if known else {}
            ),
        }

    def event(self) -> Entity:
        """Fed by the topic that is not retained: an event entity ignores what is."""
        return "event", {
            **self._entity("event", "event"),
            "name": "Alert",
            "event_types": ["firing", "resolved"],
            "state_topic": event_topic(self.prefix, self.site),
            "value_template": _EVENT,
        }

    def _by_window(self, template: str, fresh_for: int) -> dict[str, Any]:
        source = {"state_topic": window_topic(self.prefix, self.site), "value_template": template}
        return source | ({"expire_after": fresh_for} if fresh_for else {})

    def _entity(self, platform: str, name: str) -> dict[str, Any]:
        return {
            "p": platform,
            "unique_id": f"{self.device}_{safe_id(name)}",
            "default_entity_id": f"{platform}.{_slug(f'{self.site}_{name}')}",
            "qos": 1,
        }


# Home Assistant ignores an empty state where a number is expected. A revision is of the past.
def _last_reading(quantity: str) -> str:
    return (
        f"{{{{ value_json.readings['{quantity}'].last"
        f" if '{quantity}' in value_json.readings and value_json.revision == 0 else '' }}}}"
    )


def _highest_score(label: str) -> str:
    """The score of the camera that sees most; names may have dots, which `map` would take apart."""
    return (
        "{% set top = namespace(score='') %}"
        f"{{% for row in value_json.rows if '{label}' in row.scores %}}"
        f"{{% if top.score == '' or row.scores['{label}'] > top.score %}}"
        f"{{% set top.score = row.scores['{label}'] %}}"
        "{% endif %}{% endfor %}"
        "{{ top.score if value_json.revision == 0 else '' }}"
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", text.lower())


def _title(name: str) -> str:
    return re.sub(r"[_.-]+", " ", name).strip().capitalize() or name
