"""Dialect `json`: any JSON document, with a dotted path for each quantity."""

from __future__ import annotations

from typing import Any

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.document import MISSING, load, lookup
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.times import Unzoned, read_time
from edge_fusion.codecs.units import canonical
from edge_fusion.events import Doubt, EventTime, Invalid, InvalidReason, Message


def decode_json(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The samples at `keys.paths`, all dated by `keys.time`.

    A path that is absent is skipped, since devices send what has changed; that none is there is
    MISSING_FIELD. A time that is there but is none is TIME, for the whole message; one that lacks
    a zone leaves the samples undated, with a doubt.
    """
    if not message.payload:
        return [invalid(message, InvalidReason.EMPTY, "the payload is empty")]
    try:
        document = load(message.payload)
    except ValueError as error:
        return [invalid(message, InvalidReason.SYNTAX, f"not JSON: {error}")]
    time = _time(document, keys)
    if isinstance(time, InvalidReason):
        return [invalid(message, time, f'"{keys.time}" is no time')]
    found = {quantity: lookup(document, path) for quantity, path in keys.paths.items()}
    found = {quantity: value for quantity, value in found.items() if value is not MISSING}
    if not found:
        expected = ", ".join(keys.paths.values())
        return [invalid(message, InvalidReason.MISSING_FIELD, f"none of: {expected}")]
    samples = (_sample(message, keys, quantity, found[quantity], time) for quantity in found)
    return [sample for sample in samples if sample is not None]


def _time(document: Any, keys: SensorKeys) -> EventTime | Unzoned | InvalidReason | None:
    value = MISSING if keys.time is None else lookup(document, keys.time)
    return None if value is MISSING else read_time(value, keys.zone)


def _sample(
    message: Message, keys: SensorKeys, quantity: str, raw: Any, time: EventTime | Unzoned | None
) -> Sample | Invalid | None:
    number = read_number(raw)
    if number is None:
        return None
    if not isinstance(number, InvalidReason):
        number = canonical(quantity, number, keys.units.get(quantity))
    if isinstance(number, InvalidReason):
        return invalid(message, number, f"{quantity} is {_shown(raw)}")
    if isinstance(time, Unzoned):
        return Sample(quantity, number, doubt=Doubt.NO_ZONE)
    return Sample(quantity, number, time)


def _shown(raw: Any) -> str:
    """A value for the log; containers by their type, since their repr may be huge."""
    if isinstance(raw, dict | list):
        return f"a JSON {'object' if isinstance(raw, dict) else 'array'}"
    if isinstance(raw, str):
        return repr(raw[:80])
    # Python refuses to print integers of more than 4300 digits.
    return "a huge integer" if isinstance(raw, int) and raw.bit_length() > 1024 else repr(raw)  # noqa: PLR2004
