"""Dialect `chirpstack`: uplinks of ChirpStack v4 and v3, `application/<id>/device/<eui>/event/up`.

Source: chirpstack.io/docs/chirpstack/integrations/events.html, and chirpstack-api/as/integration
for v3, whose decoded object is a string of JSON in JSON.
"""

from __future__ import annotations

from typing import Any, Final

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.document import load, lookup
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.lorawan import Uplink, read_uplink
from edge_fusion.codecs.payload import UNDATED, Stamp, json_object_of, stamp_of
from edge_fusion.events import Invalid, InvalidReason, Message

_UPLINKS: Final = frozenset({"up", "rx"})
_NAMES: Final = ("deviceInfo.deviceName", "deviceInfo.devEui", "deviceName", "devEUI")
_TIMES: Final = ("time", "gwTime", "nsTime")
_MOST_GATEWAYS: Final = 16


def decode_chirpstack(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The samples in the codec's object, where paths begin; joins, statuses and the like have none.

    They are dated by `time`, which is the gateway's where that has one, else the server's.
    """
    if _is_other_event(message.topic):
        return []
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    uplink = _uplink(message, document, keys)
    if uplink is None:
        return []
    return [uplink] if isinstance(uplink, Invalid) else read_uplink(message, keys, uplink)


def _uplink(
    message: Message, document: dict[str, Any], keys: SensorKeys
) -> Uplink | Invalid | None:
    """What there is to read; None where the event carries no data of the device."""
    name = _name(document)
    if name is None:
        detail = "neither deviceInfo nor deviceName: not an event of ChirpStack"
        return invalid(message, InvalidReason.MISSING_FIELD, detail)
    decoded = _decoded(message, document)
    if isinstance(decoded, Invalid):
        return decoded
    if not decoded:
        return _undecoded(message, document)
    stamp = _received(message, document, keys)
    if isinstance(stamp, Invalid):
        return stamp
    identity = document.get("deduplicationId")
    known = identity[:64] if isinstance(identity, str) and identity else None
    return Uplink([decoded], stamp, name, known)


def _name(document: dict[str, Any]) -> str | None:
    names = (lookup(document, path) for path in _NAMES)
    return next((name for name in names if isinstance(name, str) and name), None)


def _is_other_event(topic: str) -> bool:
    *_, before, last = ("", *topic.split("/"))
    return before == "event" and last not in _UPLINKS


def _decoded(message: Message, document: dict[str, Any]) -> dict[str, Any] | Invalid:
    """What the codec made of the uplink; empty if there is none."""
    decoded = document.get("object")
    text = document.get("objectJSON")
    if decoded is None and isinstance(text, str) and text:
        try:
            decoded = load(text.encode("utf-8", "replace"))
        except ValueError as error:
            return invalid(message, InvalidReason.SYNTAX, f"objectJSON is not JSON: {error}")
    return decoded if isinstance(decoded, dict) else {}


def _undecoded(message: Message, document: dict[str, Any]) -> Invalid | None:
    """No object: for want of a codec if there are data, else for want of anything to decode."""
    if not document.get("data"):
        return None
    detail = "no object: the device profile needs a payload codec"
    return invalid(message, InvalidReason.MISSING_FIELD, detail)


def _received(message: Message, document: dict[str, Any], keys: SensorKeys) -> Stamp | Invalid:
    gateways = document.get("rxInfo")
    heard = gateways[:_MOST_GATEWAYS] if isinstance(gateways, list) else []
    for part in (document, *heard):
        for path in _TIMES:
            stamp = stamp_of(message, part, path, keys)
            if stamp is not UNDATED:
                return stamp
    return stamp_of(message, document, "publishedAt", keys)
