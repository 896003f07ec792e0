"""Absence: from when to when the broker held messages back for us, and gives them out now.

After a reconnection to a session that the broker kept, a sleep of the box, or a time in which
nothing was acknowledged, a barrier is published to ourselves at QoS 1. Brokers keep the order, so
what comes before it had been held back.
Until it is back, or `QUIET` seconds pass without a message, or `LONGEST` seconds in all, we are
catching up.

It reads no clock: `take` and `advance` bring the time.
"""

from __future__ import annotations

from enum import Enum

from edge_fusion.events import ArrivalTime, CatchUp, CaughtUp, CutOff, Input, Message
from edge_fusion.lag import Lag
from edge_fusion.mailbox import Connected, Disconnected, Notice

QUIET = 2.0
LONGEST = 60.0

ASLEEP = 5.0
"""Seconds between two turns, of which there is one a second, that show that the box slept."""

KEPT = 3600.0
"""Seconds for which a broker keeps our session (io/session.py). When nobody knows since when we
have been gone, what it held back is at most so old."""


class _State(Enum):
    PRESENT = "present"
    AWAY = "away"
    CATCHING_UP = "catching_up"


class Absence:
    """Watches one connection, that of the readings, called `connection` in notices.

    `run` tells this run of the program from others, whose barriers may still come.
    """

    def __init__(self, connection: str, barrier_topic: str, run: str) -> None:
        self.barrier_topic = barrier_topic
        self._connection = connection
        self._run = run
        self._lag = Lag(run)
        self._connected = False
        self._cut_off = False
        """Whether a `CutOff` was said, and no end of it since."""
        self._state = _State.AWAY
        self._since: ArrivalTime | None = None
        self._deadline = ArrivalTime(0.0)
        self._quiet_at: ArrivalTime | None = None
        self._turned: ArrivalTime | None = None
        self._withheld: ArrivalTime | None = None
        self._round = 0
        self._wants_barrier = False

    @property
    def catching_up(self) -> bool:
        return self._state is _State.CATCHING_UP

    @property
    def listening(self) -> bool:
        """Whether all that is said comes here as it is said."""
        return self._state is _State.PRESENT

    @property
    def away_since(self) -> ArrivalTime | None:
        """Since when the broker holds back what comes for us, if it does and we know."""
        return None if self._state is _State.PRESENT else self._since

    def is_behind(self, now: ArrivalTime) -> bool:
        """Whether what arrives now may have waited in the broker for long, without an absence."""
        return self._lag.is_long(now)

    def resume(self, since: ArrivalTime, now: ArrivalTime) -> list[Input]:
        """The program starts again, having been gone since then."""
        self._state, self._since = _State.CATCHING_UP, since
        self._deadline = ArrivalTime(now + LONGEST)
        return [CatchUp(since, since)]

    def turn(self, now: ArrivalTime) -> list[Input]:
        """A turn begins: if the box slept since the last one, we were away that long."""
        if self._connected:
            self._lag.turn(now)
        last, self._turned = self._turned, now
        since, self._withheld = self._withheld, None
        if last is None:
            return []
        if since is None and now - last >= ASLEEP:
            since = last
        if since is None or self.catching_up:
            return []
        self._since = since if self._here or self._since is None else min(since, self._since)
        return self._catch_up(last) if self._here else []

    def withheld(self, since: ArrivalTime) -> None:
        """All is acknowledged now, and nothing was since then: brokers send few more until it is.

        What they withheld comes from the next turn on.
        """
        self._withheld = since

    @property
    def _here(self) -> bool:
        return self._connected and self._state is _State.PRESENT

    def repeated(self) -> list[CatchUp]:
        """The beginning of the backlog that is coming in, for parts that did not hear it."""
        since = self._since
        return [] if since is None or not self.catching_up else [CatchUp(since, since)]

    def hear(self, notice: Notice, now: ArrivalTime) -> list[Input]:
        """Take note of the connection; other notices mean nothing here.

        `now` must not lie after the arrival of what was delivered since.
        """
        match notice:
            case Connected(connection=self._connection, session_present=held):
                return self._back(now, held=held)
            case Disconnected(connection=self._connection):
                return self._gone(now)
            case _:
                pass
        return []

    def take(self, message: Message) -> list[Input]:
        """What a message says of this, to be fed before it: only the barrier itself says much."""
        ended = self.advance(message.arrival)
        if message.topic == self.barrier_topic:
            self._lag.hear(message.payload, message.arrival)
        elif message.qos:
            self._lag.count()
        if self._state is not _State.CATCHING_UP or self._quiet_at is None:
            return ended
        if message.topic == self.barrier_topic and message.payload == self._mark():
            return self._end(message.arrival)
        # It may have arrived before the sleep of which this turn woke up.
        self._quiet_at = ArrivalTime(max(self._quiet_at, message.arrival + QUIET))
        return ended

    def wake(self) -> ArrivalTime | None:
        """When `advance` is due, or None."""
        if self._state is not _State.CATCHING_UP:
            return None
        return self._deadline if self._quiet_at is None else min(self._quiet_at, self._deadline)

    def advance(self, now: ArrivalTime) -> list[Input]:
        """Let time pass: the end of catching up, if it is due."""
        due = self.wake()
        return self._end(due) if due is not None and due <= now else []

    def barrier(self) -> bytes | None:
        """The payload of the barrier, or of an echo, that is to be published now, once; or None."""
        wanted, self._wants_barrier = self._wants_barrier, False
        return self._mark() if wanted else self._lag.echo()

    def _gone(self, now: ArrivalTime) -> list[Input]:
        self._connected, self._quiet_at = False, None
        if self._state is not _State.PRESENT:
            return []
        self._state, self._since = _State.AWAY, now
        self._cut_off = True
        return [CutOff(now)]

    def _back(self, now: ArrivalTime, *, held: bool) -> list[Input]:
        self._connected = True
        self._lag.begin()
        if self._state is _State.PRESENT:
            return []
        if not held:
            return self._end(now)
        return self._catch_up(now)

    def _catch_up(self, arrival: ArrivalTime) -> list[Input]:
        """A backlog begins with what comes at `arrival`, which may be long before this turn."""
        now = arrival if self._turned is None else max(arrival, self._turned)
        if self._connected:
            self._round += 1
            self._wants_barrier = True
            self._quiet_at = ArrivalTime(now + QUIET)
        if self._state is _State.CATCHING_UP:
            return []
        self._state, self._deadline = _State.CATCHING_UP, ArrivalTime(now + LONGEST)
        since = self._since = ArrivalTime(arrival - KEPT) if self._since is None else self._since
        return [CatchUp(since, arrival)]

    def _end(self, at: ArrivalTime) -> list[Input]:
        was_waited_for, self._cut_off = self.catching_up or self._cut_off, not self._connected
        # Who is not connected is away still, as before, although time goes on.
        self._state = _State.PRESENT if self._connected else _State.AWAY
        self._quiet_at = None
        if not was_waited_for:
            return []
        return [CaughtUp(at)] if self._connected else [CaughtUp(at), CutOff(at)]

    def _mark(self) -> bytes:
        return f"{self._run}/{self._round}".encode()
