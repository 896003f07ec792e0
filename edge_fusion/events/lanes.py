"""Lanes: the events of one site by what measured what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TypeGuard

from edge_fusion.events.inputs import Event, Frame, Reading

LaneKey = tuple[str, str]
"""Device and quantity of readings; camera and "" of frames."""

Line = Sequence[Event]
"""Events of one lane, one at least, in order of event time: two at one instant are the same."""

IN_TIME = attrgetter("time")
"""Sorts events by event time."""


def lane_of(event: Event) -> LaneKey:
    if isinstance(event, Reading):
        return event.device, event.quantity
    return event.camera, ""


def of_readings(line: Line) -> TypeGuard[Sequence[Reading]]:
    return isinstance(line[0], Reading)


def of_frames(line: Line) -> TypeGuard[Sequence[Frame]]:
    return isinstance(line[0], Frame)


def lines_of(events: Iterable[Event]) -> tuple[Line, ...]:
    """Events of one site by lane, in order of lane."""
    lines: dict[LaneKey, list[Event]] = {}
    for event in sorted(events, key=IN_TIME):
        lines.setdefault(lane_of(event), []).append(event)
    return tuple(lines[key] for key in sorted(lines))
