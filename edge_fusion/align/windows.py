"""Window assigners: event time -> windows, aligned to the Unix epoch; nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_fusion.events import EventTime, Window


@dataclass(frozen=True, slots=True)
class Tumbling:
    """Windows of `size` seconds, one after the other: every instant lies in exactly one."""

    size: float

    @property
    def every(self) -> float:
        return self.size

    def windows_of(self, time: EventTime) -> tuple[Window, ...]:
        return (_window(index_of(time, self.size), self.size, self.size),)


@dataclass(frozen=True, slots=True)
class Hopping:
    """Windows of `size` seconds, one starting every `every`: an instant lies in size / every."""

    size: float
    every: float

    def windows_of(self, time: EventTime) -> tuple[Window, ...]:
        last = index_of(time, self.every)
        overlap = round(self.size / self.every)
        return tuple(
            _window(index, self.every, self.size) for index in range(last - overlap + 1, last + 1)
        )


def index_of(time: float, every: float) -> int:
    """The largest whole number n with n * every <= time, exactly, whatever division rounds to."""
    index = math.floor(time / every)
    if index * every > time:
        return index - 1
    return index + 1 if (index + 1) * every <= time else index


def _window(index: int, every: float, size: float) -> Window:
    # Ends are computed as starts are, so that neighbours meet exactly in floating point.
    ends = round(size / every)
    return Window(EventTime(index * every), EventTime((index + ends) * every))


Assigner = Tumbling | Hopping


def assigner(size: float, every: float) -> Assigner:
    """The assigner for windows of `size` seconds, one starting every `every` seconds."""
    return Tumbling(size) if every == size else Hopping(size, every)
