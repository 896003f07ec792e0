"""Slice: the events between two neighbouring window edges."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from edge_fusion.align.archive import Archive
from edge_fusion.events import Event, EventTime, Frame, Reading

LaneKey = tuple[str, str]
"""Device and quantity of readings; camera and "" of frames."""

Instants = dict[EventTime, Event]
"""The events of one lane in one slice by event time: two at one instant are the same event."""

_TIME = attrgetter("time")


def lane_of(event: Event) -> LaneKey:
    if isinstance(event, Reading):
        return event.device, event.quantity
    return event.camera, ""


class Slice:
    """Events by lane. `room` is how many readings still fit; a lane holds `max_frames` frames."""

    __slots__ = ("_lanes", "_lasts", "_max_frames", "_sorted", "end", "index", "room", "start")

    def __init__(
        self, index: int, start: EventTime, end: EventTime, *, max_readings: int, max_frames: int
    ) -> None:
        self.index = index
        self.start = start
        self.end = end
        self.room = max_readings
        self._max_frames = max_frames
        self._lanes: dict[LaneKey, Instants] = {}
        self._sorted: tuple[Event, ...] | None = None
        self._lasts: dict[LaneKey, Event] | None = None

    def __iter__(self) -> Iterator[LaneKey]:
        return iter(self._lanes)

    def __contains__(self, event: Event) -> bool:
        return event.time in self._lanes.get(lane_of(event), ())

    def instants(self, key: LaneKey) -> Instants:
        """The events of a lane; who adds to them takes from `room`, before the slice is read."""
        return self._lanes.setdefault(key, {})

    def has_room_for(self, event: Event) -> bool:
        """Whether an event fits. A frame always does: it pushes out the oldest of its camera."""
        return isinstance(event, Frame) or self.room > 0

    def add(self, event: Event) -> Event | None:
        """Keep an event; returns the frame that had to go for it, if any."""
        instants = self.instants(lane_of(event))
        instants[event.time] = event
        self._sorted = self._lasts = None
        if isinstance(event, Reading):
            self.room -= 1
        elif len(instants) > self._max_frames:
            return instants.pop(min(instants))
        return None

    def state(self, archive: Archive) -> list[Any]:
        """All there is to know, as JSON can hold it, in the order in which it came."""
        lanes = [
            [archive.event(event) for event in instants.values()]
            for _, instants in sorted(self._lanes.items())
        ]
        return [self.index, self.room, lanes]

    def restore(self, state: list[Any], archive: Archive) -> None:
        """Take up a `state` again."""
        _, self.room, lanes = state
        for lane in lanes:
            for event in map(archive.restored, lane):
                self.instants(lane_of(event))[event.time] = event

    def events(self) -> tuple[Event, ...]:
        """All events in order of event time, then of lane, whatever order they came in."""
        if self._sorted is None:
            by_lane: list[Event] = []
            for _, instants in sorted(self._lanes.items()):
                by_lane += instants.values()
            by_lane.sort(key=_TIME)
            self._sorted = tuple(by_lane)
        return self._sorted

    def lasts(self) -> dict[LaneKey, Event]:
        """The latest reading of each lane."""
        if self._lasts is None:
            self._lasts = {
                key: instants[max(instants)]
                for key, instants in self._lanes.items()
                if instants and key[1]
            }
        return self._lasts


class OpenSlices(dict[int, Slice]):
    """The slices, `every` seconds each, that no window has closed on yet."""

    def __init__(self, every: float) -> None:
        super().__init__()
        self.every = every
