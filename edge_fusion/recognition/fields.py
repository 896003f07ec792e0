"""Where JSON documents of no known format hold temperature, humidity and time.

Names propose and values decide: a path counts if it is called by one of the words of `words.py`
and everything found at it could be measured in a room, or is a time near that of its arrival.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.times import Unzoned, parse_time
from edge_fusion.codecs.units import (
    HumidityUnit,
    TemperatureUnit,
    Unit,
    canonical,
    stated_unit,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE, InvalidReason
from edge_fusion.recognition.words import (
    Named,
    is_other,
    names_unit,
    quantity_in,
    time_rank,
)

DEFAULT_UNITS: Final[Mapping[str, Unit]] = {
    TEMPERATURE: TemperatureUnit.AUTO,
    HUMIDITY: HumidityUnit.PERCENT,
}
"""What the configuration takes values for, unless told otherwise."""

_MAX_DEPTH = 6
_MAX_LEAVES = 300
_COLDEST, _HOTTEST = -60.0, 125.0
_COLDEST_KELVIN = 200.0
_DAY = 86_400.0
_YEAR_2020 = 1_577_836_800.0
# In `{"temperature": {"value": 21.4, "unit": "C"}}` the name stands a level higher.
_VALUE_KEYS: Final = frozenset({"value", "val", "v", "current", "mean", "avg", "average"})


class Leaf(NamedTuple):
    """A value, its path, and what lies beside it in the same object."""

    path: tuple[str, ...]
    value: Any
    beside: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The key that says what this is."""
        if len(self.path) > 1 and self.path[-1].lower() in _VALUE_KEYS:
            return self.path[-2]
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Document:
    """The values in the JSON of one message that paths can reach.

    arrival: in seconds; retained: the message may have been sent long before.
    """

    leaves: tuple[Leaf, ...]
    arrival: float
    retained: bool = False

    @classmethod
    def of(cls, content: Any, arrival: float, *, retained: bool = False) -> Document:
        return cls(tuple(_leaves(content)), arrival, retained)


@dataclass(frozen=True, slots=True)
class Fields:
    """Where the values are. `others`: further paths that hold the same quantities."""

    keys: SensorKeys
    others: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    """A path that may hold a quantity, and its unit. What stands first decides, least is best."""

    is_vague: bool
    is_converted: bool
    extra: int
    depth: int
    path: str
    unit: Unit
    place: tuple[str, ...]

    @property
    def rank(self) -> tuple[bool, bool, int, int, str]:
        return self[:5]


def find_fields(documents: Sequence[Document]) -> Fields | None:
    """The paths of temperature and humidity in the documents of one topic, None without any.

    Of several paths for one quantity the plainest name wins, in °C where there is a choice; the
    two come from one place, so that nobody mixes the air of the garden with that of the house.
    """
    columns: dict[tuple[str, ...], list[Leaf]] = defaultdict(list)
    for document in documents:
        for leaf in document.leaves:
            columns[leaf.path].append(leaf)
    found = {
        quantity: sorted(_candidates(quantity, list(columns.values())), key=lambda c: c.rank)
        for quantity in (TEMPERATURE, HUMIDITY)
    }
    chosen = _from_one_place(found)
    if not chosen:
        return None
    paths = {quantity: one.path for quantity, one in chosen.items()}
    units = {quantity: one.unit for quantity, one in chosen.items()}
    others = {one.path for ranked in found.values() for one in ranked if not one.is_converted}
    return Fields(
        SensorKeys(paths, find_time(documents), units={**DEFAULT_UNITS, **units}),
        tuple(sorted(others - set(paths.values()))),
    )


def _from_one_place(found: Mapping[str, Sequence[_Candidate]]) -> dict[str, _Candidate]:
    """The best of each quantity, of one place; of several places, if each has but one quantity."""
    places: dict[tuple[str, ...], dict[str, _Candidate]] = defaultdict(dict)
    for quantity, ranked in found.items():
        for one in ranked:
            places[one.place].setdefault(quantity, one)
    if not places:
        return {}
    if all(len(held) == 1 for held in places.values()):
        return {quantity: ranked[0] for quantity, ranked in found.items() if ranked}
    return min(places.values(), key=lambda held: (-len(held), [one.rank for one in held.values()]))


def find_time(documents: Sequence[Document]) -> str | None:
    """The path of the time, if one is given that is near the arrival in every document."""
    ranks: dict[tuple[str, ...], tuple[int, int]] = {}
    refuted: set[tuple[str, ...]] = set()
    for document in documents:
        for leaf in document.leaves:
            rank = time_rank(leaf.path[-1])
            if rank is None or leaf.value in (None, ""):
                continue
            ranks[leaf.path] = (len(leaf.path), rank)
            if not _is_near(leaf.value, document):
                refuted.add(leaf.path)
    fitting = [(rank, path) for path, rank in ranks.items() if path not in refuted]
    return ".".join(min(fitting)[1]) if fitting else None


def find_texts(documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """The path of each text in the documents, and the text."""
    for document in documents:
        for leaf in document.leaves:
            if isinstance(leaf.value, str):
                yield ".".join(leaf.path), leaf.value


def _leaves(content: Any) -> Iterator[Leaf]:
    """The values in a document that a dotted path can reach, level by level, a bounded number."""
    level: list[tuple[tuple[str, ...], Any]] = [((), content)]
    seen = 0
    for _ in range(_MAX_DEPTH):
        below: list[tuple[tuple[str, ...], Any]] = []
        for path, node in level:
            beside = node if isinstance(node, dict) else {}
            for key, value in _children(node):
                seen += 1
                if seen > _MAX_LEAVES:
                    return
                if isinstance(value, dict | list):
                    below.append(((*path, key), value))
                else:
                    yield Leaf((*path, key), value, beside)
        level = below


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        yield from ((str(index), value) for index, value in enumerate(node))
    elif isinstance(node, dict):
        yield from ((key, value) for key, value in node.items() if _is_step(key))


def _is_step(key: str) -> bool:
    """Whether a path can name this key, and a file in UTF-8 the path."""
    return bool(key) and "." not in key and not any("\ud800" <= c <= "\udfff" for c in key)


def _candidates(quantity: str, columns: Sequence[Sequence[Leaf]]) -> Iterator[_Candidate]:
    for column in columns:
        first = column[0]
        named = quantity_in(first.name)
        if named is None or named.quantity != quantity or any(map(is_other, first.path[:-1])):
            continue
        if named.vague and not _has_companion(first, quantity):
            continue
        numbers = [number for leaf in column if (number := read_number(leaf.value)) is not None]
        unit = _unit(quantity, named, column, numbers)
        if numbers and all(_is_plausible(quantity, number, unit) for number in numbers):
            yield _Candidate(
                named.vague,
                unit in {TemperatureUnit.FAHRENHEIT, TemperatureUnit.KELVIN},
                named.extra,
                len(first.path),
                ".".join(first.path),
                unit,
                _place(first.path),
            )


def _place(path: tuple[str, ...]) -> tuple[str, ...]:
    """Where a value is measured: `a.temperature:0.tC` and `a.humidity:0.rh` are both of `a`."""
    return tuple(step for step in path[:-1] if quantity_in(step) is None)


def _has_companion(leaf: Leaf, quantity: str) -> bool:
    """Whether the other of the two quantities lies beside a name of one letter."""
    for key, value in leaf.beside.items():
        named, number = quantity_in(key), read_number(value)
        if named is not None and named.quantity != quantity and number is not None:
            return _is_plausible(named.quantity, number, named.unit)
    return False


def _unit(
    quantity: str, named: Named, column: Sequence[Leaf], numbers: Sequence[float | InvalidReason]
) -> Unit:
    """The unit, where names, neighbours or values leave no doubt."""
    values = [number for number in numbers if not isinstance(number, InvalidReason)]
    if quantity == HUMIDITY:
        # No room is drier than 1 %RH.
        is_fraction = all(0 <= value <= 1 for value in values) and any(
            0 < value < 1 for value in values
        )
        return HumidityUnit.FRACTION if is_fraction else DEFAULT_UNITS[HUMIDITY]
    if named.unit is not None:
        return named.unit
    stated = {_stated_beside(leaf) for leaf in column}
    if len(stated) == 1 and (unit := stated.pop()) is not None:
        return unit
    if values and all(value > _COLDEST_KELVIN for value in values):
        return TemperatureUnit.KELVIN
    return DEFAULT_UNITS[TEMPERATURE]


def _stated_beside(leaf: Leaf) -> Unit | None:
    texts = (v for k, v in leaf.beside.items() if isinstance(v, str) and names_unit(k))
    units = (stated_unit(TEMPERATURE, text) for text in texts)
    return next((unit for unit in units if unit is not None), None)


def _is_plausible(quantity: str, number: float | InvalidReason, unit: Unit | None) -> bool:
    value = number if isinstance(number, InvalidReason) else canonical(quantity, number, unit)
    if isinstance(value, InvalidReason):
        return False
    return quantity == HUMIDITY or _COLDEST <= value <= _HOTTEST


def _is_near(value: object, document: Document) -> bool:
    time = parse_time(value)
    if isinstance(time, Unzoned):
        time = parse_time(f"{value}Z")  # whichever its zone may be, it is within a day of that
    if not isinstance(time, float):
        return False
    earliest = _YEAR_2020 if document.retained else document.arrival - _DAY
    return earliest <= time <= document.arrival + _DAY
