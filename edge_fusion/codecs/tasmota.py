"""Dialect `tasmota`: telemetry of devices that run Tasmota.

https://tasmota.github.io/docs/MQTT/, and /Commands/ for `Time`, `FullTopic` and the SetOptions.
A `SENSOR` message has an object for each chip:

    {"Time": "2026-11-23T18:06:22", "AM2301": {"Temperature": 71.1, "Humidity": 48.2},
     "TempUnit": "F"}

`Time` is local time without a zone, unless `SetOption52 1` adds one; with `Time 2` the payload
has `Epoch` beside it, and with `Time 3` it is one itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import Gone, Sample, SensorKeys
from edge_fusion.codecs.payload import Sender, json_object_of, measured, stamp_of
from edge_fusion.codecs.units import Unit, stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, Message

_FIELD: Final = re.compile(r"(Temperature|Humidity)([0-9]*)")
_QUANTITIES: Final = {"Temperature": TEMPERATURE, "Humidity": HUMIDITY}
_PREFIXES: Final = frozenset({"tele", "stat"})
_PROCESSORS: Final = frozenset({"ESP32", "ESP8266"})


class _Value(NamedTuple):
    """A value of a chip. shared: whether its key says that there may be more of its kind."""

    chip: str
    shared: bool
    quantity: str
    raw: Any


def decode_tasmota(message: Message, keys: SensorKeys) -> Sequence[Sample | Gone | Invalid]:
    """The samples of all chips. What has none (STATE, INFO, a power meter) gives no reading.

    The device is the topic without its prefix and its last level. A chip is a part of it, called
    by its key, where several measure, and where its key has an index, an address or stands for a
    Zigbee device: such chips are never sure to be alone in the next message. The temperature of
    the processor says nothing of the room and is left out.
    """
    *levels, last = message.topic.split("/")
    device = "/".join(level for level in levels if level not in _PREFIXES) or None
    if last == "LWT":
        return [Gone(device)] if is_gone(message.payload) else []
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    telemetry = _members(document, "StatusSNS") or document
    values = list(_values(telemetry))
    if not values:
        return []
    stamp = stamp_of(message, telemetry, "Epoch" if "Epoch" in telemetry else "Time", keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    units = _units(telemetry, keys)
    several = len({value.chip for value in values}) > 1
    return [
        finding
        for chip, shared, quantity, raw in values
        for finding in measured(
            message,
            quantity,
            raw,
            units.get(quantity),
            stamp,
            Sender(device, chip if several or shared else None),
        )
    ]


def tasmota_availability(topic: str) -> str | None:
    """The topic of the last will, `tele/<device>/LWT` beside `tele/<device>/SENSOR`."""
    *levels, last = topic.split("/")
    if not levels or last not in {"SENSOR", "STATUS8", "STATUS10"}:
        return None
    return "/".join(["tele" if level == "stat" else level for level in levels] + ["LWT"])


def _values(document: Mapping[str, Any]) -> Iterator[_Value]:
    for key in document:
        if key not in _PROCESSORS:
            # SetOption64 says which of the two stands before an index.
            yield from _values_of(document, key, shared="-" in key or "_" in key)
    zigbee = _members(document, "ZbReceived")
    for key in zigbee:
        yield from _values_of(zigbee, key, shared=True)


def _values_of(chips: Mapping[str, Any], key: str, *, shared: bool) -> Iterator[_Value]:
    """The values of one chip; an analog input has several, `Temperature1`, `Temperature2`."""
    for name, raw in _members(chips, key).items():
        if field := _FIELD.fullmatch(name):
            quantity, index = field.groups()
            chip = f"{key}-{index}" if index else key
            yield _Value(chip, shared or bool(index), _QUANTITIES[quantity], raw)


def _members(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _units(document: Mapping[str, Any], keys: SensorKeys) -> Mapping[str, Unit]:
    """The configured units, and what the payload says of all its temperatures (SetOption8)."""
    text = document.get("TempUnit")
    stated = stated_unit(TEMPERATURE, text) if isinstance(text, str) else None
    return keys.units if stated is None else {**keys.units, TEMPERATURE: stated}
