"""Whether a broker takes us: one real connection, made and ended."""

from __future__ import annotations

from dataclasses import replace
from queue import Empty, SimpleQueue

from edge_fusion.events import Delivery
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import Backoff, BrokerSettings, Connection, ProtocolChoice
from edge_fusion.mailbox import Connected, Disconnected, Notice

# With AUTO it takes two attempts to see that a broker does not know MQTT 5, and one more.
_ATTEMPTS = 3
_FAREWELL = 1.0


def probe(settings: BrokerSettings, timeout: float = 5.0) -> str | None:
    """Connect to a broker and leave again; None if it took us, else why not, in words.

    Uses a client id of its own, since the configured one would throw out a running daemon.
    Waits no longer than `timeout` seconds for an answer. Raises ConfigError for TLS files that
    cannot be used.
    """
    clock = ArrivalClock()
    notices: SimpleQueue[Notice] = SimpleQueue()
    connection = Connection(
        "check",
        replace(settings, client_id=f"{settings.client_id}-check"),
        deliver=_ignore,
        notify=notices.put,
        stamp=clock.stamp,
        backoff=Backoff(first=0.1, longest=0.1),
    )
    connection.start()
    try:
        return refusal(notices, settings.protocol, clock, timeout)
    finally:
        connection.stop(_FAREWELL)


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
            case _:
                pass
    return reason


def _ignore(delivery: Delivery, qos: int) -> None:
    del delivery, qos  # nothing was subscribed to
