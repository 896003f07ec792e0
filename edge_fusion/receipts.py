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
from typing import Final

from edge_fusion.events import Delivery
from edge_fusion.mailbox import Connected, Notice

LIMIT: Final = 256
_DIGEST: Final = 8
_PACKET: Final = 2
_SIZE: Final = _PACKET + _DIGEST


class Receipts:
    """`connection`, as notices call it, is the one whose session the broker keeps for us."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._taken: OrderedDict[bytes, None] = OrderedDict()
        self._owed: defaultdict[str, list[Delivery]] = defaultdict(list)

    def __len__(self) -> int:
        """How many acknowledgements are owed."""
        return sum(map(len, self._owed.values()))

    def hear(self, notice: Notice) -> None:
        """What was not acknowledged by the end of a connection comes again by the next one.

        A session that the broker did not keep numbers its packets anew.
        """
        if isinstance(notice, Connected):
            self._owed.pop(notice.connection, None)
            if notice.connection == self._connection and not notice.session_present:
                self._taken.clear()

    def take(self, delivery: Delivery) -> bool:
        """Note a delivery; False if it was taken before."""
        if delivery.connection != self._connection or delivery.message.qos == 0:
            return True
        receipt = _receipt(delivery)
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
        """What was taken, for `restore`."""
        return b"".join(self._taken)

    def restore(self, state: bytes) -> None:
        """Go on from a `state`."""
        for place in range(0, len(state) - _SIZE + 1, _SIZE):
            self._taken[state[place : place + _SIZE]] = None


def _receipt(delivery: Delivery) -> bytes:
    topic, payload = delivery.message.topic.encode(errors="replace"), delivery.message.payload
    digest = blake2b(b"%d %b%b" % (len(topic), topic, payload), digest_size=_DIGEST)
    return delivery.packet.to_bytes(_PACKET) + digest.digest()
