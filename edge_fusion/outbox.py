"""What is to be published and the broker has not acknowledged yet, in order.

Owned by the pipeline thread. A publication is *unsaved* until the store has it, then *waiting*
until `next` gives it out, then *in flight* until its acknowledgement or refusal comes back under
the same token. Of the waiting ones only the first are in memory, the others in the store alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice

from edge_fusion.errors import StoreCorrupt, StoreError
from edge_fusion.events import Publication
from edge_fusion.kept import Posted, Remembered

IN_MEMORY = 256
"""Waiting publications in memory at most."""

TELEMETRY_SHARE = 0.8
"""Of the bounds, what telemetry may fill: the rest is kept for alerts."""

Load = Callable[[int, int], list[Posted]]
"""The first publications of the store behind a token, at most so many. Raises StoreError."""


class Outbox:
    """An ordered queue of at most `limit` publications with payloads of `max_bytes` in all.

    When it is full the newest is turned away, windows and late events before alerts: what waits
    longest is what the consumers' state was built on, and an order with a hole at its end is
    still an order.
    """

    def __init__(self, limit: int, max_bytes: int, load: Load) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._load = load
        self._count = self._bytes = 0
        self._last_token = self._last_saved = self._last_given = 0
        self._unsaved: deque[Posted] = deque()
        self._waiting: deque[Posted] = deque()
        self._only_stored = 0
        self._in_flight: dict[int, Publication] = {}
        self._delivered: list[int] = []
        self._damage: StoreCorrupt | None = None

    def __len__(self) -> int:
        """All that is not acknowledged, wherever it is."""
        return self._count

    def restore(self, remembered: Remembered) -> None:
        """Go on with what was kept; for a new outbox only."""
        self._count = self._only_stored = remembered.unsent
        self._bytes = remembered.unsent_bytes
        self._last_token = self._last_saved = remembered.last_token

    def add(self, publication: Publication) -> bool:
        """Append; False when the outbox is full."""
        share = TELEMETRY_SHARE if publication.telemetry else 1.0
        size = len(publication.payload)
        if self._count >= share * self._limit or self._bytes + size > share * self._max_bytes:
            return False
        self._last_token += 1
        self._count += 1
        self._bytes += size
        self._unsaved.append(Posted(self._last_token, publication))
        return True

    def unsaved(self) -> list[Posted]:
        """What the store has yet to keep."""
        return list(self._unsaved)

    def delivered(self) -> list[int]:
        """What the store need keep no longer."""
        return list(self._delivered)

    def saved(self) -> None:
        """The store has done both."""
        for posted in self._unsaved:
            self._last_saved = posted.token
            if posted.token <= self._last_given:
                continue
            if self._only_stored == 0 and len(self._waiting) < IN_MEMORY:
                self._waiting.append(posted)
            else:
                self._only_stored += 1
        self._unsaved.clear()
        self._delivered.clear()

    @property
    def damage(self) -> StoreCorrupt | None:
        """What was wrong with the store when it was read, until it is given up."""
        return self._damage

    def lost(self) -> int:
        """The store is to be given up: what is in memory, or can be read still, is kept anew.

        Returns how many publications are lost with it.
        """
        while self._only_stored and self._fetch():
            pass
        gone, self._damage = self._only_stored, None
        kept = self._in_flight | dict(self._waiting) | dict(self._unsaved)
        self._unsaved = deque(Posted(token, kept[token]) for token in sorted(kept))
        self._waiting.clear()
        self._delivered.clear()
        self._only_stored = 0
        self._count = len(self._unsaved)
        self._bytes = sum(len(posted.publication.payload) for posted in self._unsaved)
        return gone

    def next(self, limit: int, *, even_unsaved: bool = False) -> list[Posted]:
        """Give out up to `limit` publications, oldest first; they are now in flight.

        `even_unsaved`: those too that the store could not keep.
        """
        given: list[Posted] = []
        while len(given) < limit and self._has_waiting():
            given.append(self._waiting.popleft())
            self._last_given = given[-1].token
        if even_unsaved and not self._only_stored:
            fresh = (posted for posted in self._unsaved if posted.token > self._last_given)
            given += islice(fresh, limit - len(given))
            self._last_given = given[-1].token if given else self._last_given
        self._in_flight.update(given)
        return given

    def settled(self, token: int) -> Publication | None:
        """Drop what the broker has, or will never take; None if that had happened before."""
        publication = self._in_flight.pop(token, None)
        if publication is None:
            return None
        self._count -= 1
        self._bytes -= len(publication.payload)
        if token <= self._last_saved:
            self._delivered.append(token)
        else:
            self._unsaved = deque(posted for posted in self._unsaved if posted.token != token)
        return publication

    def _has_waiting(self) -> bool:
        if not self._waiting and self._only_stored:
            self._fetch()
        return bool(self._waiting)

    def _fetch(self) -> bool:
        """Read on in the store; False if it cannot be read, which is said where it is written."""
        last = self._waiting[-1].token if self._waiting else self._last_given
        try:
            found = self._load(last, IN_MEMORY)
        except StoreCorrupt as error:
            self._damage = error
            return False
        except StoreError:
            return False
        self._waiting.extend(found)
        self._only_stored = max(0, self._only_stored - len(found)) if found else 0
        return True
