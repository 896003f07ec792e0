"""From a value that describes itself to a sample: what it is of, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.units import canonical, unit_of
from edge_fusion.events import EventTime, Invalid, InvalidReason, Message


@dataclass(frozen=True, slots=True)
class Measured:
    """quantity, device and part as in `Sample`; unit: as the device names it, or empty."""

    quantity: str
    unit: str = ""
    device: str | None = None
    part: str | None = None


def sample_of(
    value: object,
    measured: Measured,
    message: Message,
    keys: SensorKeys,
    time: EventTime | InvalidReason | None = None,
) -> list[Sample | Invalid]:
    """A number, or text that spells one, as a sample; nothing where it says "no reading"."""
    quantity, whose = measured.quantity, measured.device or "it"
    number = read_number(value)
    if number is None:
        return []
    unit = unit_of(quantity, measured.unit, keys.units.get(quantity))
    if isinstance(unit, InvalidReason):
        detail = f"{quantity} of {whose} is in {measured.unit[:80]!r}"
        return [invalid(message, unit, detail)]
    if isinstance(time, InvalidReason):
        return [invalid(message, time, f"{quantity} of {whose} is of no time")]
    if not isinstance(number, InvalidReason):
        number = canonical(quantity, number, unit)
    if isinstance(number, InvalidReason):
        return [invalid(message, number, f"{quantity} of {whose} is {_shown(value)}")]
    return [Sample(quantity, number, time, measured.device, measured.part)]


def _shown(value: object) -> str:
    """A value for the log, where the repr of a container or of a huge integer has no place."""
    if isinstance(value, str):
        return repr(value[:80])
    is_small = isinstance(value, int) and value.bit_length() <= 64  # noqa: PLR2004 - of a machine
    return repr(value) if is_small or isinstance(value, float) else f"a {type(value).__name__}"
