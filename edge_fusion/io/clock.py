"""The only reader of wall and monotonic time."""

from __future__ import annotations

import time

from edge_fusion.events import ArrivalTime


class ArrivalClock:
    """Arrival time: the wall clock as it was at start, carried on by the clock of the kernel.

    A step of the wall clock (NTP, daylight saving, a hand) can't run through it, and it never
    goes back. CLOCK_BOOTTIME goes on while the machine sleeps, so that a suspended laptop does
    not come back in the past.
    """

    def __init__(self) -> None:
        self._anchor = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def not_before(self, moment: ArrivalTime) -> None:
        """Let no stamp lie before `moment`: one that an earlier run of the program gave.

        A box without a battery wakes up in the past until somebody tells it the time.
        """
        self._anchor += max(0.0, moment - self.stamp())

    def stamp(self) -> ArrivalTime:
        return ArrivalTime(self._anchor + time.clock_gettime(time.CLOCK_BOOTTIME))


def monotonic_microseconds() -> int:
    """The clock of the kernel by which systemd counts: it stands still while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
