"""Receipts: which messages were taken, and which of those are still to be acknowledged.

A message that was kept, and whose acknowledgement was lost on the way, comes again under the same
packet id with the DUP flag set (MQTT 5.0 sections 2.2.1 and 3.3.1.1). A reading that states its
time is then a duplicate like any other; one that does not, or whose window closed long ago, can
be told from a new one by that alone.

Only the newest are remembered: no broker lets more be un-acknowledged than we allow it to.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from edge_fusion.events import Delivery
from edge_fusion.mailbox import Connected, Notice

LIMIT: Final = 256
_DIGEST: Final = 8
_PACKET: Final = 2
_SIZE: Final = _PACKET + _DIGEST


class _Receipt(NamedTuple):
    """A packet of a session, and what was in it: packet ids are given again in the end."""

    session: int
    packet: int
    digest: bytes


class Receipts:
    """`connection`, as notices call it, is the one whose session the broker keeps for us."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._taken: OrderedDict[_Receipt, None] = OrderedDict()
        self._owed: defaultdict[str, list[Delivery]] = defaultdict(list)

    def __len__(self) -> int:
        """How many acknowledgements are owed."""
        return sum(map(len, self._owed.values()))

    def hear(self, notice: Notice) -> None:
        """What was not acknowledged by the end of a connection comes again by the next one."""
        if isinstance(notice, Connected):
            self._owed.pop(notice.connection, None)

    def take(self, delivery: Delivery) -> bool:
        """Note a delivery; False if it was taken before."""
        if delivery.connection != self._connection or delivery.message.qos == 0:
            return True
        receipt = _Receipt(delivery.session, delivery.packet, _digest(delivery))
        known = receipt in self._taken
        self._taken[receipt] = None
        self._taken.move_to_end(receipt)
        if len(self._taken) > LIMIT:
            self._taken.popitem(last=False)
        return not (known and delivery.again)

    def owe(self, deliveries: Iterable[Delivery]) -> None:
        """They are to be acknowledged, once that is allowed."""
        for delivery in deliveries:
            if delivery.message.qos:
                self._owed[delivery.connection].append(delivery)

    def acknowledge(self) -> None:
        """Do what is owed."""
        for deliveries in self._owed.values():
            for delivery in deliveries:
                delivery.ack()
        self._owed.clear()

    def state(self) -> bytes:
        """What was taken in the newest session, the one that the next run may go on with."""
        newest = max((receipt.session for receipt in self._taken), default=0)
        return b"".join(
            receipt.packet.to_bytes(_PACKET) + receipt.digest
            for receipt in self._taken
            if receipt.session == newest
        )

    def restore(self, state: bytes) -> None:
        """Go on from a `state`; for new receipts only."""
        for place in range(0, len(state) - _SIZE + 1, _SIZE):
            packet, digest = state[place : place + _PACKET], state[place + _PACKET : place + _SIZE]
            self._taken[_Receipt(0, int.from_bytes(packet), digest)] = None


def _digest(delivery: Delivery) -> bytes:
    topic, payload = delivery.message.topic.encode(errors="replace"), delivery.message.payload
    return blake2b(b"%d %b%b" % (len(topic), topic, payload), digest_size=_DIGEST).digest()
