"""Dialect `ttn`: uplinks of The Things Stack v3, on `v3/<application>@<tenant>/devices/<id>/up`.

Source: thethingsindustries.com/docs/integrations/data-formats. Its server leaves out fields that
are empty, 0 or false: an absent frame counter is 0, an absent measurement was not made.
"""

from __future__ import annotations

from typing import Any

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.document import MISSING, lookup
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.lorawan import Uplink, read_uplink
from edge_fusion.codecs.payload import Stamp, json_object_of, stamp_of
from edge_fusion.events import Invalid, InvalidReason, Message


def decode_ttn(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The samples in `decoded_payload`, else in `normalized_payload`; other events have none.

    Paths begin in `decoded_payload`. They are dated by when the network server received the
    uplink: of several gateways the first in the list changes, and so would the clock.
    """
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    if "end_device_ids" not in document:
        detail = 'no "end_device_ids": not a message of The Things Stack v3'
        return [invalid(message, InvalidReason.MISSING_FIELD, detail)]
    uplink = document.get("uplink_message", document.get("uplink_normalized"))
    if not isinstance(uplink, dict):
        return []
    objects = _objects(uplink)
    if not objects:
        return _undecoded(message, uplink)
    stamp = _received(message, document, uplink, keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    device = lookup(document, "end_device_ids.device_id")
    name = device if isinstance(device, str) else None
    return read_uplink(message, keys, Uplink(objects, stamp, name, _identity(uplink)))


def _objects(uplink: dict[str, Any]) -> list[dict[str, Any]]:
    normalized = uplink.get("normalized_payload")
    several = normalized if isinstance(normalized, list) else [normalized]
    candidates = [uplink.get("decoded_payload"), *several]
    return [each for each in candidates if isinstance(each, dict) and each]


def _undecoded(message: Message, uplink: dict[str, Any]) -> list[Sample | Invalid]:
    if "frm_payload" not in uplink:
        return []
    detail = "no decoded_payload: the device needs a payload formatter"
    return [invalid(message, InvalidReason.MISSING_FIELD, detail)]


def _received(
    message: Message, document: dict[str, Any], uplink: dict[str, Any], keys: SensorKeys
) -> Stamp | Invalid:
    stamp = stamp_of(message, uplink, "received_at", keys)
    if isinstance(stamp, Invalid) or stamp.time is not None:
        return stamp
    return stamp_of(message, document, "received_at", keys)


def _identity(uplink: dict[str, Any]) -> str | None:
    """The frame of a session. Both are in copies that come by several ways."""
    session, counter = uplink.get("session_key_id", MISSING), uplink.get("f_cnt", 0)
    known = isinstance(session, str) and isinstance(counter, int)
    return f"{session[:64]}:{counter & 0xFFFFFFFF}" if known else None
