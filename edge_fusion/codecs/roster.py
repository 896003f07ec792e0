"""What a dialect remembers of each sender, for a bounded number of senders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from edge_fusion.events import ArrivalTime

DAY: Final = 86_400.0
SEARCH_EVERY: Final = 60.0
"""How often those who were silent are looked for, when there is no room."""

T = TypeVar("T")


class Roster(Generic[T]):
    """By name of the sender, made by `make` when it is first heard.

    Above `limit` new ones find no room, until some make room that have been silent for a day:
    those that are known go on, whoever else sends.
    """

    def __init__(self, make: Callable[[str], T], limit: int) -> None:
        self._make = make
        self._limit = limit
        self._known: dict[str, T] = {}
        self._heard: dict[str, ArrivalTime] = {}
        self._next_search = ArrivalTime(0.0)

    def __iter__(self) -> Iterator[T]:
        return iter(self._known.values())

    def get(self, name: str) -> T | None:
        """What is remembered of `name`, if it has been heard."""
        return self._known.get(name)

    def of(self, name: str, now: ArrivalTime) -> T | None:
        """What is remembered of `name`, which is heard now; None where there is no room for it."""
        known = self._known.get(name)
        if known is None:
            if not self._has_room(now):
                return None
            known = self._known[name] = self._make(name)
        self._heard[name] = now
        return known

    def _has_room(self, now: ArrivalTime) -> bool:
        if len(self._known) >= self._limit and now >= self._next_search:
            self._next_search = ArrivalTime(now + SEARCH_EVERY)
            for name in [name for name, heard in self._heard.items() if heard <= now - DAY]:
                del self._known[name], self._heard[name]
        return len(self._known) < self._limit
