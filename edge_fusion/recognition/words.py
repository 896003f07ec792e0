"""The words by which devices call temperature, humidity and time in topics and JSON keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE

_C, _F, _K = TemperatureUnit.CELSIUS, TemperatureUnit.FAHRENHEIT, TemperatureUnit.KELVIN

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_TEMPERATURE: Final = frozenset({"temperature", "temp", "tmp", "temperatur", "temperatura"})
_HUMIDITY: Final = frozenset(
    {"humidity", "hum", "humid", "rh", "luftfeuchtigkeit", "luftfeuchte", "feuchte", "humedad",
     "humidite", "umidita"}
)  # fmt: skip
_JOINED: Final[Mapping[str, tuple[str, ...]]] = {
    "tempc": ("temp", "c"),
    "tempf": ("temp", "f"),
    "tempk": ("temp", "k"),
    "tc": ("t", "c"),
    "tf": ("t", "f"),
}
_UNITS: Final[Mapping[str, TemperatureUnit]] = {
    "c": _C, "celsius": _C, "degc": _C, "f": _F, "fahrenheit": _F, "degf": _F,
    "k": _K, "kelvin": _K,
}  # fmt: skip
_UNIT_KEYS: Final = frozenset({"unit", "units", "uom"})
_LONGEST: Final = 128

# What has such a word in its name is a setting, a statistic, a forecast, or is not of the air.
_OTHER: Final = frozenset(
    {"cpu", "gpu", "soc", "core", "chip", "mcu", "board", "processor", "internal",
     "battery", "target", "setpoint", "set", "setting", "desired", "min", "max", "minimum",
     "maximum", "high", "low", "threshold", "limit", "alarm", "alert", "warning", "offset",
     "calibration", "correction", "precision", "sensitivity", "comfort", "eco", "away", "frost",
     "heating", "cooling", "dew", "dewpoint", "feel", "feels", "apparent", "windchill", "index",
     "heatindex", "soil", "forecast", "delta", "change", "trend", "error", "voltage",
     "power", "pressure", "rssi", "signal", "linkquality", "uptime", *_UNIT_KEYS}
)  # fmt: skip

# Levels of topics that name no place and no thing.
_GENERIC: Final = frozenset(
    {"sensor", "sensors", "device", "devices", "camera", "cameras", "cam", "cams", "state",
     "status", "stat", "tele", "telemetry", "data", "value", "values", "current", "reading",
     "readings", "measurement", "measurements", "event", "events", "rpc", "up", "json", "raw",
     "out", "mqtt", "image", "images", "picture", "pictures", "snapshot", "snapshots", "frame",
     "frames", "jpg", "jpeg", "png", "last", "latest", "info", "climate", "environment", "env"}
)  # fmt: skip

_TIMES: Final = (
    "measuredat", "sampletime", "eventtime", "time", "timestamp", "ts", "datetime", "lastseen",
    "date", "epoch", "unixtime", "utc", "dateutc", "createdat", "updatedat", "receivedat", "at",
    "tst", "dt", "t",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says of a value.

    extra: further words in the name, of which a plain `temperature` has none. vague: whether
    something beside it must confirm a name of one letter.
    """

    quantity: str
    unit: TemperatureUnit | None = None
    extra: int = 0
    vague: bool = False


def quantity_in(name: str) -> Named | None:
    """The quantity that a JSON key or a level of a topic names; None if it is another or none.

    Takes `temperature`, `tempC`, `TempC_SHT`, `bme280_humidity`, `Luftfeuchte`, …, and refuses
    `target_temperature`, `cpu_temp` and their like.
    """
    words = words_of(name)
    if "device" in words or is_other(name):  # but what lies below a `device` may be of the air
        return None
    unit = next((_UNITS[word] for word in words[1:] if word in _UNITS), None)
    known = sum(word in _UNITS for word in words[1:])
    if _TEMPERATURE & set(words) or (words[:1] == ("t",) and unit is not None):
        return Named(TEMPERATURE, unit, len(words) - 1 - known)
    if _HUMIDITY & set(words):
        return Named(HUMIDITY, extra=len(words) - 1)
    if words in {("t",), ("h",)}:
        return Named(TEMPERATURE if words == ("t",) else HUMIDITY, vague=True)
    return None


def is_other(name: str) -> bool:
    """Whether what is called `name`, and all below it, is not the air of a room."""
    return bool(_OTHER & set(words_of(name)))


def is_generic(level: str) -> bool:
    """Whether a level of a topic, such as `sensors` or `state`, names no place and no thing."""
    return set(words_of(level)) <= _GENERIC


def names_unit(name: str) -> bool:
    """Whether a key such as `unit` or `TempUnit` holds the unit of temperatures."""
    words = set(words_of(name))
    return bool(words & _UNIT_KEYS) and words <= _UNIT_KEYS | _TEMPERATURE


def without_quantity(level: str) -> str:
    """A level of a topic less its words for a quantity: `bme280_humidity` -> `bme280`."""
    kept = [part for part in re.split(r"[ _.-]+", level) if part and quantity_in(part) is None]
    return "_".join(kept)


def time_rank(name: str) -> int | None:
    """How well `name` fits the time of a measurement, 0 best; None if it doesn't at all."""
    joined = "".join(words_of(name))
    return _TIMES.index(joined) if joined in _TIMES else None


@lru_cache(maxsize=4096)  # the same names come again and again
def words_of(name: str) -> tuple[str, ...]:
    """The words in `name`, in small ASCII letters, with numbers apart."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST]).encode("ascii", "ignore").decode()
    words = (word.lower() for word in _WORD.findall(plain))
    return tuple(part for word in words for part in _JOINED.get(word, (word,)))
