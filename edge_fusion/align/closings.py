"""Closings: when the watermark closed which windows, for as long as lateness needs it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from typing import Any

from edge_fusion.events import ArrivalTime

LONG_AGO = ArrivalTime(float("-inf"))
LIMIT = 4096


class Closings:
    """A bounded log of (n, arrival time at which all windows below n were closed), increasing.

    It dates the close of a window that was empty when it closed, so that an event that comes
    for it later is judged as it would be if the window had held something.
    """

    def __init__(self) -> None:
        self._log: deque[tuple[int, ArrivalTime]] = deque(maxlen=LIMIT)
        self._forgotten = 0

    def add(self, below: int, at: ArrivalTime) -> None:
        """Note that all windows below `below` are closed at `at`."""
        if self._log and below <= self._log[-1][0]:
            return
        if len(self._log) == LIMIT:
            self._forgotten = self._log[0][0]
        self._log.append((below, at))

    def when(self, index: int) -> ArrivalTime | None:
        """When window `index` was closed: None if it was not, LONG_AGO if that is forgotten."""
        if index < self._forgotten:
            return LONG_AGO
        place = bisect_right(self._log, index, key=lambda entry: entry[0])
        return self._log[place][1] if place < len(self._log) else None

    def before(self, arrival: ArrivalTime) -> int:
        """The n below which all windows were closed earlier than `arrival`."""
        place = bisect_left(self._log, arrival, key=lambda entry: entry[1])
        return self._log[place - 1][0] if place else self._forgotten

    def forget_before(self, arrival: ArrivalTime) -> None:
        """Let go of what was closed before `arrival`, except the last of it."""
        while len(self._log) > 1 and self._log[1][1] < arrival:
            self._forgotten = self._log.popleft()[0]

    def state(self) -> list[Any]:
        """All there is to know, as JSON can hold it."""
        return [self._forgotten, list(self._log)]

    def restore(self, state: list[Any]) -> None:
        """Take up a `state` again."""
        self._forgotten, log = state
        self._log.extend((below, at) for below, at in log)
