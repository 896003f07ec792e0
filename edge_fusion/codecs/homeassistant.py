"""Home Assistant: one device per site, described by one retained discovery message.

Device-based discovery (`homeassistant/device/<id>/config`): `dev` says what the device is, `o`
who says so, `cmps` which entities it has. An entity that is left out of a later message stays
until it has been sent once with its platform `p` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.topics import (
    alert_topic,
    discovery_id,
    discovery_topic,
    snapshot_topic,
    status_topic,
    window_topic,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE, Publication

ORIGIN: Final = "edge-fusion"
_DEVICE_CLASSES: Final[Mapping[str, str]] = {
    "smoke": "smoke",
    "fire": "heat",
    "flame": "heat",
    "heat": "heat",
    "gas": "gas",
    "leak": "moisture",
    "camera_blocked": "tamper",
}
_UNITS: Final[Mapping[str, str]] = {TEMPERATURE: "°C", HUMIDITY: "%"}
_STATE = "{{ 'ON' if value_json.state == 'firing' else 'OFF' }}"


def discovery(
    site: str,
    labels: Iterable[str],
    *,
    prefix: str,
    box: str,
    model: ModelIdentity,
    version: str,
    quantities: Iterable[str] = (),
    root: str = "homeassistant",
) -> Publication:
    """The retained discovery message of `site`.

    Per label a binary sensor and the picture it rests on; per quantity a sensor fed by the window
    topic, so leave `quantities` empty where windows are not published. `root` is the discovery
    prefix that Home Assistant was told.
    """
    device = discovery_id(prefix, site)
    components: dict[str, Any] = {}
    for label in labels:
        components[f"alert_{label}"] = _alert(site, label, prefix, device)
        components[f"snapshot_{label}"] = _snapshot(site, label, prefix, device)
    for quantity in quantities:
        components[f"reading_{quantity}"] = _reading(site, quantity, prefix, device)
    payload = {
        "dev": {
            "ids": [device],
            "name": f"Edge fusion {site}",
            "mf": ORIGIN,
            "mdl": model.name,
            "sw": version,
        },
        "o": {"name": ORIGIN, "sw": version},
        "availability": [{"topic": status_topic(prefix, box)}],
        "qos": 1,
        "cmps": {_slug(key): component for key, component in components.items()},
    }
    return Publication(discovery_topic(prefix, site, root), orjson.dumps(payload), retain=True)


def _alert(site: str, label: str, prefix: str, device: str) -> dict[str, Any]:
    topic = alert_topic(prefix, site, label)
    return {
        **_entity("binary_sensor", site, label, device),
        "name": _title(label),
        "device_class": _DEVICE_CLASSES.get(label, "problem"),
        "state_topic": topic,
        "value_template": _STATE,
        "json_attributes_topic": topic,
    }


def _snapshot(site: str, label: str, prefix: str, device: str) -> dict[str, Any]:
    return {
        **_entity("image", site, f"{label}_snapshot", device),
        "name": f"{_title(label)} snapshot",
        "image_topic": snapshot_topic(prefix, site, label),
        "content_type": "image/jpeg",
    }


def _reading(site: str, quantity: str, prefix: str, device: str) -> dict[str, Any]:
    # Home Assistant ignores an empty state where a number is expected. A revision is of the past.
    template = (
        f"{{{{ value_json.readings['{quantity}'].last"
        f" if '{quantity}' in value_json.readings and value_json.revision == 0 else '' }}}}"
    )
    entity = {
        **_entity("sensor", site, quantity, device),
        "name": _title(quantity),
        "state_class": "measurement",
        "state_topic": window_topic(prefix, site),
        "value_template": template,
    }
    if quantity in _UNITS:
        entity |= {"device_class": quantity, "unit_of_measurement": _UNITS[quantity]}
    return entity


def _entity(platform: str, site: str, name: str, device: str) -> dict[str, str]:
    return {
        "p": platform,
        "unique_id": f"{device}_{_slug(name)}",
        "default_entity_id": f"{platform}.{_slug(f'{site}_{name}').lower()}",
    }


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def _title(name: str) -> str:
    return re.sub(r"[_.-]+", " ", name).strip().capitalize() or name
