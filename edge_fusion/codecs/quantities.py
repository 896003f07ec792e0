"""Which quantity a name speaks of, and what else it says: `kitchen_temperature`, `Zone1/Humidity`.

Devices that describe themselves do so by names. A name that only has to do with a measurement,
such as that of a set point, an alarm limit or the battery of the sensor, is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from edge_fusion.events import HUMIDITY, TEMPERATURE

# The Germanic and the Romance languages share these stems.
_STEMS: Final = (("temperatur", TEMPERATURE), ("humid", HUMIDITY), ("feucht", HUMIDITY))
_BARE_WORDS: Final[Mapping[str, str]] = {
    "temperature": TEMPERATURE,
    "temperatur": TEMPERATURE,
    "temperatura": TEMPERATURE,
    "temp": TEMPERATURE,
    "humidity": HUMIDITY,
    "hum": HUMIDITY,
    "rh": HUMIDITY,
}
# In names, which are cut into lower-case words with blanks between them.
_NO_MEASUREMENT: Final = re.compile(
    r"set ?point|target|threshold|dew ?point|batter"
    r"|\b(?:sp|limit|alarm|alert|warning|fault|error|status|state|mode|type|unit|offset|calibration"
    r"|correction|interval|count|age|voltage|model|serial|version|name|id|min|max|minimum|maximum"
    r"|dew|absolute|index|colou?r|cpu|gpu|processor|chip|board|disk)s?\b"
)
_NO_MEASUREMENTS: Final = re.compile(
    r"set ?point|target|threshold|\b(?:limit|alarm|alert|config|configuration|setting)s?\b"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[0-9]+")
_BETWEEN_WORDS: Final = " _-./:"

LONGEST: Final = 256
"""Longer names are not looked into."""
_CACHED: Final = 4096


def quantity_of(name: str, paths: Mapping[str, str]) -> str | None:
    """The quantity of the value called `name`: as `paths` says, where it says anything.

    Else by the last of its levels, which "/" separates, unless it lies among set points or alarms.
    """
    if paths:
        return next((quantity for quantity, path in paths.items() if path == name), None)
    above, _, last = name.rpartition("/")
    if above and _NO_MEASUREMENTS.search(" ".join(_words(above[:LONGEST]))):
        return None
    return named_quantity(last)


def named_quantity(name: str) -> str | None:
    """Temperature or humidity, whichever `name` names last; None if it is about something else."""
    return _named_quantity(name) if len(name) <= LONGEST else None


def measures(name: str) -> bool:
    """Whether what is called `name` may be a measurement, of whatever quantity."""
    return len(name) <= LONGEST and not _NO_MEASUREMENT.search(" ".join(_words(name)))


def without_quantity(name: str) -> str:
    """What `name` says beside the quantity: `kitchen` of `kitchen_temperature`; may be empty.

    All of it where the quantity is but a part of a word, as in `Raumtemperatur`.
    """
    return _without_quantity(name) if len(name) <= LONGEST else name


def parts(quantities: Mapping[str, str]) -> dict[str, str | None]:
    """Which part of its device each value belongs to, from all names that the device has.

    quantities: the quantity of each name, whose levels "/" separates. A device with one value of
    each quantity has no parts. Else a part is what a name says beside its quantity, so that
    `Zone1/Temperature` and `Zone1/Humidity` share one; where two values of one quantity would
    share one, all parts are the whole names.
    """
    if all(count == 1 for count in Counter(quantities.values()).values()):
        return dict.fromkeys(quantities)
    places = {name: _place(name) or None for name in quantities}
    claims = {(quantity, places[name]) for name, quantity in quantities.items()}
    return places if len(claims) == len(places) else {name: name for name in quantities}


@lru_cache(maxsize=_CACHED)
def _named_quantity(name: str) -> str | None:
    if not measures(name):
        return None
    found = (_quantity_of_word(word) for word in reversed(_words(name)))
    return next((quantity for quantity in found if quantity is not None), None)


@lru_cache(maxsize=_CACHED)
def _without_quantity(name: str) -> str:
    words = list(_WORD.finditer(name))
    said = [_BARE_WORDS.get(word.group().lower()) for word in words]
    last = next((index for index in reversed(range(len(said))) if said[index]), None)
    if last is None:
        return name
    first = last
    while first > 0 and (
        said[first - 1] == said[last] or words[first - 1].group().lower() == "relative"
    ):
        first -= 1
    before = name[: words[first].start()].strip(_BETWEEN_WORDS)
    after = name[words[last].end() :].strip(_BETWEEN_WORDS)
    return "_".join(part for part in (before, after) if part)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _place(name: str) -> str:
    above, _, last = name.rpartition("/")
    return "/".join(level for level in (above, without_quantity(last)) if level)


def _quantity_of_word(word: str) -> str | None:
    stems = (quantity for stem, quantity in _STEMS if stem in word)
    return _BARE_WORDS.get(word) or next(stems, None)
