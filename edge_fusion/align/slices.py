"""Slice: the events between two neighbouring window edges."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from edge_fusion.align.archive import Archive
from edge_fusion.events import (
    IN_TIME,
    ArrivalTime,
    Event,
    EventTime,
    Frame,
    LaneKey,
    Line,
    Reading,
    lane_of,
)


def insert(line: list[Event], event: Event) -> bool:
    """Put an event in its place; False, and nothing done, if there is one at its instant."""
    time = event.time
    place = bisect_left(line, time, key=IN_TIME)
    if place < len(line) and line[place].time == time:
        return False
    line.insert(place, event)
    return True


class Slice:
    """Events by lane. `room` is how many readings still fit; a lane holds `max_frames` frames."""

    __slots__ = (
        "_given",
        "_lasts",
        "_lines",
        "_max_frames",
        "before",
        "end",
        "index",
        "room",
        "start",
    )

    def __init__(
        self, index: int, start: EventTime, end: EventTime, *, max_readings: int, max_frames: int
    ) -> None:
        self.index = index
        self.start = start
        self.end = end
        self.before = EventTime(math.nextafter(start, -math.inf))
        self.room = max_readings
        self._max_frames = max_frames
        self._lines: dict[LaneKey, list[Event]] = {}
        self._given = False
        """Whether panes hold the lines: who changes one then changes a copy."""
        self._lasts: dict[LaneKey, Reading] | None = None

    def __iter__(self) -> Iterator[LaneKey]:
        return iter(self._lines)

    def __contains__(self, event: Event) -> bool:
        line = self._lines.get(lane_of(event), [])
        place = bisect_left(line, event.time, key=IN_TIME)
        return place < len(line) and line[place].time == event.time

    def line(self, key: LaneKey) -> list[Event]:
        """The events of a lane; who adds to them takes from `room`, before `lines` are taken."""
        return self._lines.setdefault(key, [])

    def has_room_for(self, event: Event) -> bool:
        """Whether an event fits. A frame always does: it pushes out the oldest of its camera."""
        return isinstance(event, Frame) or self.room > 0

    def add(self, event: Event) -> Event | None:
        """Keep an event; returns the frame that had to go for it, if any."""
        key = lane_of(event)
        line = self.line(key)
        if self._given:
            line = self._lines[key] = line.copy()
        insert(line, event)
        self._lasts = None
        if isinstance(event, Reading):
            self.room -= 1
        elif len(line) > self._max_frames:
            return line.pop(0)
        return None

    def drop_fleeting(self) -> None:
        """Let go of the frames that are not durable."""
        for key, line in self._lines.items():
            if any(isinstance(event, Frame) and not event.durable for event in line):
                durable = (event for event in line if isinstance(event, Frame) and event.durable)
                self._lines[key] = list(durable)

    def state(self, archive: Archive) -> list[Any]:
        """All there is to know, as JSON can hold it."""
        lines = [
            [archive.event(event) for event in line if archive.keeps(event)]
            for _, line in sorted(self._lines.items())
        ]
        return [self.index, self.room, lines]

    def restore(self, state: list[Any], archive: Archive) -> None:
        """Take up a `state` again."""
        _, self.room, lines = state
        for line in lines:
            for event in map(archive.restored, line):
                self.line(lane_of(event)).append(event)

    def events(self) -> list[Event]:
        """All events, lane by lane."""
        return [event for line in self._lines.values() for event in line]

    def lines(self) -> dict[LaneKey, Line]:
        """The events of each lane that has any; they change no more."""
        self._given = True
        return {key: line for key, line in self._lines.items() if line}

    def lasts(self) -> dict[LaneKey, Reading]:
        """The latest reading of each lane."""
        if self._lasts is None:
            lasts = {key: line[-1] for key, line in self._lines.items() if line}
            self._lasts = {key: last for key, last in lasts.items() if type(last) is Reading}
        return self._lasts


class OpenSlices(dict[int, Slice]):
    """The slices, `every` seconds each, that no window has closed on yet.

    `begin` makes a new one for an event that arrives, if it may; None if that needs the long way.
    """

    def __init__(
        self, every: float, begin: Callable[[int, ArrivalTime], Slice | None] = lambda *_: None
    ) -> None:
        super().__init__()
        self.every = every
        self.begin = begin
        self.begun = False
        """Whether one was begun since somebody asked: something may be due earlier now."""
