"""What there is to say to and about a broker, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_fusion.events import ArrivalTime, Delivery, Publication
from edge_fusion.io.retry import ProtocolChoice
from edge_fusion.io.tls import TlsFiles
from edge_fusion.mailbox import Granted, Notice

_LONGEST_TOPIC = 65535
_PING_SHARE = 0.6
_TICK_SHARE = 0.1
_TICK = 1.0


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and who we are to it.

    keepalive: seconds, at least 1. From 2 on a dead connection is noticed within 1.5 of it.
    """

    host: str
    port: int = 1883
    protocol: ProtocolChoice = ProtocolChoice.AUTO
    client_id: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive: float = 30.0
    tls: TlsFiles | None = None

    @property
    def ping_after(self) -> int:
        """Whole seconds of silence after which paho asks; after as long again it gives up."""
        return max(1, int(_PING_SHARE * self.keepalive))

    @property
    def tick(self) -> float:
        """Seconds after which paho is to look at its clock, which is how late it may be twice."""
        return min(_TICK, _TICK_SHARE * self.keepalive)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter, and the highest QoS (0 or 1) at which to get what matches it."""

    filter: str
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a session needs to know of its connection."""

    name: str
    settings: BrokerSettings
    subscriptions: tuple[Subscription, ...]
    deliver: Callable[[Delivery, int], None]
    notify: Callable[[Notice], None]
    stamp: Callable[[], ArrivalTime]
    will: Publication | None
    birth: Publication | None
    persistent: bool
    receive_maximum: int
    max_packet_bytes: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A publication on its way; the connection's own (birth, farewell) have no token."""

    publication: Publication
    token: int | None = None


def granted_by(properties: Any) -> Granted:
    """From the properties of a CONNACK, which has only those that differ from the defaults."""
    return Granted(
        receive_maximum=getattr(properties, "ReceiveMaximum", 65_535),
        max_packet_bytes=getattr(properties, "MaximumPacketSize", None),
        max_qos=getattr(properties, "MaximumQoS", 2),
        retain=bool(getattr(properties, "RetainAvailable", 1)),
    )


def fault_of_topic(topic: str) -> str | None:
    """Why nothing can be published on `topic`, or None; paho lets most of this through."""
    if not topic:
        return "the topic is empty"
    if any(forbidden in topic for forbidden in "+#\0"):
        return "the topic holds a wildcard or NUL"
    if topic.startswith("$"):
        return "topics that begin with $ belong to the broker"
    try:
        length = len(topic.encode())
    except UnicodeEncodeError:
        return "the topic is not UTF-8"
    return None if length <= _LONGEST_TOPIC else "the topic is too long"
