"""Roster: the devices and cameras of one site, and the lanes of their readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edge_fusion.align.census import Census
from edge_fusion.align.clock import DeviceClock
from edge_fusion.align.slices import OpenSlices, Slice
from edge_fusion.align.source import Lane, Source
from edge_fusion.events import ArrivalTime, Event, Frame, LaneKey, lane_of

MAX_LANES = 64
"""Quantities of one device; readings of others are shed."""


@dataclass(frozen=True, slots=True)
class Known:
    """A device or camera as it is known now; `offset` is arrival - device time, in seconds."""

    name: str
    is_camera: bool
    heard: ArrivalTime
    offset: float


class Roster:
    """Sources by name and kind, as many as the census admits; lanes by device and quantity.

    A camera and a sensor may bear the same name.
    """

    def __init__(self, census: Census, open_slices: OpenSlices, *, max_skew: float) -> None:
        self._census = census
        self._open_slices = open_slices
        self._max_skew = max_skew
        self._sources: dict[tuple[str, bool], Source] = {}
        self._lanes: dict[LaneKey, Lane] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources.values())

    def kinds(self) -> Iterator[tuple[Source, bool]]:
        """Each source, and whether it is a camera."""
        return ((source, camera) for (_, camera), source in self._sources.items())

    def known(self) -> tuple[Known, ...]:
        """Every source, in the order in which they came."""
        return tuple(
            Known(source.name, is_camera, source.heard, source.clock.offset)
            for (_, is_camera), source in self._sources.items()
        )

    def find(self, event: Event) -> Source | None:
        """The source of an event, if it is known."""
        return self._sources.get((event.source, isinstance(event, Frame)))

    def named(self, name: str) -> list[Source]:
        """The sensor and the camera of that name, those that are known."""
        keys = (name, False), (name, True)
        return [self._sources[key] for key in keys if key in self._sources]

    def admit(self, event: Event) -> Source | None:
        """The source of an event that is new; None, and nothing done, if there is no room."""
        if not self._census.admit():
            return None
        source = Source(event.source, DeviceClock(self._max_skew))
        source.heard = event.arrival
        self._sources[source.name, isinstance(event, Frame)] = source
        return source

    def lane(self, key: LaneKey) -> Lane | None:
        return self._lanes.get(key)

    def lanes(self) -> Iterable[tuple[LaneKey, Lane]]:
        return self._lanes.items()

    def has_lane_for(self, event: Event, source: Source) -> bool:
        """Whether the event's lane is there, or room for it."""
        return lane_of(event) in self._lanes or len(source.lanes) < MAX_LANES

    def lead(self, key: LaneKey, source: Source) -> Lane:
        """The lane of that key, a new one of `source` if there is none."""
        return self._lanes.get(key) or self._add_lane(key, source)

    def seal(self, closed: Slice) -> None:
        """Close the short ways into a slice whose first window closes."""
        for key in closed:
            lane = self._lanes[key]
            if lane.into is closed:
                lane.unbind()

    def cameras(self, since: float) -> tuple[str, ...]:
        """The cameras heard since then."""
        cameras = (source for (_, is_camera), source in self._sources.items() if is_camera)
        return tuple(sorted(source.name for source in cameras if source.heard > since))

    def forget(self, before: ArrivalTime) -> list[Source]:
        """Let go of sources not heard since `before`, and of their lanes; returns them."""
        gone = [key for key, source in self._sources.items() if source.heard < before]
        sources = [self._sources.pop(key) for key in gone]
        for source in sources:
            for lane in source.lanes:
                del self._lanes[lane.key]
        self._census.strike_off(len(gone))
        return sources

    def state(self) -> dict[str, Any]:
        """All there is to know, as JSON can hold it."""
        return {
            "sources": [[*key, source.state()] for key, source in self._sources.items()],
            "lanes": [[*key, lane.into.index] for key, lane in self._lanes.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a `state` again, once the open slices are what they were."""
        for name, is_camera, source in state["sources"]:
            self._sources[name, is_camera] = Source.restored(name, self._max_skew, source)
        for name, quantity, index in state["lanes"]:
            lane = self._add_lane((name, quantity), self._sources[name, not quantity])
            if index in self._open_slices:
                lane.bind(self._open_slices[index])
        self._census.readmit(len(self._sources))

    def _add_lane(self, key: LaneKey, source: Source) -> Lane:
        lane = self._lanes[key] = Lane(key, source, self._open_slices)
        source.lanes.append(lane)
        return lane
