"""Complaints: one log line per source and minute, however much rubbish a source sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_fusion.codecs.invalid import printable
from edge_fusion.events import (
    ArrivalTime,
    Doubt,
    Event,
    Frame,
    Invalid,
    Outcome,
    Shed,
    ShedReason,
    Suspect,
    TooLate,
)

INTERVAL = 60.0
BUDGET = 100
"""Lines in an interval over all sources: whoever sends may name as many sources as he likes."""


class Complaints:
    """Decides which complaints are logged; what is not logged is counted in the metrics.

    Memory is bounded: only sources of the running interval are remembered, at most `BUDGET`.
    """

    def __init__(self) -> None:
        self._last: dict[str, ArrivalTime] = {}
        self._silenced: dict[str, int] = {}

    def due(self, source: str, now: ArrivalTime) -> int | None:
        """How many complaints this line stands for, or None if it is not to be logged."""
        self._last = self._recent(now) if self._is_stale(now) else self._last
        if source in self._last:
            self._silenced[source] = self._silenced.get(source, 0) + 1
            return None
        if len(self._last) >= BUDGET:
            return None
        self._last[source] = now
        return self._silenced.pop(source, 0) + 1

    def _is_stale(self, now: ArrivalTime) -> bool:
        oldest = next(iter(self._last.values()), now)
        return now - oldest >= INTERVAL

    def _recent(self, now: ArrivalTime) -> dict[str, ArrivalTime]:
        recent = {source: at for source, at in self._last.items() if now - at < INTERVAL}
        for source in self._silenced.keys() - self._last.keys():
            del self._silenced[source]
        return recent


_DOUBTS: Final[Mapping[Doubt, str]] = {
    Doubt.NO_ZONE: "its time has no zone, so its arrival counts: set the key timezone",
    Doubt.CLIPPED: "more than 100 %RH was measured",
    Doubt.STUCK: "the value no longer changes, as if the sensor were stuck",
    Doubt.STEP: "the value changed faster than a sensor can",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line of the log that a user may want to act on.

    `source` is whom it is about, for people, `about` the same for machines: a topic, or a site and
    a device or camera.
    """

    source: str
    text: str
    about: Mapping[str, str]


def complaint(outcome: Outcome) -> Complaint | None:
    """The line for an outcome, or None where there is nothing to mend."""
    match outcome:
        case Invalid(topic=topic, reason=reason, detail=detail):
            name = printable(topic)
            about = {"topic": name, "site": outcome.site, "device": outcome.source}
            known = {key: value for key, value in about.items() if value is not None}
            return Complaint(name, f"{reason.value}: {detail}", known)
        case TooLate(event=event):
            return _of_event(event, "too late for its window")
        case Suspect(reading=reading, doubt=doubt):
            return _of_event(reading, f"{reading.quantity} {reading.value:g}: {_DOUBTS[doubt]}")
        case Shed():
            return _bound_reached(outcome)
        case _:
            return None


def _bound_reached(shed: Shed) -> Complaint:
    event, bound = shed.event, shed.reason.value
    if event is None:
        return Complaint(bound, f"{shed.count} messages shed", {})
    if shed.reason in {ShedReason.MAX_SITES, ShedReason.MAX_DEVICES}:
        return Complaint(bound, f"no room for {event.site}/{event.source}", {})
    return _of_event(event, f"{'frame' if isinstance(event, Frame) else 'reading'} shed: {bound}")


def _of_event(event: Event, text: str) -> Complaint:
    kind = "camera" if isinstance(event, Frame) else "device"
    about = {"site": event.site, kind: event.source}
    return Complaint(f"{event.site}/{event.source}", text, about)
