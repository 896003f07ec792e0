"""Crossings: when a site's watermark passed which event time, for as long as lateness needs it."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from edge_fusion.align.windows import index_of
from edge_fusion.events import ArrivalTime, EventTime

LONG_AGO = ArrivalTime(float("-inf"))
LIMIT = 4096


class Crossings:
    """A bounded log of (watermark, arrival time at which it was reached), both increasing.

    It dates the close of a window that was empty when it closed, so that an event that comes
    for it later is judged as it would be if the window had held something.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._log: deque[tuple[EventTime, ArrivalTime]] = deque(maxlen=LIMIT)
        self._forgotten = EventTime(float("-inf"))

    def add(self, watermark: EventTime, at: ArrivalTime) -> None:
        """Note an advance; advances that pass no window end are not worth a line."""
        if self._log and index_of(watermark, self._every) * self._every <= self._log[-1][0]:
            return
        if len(self._log) == LIMIT:
            self._forgotten = self._log[0][0]
        self._log.append((watermark, at))

    def when(self, end: EventTime) -> ArrivalTime | None:
        """When the watermark reached `end`: None if it has not, LONG_AGO if that is forgotten."""
        if end <= self._forgotten:
            return LONG_AGO
        place = bisect_left(self._log, end, key=lambda entry: entry[0])
        return self._log[place][1] if place < len(self._log) else None

    def forget_before(self, arrival: ArrivalTime) -> None:
        """Let go of what was reached before `arrival`, except the last of it."""
        while len(self._log) > 1 and self._log[1][1] < arrival:
            self._forgotten = self._log.popleft()[0]
