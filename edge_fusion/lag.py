"""Lag: whether messages wait in the broker for so long that their arrival says nothing of a clock.

Under a load that lasts the broker holds back what the box cannot take yet, and each message comes
as late as the one before it; to who looks at one device alone that is a clock that is slow. So
while much comes, an echo is published to ourselves at QoS 1 once a second. Brokers keep the order:
what comes about when an echo does has waited as long. An echo that stays away is still waiting, or
was dropped by a broker whose queue is full.

It reads no clock: `turn` and `hear` bring the time.
"""

from __future__ import annotations

from typing import Final

from edge_fusion.events import ArrivalTime

EVERY: Final = 1.0
"""Seconds between two echoes."""

MUCH: Final = 20
"""Messages in that time that call for one: so many mosquitto lets be un-acknowledged by default,
and only where there are more can any wait."""

LONG: Final = 2.0
"""Seconds of waiting that are too many: well below what a clock may be off (`max_skew`)."""

MOST_AWAY: Final = 100


class Lag:
    """Of one connection, from its beginning on; `run` tells its echoes from those of others."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._number = 0
        self._messages = 0
        self._looked_at = ArrivalTime(float("-inf"))
        self._away: dict[bytes, ArrivalTime] = {}
        """Echoes that have not come back, the oldest first, and when they were sent."""
        self._waited = 0.0
        """How long the last one that came back was away."""
        self._comes_back = False
        """Whether any ever did: a broker may refuse them."""
        self._wanted: bytes | None = None

    def begin(self) -> None:
        """A connection begins: what was on its way by the one before counts no more."""
        self._away.clear()
        self._waited = 0.0
        self._wanted = None

    def count(self) -> None:
        """A message came that the broker would have held back (QoS 1)."""
        self._messages += 1

    def hear(self, payload: bytes, arrival: ArrivalTime) -> None:
        """Take what may be an echo."""
        sent_at = self._away.get(payload)
        if sent_at is None:
            return
        self._comes_back = True
        self._waited = arrival - sent_at
        self._away = {mark: at for mark, at in self._away.items() if at > sent_at}

    def turn(self, now: ArrivalTime) -> None:
        """Want an echo, if it is time for one."""
        if now - self._looked_at < EVERY:
            return
        much = self._messages >= MUCH or self.is_long(now)
        self._messages, self._looked_at = 0, now
        if not much:
            return
        self._number += 1
        self._wanted = f"{self._run}/echo/{self._number}".encode()
        self._away[self._wanted] = now
        if len(self._away) > MOST_AWAY:
            del self._away[next(iter(self._away))]

    def echo(self) -> bytes | None:
        """The payload that is to be published now, once; else None."""
        wanted, self._wanted = self._wanted, None
        return wanted

    def is_long(self, now: ArrivalTime) -> bool:
        """Whether what arrives now may have waited for long."""
        if self._waited > LONG:
            return True
        oldest = next(iter(self._away.values()), now)
        return self._comes_back and now - oldest > LONG
