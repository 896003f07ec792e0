"""What a sensor dialect is: from a message to samples, by what the configuration says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from edge_fusion.codecs.units import Unit
from edge_fusion.events import EventTime, Invalid, Message


@dataclass(frozen=True, slots=True)
class SensorKeys:
    """What the configuration says of a sensor topic's payloads.

    paths: dotted path of each quantity; time: dotted path of the time, None for arrival;
    quantity: of a payload that is one bare value; units: of quantities that are not AUTO;
    zone: of times that have none.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None
    quantity: str | None = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One value in canonical units, and the time the payload gives for it, if any."""

    quantity: str
    value: float
    time: EventTime | None = None


Dialect = Callable[[Message, SensorKeys], list[Sample | Invalid]]
"""Never raises for any payload. An empty list means "no reading", which is no error."""
