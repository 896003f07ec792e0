"""Dialect `json`: any JSON document, with a dotted path for each quantity."""

from __future__ import annotations

from edge_fusion.codecs.dialect import USUAL_PATHS, Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import UNDATED, json_of, measured, stamp_of, values_at
from edge_fusion.events import Invalid, InvalidReason, Message


def decode_json(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The samples at `keys.paths`, else at the usual ones, all dated by `keys.time`.

    A path that is absent is skipped, since devices send what has changed; that none is there is
    MISSING_FIELD. A time that is there but is none is TIME, for the whole message.
    """
    document = json_of(message)
    if isinstance(document, Invalid):
        return [document]
    stamp = UNDATED if keys.time is None else stamp_of(message, document, keys.time, keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    paths = keys.paths or USUAL_PATHS
    found = values_at(document, paths)
    if not found:
        expected = ", ".join(paths.values())
        return [invalid(message, InvalidReason.MISSING_FIELD, f"none of: {expected}")]
    return [
        finding
        for quantity, value in found.items()
        for finding in measured(message, quantity, value, keys.units.get(quantity), stamp)
    ]
