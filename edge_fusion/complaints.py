"""Complaints: one log line per source and minute, however much rubbish a source sends."""

from __future__ import annotations

from edge_fusion.events import ArrivalTime

INTERVAL = 60.0
BUDGET = 100
"""Lines in an interval over all sources: whoever sends may name as many sources as he likes."""


class Complaints:
    """Decides which complaints are logged; what is not logged is counted in the metrics.

    Memory is bounded: only sources of the running interval are remembered, at most `BUDGET`.
    """

    def __init__(self) -> None:
        self._last: dict[str, ArrivalTime] = {}
        self._silenced: dict[str, int] = {}

    def due(self, source: str, now: ArrivalTime) -> int | None:
        """How many complaints this line stands for, or None if it is not to be logged."""
        self._last = self._recent(now) if self._is_stale(now) else self._last
        if source in self._last:
            self._silenced[source] = self._silenced.get(source, 0) + 1
            return None
        if len(self._last) >= BUDGET:
            return None
        self._last[source] = now
        return self._silenced.pop(source, 0) + 1

    def _is_stale(self, now: ArrivalTime) -> bool:
        oldest = next(iter(self._last.values()), now)
        return now - oldest >= INTERVAL

    def _recent(self, now: ArrivalTime) -> dict[str, ArrivalTime]:
        recent = {source: at for source, at in self._last.items() if now - at < INTERVAL}
        for source in self._silenced.keys() - self._last.keys():
            del self._silenced[source]
        return recent
