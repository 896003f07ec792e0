"""Firings: which windows of a site are open, which are closed, and when one is to fire.

A window bears the index of its last slice. It is open from its first event on, closes once, and
may be revised until its allowed lateness is up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edge_fusion.align.closings import Closings
from edge_fusion.align.windows import Assigner, index_of
from edge_fusion.events import ArrivalTime, ClosedBy

INFINITY = float("inf")

NONE_CLOSED = -(2**62)

REVISION_DELAY = 1.0
"""Seconds for which late events of a window are gathered into one revision."""

SPARE = 3
"""How many closed windows may be kept beyond their time, so that not each tidies up alone."""


@dataclass(slots=True)
class Closed:
    """What became of one window since it closed."""

    closed_by: ClosedBy
    firings: int = 0
    late: int = 0
    revision_due: float = INFINITY

    @property
    def pending(self) -> bool:
        """Whether it got events since it last fired."""
        return self.revision_due < INFINITY


class Firings:
    """The lifecycle of a site's windows; durations in seconds of arrival time."""

    def __init__(self, windows: Assigner, *, max_wait: float, allowed_lateness: float) -> None:
        self._every = windows.every
        self._overlap = windows.overlap
        self._max_wait = max_wait
        self._allowed_lateness = allowed_lateness
        self._open: set[int] = set()
        self._closed: dict[int, Closed] = {}
        self._closings = Closings()
        self._last_closed = NONE_CLOSED
        self._forgotten = NONE_CLOSED
        """Nothing is known any more of windows below."""
        self._next_revision = INFINITY
        self._enough = SPARE

    def is_open(self, number: int) -> bool:
        return number in self._open

    def due(self) -> float:
        """The arrival time at which the next window is to fire if nothing comes; else infinity."""
        first = self.latest(min(self._open)) if self._open else INFINITY
        return min(first, self._next_revision)

    def is_untouched(self, number: int) -> bool:
        """Whether neither this window nor any that ends later has closed."""
        return number > self._last_closed

    def first_open(self) -> int | None:
        """The open window that ends first, or None."""
        return min(self._open, default=None)

    def enter(self, index: int, now: ArrivalTime) -> float:
        """Open the windows of a slice that got an event, or have them revised.

        Returns when the first of them is due.
        """
        due = INFINITY
        for number in range(index, index + self._overlap):
            closed = None if number in self._open else self._closed_window(number, now)
            if closed is None:
                self._open.add(number)
                due = min(due, self.latest(number))
            else:
                closed.late += 1
                closed.revision_due = min(closed.revision_due, now + REVISION_DELAY)
                self._next_revision = min(self._next_revision, closed.revision_due)
                due = min(due, closed.revision_due)
        return due

    def close(
        self, passed: int, now: ArrivalTime, *, waited_to: ArrivalTime, oldest: int
    ) -> list[tuple[int, Closed]]:
        """Close windows below `passed`, the watermark's, and those that waited long enough.

        `waited_to` is the arrival time up to which waiting counts; below `oldest` none may stay
        open. In order of their end.
        """
        self._closings.add(passed, now)
        closing = []
        for number in sorted(self._open):
            if number >= passed and number >= oldest and self.latest(number) > waited_to:
                break
            by = ClosedBy.WATERMARK if number < passed else ClosedBy.MAX_WAIT
            self._open.remove(number)
            self._last_closed = max(self._last_closed, number)
            closed = self._closed[number] = Closed(by)
            closing.append((number, closed))
        return closing

    def revise(self, now: ArrivalTime, oldest: int) -> list[tuple[int, Closed]]:
        """Windows whose late events were gathered long enough, or which are below `oldest`."""
        if self._next_revision == INFINITY:
            return []
        due = [
            (number, closed)
            for number, closed in self._closed.items()
            if closed.revision_due <= now or (number < oldest and closed.pending)
        ]
        for _, closed in due:
            closed.revision_due = INFINITY
        self._next_revision = self._first_revision()
        return sorted(due, key=lambda entry: entry[0])

    def is_untidy(self) -> bool:
        """Whether `let_go` is worth its while."""
        return len(self._closed) >= self._enough

    def final(self, now: ArrivalTime) -> int:
        """The slice below which every slice's windows are all past their allowed lateness.

        No less than what is forgotten, even if `now` lies before that: time may stand still, for
        a backlog, at an instant of before.
        """
        horizon = ArrivalTime(now - self._allowed_lateness)
        waited = index_of(math.nextafter(horizon - self._max_wait, -INFINITY), self._every)
        passed = max(waited, self._closings.before(horizon)) - self._overlap + 1
        return max(passed, self._forgotten)

    def let_go(self, final: int, now: ArrivalTime) -> int:
        """Forget the windows whose slices are all below `final`; returns the first slice needed."""
        pending = (number for number, closed in self._closed.items() if closed.pending)
        first = min([final, *self._open, *pending])
        for number in [number for number in self._closed if number < first]:
            del self._closed[number]
        self._forgotten = max(self._forgotten, first)
        self._closings.forget_before(ArrivalTime(now - self._allowed_lateness))
        self._enough = len(self._closed) + SPARE
        return first - self._overlap + 1

    def state(self) -> dict[str, Any]:
        """All there is to know, as JSON can hold it."""
        closed = [
            [number, c.closed_by.value, c.firings, c.late, c.revision_due]
            for number, c in sorted(self._closed.items())
        ]
        return {
            "open": sorted(self._open),
            "closed": closed,
            "closings": self._closings.state(),
            "last_closed": self._last_closed,
            "forgotten": self._forgotten,
            "enough": self._enough,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a `state` again."""
        self._open.update(state["open"])
        for number, by, *rest in state["closed"]:
            self._closed[number] = Closed(ClosedBy(by), *rest)
        self._closings.restore(state["closings"])
        self._last_closed = state["last_closed"]
        self._forgotten = state.get("forgotten", NONE_CLOSED)
        self._enough = state["enough"]
        self._next_revision = self._first_revision()

    def _first_revision(self) -> float:
        return min((closed.revision_due for closed in self._closed.values()), default=INFINITY)

    def latest(self, number: int) -> float:
        """The arrival time at which a window closes, whatever the watermark."""
        return (number + 1) * self._every + self._max_wait

    def _closed_window(self, number: int, now: ArrivalTime) -> Closed | None:
        """The state of a window that closed, be it before anything came for it; None if open."""
        closed = self._closed.get(number)
        if closed is not None:
            return closed
        crossed, latest = self._closings.when(number), self.latest(number)
        if crossed is not None and (crossed <= latest or now < latest):
            by = ClosedBy.WATERMARK
        elif crossed is not None or latest <= now or number < self._last_closed:
            by = ClosedBy.MAX_WAIT
        else:
            return None
        closed = self._closed[number] = Closed(by)
        return closed
