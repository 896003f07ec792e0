"""Source: one device or camera of a site; and its lanes, one for each quantity it measures."""

from __future__ import annotations

from typing import Any

from edge_fusion.align.clock import DeviceClock
from edge_fusion.align.slices import OpenSlices, Slice, insert
from edge_fusion.align.windows import index_of
from edge_fusion.events import ArrivalTime, Event, EventTime, LaneKey, TimeSource

NEVER = EventTime(float("-inf"))
BEYOND = EventTime(float("inf"))
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
        """Nothing it sends for an event time below can carry the watermark past a slice's end.

        BEYOND of one that others are behind, NEVER of an idle one: its next event wakes it up.
        """

    def state(self) -> list[Any]:
        """All there is to know but its lanes, as JSON can hold it."""
        return [self.sound, self.idle, self.latest, self.heard, self.clock.state()]

    @classmethod
    def restored(cls, name: str, max_skew: float, state: list[Any]) -> Source:
        """The source whose `state` was taken."""
        *own, clock = state
        source = cls(name, DeviceClock.restored(max_skew, clock))
        source.sound, source.idle, source.latest, source.heard = own
        source.edge = NEVER if source.idle else BEYOND
        return source

    def move_edge(self, edge: EventTime) -> None:
        self.edge = edge
        for lane in self.lanes:
            end = lane.into.end
            lane.end = min(end, edge)


class Lane:
    """Readings of one device and quantity, and the short way of the next one into its slice.

    That is the open slice the last one went to. Most readings take it, so it is short indeed: it
    looks at nothing but what could make a reading any other than one more of the same.
    """

    __slots__ = (
        "end", "into", "key", "line", "most_lag", "newest", "open", "source",
    )  # fmt: skip

    def __init__(self, key: LaneKey, source: Source, open_slices: OpenSlices) -> None:
        self.key = key
        self.source = source
        self.open = open_slices
        self.most_lag = source.clock.max_skew
        self.unbind()

    def unbind(self) -> None:
        """Close the short way."""
        self.into = NOWHERE
        self.line: list[Event] = []
        self.end, self.newest = NEVER, EventTime(INFINITY)

    def bind(self, into: Slice) -> None:
        """Open the short way into a slice, unless it is older than that of now."""
        if into.start >= self.into.start:
            edge = self.source.edge
            self.into, self.line = into, into.line(self.key)
            self.end = min(into.end, edge)
            self.newest = self.line[-1].time if self.line else into.before

    def takes(self, event: Event) -> bool:
        """Admit a reading of the common kind; False, and nothing done, if it is any other.

        Common is: newer than the last one, in its slice, before the edge of its source, and by a
        sound clock.
        """
        time, arrival = event.time, event.arrival
        if (
            self.newest < time < self.end
            and -self.most_lag <= arrival - time <= self.most_lag
            and (room := self.into.room) > 0
        ):
            self.line.append(event)
            self.into.room = room - 1
            self.newest = time
            source = self.source
            source.heard = arrival
            if time > source.latest:  # noqa: PLR1730 - max() costs a fifth of the way
                source.latest = time
            return True
        return False

    def accepts(self, event: Event) -> bool:
        """Admit a reading not quite as common; False, and nothing done, if it is not even that.

        It may lie beyond the edge of its source (the caller then moves that), be older than the
        last one, or be the first in another open slice. All others go the long way round, to the
        same effect.
        """
        if event.time >= self.end:
            return not self.source.idle and self._runs_ahead(event)
        into = self.into if event.time >= self.into.start else self._open_at(event.time)
        return into is not None and self._looks_back(event, into)

    def _runs_ahead(self, event: Event) -> bool:
        if event.time < self.into.end:
            self.end = self.into.end
            if self.takes(event):
                return True
            self.end = self.source.edge
            return False
        if event.time >= self.source.edge or not self.source.clock.trusted:
            return False
        into = self.open.get(self.into.index + 1)
        if into is None or not into.start <= event.time < into.end:
            into = self._open_at(event.time) or self._begin(event)
            if into is None:
                return False
        self.bind(into)
        if not self.takes(event):
            return False
        if event.time_source is TimeSource.DEVICE:
            self.source.clock.learn(event.arrival - event.time, event.arrival)
        return True

    def _begin(self, event: Event) -> Slice | None:
        """A new slice for an event that is sure to be taken into it."""
        if not -self.most_lag <= event.arrival - event.time <= self.most_lag:
            return None
        return self.open.begin(index_of(event.time, self.open.every), event.arrival)

    def _looks_back(self, event: Event, into: Slice) -> bool:
        source = self.source
        if source.idle or not source.clock.trusted or into.room <= 0:
            return False
        if not -self.most_lag <= event.arrival - event.time <= self.most_lag:
            return False
        # Nothing is learned of the clock: what was overtaken did not take the fastest path.
        line = self.line if into is self.into else into.line(self.key)
        if not insert(line, event):
            return False
        into.room -= 1
        source.heard = event.arrival
        return True

    def _open_at(self, time: EventTime) -> Slice | None:
        return self.open.get(index_of(time, self.open.every))


NO_LANE = Lane(("", ""), Source("", DeviceClock(0.0)), OpenSlices(INFINITY))
"""A lane that takes nothing."""
