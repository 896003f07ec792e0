"""DeviceClock: what one device's timestamps are worth, and the event time they stand for.

Every message gives one difference d = arrival - device time = clock offset + delay. Delays are
never negative, so the smallest recent d is the offset plus the fastest path: the minimum filter
of NTP (D. L. Mills, RFC 5905 section 10). Within `max_skew` of zero the device's time stands as
it is, beyond that it is corrected by the estimate.

What is not believed:

* a time before 2020 (a clock that was never set), or later than arrival + `max_skew` after
  correction (a clock that ran ahead), or that went back by more than `max_skew` while d grew
  (a clock that was stepped back): the event takes its arrival time instead, and nothing is
  learned from it;
* an old time that goes on where the device left off, or that is the first of its device: that
  is a backlog or a retained message. The time is right, but its delay is no offset, so nothing
  is learned from it either;
* of the delay of what the broker held back nothing at all, at whatever pace it comes.

`SETTLED` differences that agree with each other while device and arrival clock advance alike
show that the clock itself is off; the estimate then starts afresh from them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Any

from edge_fusion.events import ArrivalTime, EventTime, QuarantineReason

BLOCK = 32
"""Differences in a block. The estimate is the least of this block and the one before."""

BLOCK_SECONDS = 300.0
SETTLED = 3
PACE = 0.1
"""Differences agree if they move by no more than this share of the time that went by."""

YEAR_2020 = 1_577_836_800.0
INFINITY = float("inf")
NEVER = EventTime(-INFINITY)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The event time to use; `reason` is set when the device's own time was not believed."""

    time: EventTime
    reason: QuarantineReason | None = None


class DeviceClock:
    """The clock of one device, seen through its messages."""

    __slots__ = ("_before", "_last", "_least", "_left", "_moved", "_until", "max_skew", "trusted")

    def __init__(self, max_skew: float) -> None:
        self.max_skew = max_skew
        self.trusted = True
        """Whether the device's time is used as it is; so it is before it has claimed any."""
        self._before = INFINITY
        self._least = INFINITY
        self._left = 0
        self._until = ArrivalTime(-INFINITY)
        self._last: EventTime | None = None
        self._moved: _Moved | None = None

    @property
    def offset(self) -> float:
        """Estimate of arrival - device time, in seconds; 0 before anything was learned."""
        offset = min(self._before, self._least)
        return offset if offset < INFINITY else 0.0

    def correct(
        self,
        claimed: EventTime,
        arrival: ArrivalTime,
        reached: EventTime = NEVER,
        *,
        held_back: bool = False,
    ) -> Corrected:
        """Event time for a timestamp the device claims; learns from it where it may.

        `reached` is the largest event time of the device so far. What may have been `held_back`
        on the way shows nothing of the clock, at whatever pace it comes now.
        """
        if not claimed >= YEAR_2020:
            self.trusted = self.trusted and self._least < INFINITY
            return Corrected(EventTime(arrival), QuarantineReason.BEFORE_2020)
        if self.trusted and self._last is not None:
            self._last = max(self._last, reached)
        difference = arrival - claimed
        if abs(difference - self._expected) <= self.max_skew:
            self._moved = None
        elif held_back or not self._settles(claimed, difference):
            return self._strange(claimed, difference, arrival)
        if not held_back:
            self.learn(difference, arrival)
        self._last = claimed
        return Corrected(self._corrected(claimed))

    def learn(self, difference: float, arrival: ArrivalTime) -> None:
        """Take a difference for one that is the clock's offset and the delay of a message."""
        if self._left == 0 or arrival >= self._until:
            self._before, self._least = self._least, difference
            self._left, self._until = BLOCK, ArrivalTime(arrival + BLOCK_SECONDS)
        elif difference < self._least:
            self._least = difference
        self._left -= 1
        least = min(self._least, self._before)
        self.trusted = -self.max_skew <= least <= self.max_skew

    @property
    def _expected(self) -> float:
        return 0.0 if self.trusted else self.offset

    def _strange(self, claimed: EventTime, difference: float, arrival: ArrivalTime) -> Corrected:
        self.trusted = self.trusted and self._least < INFINITY
        if difference < self._expected:
            return Corrected(EventTime(arrival), QuarantineReason.FUTURE)
        if self._last is not None and claimed < self._last - self.max_skew:
            return Corrected(EventTime(arrival), QuarantineReason.JUMP)
        self._last = claimed
        return Corrected(self._corrected(claimed))

    def _settles(self, claimed: EventTime, difference: float) -> bool:
        """Note a difference that does not fit; true once enough of them agree."""
        moved = self._moved
        if moved is None or abs(difference - moved.start) > self.max_skew:
            self._moved = _Moved(claimed, claimed, difference, difference, difference, 1)
            return False
        if claimed > moved.last:
            self._moved = moved = replace(
                moved,
                last=claimed,
                end=difference,
                least=min(moved.least, difference),
                count=moved.count + 1,
            )
        if moved.count < SETTLED or not moved.at_our_pace:
            return False
        self._moved = None
        self._before, self._least, self._left = INFINITY, moved.least, 0
        return True

    def _corrected(self, claimed: EventTime) -> EventTime:
        return claimed if self.trusted else EventTime(claimed + self.offset)

    def state(self) -> list[Any]:
        """All there is to know, as JSON can hold it."""
        moved = None if self._moved is None else astuple(self._moved)
        estimate = [self._before, self._least, self._left, self._until]
        return [self.trusted, *estimate, self._last, moved]

    @classmethod
    def restored(cls, max_skew: float, state: list[Any]) -> DeviceClock:
        """The clock whose `state` was taken."""
        clock = cls(max_skew)
        clock.trusted, *estimate, clock._last, moved = state
        clock._before, clock._least, clock._left, clock._until = estimate
        clock._moved = None if moved is None else _Moved(*moved)
        return clock


@dataclass(frozen=True, slots=True)
class _Moved:
    """Differences that disagree with the estimate, and not much with each other."""

    first: EventTime
    last: EventTime
    start: float
    end: float
    least: float
    count: int

    @property
    def at_our_pace(self) -> bool:
        """In a backlog, unlike by a wrong clock, they fall by about a second a second."""
        return abs(self.end - self.start) <= PACE * (self.last - self.first)
