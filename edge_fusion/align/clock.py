"""DeviceClock: what one device's timestamps are worth, and the event time they stand for.

Every message gives one difference d = arrival - device time = clock offset + delay. Delays are
never negative, so the smallest recent d is the offset plus the fastest path: the minimum filter
of NTP (D. L. Mills, RFC 5905 section 10). Within `max_skew` of zero the device's time stands as
it is, beyond that it is corrected by the estimate.

What is not believed:

* a time before 2020 (a clock that was never set), or later than arrival + `max_skew` after
  correction (a clock that ran ahead), or that went back by more than `max_skew` while the
  estimate grew (a clock that was stepped back): the event takes its arrival time instead, and
  nothing is learned from it;
* a backlog, told from a stepped clock by its times going on where they left off: its own times
  are right, but its delays are no offsets, so nothing is learned from it either.

`SETTLED` differences in a row that agree with each other (device and arrival clock advance alike)
show that the clock itself has moved; the estimate then starts afresh from them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from edge_fusion.events import ArrivalTime, EventTime, QuarantineReason

HISTORY = 64
HORIZON = 600.0
SETTLED = 3
YEAR_2020 = 1_577_836_800.0


@dataclass(frozen=True, slots=True)
class Corrected:
    """The event time to use; `reason` is set when the device's own time was not believed."""

    time: EventTime
    reason: QuarantineReason | None = None


class DeviceClock:
    """The clock of one device, seen through its messages."""

    def __init__(self, max_skew: float) -> None:
        self._max_skew = max_skew
        self._learned: deque[tuple[ArrivalTime, float]] = deque(maxlen=HISTORY)
        self._strangers: list[tuple[ArrivalTime, float]] = []
        self._latest: EventTime | None = None

    @property
    def offset(self) -> float:
        """Estimate of arrival - device time, in seconds; 0 before anything was learned."""
        return min((difference for _, difference in self._learned), default=0.0)

    def correct(self, claimed: EventTime, arrival: ArrivalTime) -> Corrected:
        """Event time for a timestamp the device claims; learns from it where it may."""
        if claimed < YEAR_2020:
            return Corrected(EventTime(arrival), QuarantineReason.BEFORE_2020)
        difference = arrival - claimed
        if not self._learned:
            found = self._first(claimed, difference, arrival)
        elif abs(difference - self.offset) <= self._max_skew:
            self._strangers.clear()
            found = self._believe(claimed, difference, arrival)
        else:
            found = self._stranger(claimed, difference, arrival)
        if found.time > arrival + self._max_skew:
            return Corrected(EventTime(arrival), QuarantineReason.FUTURE)
        return found

    def _first(self, claimed: EventTime, difference: float, arrival: ArrivalTime) -> Corrected:
        if difference < -self._max_skew and not self._settles(difference, arrival):
            return Corrected(EventTime(arrival), QuarantineReason.FUTURE)
        return self._believe(claimed, difference, arrival)

    def _stranger(self, claimed: EventTime, difference: float, arrival: ArrivalTime) -> Corrected:
        ahead = difference < self.offset
        goes_on = self._latest is not None and claimed >= self._latest - self._max_skew
        if self._settles(difference, arrival):
            self._learned.clear()
            self._learned.extend(self._strangers)
            self._strangers.clear()
            return self._believe(claimed, difference, arrival)
        if ahead:
            return Corrected(EventTime(arrival), QuarantineReason.FUTURE)
        if goes_on:
            self._latest = claimed
            return Corrected(self._corrected(claimed))
        return Corrected(EventTime(arrival), QuarantineReason.JUMP)

    def _settles(self, difference: float, arrival: ArrivalTime) -> bool:
        """Note a difference that does not fit; true once enough of them agree."""
        if self._strangers and not self._agrees(difference, arrival):
            self._strangers.clear()
        self._strangers.append((arrival, difference))
        return len(self._strangers) >= SETTLED

    def _agrees(self, difference: float, arrival: ArrivalTime) -> bool:
        # In a backlog the difference falls by about a second a second; a clock that was stepped
        # goes on at the pace of ours.
        then, before = self._strangers[-1]
        claimed_elapsed = (arrival - difference) - (then - before)
        pace = abs(difference - before) <= 0.5 * abs(claimed_elapsed)
        return pace and abs(difference - before) <= self._max_skew

    def _believe(self, claimed: EventTime, difference: float, arrival: ArrivalTime) -> Corrected:
        self._learned.append((arrival, difference))
        while arrival - self._learned[0][0] > HORIZON:
            self._learned.popleft()
        self._latest = claimed if self._latest is None else max(self._latest, claimed)
        return Corrected(self._corrected(claimed))

    def _corrected(self, claimed: EventTime) -> EventTime:
        offset = self.offset
        return claimed if abs(offset) <= self._max_skew else EventTime(claimed + offset)
