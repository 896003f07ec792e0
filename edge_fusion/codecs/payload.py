"""What dialects have in common: payloads as JSON or text, their times, and values as samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.document import MISSING, load, lookup
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import bare_text, is_no_reading, read_number, split_unit
from edge_fusion.codecs.times import Unzoned, parse_time
from edge_fusion.codecs.units import Unit, canonical, has_known_units, stated_unit
from edge_fusion.events import Doubt, EventTime, Invalid, InvalidReason, Message


class Stamp(NamedTuple):
    """What a payload says of when: time None, arrival counts; doubt: why, if that is odd."""

    time: EventTime | None = None
    doubt: Doubt | None = None


UNDATED: Final = Stamp()


class Sender(NamedTuple):
    """`device` and `part` of a `Sample`."""

    device: str | None = None
    part: str | None = None


UNNAMED: Final = Sender()


def json_of(message: Message) -> Any | Invalid:
    """The payload as a JSON document."""
    if not message.payload:
        return invalid(message, InvalidReason.EMPTY, "the payload is empty")
    try:
        return load(message.payload)
    except ValueError as error:
        return invalid(message, InvalidReason.SYNTAX, f"not JSON: {error}")


def json_object_of(message: Message) -> dict[str, Any] | Invalid:
    """The payload as a JSON object, the document of nearly every device."""
    document = json_of(message)
    if isinstance(document, dict | Invalid):
        return document
    return invalid(message, InvalidReason.SYNTAX, f"not a JSON object but {_shown(document)}")


def stamp_of(message: Message, document: Any, path: str, keys: SensorKeys) -> Stamp | Invalid:
    """The time at `path`: none where that is absent, null or empty, TIME where it is no time.

    A local time is read in `keys.zone`. Without one it says nothing, and the stamp is in doubt.
    """
    value = lookup(document, path)
    if value is MISSING or value is None or value == "":
        return UNDATED
    time = parse_time(value, keys.zone, near=message.arrival)
    if time is None:
        return invalid(message, InvalidReason.TIME, f'"{path}" is no time')
    return Stamp(doubt=Doubt.NO_ZONE) if isinstance(time, Unzoned) else Stamp(time)


def values_at(document: Any, paths: Mapping[str, str]) -> dict[str, Any]:
    """What lies at `paths`, by quantity. A path that is absent is left out."""
    found = {quantity: lookup(document, path) for quantity, path in paths.items()}
    return {quantity: value for quantity, value in found.items() if value is not MISSING}


def measured(
    message: Message,
    quantity: str,
    value: Any,
    unit: Unit | None,
    stamp: Stamp = UNDATED,
    sender: Sender = UNNAMED,
) -> list[Sample | Invalid]:
    """A JSON value as a sample; nothing where it is null or a word for "no reading"."""
    number = read_number(value)
    if number is None:
        return []
    if not isinstance(number, InvalidReason):
        number = canonical(quantity, number, unit)
    if isinstance(number, InvalidReason):
        return [invalid(message, number, f"{quantity} is {_shown(value)}")]
    return [Sample(quantity, number, stamp.time, sender.device, sender.part, stamp.doubt)]


def measured_text(
    message: Message, quantity: str, unit: Unit | None, sender: Sender = UNNAMED
) -> list[Sample | Invalid]:
    """The payload as one number, with a unit after it or without: `21.4`, `21.4 °C`, `48 %`.

    A unit that it states wins over `unit`. Nothing where it is empty or a word for "no reading".
    """
    text = bare_text(message.payload)
    if text is None:
        return [invalid(message, InvalidReason.SYNTAX, "not UTF-8 text")]
    if is_no_reading(text):
        return []
    value = _value(text, quantity, unit)
    if isinstance(value, InvalidReason):
        return [invalid(message, value, f"{quantity} is {text[:80]!r}")]
    return [Sample(quantity, value, device=sender.device, part=sender.part)]


def _value(text: str, quantity: str, configured: Unit | None) -> float | InvalidReason:
    parts = split_unit(text)
    if parts is None:
        return InvalidReason.NOT_A_NUMBER
    number, suffix = parts
    unit = stated_unit(quantity, suffix)
    # "12:30" or "21.4 %" is no temperature; where units are not ours to know, any will do.
    if suffix and unit is None and (has_known_units(quantity) or not _is_unit(suffix)):
        return InvalidReason.NOT_A_NUMBER
    return canonical(quantity, number, unit or configured)


def _is_unit(suffix: str) -> bool:
    return suffix[0].isalpha() or suffix[0] in "%°"


def _shown(value: Any) -> str:
    """A value for the log; containers by their type, since their repr may be huge."""
    if isinstance(value, dict | list):
        return f"a JSON {'object' if isinstance(value, dict) else 'array'}"
    if isinstance(value, str):
        return repr(value[:80])
    # Python refuses to print integers of more than 4300 digits.
    huge = isinstance(value, int) and value.bit_length() > 1024  # noqa: PLR2004
    return "a huge integer" if huge else repr(value)
