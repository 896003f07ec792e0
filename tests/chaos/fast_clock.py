"""`edge-fusion` in a time that goes faster: the first argument says when that began, as seconds of
the wall clock, and the second how many times faster."""

from __future__ import annotations

import sys
import time

import edge_fusion.io.clock
import edge_fusion.mailbox
from edge_fusion.cli import main
from edge_fusion.events import ArrivalTime


class FastTime:
    """Stands for the module `time`, as far as io/clock.py asks for it."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self, began: float, speed: float) -> None:
        self._began = began
        self._speed = speed

    def time(self) -> float:
        return self._began + (time.time() - self._began) * self._speed

    def clock_gettime(self, number: int) -> float:
        return time.clock_gettime(number) * self._speed


class FastMailbox(edge_fusion.mailbox.Mailbox):
    """Waits by the clock of the machine for what is due by the fast one."""

    speed = 1.0

    def _patience(self, until: ArrivalTime | None) -> float | None:
        patience = super()._patience(until)
        return None if patience is None else patience / self.speed


if __name__ == "__main__":
    start, factor = float(sys.argv.pop(1)), float(sys.argv.pop(1))
    vars(edge_fusion.io.clock)["time"] = FastTime(start, factor)
    FastMailbox.speed = factor
    import edge_fusion.intake

    vars(edge_fusion.intake)["Mailbox"] = FastMailbox
    main()
