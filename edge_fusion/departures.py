"""Departures: when a site is gone for good, and who of those that went is still to be seen off.

A site whose sensors were sold, or that goes by another name now, would else stay in Home Assistant
for ever. It reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge_fusion.events import ArrivalTime

LISTENED = 86_400.0
"""A day: every device says something in so many seconds."""

BETWEEN_LOOKS = 3600.0


class Departures:
    """A site is gone when none of its devices was heard for `after` seconds (0: it never is).

    We must have listened without a break for the last `listened` of them: whom we could not hear
    is not gone. One whose alert still fires, whyever it was let go of, is seen off when that is
    over.
    """

    def __init__(self, after: float = 0.0, listened: float = LISTENED) -> None:
        self.after = after
        self._listened = listened
        self._listening_since: ArrivalTime | None = None
        self._next_look = ArrivalTime(0.0)
        self._parting: set[str] = set()

    def due(self, now: ArrivalTime, *, listening: bool) -> ArrivalTime | None:
        """Since when a site must have been silent to be let go of; None: not now."""
        if not listening:
            self._listening_since = None
            return None
        if self._listening_since is None:
            self._listening_since = now
        if not self.after or now < max(self._next_look, self._listening_since + self._listened):
            return None
        self._next_look = ArrivalTime(now + BETWEEN_LOOKS)
        return ArrivalTime(now - self.after)

    def note(self, gone: Iterable[str]) -> None:
        """Sites that were let go of."""
        self._parting.update(gone)

    def parting(self, known: Iterable[str]) -> list[str]:
        """Who is to be seen off, those aside that have come back and are `known` again."""
        if self._parting:
            self._parting.difference_update(known)
        return sorted(self._parting)

    def seen_off(self, site: str) -> None:
        """Nothing is left of a site."""
        self._parting.discard(site)
