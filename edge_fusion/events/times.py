"""Instants and intervals: two clocks, kept apart by type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

EventTime = NewType("EventTime", float)
ArrivalTime = NewType("ArrivalTime", float)


class TimeSource(Enum):
    """Whose clock an event's time was read from."""

    DEVICE = "device"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The interval [start, end) of event time, in seconds."""

    start: EventTime
    end: EventTime
