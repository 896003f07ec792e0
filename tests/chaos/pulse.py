"""Whether a daemon answers, asked five times a second; and what it takes of the machine."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from running import Running

INTERVAL = 0.2
MEGABYTE = 1024 * 1024


def resident(pid: int) -> int:
    """Bytes in memory."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def resident_peak(pid: int) -> int:
    """Bytes in memory at most so far."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


@dataclass
class Pulse:
    """Asks for /healthz until the `with` block ends."""

    daemon: Running

    def __post_init__(self) -> None:
        self.answers: list[tuple[int, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer."""
        return max(seconds for _, seconds in self.answers)

    @property
    def failures(self) -> list[int]:
        """What came where 200 was expected; 0 for no answer."""
        return [status for status, _ in self.answers if status != 200]

    def _listen(self) -> None:
        while not self._stop.wait(INTERVAL):
            began = time.monotonic()
            try:
                status, _ = self.daemon.page("/healthz")
            except OSError:  # a time-out within the answer
                status = 0
            self.answers.append((status, time.monotonic() - began))
