"""Source: one device or camera of a site; and its lanes, one for each quantity it measures."""

from __future__ import annotations

from typing import Any

from edge_fusion.align.clock import DeviceClock
from edge_fusion.align.slices import Instants, LaneKey, OpenSlices, Slice
from edge_fusion.align.windows import index_of
from edge_fusion.events import ArrivalTime, Event, EventTime, TimeSource

NEVER = EventTime(float("-inf"))
LONG_AGO = ArrivalTime(float("-inf"))
INFINITY = float("inf")
NOWHERE = Slice(-1, NEVER, NEVER, max_readings=0, max_frames=0)


class Source:
    """A device or camera: its clock, and how far it has come."""

    __slots__ = ("clock", "edge", "heard", "idle", "lanes", "latest", "name", "sound")

    def __init__(self, name: str, clock: DeviceClock) -> None:
        self.name = name
        self.clock = clock
        self.lanes: list[Lane] = []
        self.sound = False
        """Whether its clock was trusted when it was last observed."""
        self.idle = True
        self.latest = NEVER
        self.heard = LONG_AGO
        self.edge = NEVER
        """Nothing it sends for an event time below can carry the watermark past a slice's end."""

    def state(self) -> list[Any]:
        """All there is to know but its lanes, as JSON can hold it."""
        return [self.sound, self.idle, self.latest, self.heard, self.edge, self.clock.state()]

    @classmethod
    def restored(cls, name: str, max_skew: float, state: list[Any]) -> Source:
        """The source whose `state` was taken."""
        *own, clock = state
        source = cls(name, DeviceClock.restored(max_skew, clock))
        source.sound, source.idle, source.latest, source.heard, source.edge = own
        return source

    def move_edge(self, edge: EventTime) -> None:
        self.edge = edge
        for lane in self.lanes:
            lane.end = min(lane.into.end, edge)


class Lane:
    """Events of one device and quantity, and the short way of the next one into its slice.

    That is the open slice the last one went to. Most readings take it, so it is short indeed: it
    looks at nothing but what could make a reading any other than one more of the same.
    """

    __slots__ = ("end", "instants", "into", "key", "most_lag", "open", "source", "start")

    def __init__(self, key: LaneKey, source: Source, open_slices: OpenSlices) -> None:
        self.key = key
        self.source = source
        self.open = open_slices
        self.most_lag = source.clock.max_skew
        self.unbind()

    def unbind(self) -> None:
        """Close the short way."""
        self.into: Slice = NOWHERE
        self.instants: Instants = {}
        self.start: EventTime = NEVER
        self.end: EventTime = NEVER

    def bind(self, into: Slice) -> None:
        """Open the short way into a slice, unless it is older than that of now."""
        if into.start >= self.start:
            self.into, self.instants = into, into.instants(self.key)
            self.start, self.end = into.start, min(into.end, self.source.edge)

    def takes(self, event: Event) -> bool:
        """Admit a reading of the common kind; False, and nothing done, if it is any other.

        Common is: in the slice of the last one, before the edge of its source, by a sound clock,
        and news. All others go the long way round, to the same effect.
        """
        time, arrival = event.time, event.arrival
        if (
            self.start <= time < self.end
            and -self.most_lag <= arrival - time <= self.most_lag
            and time not in self.instants
            and (room := self.into.room) > 0
        ):
            self.instants[time] = event
            self.into.room = room - 1
            source = self.source
            source.heard = arrival
            if time > source.latest:  # noqa: PLR1730 - max() costs a fifth of the way
                source.latest = time
            return True
        return False

    def crosses(self, event: Event) -> bool:
        """Admit a reading like `takes`, if it lies beyond the edge of its source and no more."""
        if not self.end <= event.time < self.into.end or self.source.idle:
            return False
        self.end = self.into.end
        taken = self.takes(event)
        self.end = min(self.into.end, self.source.edge)
        return taken

    def moves_on(self, event: Event) -> bool:
        """Admit a reading like `takes`, if it is the first of the lane in another open slice."""
        time, source = event.time, self.source
        if self.start <= time < self.into.end or time >= source.edge or not source.clock.trusted:
            return False
        into = self.open.get(index_of(time, self.open.every))
        if into is None:
            return False
        self.bind(into)
        if not self.takes(event):
            return False
        if event.time_source is TimeSource.DEVICE:
            source.clock.learn(event.arrival - time, event.arrival)
        return True


NO_LANE = Lane(("", ""), Source("", DeviceClock(0.0)), OpenSlices(INFINITY))
"""A lane that takes nothing."""
