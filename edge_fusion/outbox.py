"""What is to be published and the broker has not acknowledged yet, in order.

Owned by the pipeline thread. A publication is *waiting* until `next` gives it out, then *in
flight* until its acknowledgement or refusal comes back under the same token.
"""

from __future__ import annotations

from collections import deque

from edge_fusion.events import Publication


class Outbox:
    """An ordered queue of at most `limit` publications, in memory.

    When it is full the newest is turned away: what waits longest is what the consumers' state
    was built on, and an order with a hole at its end is still an order.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last_token = 0
        self._kept: dict[int, Publication] = {}
        self._waiting: deque[int] = deque()
        self.turned_away = 0
        """How many publications were refused since the start because the outbox was full."""

    def __len__(self) -> int:
        """All that is not acknowledged, waiting or in flight."""
        return len(self._kept)

    def add(self, publication: Publication) -> bool:
        """Append; False, and counted in `turned_away`, when the outbox is full."""
        if len(self._kept) >= self._limit:
            self.turned_away += 1
            return False
        self._last_token += 1
        self._kept[self._last_token] = publication
        self._waiting.append(self._last_token)
        return True

    def next(self, limit: int) -> list[tuple[int, Publication]]:
        """Give out up to `limit` waiting publications, oldest first; they are now in flight."""
        count = min(limit, len(self._waiting))
        tokens = [self._waiting.popleft() for _ in range(count)]
        return [(token, self._kept[token]) for token in tokens]

    def acknowledged(self, token: int) -> Publication | None:
        """Drop what the broker has; None if that had happened before."""
        return self._drop(token)

    def refused(self, token: int) -> Publication | None:
        """Drop what will never be taken; None if it was gone already."""
        return self._drop(token)

    def forget_in_flight(self) -> None:
        """Make everything wait again in its first order, as after a new start of the sender."""
        self._waiting = deque(self._kept)

    def _drop(self, token: int) -> Publication | None:
        publication = self._kept.pop(token, None)
        if publication is not None and self._waiting and token >= self._waiting[0]:
            self._waiting.remove(token)  # a late answer to what had been made to wait again
        return publication
