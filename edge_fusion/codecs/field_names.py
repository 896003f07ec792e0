"""What a field holds, by the name that a firmware or somebody's payload formatter gave it.

A name is cut into words, `TempC_SHT` into temp, c and sht. It is that of a room's temperature or
humidity if one of them is a word for it and the others say no more than the unit, the chip, the
channel, or that it is the air's: `relative_humidity`, `airTemperature`, `temperature_1`. So a
`soil_temperature`, a `temperature_board` or a `tempAlarm` is not taken for the room's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit, Unit
from edge_fusion.events import HUMIDITY, TEMPERATURE

LONGEST_NAME: Final = 64
"""Longer names are nobody's, and would let a stranger fill the memory of names."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MEANINGS: Final[Mapping[str, tuple[str, Unit | None]]] = MappingProxyType(
    {
        "temperature": (TEMPERATURE, None),
        "temp": (TEMPERATURE, None),
        "tempc": (TEMPERATURE, TemperatureUnit.CELSIUS),
        "tempf": (TEMPERATURE, TemperatureUnit.FAHRENHEIT),
        "humidity": (HUMIDITY, None),
        "humi": (HUMIDITY, None),
        "hum": (HUMIDITY, None),
        "rh": (HUMIDITY, None),
    }
)
_UNITS: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "c": TemperatureUnit.CELSIUS,
        "degc": TemperatureUnit.CELSIUS,
        "celsius": TemperatureUnit.CELSIUS,
        "f": TemperatureUnit.FAHRENHEIT,
        "degf": TemperatureUnit.FAHRENHEIT,
        "fahrenheit": TemperatureUnit.FAHRENHEIT,
        "percent": HumidityUnit.PERCENT,
        "pct": HumidityUnit.PERCENT,
        "prc": HumidityUnit.PERCENT,
    }
)
_AIR: Final = frozenset({"air", "ambient", "room", "indoor"})
_NEUTRAL: Final = frozenset(
    {"relative", "rel", "sensor", "value", "deg", "measured", "current"}
    | {"sht", "shtc", "bme", "bmp", "aht", "dht", "hdc", "htu", "si", "am", "hts"}
)
_ELSEWHERE: Final = frozenset(
    {"soil", "water", "liquid", "surface", "board", "chip", "cpu", "mcu", "battery", "internal"}
    | {"external", "probe", "dew", "setpoint", "target", "alarm", "threshold", "limit", "offset"}
    | {"min", "max", "history", "datalog", "config", "calibration", "info"}
)


class FieldName(NamedTuple):
    """What a name says.

    unit: None where the name does not tell. channel: its digits. rank: of several names for one
    quantity the smallest is to be preferred: °C to °F, then the air's to nobody's, then the name
    that says the least.
    """

    quantity: str
    unit: Unit | None
    channel: str
    rank: tuple[bool, bool, int]


@lru_cache(maxsize=1024)
def field_name(name: str) -> FieldName | None:
    """What `name` says of a room's temperature or humidity; None if it is neither's name."""
    if len(name) > LONGEST_NAME:
        return None
    words = _words(name)
    others = [word for word in words if word not in _MEANINGS and not word.isdigit()]
    named = [_MEANINGS[word] for word in words if word in _MEANINGS]
    if len({quantity for quantity, _ in named}) != 1:
        return None
    if not all(word in _UNITS or word in _AIR or word in _NEUTRAL for word in others):
        return None
    quantity = named[0][0]
    stated = [unit for _, unit in named] + [_UNITS.get(word) for word in others]
    unit = next((unit for unit in stated if unit is not None), None)
    rank = (unit is TemperatureUnit.FAHRENHEIT, _AIR.isdisjoint(others), len(others))
    return FieldName(quantity, unit, "".join(filter(str.isdigit, words)), rank)


@lru_cache(maxsize=1024)
def is_elsewhere(name: str) -> bool:
    """Whether what lies under `name` is not of the room now, whatever it is called itself."""
    return len(name) > LONGEST_NAME or not _ELSEWHERE.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
