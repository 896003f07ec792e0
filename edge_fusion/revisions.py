"""Revisions: whether a window's new scores differ enough from those last published."""

from __future__ import annotations

from collections.abc import Mapping

from edge_fusion.events import Scores, Window

LIMIT = 4096


class Revisions:
    """Remembers the scores last published of recent windows; the oldest are forgotten first."""

    def __init__(self, epsilon: float) -> None:
        self._epsilon = epsilon
        self._published: dict[tuple[str, Window], Mapping[tuple[str | None, str], float]] = {}

    def moved(self, scores: Scores) -> bool:
        """True, and remembered, if any score moved by more than epsilon or a row came or went."""
        key = (scores.pane.site, scores.pane.window)
        now = {(row.camera, label): s for row in scores.rows for label, s in row.scores.items()}
        before = self._published.get(key)
        if before is not None and before.keys() == now.keys():
            distance = max((abs(now[name] - before[name]) for name in now), default=0.0)
            if distance <= self._epsilon:
                return False
        self._published.pop(key, None)
        if len(self._published) >= LIMIT:
            del self._published[next(iter(self._published))]
        self._published[key] = now
        return True
