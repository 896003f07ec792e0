"""Dialect `edgex`: events of EdgeX Foundry, versions 2 to 4, as device services publish them.

Topics are `edgex/events/device/<service>/<profile>/<device>/<source>`, their levels URL-escaped.
The event lies in an envelope, as it is or encoded once more in base64; what application services
export may have none. All of it may be CBOR. Values are text beside their type, times nanoseconds.
With EDGEX_OPTIMIZE_EVENT_PAYLOAD readings leave out what the event says already. Source:
docs.edgexfoundry.org, MessageBus; go-mod-messaging, types; go-mod-core-contracts, dtos.
"""

from __future__ import annotations

import base64
from typing import Any, Final
from urllib.parse import unquote

from edge_fusion.codecs.cbor import is_cbor, load_cbor
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.document import load
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import Sender, Stamp, measured_in
from edge_fusion.codecs.quantities import quantity_of, without_quantity
from edge_fusion.codecs.times import stated_time
from edge_fusion.events import Invalid, InvalidReason, Message

_INTEGERS: Final = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_NUMBERS: Final = frozenset({"", "float32", "float64", *_INTEGERS})
_LEVELS_OF_SOURCE: Final = 2


def decode_edgex(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The readings of resources that are called after a quantity, or as `keys.paths` says.

    Readings that are no single number give none. What a resource is called beside the quantity,
    as in `InsideTemperature`, is the part of the device.
    """
    if not message.payload:
        return [invalid(message, InvalidReason.EMPTY, "the payload is empty")]
    try:
        event = _event(_load(message.payload))
    except ValueError as error:
        return [invalid(message, InvalidReason.SYNTAX, f"neither JSON nor CBOR: {error}")]
    if event is None:
        return [invalid(message, InvalidReason.MISSING_FIELD, "no event with readings")]
    return [
        found
        for reading in event["readings"]
        if isinstance(reading, dict)
        for found in _read(message, keys, event, reading)
    ]


def _load(payload: bytes) -> Any:
    return load_cbor(payload) if is_cbor(payload) else load(payload)


def _event(document: Any) -> dict[str, Any] | None:
    """The event with a list of readings in an envelope; raises ValueError for bad base64 there."""
    envelope = document if isinstance(document, dict) else {}
    inner = envelope.get("payload", envelope.get("Payload", envelope))
    if isinstance(inner, str):
        inner = _load(base64.b64decode(inner, validate=True))
    event = inner.get("event", inner) if isinstance(inner, dict) else None
    has_readings = isinstance(event, dict) and isinstance(event.get("readings"), list)
    return event if has_readings else None


def _read(
    message: Message, keys: SensorKeys, event: dict[str, Any], reading: dict[str, Any]
) -> list[Sample | Invalid]:
    name = _text(reading, "resourceName") or _text(event, "sourceName") or _level(message.topic, 1)
    quantity = quantity_of(name, keys.paths)
    if quantity is None or _text(reading, "valueType").lower() not in _NUMBERS:
        return []
    time = stated_time(reading.get("origin") or event.get("origin") or None, keys.zone)
    if isinstance(time, InvalidReason):
        return [invalid(message, time, f"the origin of {name} is no time")]
    device = _text(reading, "deviceName") or _text(event, "deviceName") or _level(message.topic, 2)
    part = None if keys.paths else without_quantity(name)
    return measured_in(
        message,
        quantity,
        reading.get("value"),
        _text(reading, "units"),
        keys,
        Stamp(time),
        Sender(device or None, part or None),
    )


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _level(topic: str, from_end: int) -> str:
    """A level of the topic, unescaped: the source is the last, before it stands the device."""
    levels = topic.split("/")
    return unquote(levels[-from_end]) if len(levels) > _LEVELS_OF_SOURCE else ""
