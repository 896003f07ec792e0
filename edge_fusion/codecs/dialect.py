"""What a sensor dialect is: from a message to samples, by what the configuration says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from edge_fusion.codecs.units import Unit
from edge_fusion.events import EventTime, Invalid, Message, Publication


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
    """One value in canonical units, and the time the payload gives for it, if any.

    device: who measured it, where the payload says so and the topic may not.
    """

    quantity: str
    value: float
    time: EventTime | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The device of the topic, or the one named, is reported dead."""

    device: str | None = None


Finding = Sample | Gone | Publication | Invalid
"""What a dialect may find in a message; a `Publication` is what its protocol has us answer."""

Dialect = Callable[[Message, SensorKeys], Sequence[Finding]]
"""Never raises for any payload. Finding nothing means "no reading", which is no error."""
