"""What a sensor dialect is: from a message to samples, by what the configuration says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from edge_fusion.codecs.units import Unit
from edge_fusion.events import (
    HUMIDITY,
    TEMPERATURE,
    Doubt,
    EventTime,
    Invalid,
    Message,
    Publication,
)

USUAL_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {TEMPERATURE: TEMPERATURE, HUMIDITY: HUMIDITY}
)
"""Where most devices have their values; for formats with paths, if none is configured."""


@dataclass(frozen=True, slots=True)
class SensorKeys:
    """What the configuration says of a sensor topic's payloads.

    paths: dotted path of each quantity, and time: that of the time, where the format leaves them
    open; without them a dialect looks where they usually are, or takes the arrival for the time;
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

    device: who measured it, where the payload says so; a name in the topic or the configuration
    wins over it. part: which of several sensors of that device, None where it has but one; the
    reading is then of `<device>.<part>`. Neither need be a valid name: what a name may not hold
    is replaced. doubt: what is to be said of the value or its time although both are used.
    identity: what is the same in a second copy of the measurement, such as a sequence number.
    """

    quantity: str
    value: float
    time: EventTime | None = None
    device: str | None = None
    part: str | None = None
    doubt: Doubt | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The device of the topic, or the one named as samples name theirs, is reported dead."""

    device: str | None = None


Finding = Sample | Gone | Publication | Invalid
"""What a dialect may find in a message; a `Publication` is what its protocol has us answer."""

Dialect = Callable[[Message, SensorKeys], Sequence[Finding]]
"""Never raises for any payload. Finding nothing means "no reading", which is no error."""
