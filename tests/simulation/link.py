"""A connection of the box to the broker, as io/mqtt.py makes them, without a network or a thread.

Packets lie in it until `work` moves them. When it is `cut`, some of those that were on their way
still arrive, and the rest is lost, as are the broker's answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from simulation.broker import Broker, Packet

from edge_fusion.events import ArrivalTime, Delivery, Message, Publication
from edge_fusion.mailbox import Acknowledged, Connected, Disconnected, Mailbox

WINDOW = 20
"""Publications un-acknowledged at a time."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A publication on its way."""

    publication: Publication
    token: int


class Link:
    """`put` takes deliveries; `acknowledged` hears of each acknowledgement that is asked for,
    `taken` of each publication that the broker gets.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        filters: Sequence[str],
        *,
        mailbox: Mailbox,
        stamp: Callable[[], ArrivalTime],
        put: Callable[[Delivery], None],
        acknowledged: Callable[[Message], None],
        taken: Callable[[int, Publication], None],
        clean: bool,
    ) -> None:
        self.name = name
        self.online = False
        self._broker = broker
        self._filters = tuple(filters)
        self._mailbox = mailbox
        self._stamp = stamp
        self._put = put
        self._acknowledged = acknowledged
        self._taken = taken
        self._clean = clean
        self._connections = self._begun = 0
        self._acks: deque[int] = deque()
        self._waiting: deque[Letter] = deque()
        self._handed: deque[Letter] = deque()
        self._answers = 0

    def connect(self) -> bool:
        """Returns whether the broker had kept the session."""
        present = self._broker.connect(self.name, self, self._filters, clean=self._clean)
        self.online = True
        self._begun += not present
        self._mailbox.put(Connected(self.name, present, "5"))
        self._broker.attend(self.name, present=present)
        return present

    def publish(self, token: int, publication: Publication) -> bool:
        self._waiting.append(Letter(publication, token))
        return True

    def receive(self, packet: Packet, packet_id: int, *, again: bool) -> None:
        message = Message(
            packet.topic, packet.payload, self._stamp(), packet.retained, qos=packet.qos
        )
        ack = partial(self._acknowledge, packet_id, self._connections, message)
        self._put(Delivery(message, ack, self.name, self._begun, packet_id, again))

    def work(self) -> None:
        """Hear the broker's answers, and send what there is to send."""
        while self.online and self._answers:
            self._answers -= 1
            self._answered(self._handed.popleft())
        while self.online and self._can_send:
            self._send()

    def cut(self, arriving: int, *, notice: bool = True) -> None:
        """Lose the connection; `arriving` packets still reach the broker."""
        if not self.online:
            return
        while arriving and self._can_send:
            self._send()
            arriving -= 1
        self.online = False
        self._broker.disconnect(self.name, clean=self._clean)
        self._connections += 1
        self._acks.clear()
        self._answers = 0
        self._waiting.extendleft(reversed(self._handed))
        self._handed.clear()
        if notice:
            self._mailbox.put(Disconnected(self.name, "cut"))

    @property
    def is_busy(self) -> bool:
        """Whether `work` has something to do."""
        return self.online and (self._answers > 0 or self._can_send)

    @property
    def _can_send(self) -> bool:
        return bool(self._acks) or (bool(self._waiting) and len(self._handed) < WINDOW)

    def _send(self) -> None:
        if self._acks:
            self._broker.acknowledge(self.name, self._acks.popleft())
            return
        letter = self._waiting.popleft()
        self._handed.append(letter)
        self._answers += 1
        if letter.token > 0:
            self._taken(letter.token, letter.publication)
        self._broker.take(letter.publication)

    def _answered(self, letter: Letter) -> None:
        self._mailbox.put(Acknowledged(letter.token))

    def _acknowledge(self, packet_id: int, connection: int, message: Message) -> None:
        if message.qos:
            self._acknowledged(message)
            if self.online and connection == self._connections:
                self._acks.append(packet_id)
