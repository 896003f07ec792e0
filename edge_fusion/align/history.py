"""History: the last reading of each device before a window, to be carried into it."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter

from edge_fusion.events import EventTime, Reading

_TIME = attrgetter("time")


class History:
    """Recent readings per device and quantity, in order of event time.

    Bounded: of what is older than the oldest window that may still fire, one reading is kept;
    and never more than `limit` of one device and quantity.
    """

    def __init__(self, carry: float, limit: int) -> None:
        self._carry = carry
        self._limit = limit
        self._readings: dict[tuple[str, str], list[Reading]] = {}

    def add(self, reading: Reading) -> None:
        readings = self._readings.setdefault((reading.device, reading.quantity), [])
        insort(readings, reading, key=_TIME)
        if len(readings) > self._limit:
            del readings[0]

    def before(self, start: EventTime) -> tuple[Reading, ...]:
        """Per device and quantity the last reading before `start`, no older than `carry`."""
        found = []
        for _, readings in sorted(self._readings.items()):
            place = bisect_left(readings, start, key=_TIME)
            if place and start - readings[place - 1].time < self._carry:
                found.append(readings[place - 1])
        return tuple(found)

    def forget_before(self, start: EventTime) -> None:
        """Drop what no window that starts at or after `start` can carry."""
        for key, readings in list(self._readings.items()):
            place = bisect_left(readings, start, key=_TIME)
            del readings[: max(0, place - 1)]
            if readings[-1].time < start - self._carry:
                del self._readings[key]
