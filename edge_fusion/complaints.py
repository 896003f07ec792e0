"""Complaints: one log line per source and minute, however much rubbish a source sends."""

from __future__ import annotations

from edge_fusion.events import ArrivalTime

INTERVAL = 60.0
LIMIT = 4096


class Complaints:
    """Decides which complaints are logged. Bounded: the oldest source is forgotten first."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[ArrivalTime, int]] = {}

    def due(self, source: str, now: ArrivalTime) -> int | None:
        """How many complaints this line stands for, or None if it is not to be logged."""
        since, count = self._last.get(source, (None, 0))
        if since is not None and now - since < INTERVAL:
            self._last[source] = (since, count + 1)
            return None
        self._last.pop(source, None)
        if len(self._last) >= LIMIT:
            del self._last[next(iter(self._last))]
        self._last[source] = (now, 0)
        return count + 1
