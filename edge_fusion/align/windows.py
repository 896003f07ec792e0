"""Window assigners: event time -> windows, aligned to the Unix epoch; nothing else.

The edges of windows cut time into *slices* of `every` seconds. Slice n is [n * every,
(n + 1) * every); window n is the one that ends with slice n. So an event lies in one slice,
whatever the overlap, and slice n in the windows n to n + overlap - 1 (stream slicing: J. Li et
al., "No Pane, No Gain", SIGMOD Record 34(1), 2005).
"""

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

    @property
    def overlap(self) -> int:
        return 1

    def windows_of(self, time: EventTime) -> tuple[Window, ...]:
        return (window(index_of(time, self.size), self),)


@dataclass(frozen=True, slots=True)
class Hopping:
    """Windows of `size` seconds, one starting every `every`: an instant lies in size / every."""

    size: float
    every: float

    @property
    def overlap(self) -> int:
        return round(self.size / self.every)

    def windows_of(self, time: EventTime) -> tuple[Window, ...]:
        first = index_of(time, self.every)
        return tuple(window(index, self) for index in range(first, first + self.overlap))


Assigner = Tumbling | Hopping


def assigner(size: float, every: float) -> Assigner:
    """The assigner for windows of `size` seconds, one starting every `every` seconds."""
    return Tumbling(size) if every == size else Hopping(size, every)


def index_of(time: float, every: float) -> int:
    """The largest whole number n with n * every <= time, exactly, whatever division rounds to."""
    index = math.floor(time / every)
    if index * every > time:
        return index - 1
    return index + 1 if (index + 1) * every <= time else index


def window(index: int, windows: Assigner) -> Window:
    """The window that ends with slice `index`."""
    # Ends are computed as starts are, so that neighbours meet exactly in floating point.
    every, end = windows.every, index + 1
    return Window(EventTime((end - windows.overlap) * every), EventTime(end * every))
