"""Dialect `zigbee2mqtt`: the states of Zigbee devices, as Zigbee2MQTT publishes them.

https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, and for `last_seen` and
`output` https://www.zigbee2mqtt.io/guide/configuration/ (mqtt, advanced).

A message holds what is known of a device, not what is new. So `last_seen` is worth turning on:
without it a value that was merely repeated counts as measured when it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import USUAL_PATHS, Gone, Sample, SensorKeys
from edge_fusion.codecs.payload import (
    Sender,
    json_object_of,
    measured,
    measured_text,
    stamp_of,
    values_at,
)
from edge_fusion.events import Invalid, Message

_LAST_SEEN = "last_seen"
_COMMANDS = frozenset({"set", "get"})


def decode_zigbee2mqtt(message: Message, keys: SensorKeys) -> Sequence[Sample | Gone | Invalid]:
    """The samples of a device's state, dated by `last_seen` where that is turned on.

    The device is called what the topic says after its first level, since friendly names may hold
    slashes. Lights and remotes, the bridge, and what is said to devices instead of by them give no
    reading. With `output: attribute` a topic has a level more, the attribute, and its bare value.
    A device that is said to be offline is gone.
    """
    _, *levels = message.topic.split("/")
    *name, last = levels or [""]
    if name[:1] == ["bridge"] or not _COMMANDS.isdisjoint(levels[1:]):
        return []
    if name and last == "availability":
        return [Gone("/".join(name))] if is_gone(message.payload) else []
    if message.payload.lstrip().startswith(b"{"):
        return _state(message, keys, Sender("/".join(levels) or None))
    return _attribute(message, keys, last, Sender("/".join(name) or None))


def zigbee2mqtt_availability(topic: str) -> str | None:
    """`<name>/availability`; None where the entry's own subscription covers that.

    A last level that is the name of a quantity is taken for an attribute of the device before it.
    """
    *name, last = topic.split("/")
    if last == "#":
        return None
    return "/".join([*name, "availability"] if last in USUAL_PATHS else [topic, "availability"])


def _state(message: Message, keys: SensorKeys, sender: Sender) -> list[Sample | Invalid]:
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    found = values_at(document, keys.paths or USUAL_PATHS)
    if not found:
        return []
    stamp = stamp_of(message, document, keys.time or _LAST_SEEN, keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    return [
        finding
        for quantity, value in found.items()
        for finding in measured(message, quantity, value, keys.units.get(quantity), stamp, sender)
    ]


def _attribute(
    message: Message, keys: SensorKeys, attribute: str, sender: Sender
) -> list[Sample | Invalid]:
    paths = keys.paths or USUAL_PATHS
    quantity = next((name for name, path in paths.items() if path == attribute), None)
    if quantity is None:
        return []
    return measured_text(message, quantity, keys.units.get(quantity), sender)
