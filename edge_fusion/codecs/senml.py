"""Dialect `senml`: what the records of a SenML pack measure. RFC 8428, and RFC 8798 for units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.field_names import LONGEST_NAME, field_name, is_elsewhere
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import Sender, Stamp, measured
from edge_fusion.codecs.senml_pack import Record, read_pack
from edge_fusion.codecs.times import Unzoned, parse_time
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit, Unit, stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message

_RELATIVE_BELOW: Final = 2**28
"""RFC 8428 section 4.5.3: a smaller time is in seconds from now."""

_MEASURES: Final[Mapping[str, tuple[str, Unit]]] = MappingProxyType(
    {
        "Cel": (TEMPERATURE, TemperatureUnit.CELSIUS),
        "degC": (TEMPERATURE, TemperatureUnit.CELSIUS),
        "K": (TEMPERATURE, TemperatureUnit.KELVIN),
        "degF": (TEMPERATURE, TemperatureUnit.FAHRENHEIT),
        "%RH": (HUMIDITY, HumidityUnit.PERCENT),
    }
)
"""Units that tell the quantity. C and F do not: they are coulomb and farad."""

# In SenML "%" is a ratio of 0 to 1, as "/" is, but hardly anybody who writes it knows that.
_RATIOS: Final[Mapping[str, Unit]] = MappingProxyType(
    {"/": HumidityUnit.FRACTION, "/100": HumidityUnit.PERCENT, "%": HumidityUnit.AUTO}
)
_INITIALS: Final[Mapping[str, str]] = MappingProxyType({"t": TEMPERATURE, "h": HUMIDITY})
_SEPARATORS: Final = ":/._- "
_URN = re.compile(r"\Aurn:(?:dev:[a-z]+|uuid):", re.IGNORECASE)
_SHOWN_NAMES: Final = 5


class _Measurement(NamedTuple):
    """What a record measures. device: as of a `Sample`."""

    record: Record
    quantity: str
    unit: Unit | None
    device: str | None


def decode_senml(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The measurements in a pack, each with its own time and device.

    `keys.paths` are names of records, or how they end; without any, temperatures and humidities
    are known by their units, else by their names. That none is there is MISSING_FIELD.
    """
    records = read_pack(message)
    if isinstance(records, Invalid):
        return [records]
    measurements = [each for record in records if (each := _measurement(record, keys)) is not None]
    if records and not measurements:
        names = ", ".join(record.name[-20:] for record in records[:_SHOWN_NAMES])
        detail = f"nothing that is to be read in: {names}"
        return [invalid(message, InvalidReason.MISSING_FIELD, detail)]
    return [finding for each in measurements for finding in _read(message, each)]


def _read(message: Message, measurement: _Measurement) -> list[Sample | Invalid]:
    record, quantity, unit, device = measurement
    time, stamp = record.time, Stamp()
    if not isinstance(time, int | float) or isinstance(time, bool):
        return [invalid(message, InvalidReason.TIME, "the time of a record is no number")]
    if time >= _RELATIVE_BELOW:
        absolute = parse_time(time)
        if absolute is None or isinstance(absolute, Unzoned):
            return [invalid(message, InvalidReason.TIME, "the time of a record is none")]
        stamp, time = Stamp(absolute), 0.0
    elif not -message.arrival <= time <= 0:
        return [invalid(message, InvalidReason.TIME, f"{time} s from now is no time to measure")]
    found = measured(message, quantity, record.value, unit, stamp, Sender(device))
    if time:
        return [replace(each, age=-time) if isinstance(each, Sample) else each for each in found]
    return found


def _measurement(record: Record, keys: SensorKeys) -> _Measurement | None:
    """What a record measures; None if it is nothing that we are to read."""
    if keys.paths:
        return _configured(record, keys)
    if record.unit is not None and record.unit in _MEASURES:
        quantity, unit = _MEASURES[record.unit]
        return _Measurement(record, quantity, unit, _device(record.name, quantity))
    named = next((name for end in _ends(record.name) if (name := field_name(end))), None)
    if named is None or is_elsewhere(_last_level(record.name)):
        return None
    stated = named.unit if record.unit is None else _stated(named.quantity, record.unit)
    if record.unit is not None and stated is None:
        return None  # such as the volts of a temperature sensor
    own = stated or keys.units.get(named.quantity)
    return _Measurement(record, named.quantity, own, _device(record.name, named.quantity))


def _configured(record: Record, keys: SensorKeys) -> _Measurement | None:
    for quantity, end in keys.paths.items():
        rest = record.name.removesuffix(end)
        whole = not rest or rest[-1] in _SEPARATORS or end[:1] in _SEPARATORS
        if whole and record.name.endswith(end):
            stated = None if record.unit is None else _stated(quantity, record.unit)
            unit = stated or keys.units.get(quantity)
            return _Measurement(record, quantity, unit, _readable(rest))
    return None


def _stated(quantity: str, unit: str) -> Unit | None:
    """What a unit says of a quantity that is known without it."""
    if unit in _MEASURES:
        of, stated = _MEASURES[unit]
        return stated if of == quantity else None
    ratio = _RATIOS.get(unit) if quantity == HUMIDITY else None
    return ratio or stated_unit(quantity, unit)


def _device(name: str, quantity: str) -> str | None:
    """The name without the end that says no more than the quantity."""
    for end in _ends(name):
        named = field_name(end)
        says_it = named is not None and named.quantity == quantity and not named.channel
        if says_it or _INITIALS.get(end.lower()) == quantity:
            return _readable(name.removesuffix(end))
    return _readable(name)


def _ends(name: str) -> Iterator[str]:
    """The ends of a name that begin with it or after a separator, the longest first."""
    end = name[-LONGEST_NAME:]
    if len(end) == len(name):
        yield end
    for index, character in enumerate(end):
        if character in _SEPARATORS:
            yield end[index + 1 :]


def _last_level(name: str) -> str:
    return re.split("[:/]", name)[-1]


def _readable(name: str) -> str | None:
    """`urn:dev:ow:10e2073a01080063:` as the 10e2073a01080063 that is written on the device."""
    return _URN.sub("", name).strip(_SEPARATORS) or None
