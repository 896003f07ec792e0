"""What a BIRTH says of its sender, as far as it has to be remembered for the DATA that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.quantities import parts, quantity_of
from edge_fusion.codecs.sparkplug.wire import Metric
from edge_fusion.events import InvalidReason

_LONGEST: Final = 256
"""Longer names of metrics are not remembered, so that the number of names bounds the memory."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric that is a measurement. unit: as its properties name it, or empty."""

    quantity: str
    part: str | None
    unit: str
    datatype: int


@dataclass(frozen=True, slots=True)
class Birth:
    """The metrics of one sender.

    definitions: by name; None for what is called like a measurement and is none. names: by alias,
    of metrics in `definitions` or of the templates they are in. others: the rest of the aliases.
    complete: whether there was room for all of them.
    """

    definitions: Mapping[str, Definition | None] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    others: frozenset[int] = frozenset()
    complete: bool = True

    def __len__(self) -> int:
        """How many names and aliases are remembered."""
        return len(self.definitions) + len(self.names) + len(self.others)

    def name_of(self, metric: Metric) -> str | None:
        """The full name; None where an alias stands for it that is not remembered."""
        name = metric.name
        if name is None and metric.alias is not None:
            name = self.names.get(metric.alias)
        return None if name is None else name + metric.member

    def ignores(self, metric: Metric) -> bool:
        """Whether an alias is known to stand for no measurement."""
        return metric.alias in self.others


UNBORN: Final = Birth()


def read_birth(metrics: Sequence[Metric], keys: SensorKeys, room: int) -> Birth:
    """What `metrics` of a BIRTH define; of names and aliases together at most `room`.

    Measurements come first: what has no room is first of all what would have been ignored.
    """
    measuring = [
        (metric.name, metric, quantity)
        for metric in metrics
        if metric.name is not None
        and (quantity := quantity_by_name(metric.name + metric.member, keys)) is not None
    ]
    kept = measuring[: max(0, room // 2)]  # a name and an alias each
    found = {name + metric.member: define(quantity, metric) for name, metric, quantity in kept}
    names = {metric.alias: name for name, metric, _ in kept if metric.alias is not None}
    aliases = {metric.alias for metric in metrics if metric.alias is not None} - names.keys()
    others = sorted(aliases)[: max(0, room - len(found) - len(names))]
    complete = len(kept) == len(measuring) and len(others) == len(aliases)
    return Birth(_with_parts(found), names, frozenset(others), complete)


def quantity_by_name(name: str, keys: SensorKeys) -> str | None:
    """The quantity that the metric `name` is called after, if any that is asked for."""
    return quantity_of(name, keys.paths) if len(name) <= _LONGEST else None


def define(quantity: str, metric: Metric) -> Definition | None:
    """A definition by what the metric itself tells; None: by type or value no measurement."""
    if not metric.measures:
        return None
    if isinstance(metric.value, str) and isinstance(read_number(metric.value), InvalidReason):
        return None
    return Definition(quantity, None, metric.unit, metric.datatype)


def _with_parts(found: Mapping[str, Definition | None]) -> dict[str, Definition | None]:
    named = parts({name: each.quantity for name, each in found.items() if each is not None})
    return {
        name: None if each is None else replace(each, part=named[name])
        for name, each in found.items()
    }
