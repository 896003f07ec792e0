"""Canonical units, °C and %RH, and the ranges outside which a value is no measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Final

from edge_fusion.events import HUMIDITY, TEMPERATURE, InvalidReason

MIN_CELSIUS = -90.0
MAX_CELSIUS = 150.0
MAX_PERCENT = 105.0
SATURATED = 100.0
_MAX_FRACTION = MAX_PERCENT / 100


class TemperatureUnit(Enum):
    """What a temperature is given in. AUTO: as the payload states, else °C."""

    CELSIUS = "C"
    FAHRENHEIT = "F"
    KELVIN = "K"
    AUTO = "auto"


class HumidityUnit(Enum):
    """What a relative humidity is given in. AUTO: up to 1.05 a fraction, above it percent.

    No room is drier than 1.05 %RH, so AUTO is safe where sensors of both kinds share a topic.
    """

    PERCENT = "percent"
    FRACTION = "fraction"
    AUTO = "auto"


Unit = TemperatureUnit | HumidityUnit

_SPELLINGS: Final[Mapping[str, Mapping[str, Unit]]] = {
    TEMPERATURE: {
        "c": TemperatureUnit.CELSIUS,
        "°c": TemperatureUnit.CELSIUS,
        "℃": TemperatureUnit.CELSIUS,
        "cel": TemperatureUnit.CELSIUS,
        "celsius": TemperatureUnit.CELSIUS,
        "degc": TemperatureUnit.CELSIUS,
        "deg c": TemperatureUnit.CELSIUS,
        "f": TemperatureUnit.FAHRENHEIT,
        "°f": TemperatureUnit.FAHRENHEIT,
        "℉": TemperatureUnit.FAHRENHEIT,
        "fahrenheit": TemperatureUnit.FAHRENHEIT,
        "degf": TemperatureUnit.FAHRENHEIT,
        "deg f": TemperatureUnit.FAHRENHEIT,
        "k": TemperatureUnit.KELVIN,
        "kelvin": TemperatureUnit.KELVIN,
    },
    HUMIDITY: {
        "%": HumidityUnit.PERCENT,
        "%rh": HumidityUnit.PERCENT,
        "% rh": HumidityUnit.PERCENT,
        "rh%": HumidityUnit.PERCENT,
        "percent": HumidityUnit.PERCENT,
        "pct": HumidityUnit.PERCENT,
    },
}


def stated_unit(quantity: str, text: str) -> Unit | None:
    """The unit that a payload names, such as "°C" or "%RH"; None if it is none of `quantity`."""
    return _SPELLINGS.get(quantity, {}).get(text.strip().lower())


def unit_of(quantity: str, stated: str, configured: Unit | None) -> Unit | InvalidReason | None:
    """The unit to read by: the one that a device names, empty if none, else the configured one.

    One that is none of the quantity's shows that this is another quantity, as g/m³ does of a
    humidity, and comes back as UNIT; unless the configuration knows better.
    """
    if not stated.strip() or not has_known_units(quantity):
        return configured
    unit = stated_unit(quantity, stated)
    if unit is not None:
        return unit
    knows_better = (TemperatureUnit.CELSIUS, TemperatureUnit.FAHRENHEIT, TemperatureUnit.KELVIN)
    return configured if configured in knows_better else InvalidReason.UNIT


def has_known_units(quantity: str) -> bool:
    """Whether `quantity` has a canonical unit; other quantities stay as the device gives them."""
    return quantity in _SPELLINGS


def canonical(quantity: str, value: float, unit: Unit | None = None) -> float | InvalidReason:
    """`value` in the canonical unit of `quantity`.

    Temperatures come back in °C, -90 to 150; humidities in %RH, 0 to 105, of which `clipped` makes
    at most 100. Other quantities pass if finite. `unit` None, or one of another quantity, means
    AUTO. Gives NOT_A_NUMBER or OUT_OF_RANGE for anything else.
    """
    if not math.isfinite(value):
        return InvalidReason.NOT_A_NUMBER
    if quantity == TEMPERATURE:
        celsius = _celsius(value, unit)
        return celsius if MIN_CELSIUS <= celsius <= MAX_CELSIUS else InvalidReason.OUT_OF_RANGE
    if quantity == HUMIDITY:
        percent = _percent(value, unit)
        return percent if 0 <= percent <= MAX_PERCENT else InvalidReason.OUT_OF_RANGE
    return value


def clipped(quantity: str, value: float) -> float:
    """A canonical value as it is used: sensors go above 100 %RH in fog, air does not."""
    return SATURATED if quantity == HUMIDITY and value > SATURATED else value


def _celsius(value: float, unit: Unit | None) -> float:
    if unit is TemperatureUnit.FAHRENHEIT:
        return (value - 32.0) / 1.8
    if unit is TemperatureUnit.KELVIN:
        return value - 273.15
    return value


def _percent(value: float, unit: Unit | None) -> float:
    if unit is HumidityUnit.PERCENT:
        return value
    if unit is HumidityUnit.FRACTION or value <= _MAX_FRACTION:
        return value * 100.0
    return value
