"""A broker in memory, with the limits of mosquitto and what can go wrong with one.

So many messages un-acknowledged at a time, so many queued behind them, the rest dropped without a
word. A session that is kept gets what was in flight again, in order and marked, and then what was
queued. A restart may keep sessions, lose them, or bring back those of a while ago.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from edge_fusion.events import Publication

IN_FLIGHT = 20
QUEUED = 1000


@dataclass(frozen=True, slots=True)
class Packet:
    """A message on its way to a client; `again`: it may have had it before."""

    topic: str
    payload: bytes
    qos: int
    retained: bool = False


class Receiver(Protocol):
    """A client's end of a connection."""

    def receive(self, packet: Packet, packet_id: int, *, again: bool) -> None: ...


class After(Enum):
    """What a broker knows of sessions when it has been restarted."""

    KEPT = "kept"
    LOST = "lost"
    OLDER = "older"


@dataclass
class Session:
    """What the broker holds for one client, there or not."""

    filters: tuple[str, ...]
    in_flight: dict[int, Packet] = field(default_factory=dict)
    queued: deque[Packet] = field(default_factory=deque)
    last_id: int = 0


class Broker:
    """`dropped` counts what it had no room for."""

    def __init__(self, in_flight: int = IN_FLIGHT, queued: int = QUEUED) -> None:
        self.dropped = 0
        self._in_flight = in_flight
        self._queued = queued
        self._sessions: dict[str, Session] = {}
        self._receivers: dict[str, Receiver] = {}
        self._retained: dict[str, Packet] = {}
        self._saved: dict[str, Session] = {}

    def connect(
        self, client: str, receiver: Receiver, filters: Sequence[str], *, clean: bool
    ) -> bool:
        """Begin or take up a session; returns whether there was one. `attend` makes it flow."""
        if clean:
            self._sessions.pop(client, None)
        present = client in self._sessions
        if not present:
            self._sessions[client] = Session(tuple(filters))
        self._receivers[client] = receiver
        return present

    def attend(self, client: str, *, present: bool) -> None:
        """Send what was held back, or to a new session what is retained."""
        session, receiver = self._sessions[client], self._receivers[client]
        for packet_id, packet in list(session.in_flight.items()):
            receiver.receive(packet, packet_id, again=True)
        self._send_queued(client)
        if not present:
            for packet in list(self._retained.values()):
                if _matches(session, packet.topic):
                    self._route(client, packet)

    def disconnect(self, client: str, *, clean: bool) -> None:
        self._receivers.pop(client, None)
        if clean:
            self._sessions.pop(client, None)

    def acknowledge(self, client: str, packet_id: int) -> None:
        session = self._sessions[client]
        session.in_flight.pop(packet_id, None)
        self._send_queued(client)

    def publish(self, packet: Packet) -> None:
        """Take a message from a device."""
        if packet.retained:
            self._retained[packet.topic] = packet
        live = Packet(packet.topic, packet.payload, packet.qos)
        for client, session in self._sessions.items():
            if _matches(session, packet.topic):
                self._route(client, live)

    def take(self, publication: Publication) -> None:
        """Take a message from the box."""
        packet = Packet(publication.topic, publication.payload, publication.qos)
        for client, session in self._sessions.items():
            if _matches(session, packet.topic):
                self._route(client, packet)

    def save(self) -> None:
        """What `After.OLDER` will find."""
        self._saved = deepcopy(self._sessions)

    def restart(self, after: After) -> None:
        """All clients must have been cut off."""
        assert not self._receivers
        if after is After.LOST:
            self._sessions.clear()
        elif after is After.OLDER:
            self._sessions = deepcopy(self._saved)

    @property
    def pending(self) -> int:
        """Messages that clients are still to get or to acknowledge."""
        return sum(len(each.in_flight) + len(each.queued) for each in self._sessions.values())

    def _route(self, client: str, packet: Packet) -> None:
        receiver, session = self._receivers.get(client), self._sessions[client]
        if packet.qos == 0:
            if receiver is not None:
                receiver.receive(packet, 0, again=False)
        elif len(session.queued) < self._queued:
            session.queued.append(packet)
            self._send_queued(client)
        else:
            self.dropped += 1

    def _send_queued(self, client: str) -> None:
        receiver, session = self._receivers.get(client), self._sessions[client]
        while receiver is not None and session.queued and len(session.in_flight) < self._in_flight:
            session.last_id += 1
            packet = session.in_flight[session.last_id] = session.queued.popleft()
            receiver.receive(packet, session.last_id, again=False)


def _matches(session: Session, topic: str) -> bool:
    """Filters are plain prefixes here, and whole topics."""
    prefixes = tuple(each for each in session.filters if each.endswith("/"))
    return topic in session.filters or topic.startswith(prefixes)
