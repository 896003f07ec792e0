"""Whether a broker takes us: one real connection, made, tried out and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from uuid import uuid4

from edge_fusion.events import Delivery, Publication
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import Backoff, BrokerSettings, Connection, ProtocolChoice, Subscription
from edge_fusion.mailbox import Connected, Disconnected, Notice, Refused, Stop, Subscribed

# With AUTO it takes two attempts to see that a broker does not know MQTT 5, and one more.
_ATTEMPTS = 3
_FAREWELL = 1.0
_TOKEN = 1


def probe(
    settings: BrokerSettings,
    timeout: float = 5.0,
    *,
    subscriptions: Sequence[Subscription] = (),
    echo: str | None = None,
) -> list[str]:
    """Connect to a broker, subscribe, send ourselves a message on the topic `echo`, and leave.

    Returns what did not work, in words; `echo` tells of denials that a broker keeps to itself.
    Uses a client id of its own, since the configured one would throw out a running daemon. Waits
    no longer than `timeout` seconds for an answer. Raises ConfigError for TLS files that cannot
    be used.
    """
    inbox: SimpleQueue[Notice | Delivery] = SimpleQueue()
    clock = ArrivalClock()
    connection = Connection(
        "check",
        replace(settings, client_id=f"{settings.client_id}-check"),
        subscriptions=subscriptions if echo is None else [*subscriptions, Subscription(echo)],
        deliver=lambda delivery, _: inbox.put(delivery),
        notify=inbox.put,
        stamp=clock.stamp,
        backoff=Backoff(first=0.1, longest=0.1),
    )
    connection.start()
    attempts = _ATTEMPTS if settings.protocol is ProtocolChoice.AUTO else 1
    rehearsal = _Rehearsal(connection, echo, attempts)
    deadline = clock.stamp() + timeout
    try:
        while not rehearsal.over:
            rehearsal.take(inbox.get(timeout=max(deadline - clock.stamp(), 0.0)))
    except Empty:
        pass
    finally:
        connection.stop(_FAREWELL)
    return rehearsal.faults


def refusal(
    notices: SimpleQueue[Notice], protocol: ProtocolChoice, clock: ArrivalClock, timeout: float
) -> str | None:
    """Wait for what a connection just started comes to; None if the broker took us, else why not.

    Takes the notices of that connection up to the one that decides.
    """
    attempts = _ATTEMPTS if protocol is ProtocolChoice.AUTO else 1
    reason, deadline = "no answer in time", clock.stamp() + timeout
    while attempts:
        try:
            notice = notices.get(timeout=max(deadline - clock.stamp(), 0.0))
        except Empty:
            break
        match notice:
            case Connected():
                return None
            case Disconnected():
                reason, attempts = notice.reason, attempts - 1
            case Stop():
                notices.put(notice)  # for whoever waits next
                return None
            case _:
                pass
    return reason


class _Rehearsal:
    """What the broker has shown so far; `faults` is the verdict if it says no more."""

    def __init__(self, connection: Connection, echo: str | None, attempts: int) -> None:
        self.faults = ["no answer in time"]
        self.over = False
        self._connection = connection
        self._echo = echo
        self._attempts = attempts
        self._mark = uuid4().hex.encode()
        self._refused: list[str] = []

    def take(self, item: Notice | Delivery) -> None:
        match item:
            case Disconnected(reason=reason):
                self._attempts -= 1
                self.faults, self.over = [reason], self._attempts == 0
            case Connected():
                self.faults = ["no answer in time to a subscription"]
            case Subscribed(refused=refused):
                self._refused = [f"no subscription to {f!r}: {why}" for f, why in refused.items()]
                self._send(heard=self._echo is not None and self._echo not in refused)
            case Refused(reason=reason):
                self._end(f"not published on {self._echo!r}: {reason}")
            case Delivery(message=message) if message.payload == self._mark:
                self._end()
            case _:
                pass

    def _send(self, *, heard: bool) -> None:
        if self._echo is None or not heard:
            self._end()
            return
        question = "does the ACL of the broker let this user write and read it?"
        silence = f"what is published on {self._echo!r} does not come back: {question}"
        self.faults = [*self._refused, silence]
        self._connection.publish(_TOKEN, Publication(self._echo, self._mark))

    def _end(self, *faults: str) -> None:
        self.faults, self.over = [*self._refused, *faults], True
