"""Bucket: the events of one window while it is open, and while it may still be revised."""

from __future__ import annotations

from edge_fusion.events import ArrivalTime, ClosedBy, Event, EventTime, Frame, Reading, Window

Key = tuple[str, str, EventTime]
"""Source, quantity ("" for a frame) and event time: what makes two events one."""


def key_of(event: Event) -> Key:
    quantity = event.quantity if isinstance(event, Reading) else ""
    return event.source, quantity, event.time


class Bucket:
    """Events by key, bounded by `max_readings` and `max_frames` (per camera)."""

    def __init__(self, window: Window, max_readings: int, max_frames: int) -> None:
        self.window = window
        self.firings = 0
        self.late = 0
        self.closed_at: ArrivalTime | None = None
        self.closed_by = ClosedBy.WATERMARK
        self.revision_due: ArrivalTime | None = None
        self._max_readings = max_readings
        self._max_frames = max_frames
        self._readings: dict[Key, Reading] = {}
        self._frames: dict[str, dict[Key, Frame]] = {}

    def __contains__(self, event: Event) -> bool:
        if isinstance(event, Reading):
            return key_of(event) in self._readings
        return key_of(event) in self._frames.get(event.camera, {})

    def has_room_for(self, event: Event) -> bool:
        """Whether an event fits. A frame always does: it pushes out the oldest of its camera."""
        return isinstance(event, Frame) or len(self._readings) < self._max_readings

    def add(self, event: Event) -> Frame | None:
        """Keep an event; returns the frame that had to go for it, if any."""
        if isinstance(event, Reading):
            self._readings[key_of(event)] = event
            return None
        frames = self._frames.setdefault(event.camera, {})
        frames[key_of(event)] = event
        if len(frames) <= self._max_frames:
            return None
        return frames.pop(min(frames, key=lambda key: key[2]))

    def events(self) -> tuple[Event, ...]:
        """All events in order of event time, whatever order they came in."""
        frames = (frame for frames in self._frames.values() for frame in frames.values())
        return tuple(sorted([*self._readings.values(), *frames], key=_order))

    @property
    def empty(self) -> bool:
        return not self._readings and not any(self._frames.values())


def _order(event: Event) -> tuple[EventTime, str, str]:
    source, quantity, time = key_of(event)
    return time, source, quantity
