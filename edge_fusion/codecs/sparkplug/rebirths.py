"""When to ask an edge node for a rebirth: what is missing of its messages, and how patiently."""

from __future__ import annotations

from typing import Final

from edge_fusion.events import ArrivalTime

REORDER: Final = 2.0
"""Seconds for which a missing message may still come: brokers keep order within a topic only."""
FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 3600.0
_MODULUS: Final = 256


class Sequence:
    """The `seq` of an edge node's messages, from an NBIRTH on."""

    def __init__(self, first: int) -> None:
        self._next = (first + 1) % _MODULUS
        self._missing: set[int] = set()
        self._since = ArrivalTime(0.0)

    def lost(self, seq: int, now: ArrivalTime) -> bool:
        """Take the next message's number; True, once, when others must have been lost."""
        ahead = (seq - self._next) % _MODULUS
        if ahead >= _MODULUS // 2:
            self._missing.discard(seq)  # late, or a second copy
        else:
            if ahead and not self._missing:
                self._since = now
            self._missing.update((self._next + i) % _MODULUS for i in range(ahead))
            self._missing.discard(seq)
            self._next = (seq + 1) % _MODULUS
        if not self._missing or now < self._since + REORDER:
            return False
        self._missing.clear()
        return True


class Patience:
    """Grants one request, the next after a minute, and while that does not help ever fewer.

    An edge node that a subscription shows only in part looks broken for ever, and is not to be
    bothered for ever.
    """

    def __init__(self) -> None:
        self._pause = 0.0
        self._again = ArrivalTime(float("-inf"))

    def grants(self, now: ArrivalTime) -> bool:
        """Whether to ask now; to be called when there is a reason to."""
        if now < self._again:
            return False
        helped = now >= self._again + self._pause
        self._pause = FIRST_PAUSE if helped else min(2 * self._pause, LONGEST_PAUSE)
        self._again = ArrivalTime(now + self._pause)
        return True
