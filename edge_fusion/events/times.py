"""Instants and intervals: two clocks, kept apart by type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

EventTime = NewType("EventTime", float)
ArrivalTime = NewType("ArrivalTime", float)


class TimeSource(Enum):
    """Whose clock an event's time was read from.

    HELD_BACK: the device's, of a message that may have waited for long on its way, so that its
    arrival says nothing of that clock.
    """

    DEVICE = "device"
    HELD_BACK = "held_back"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The interval [start, end) of event time, in seconds."""

    start: EventTime
    end: EventTime
