"""Complaints: one log line per source and minute, however much rubbish a source sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge_fusion.codecs.invalid import printable
from edge_fusion.events import (
    ArrivalTime,
    Doubt,
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


def complaint(outcome: Outcome) -> tuple[str, str] | None:
    """Source and text of a log line for what a user may want to mend."""
    match outcome:
        case Invalid(topic=topic, reason=reason, detail=detail):
            return printable(topic), f"{reason.value}: {detail}"
        case TooLate(event=event):
            return f"{event.site}/{event.source}", "too late for its window"
        case Suspect(reading=reading, doubt=doubt):
            text = f"{reading.quantity} {reading.value:g}: {_DOUBTS[doubt]}"
            return f"{reading.site}/{reading.device}", text
        case Shed():
            return _bound_reached(outcome)
        case _:
            return None


def _bound_reached(shed: Shed) -> tuple[str, str]:
    event, bound = shed.event, shed.reason.value
    if event is None:
        return bound, f"{shed.count} messages shed"
    name = f"{event.site}/{event.source}"
    if shed.reason in {ShedReason.MAX_SITES, ShedReason.MAX_DEVICES}:
        return bound, f"no room for {name}"
    return name, f"{'frame' if isinstance(event, Frame) else 'reading'} shed: {bound}"
