"""Pulse: the sign of life of the pipeline thread, which /healthz and a watchdog go by."""

from __future__ import annotations

from collections.abc import Callable

from edge_fusion.events import ArrivalTime

STUCK_AFTER = 30.0
"""Seconds without a beat after which the thread is stuck, where no watchdog says otherwise."""

_BEATS = 4
"""So often at least the thread beats in the time after which it would be stuck."""


class Pulse:
    """Beaten by the pipeline thread whenever it has come a step further; felt by any thread.

    A step is a turn, or an inference in one: a turn that catches up with an hour of windows may
    take long, and is not stuck. The thread turns at least every `interval` seconds, so that one
    that merely has nothing to do is not taken for stuck either.

    `watchdog` is the time in seconds within which `alive` must be called again; None: nobody waits.
    """

    def __init__(
        self,
        stamp: Callable[[], ArrivalTime],
        alive: Callable[[], None],
        watchdog: float | None = None,
    ) -> None:
        self._stamp = stamp
        self._alive = None if watchdog is None else alive
        self.limit = STUCK_AFTER if watchdog is None else watchdog
        self._beaten = stamp()
        self._told = ArrivalTime(float("-inf"))

    @property
    def interval(self) -> float:
        """Seconds that the thread may sleep between two turns."""
        return self.limit / _BEATS

    def beat(self) -> None:
        """By the pipeline thread: it has come a step further."""
        self._beaten = self._stamp()
        if self._alive is not None and self._beaten - self._told >= self.interval:
            self._told = self._beaten
            self._alive()

    def age(self) -> float:
        """Seconds since the last beat."""
        return self._stamp() - self._beaten

    def is_stuck(self) -> bool:
        """Whether that is too long."""
        return self.age() >= self.limit
