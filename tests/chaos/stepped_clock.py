"""`edge-fusion` on a box whose clocks are stepped: seconds to add to the wall clock and to the
clock since boot are read from the file that the first argument names."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import edge_fusion.io.clock
from edge_fusion.cli import main


class SteppedTime:
    """Stands for the module `time`, as far as io/clock.py asks for it."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self, steps: Path) -> None:
        self._steps = steps

    def time(self) -> float:
        return time.time() + self._read()[0]

    def clock_gettime(self, number: int) -> float:
        return time.clock_gettime(number) + self._read()[1]

    def _read(self) -> tuple[float, float]:
        wall, boot = self._steps.read_text().split()
        return float(wall), float(boot)


if __name__ == "__main__":
    vars(edge_fusion.io.clock)["time"] = SteppedTime(Path(sys.argv.pop(1)))
    main()
