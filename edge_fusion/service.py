"""Service: what systemd is told of the daemon, by the pipeline thread."""

from __future__ import annotations

from edge_fusion.events import ArrivalTime
from edge_fusion.health import Figures, Health
from edge_fusion.io.systemd import Notifier

REFRESH = 10.0
"""Seconds between two status lines that differ in their figures only."""


class Service:
    """Says READY once it is, then a status line whenever it has changed.

    One thread calls it. Figures are taken now and then: each line is a message to everybody who
    looks at units.
    """

    def __init__(self, notifier: Notifier, health: Health, start: ArrivalTime) -> None:
        self._notifier = notifier
        self._health = health
        self._taken = 0
        self._before = Figures(start, 0, 0, 0)
        self._said = ""
        self._is_over = False

    def took(self, messages: int) -> None:
        """So many messages have come."""
        self._taken += messages

    def ready(self) -> None:
        """The daemon works, at first or after a reload."""
        if not self._is_over:
            self._said = self._trouble()
            self._notifier.ready(self._said or "ready")

    def report(self, now: ArrivalTime, *, sites: int, firing: int) -> None:
        """How the daemon stands, if there is something new to say of it."""
        if self._is_over:
            return
        figures = Figures(now, sites, firing, self._taken)
        trouble = self._trouble()
        is_news = trouble != self._said or firing != self._before.firing
        if is_news or now - self._before.at >= REFRESH:
            line = figures.line(self._before)
            self._notifier.status(f"{trouble}; {line}" if trouble else line)
            self._said, self._before = trouble, figures

    def reloading(self) -> None:
        """The configuration is read again; `ready` ends that."""
        if not self._is_over:
            self._notifier.reloading()

    def stopping(self, why: str | None = None) -> None:
        """The daemon ends, as it was told to or for a reason; nothing more is said after that."""
        self._is_over = True
        self._notifier.stopping("stopping" if why is None else f"failed: {why}")

    def _trouble(self) -> str:
        health = self._health
        refused = health.not_reloaded
        reload = [] if refused is None else [f"not reloaded: {refused}"]
        return "; ".join([*health.reasons(), *reload])
