"""Shelf: the slices a site keeps, and of those it let go the last event of each lane."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from edge_fusion.align.archive import Archive
from edge_fusion.align.slices import Slice
from edge_fusion.align.windows import Assigner
from edge_fusion.events import Event, EventTime, LaneKey, Line, Reading, lane_of


class Shelf:
    """Slices by index. The bounds of a window are shared out evenly over its slices.

    Of more than `max_slices` the oldest are to go, whatever may still come for them.
    """

    def __init__(
        self, windows: Assigner, *, max_readings: int, max_frames: int, max_slices: int
    ) -> None:
        self._max_slices = max_slices
        self._oldest = 0
        self._every = windows.every
        self._max_readings = max(1, max_readings // windows.overlap)
        self._max_frames = max(1, max_frames // windows.overlap)
        self._slices: dict[int, Slice] = {}
        self._before: dict[LaneKey, Reading] = {}
        self._merged: dict[LaneKey, Reading] = {}
        self._merged_below = 0
        self.newest = 0
        """The index of the newest slice there ever was."""

    def __len__(self) -> int:
        return len(self._slices)

    def __iter__(self) -> Iterator[Slice]:
        return iter(self._slices.values())

    def slice(self, index: int) -> Slice:
        """The slice of that index, a new one if there is none; `keep` puts it on the shelf."""
        found = self._slices.get(index)
        if found is not None:
            return found
        return Slice(
            index,
            EventTime(index * self._every),
            EventTime((index + 1) * self._every),
            max_readings=self._max_readings,
            max_frames=self._max_frames,
        )

    def keep(self, changed: Slice) -> None:
        """Put a slice that got an event on the shelf, if it is not there."""
        self._slices[changed.index] = changed
        self.newest = max(self.newest, changed.index)
        if changed.index < self._merged_below:
            self._merged_below = 0

    @property
    def oldest(self) -> int:
        """The slice below which all are let go for want of room. It never goes back."""
        if len(self._slices) > self._max_slices:
            self._oldest = max(self._oldest, sorted(self._slices)[-self._max_slices])
        return self._oldest

    def lines(self, first: int, last: int) -> tuple[Line, ...]:
        """The events of the slices from `first` to `last` by lane, in order of lane.

        No slice among them may be open any more.
        """
        slices = self._slices
        parts = [slices[index].lines() for index in range(first, last + 1) if index in slices]
        lines = parts[0] if len(parts) == 1 else _joined(parts)
        return tuple([lines[key] for key in sorted(lines)])

    def carried(self, before: int, since: float) -> tuple[Reading, ...]:
        """Per device and quantity the last reading in slices below `before`, if after `since`."""
        return tuple([last for last in self._lasts_below(before).values() if last.time > since])

    def _lasts_below(self, index: int) -> dict[LaneKey, Reading]:
        """The last event of each lane in slices below `index`, in order of lane.

        Windows ask for this one after the other, so the answer is carried on from one to the next.
        """
        if index < self._merged_below or not self._merged_below:
            self._merged, self._merged_below = dict(sorted(self._before.items())), -1
        lanes = len(self._merged)
        for place in sorted([p for p in self._slices if self._merged_below <= p < index]):
            self._merged |= self._slices[place].lasts()
        if len(self._merged) > lanes:
            self._merged = dict(sorted(self._merged.items()))
        self._merged_below = index
        return self._merged

    def state(self, archive: Archive) -> dict[str, Any]:
        """All there is to know, as JSON can hold it."""
        return {
            "newest": self.newest,
            "oldest": self.oldest,
            "before": [archive.event(last) for _, last in sorted(self._before.items())],
            "slices": [self._slices[index].state(archive) for index in sorted(self._slices)],
        }

    def restore(self, state: dict[str, Any], archive: Archive) -> None:
        """Take up a `state` again."""
        for last in map(archive.restored, state["before"]):
            if isinstance(last, Reading):
                self._before[lane_of(last)] = last
        for each in state["slices"]:
            restored = self.slice(each[0])
            restored.restore(each, archive)
            self.keep(restored)
        self.newest, self._oldest = state["newest"], state["oldest"]

    def forget(self, lanes: Iterable[LaneKey]) -> None:
        """Carry nothing more of some lanes."""
        for lane in lanes:
            self._before.pop(lane, None)
        self._merged_below = 0

    def let_go(self, below: int) -> None:
        """Drop the slices below an index, but for the last event of each lane."""
        for index in sorted(index for index in self._slices if index < below):
            self._before.update(self._slices.pop(index).lasts())
        if below > self._merged_below:
            self._merged_below = 0


def _joined(parts: Sequence[Mapping[LaneKey, Line]]) -> dict[LaneKey, Line]:
    lines: dict[LaneKey, list[Event]] = {}
    for part in parts:
        for key, line in part.items():
            lines.setdefault(key, []).extend(line)
    return {**lines}
