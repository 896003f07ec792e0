"""Echoes: one measurement that came more than once, because two gateways heard it.

A Bluetooth or LoRa device is heard by every gateway in reach, and each publishes what it heard on
a topic of its own. Alignment knows a second copy by its event time, if it has one; this is for
copies whose times differ, or that have none.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Final, TypeVar

from edge_fusion.events import ArrivalTime, EventTime, Message, Reading

IDENTITY_SECONDS: Final = 60.0
"""So long a copy is known by its identity, by either clock and counted from the first.

Sequence numbers come again, in a backlog within a moment; a counter may stand still for ever.
"""

UNDATED_SECONDS: Final = 2.0
"""So far apart gateways publish one advertisement. Longer would take two measurements for one."""

REMEMBERED: Final = 16_384
"""Measurements of either kind: some megabytes, and many seconds of a thousand devices."""

_K = TypeVar("_K")
_V = TypeVar("_V")
_Identified = tuple[str, str, str, str]
_Undated = tuple[str, str, str, float]


class Echoes:
    """What was measured of late. Its answers depend on the readings it is shown, and no clock."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._identified: OrderedDict[_Identified, tuple[ArrivalTime, EventTime]] = OrderedDict()
        self._undated: OrderedDict[_Undated, tuple[ArrivalTime, str]] = OrderedDict()
        self._payloads: OrderedDict[str, tuple[ArrivalTime, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._identified) + len(self._undated) + len(self._payloads)

    def is_cached(self, message: Message, within: float) -> bool:
        """Whether the topic held the very same payload less than `within` seconds before.

        Gateways publish what they remember of a device again, on their start or with its next
        radio message. Counted from the first of the same, so that a steady value is heard of.
        """
        digest = blake2b(message.payload, digest_size=16).digest()
        first = self._payloads.get(message.topic)
        if first is not None and first[1] == digest and message.arrival - first[0] < within:
            return True
        self._note(self._payloads, message.topic, (message.arrival, digest))
        return False

    def came_before(self, reading: Reading, identity: str) -> bool:
        """Whether a measurement of this identity came less than 60 s before, on whatever topic."""
        key = (reading.site, reading.device, reading.quantity, identity)
        first = self._identified.get(key)
        if first is not None:
            apart = max(reading.arrival - first[0], abs(reading.time - first[1]))
            if apart <= IDENTITY_SECONDS:
                return True
        self._note(self._identified, key, (reading.arrival, reading.time))
        return False

    def came_elsewhere(self, reading: Reading, topic: str) -> bool:
        """Whether another topic had this value in the last 2 s, of a reading without a time.

        On the same topic it is a new measurement that gave the same value.
        """
        key = (reading.site, reading.device, reading.quantity, reading.value)
        last = self._undated.get(key)
        if last is not None:
            arrival, heard_on = last
            if heard_on != topic and reading.arrival - arrival <= UNDATED_SECONDS:
                return True
        self._note(self._undated, key, (reading.arrival, topic))
        return False

    def _note(self, memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
        memory[key] = value
        memory.move_to_end(key)
        if len(memory) > self._remembered:
            memory.popitem(last=False)
