"""Trouble: that nothing can be kept, since when, and when that is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge_fusion.events import ArrivalTime

log = logging.getLogger("edge_fusion.keeper")

RETRY = 1.0
LONGEST_RETRY = 30.0


class Trouble:
    """There is none at first. `tell` is told why nothing can be kept, or None again."""

    def __init__(self, tell: Callable[[str | None], None]) -> None:
        self.lasts = False
        self.since = self.retry_at = ArrivalTime(0.0)
        """Of the trouble that there is, or was last."""
        self._tell = tell
        self._pause = RETRY

    def goes_on(self, why: str, now: ArrivalTime) -> None:
        """An attempt to keep something has failed, be it the first or one more."""
        if self.lasts:
            self._pause = min(2 * self._pause, LONGEST_RETRY)
        else:
            self.lasts, self.since, self._pause = True, now, RETRY
            log.error("nothing can be kept, the work goes on in memory: %s", why)
        self.retry_at = ArrivalTime(now + self._pause)
        self._tell(why)

    def ends(self) -> None:
        """An attempt has succeeded."""
        if self.lasts:
            self.lasts = False
            log.warning("the store works again: all is kept")
            self._tell(None)
