"""SiteAssembler: the events of one site in, panes of its windows out.

It reads no clock: `feed` takes an event with its arrival time, `wake` says when something is due,
`advance` lets time pass. Whatever was due before an event is run at the instant at which it was
due, never at the instant the caller got round to it, so the panes depend on the events alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.archive import Archive, unpack
from edge_fusion.align.census import Census
from edge_fusion.align.firings import Closed, Firings
from edge_fusion.align.roster import Known, Roster
from edge_fusion.align.shelf import Shelf
from edge_fusion.align.slices import OpenSlices, Slice
from edge_fusion.align.source import LONG_AGO, Lane, Source
from edge_fusion.align.watermark import SiteWatermark
from edge_fusion.align.windows import index_of, window
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    ArrivalTime,
    Duplicate,
    Event,
    EventTime,
    LaneKey,
    Offline,
    Outcome,
    Pane,
    Quarantined,
    Reading,
    Shed,
    ShedReason,
    Sighting,
    TimeSource,
    Timing,
    TooLate,
    lane_of,
)

RETAINED_SLICES = 256
"""Of more slices the oldest are let go, even if their lateness is not up: a burst over more windows
than that must not cost more memory."""

INFINITY = float("inf")


class SiteAssembler:
    """Clocks, watermark and windows of one site."""

    def __init__(self, site: str, alignment: Alignment, census: Census) -> None:
        windows = alignment.windows
        self.site = site
        self.due = INFINITY
        """Arrival time before which nothing can be due."""
        self._alignment = alignment
        self._windows = windows
        self._watermark = SiteWatermark(
            alignment.max_out_of_orderness, alignment.idle_timeout, windows.every
        )
        self._firings = Firings(
            windows, max_wait=alignment.max_wait, allowed_lateness=alignment.allowed_lateness
        )
        self._shelf = Shelf(
            windows,
            max_readings=alignment.max_readings,
            max_frames=alignment.max_frames,
            max_slices=RETAINED_SLICES + windows.overlap,
        )
        self._open_slices = OpenSlices(windows.every, self._begin)
        self._roster = Roster(census, self._open_slices, max_skew=alignment.max_skew)
        self.held_since: ArrivalTime | None = None
        """When time began to stand still, if it does."""
        self._released = LONG_AGO

    @property
    def watermark(self) -> EventTime:
        return self._watermark.value

    def idle(self, now: ArrivalTime) -> int:
        """How many sources of the site are idle at `now`."""
        return self._watermark.idle(now)

    def offsets(self) -> dict[str, float]:
        """Estimated clock offset (arrival - device time, seconds) of each source."""
        return {source.name: source.clock.offset for source in self._roster}

    def sightings(self) -> Iterator[Sighting]:
        """Each source of the site, as it was heard last."""
        return (
            Sighting(self.site, source.name, camera, source.heard, not source.clock.trusted)
            for (source, camera) in self._roster.kinds()
        )

    def known(self) -> tuple[Known, ...]:
        """Every device and camera of the site."""
        return self._roster.known()

    def heard(self) -> dict[str, ArrivalTime]:
        """When each source was heard last; a sensor and a camera of one name are one here."""
        heard: dict[str, ArrivalTime] = {}
        for source in self._roster:
            heard[source.name] = max(source.heard, heard.get(source.name, source.heard))
        return heard

    def lane(self, reading: Reading) -> Lane | None:
        """The short way of a reading, if there is one."""
        return self._roster.lane((reading.device, reading.quantity))

    def lanes(self) -> Iterable[tuple[LaneKey, Lane]]:
        """The short ways of all readings."""
        return self._roster.lanes()

    def feed(self, event: Event) -> list[Outcome]:
        """Take one event; its arrival time must not lie before that of the one before.

        Returns what came of it and of the time that went by: the event itself, as corrected, if
        it was admitted.
        """
        outcomes = self.advance(event.arrival)
        lane = self.lane(event) if isinstance(event, Reading) else None
        if lane is None:
            return outcomes + self.take(event)
        if lane.takes(event):
            return [*outcomes, event]
        if lane.accepts(event):
            return [*outcomes, event, *self.pass_edge(lane.source, event.arrival)]
        return outcomes + self.take(event)

    def wake(self) -> ArrivalTime | None:
        """The arrival time at which something is due, or None."""
        return ArrivalTime(self.due) if self.due < INFINITY else None

    def advance(self, now: ArrivalTime) -> list[Outcome]:
        """Run everything that is due at `now` or before, in the order in which it was due."""
        outcomes: list[Outcome] = []
        while self.due <= now:
            due = ArrivalTime(max(self.due, self._released))
            self._watermark.make_idle(due)
            outcomes += self._fire(due)
        return outcomes

    def hold(self, since: ArrivalTime) -> None:
        """Have time stand still at `since` for all but the watermark, until `release`.

        What was due by now must have run, or lie after `since`.
        """
        if self.held_since is None:
            self.held_since = since
        self.due = INFINITY

    def release(self, now: ArrivalTime) -> list[Outcome]:
        """Let time go on: what was due meanwhile runs now."""
        self.held_since, self._released = None, now
        self.due = self._next_due()
        return self.advance(now)

    def offline(self, notice: Offline) -> list[Outcome]:
        """Make a device idle at once, as it was reported dead."""
        outcomes = self.advance(notice.arrival)
        for source in self._roster.named(notice.device):
            if not source.idle:
                self._watermark.retire(source)
        return outcomes + self._fire(notice.arrival)

    def take(self, event: Event) -> list[Outcome]:
        """The long way of an event into its slice, when nothing is due before it."""
        source, now = self._source(event), event.arrival
        if source is None or not self._roster.has_lane_for(event, source):
            return [Shed(event, ShedReason.MAX_DEVICES)]
        placed, verdict = self._correct(source, event)
        index, as_of = index_of(placed.time, self._windows.every), self._as_of(now)
        if not self._is_before_close(index, as_of) and self._is_too_late(index, as_of):
            return [TooLate(placed, self._watermark.value)]
        into = self._shelf.slice(index)
        if placed in into:
            return [Duplicate(placed)]
        if not into.has_room_for(placed):
            return [Shed(placed, ShedReason.MAX_READINGS)]
        pushed_out = into.add(placed)
        self._shelf.keep(into)
        outcomes: list[Outcome] = [verdict]
        if pushed_out is not None:
            outcomes.append(Shed(pushed_out, ShedReason.MAX_FRAMES))
        due = self._firings.enter(index, as_of)
        self._expect(min(due, now + self._alignment.idle_timeout))
        self._lead(placed, into, source)
        passed = self._watermark.observe(source, self._reached(source, verdict), now)
        return outcomes + self._fire(now) if passed or self._holds_too_many() else outcomes

    def open_events(self) -> tuple[Event, ...]:
        """The events of windows that are open."""
        first = self._firings.first_open()
        if first is None:
            return ()
        first -= self._windows.overlap - 1
        return tuple(
            event for each in self._shelf if each.index >= first for event in each.events()
        )

    def drop_fleeting(self) -> None:
        """Let go of the frames whose pictures nobody promised to keep."""
        for each in self._shelf:
            each.drop_fleeting()

    @property
    def longest_silent(self) -> float:
        """When the source was last heard that has been silent for the longest time."""
        return min((source.heard for source in self._roster), default=INFINITY)

    @property
    def last_heard(self) -> float:
        """When any of the sources was last heard."""
        return max((source.heard for source in self._roster), default=-INFINITY)

    def forget(self, before: ArrivalTime) -> list[LaneKey]:
        """Let go of sources not heard since `before`; returns their lanes.

        It must lie further back than `idle_timeout`.
        """
        gone = self._roster.forget(before)
        for source in gone:
            self._watermark.remove(source)
        lanes = [lane.key for source in gone for lane in source.lanes]
        self._shelf.forget(lanes)
        return lanes

    @property
    def is_forgotten(self) -> bool:
        """Whether nothing is known of the site, nor anything due."""
        return not self._roster and self._next_due() == INFINITY

    def snapshot(self, *, all_frames: bool = True) -> bytes:
        """All there is to know, from which `restore` goes on as if nothing had happened.

        Without `all_frames`, of the frames only those that are durable.
        """
        archive = Archive(self.site, all_frames=all_frames)
        return archive.pack(
            {
                "windows": [self._windows.every, self._windows.overlap],
                "due": self.due,
                "held": [self.held_since, self._released],
                **self._roster.state(),
                "watermark": self._watermark.value,
                "firings": self._firings.state(),
                "shelf": self._shelf.state(archive),
            }
        )

    def restore(self, snapshot: bytes) -> None:
        """Take up a snapshot; for a new assembler only, which is of no use if that fails.

        Raises SnapshotError if it is none, or if windows were of another size then.
        """
        state, pictures = unpack(snapshot)
        try:
            self._restore(state, pictures)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise SnapshotError(f"not all of it is there: {error!r}") from None

    def _restore(self, state: dict[str, Any], pictures: list[bytes]) -> None:
        if state["windows"] != [self._windows.every, self._windows.overlap]:
            raise SnapshotError(f"made for other windows (every, overlap): {state['windows']}")
        self.due = state["due"]
        self.held_since, self._released = state["held"]
        self._firings.restore(state["firings"])
        self._shelf.restore(state["shelf"], Archive(self.site, pictures))
        for each in self._shelf:
            if self._firings.is_open(each.index):
                self._open_slices[each.index] = each
        self._roster.restore(state)
        for source in self._roster:
            self._watermark.add(source)
        self._watermark.restore(state["watermark"])

    def pass_edge(self, source: Source, now: ArrivalTime) -> list[Outcome]:
        """Close what may be closed, if a reading that a lane took lies beyond its source's edge."""
        if source.latest < source.edge:
            return []
        return self._fire(now) if self._watermark.crossed() else []

    def _source(self, event: Event) -> Source | None:
        source = self._roster.find(event)
        if source is None and (source := self._roster.admit(event)) is not None:
            self._watermark.add(source)
        return source

    def _correct(self, source: Source, event: Event) -> tuple[Event, Event | Quarantined]:
        if event.time_source is TimeSource.ARRIVAL:
            return event, event
        held_back = event.time_source is TimeSource.HELD_BACK or self.held_since is not None
        corrected = source.clock.correct(
            event.time, event.arrival, source.latest, held_back=held_back
        )
        placed = event if corrected.time == event.time else replace(event, time=corrected.time)
        if corrected.reason is None:
            return placed, placed
        return placed, Quarantined(placed, corrected.reason, event.time)

    def _as_of(self, now: ArrivalTime) -> ArrivalTime:
        """The arrival time up to which waiting and lateness count."""
        return now if self.held_since is None else self.held_since

    def _expect(self, due: float) -> None:
        """Something is due then, unless time stands still."""
        if self.held_since is None:
            self.due = min(self.due, due)

    def _next_due(self) -> float:
        return min(self._watermark.next_idle(), self._firings.due())

    def _holds_too_many(self) -> bool:
        """Whether so many windows are open as only time standing still can leave open."""
        first = None if self.held_since is None else self._firings.first_open()
        return first is not None and first < self._shelf.oldest

    def _begin(self, index: int, now: ArrivalTime) -> Slice | None:
        """A new slice for an event of now, unless it may be too late for it."""
        # While time stands still windows may pile up: the long way sees to that.
        if self.held_since is not None or not self._is_before_close(index, now):
            return None
        into = self._open_slices[index] = self._shelf.slice(index)
        self._shelf.keep(into)
        self._expect(self._firings.enter(index, now))
        self._open_slices.begun = True
        return into

    def _is_before_close(self, index: int, now: ArrivalTime) -> bool:
        """Whether a slice is so new that it is plainly not too late; most are."""
        ahead = index >= self._watermark.passed and index >= self._shelf.newest
        ahead = ahead and self._firings.is_untouched(index)
        return self._firings.is_open(index) or (ahead and now < self._firings.latest(index))

    def _is_too_late(self, index: int, now: ArrivalTime) -> bool:
        return index < max(self._firings.final(now), self._shelf.oldest)

    def _lead(self, event: Event, into: Slice, source: Source) -> None:
        """Let the readings that follow take the short way, if there is one."""
        lane = self._roster.lead(lane_of(event), source)
        if self._firings.is_open(into.index):
            self._open_slices[into.index] = into
        if not source.clock.trusted:
            for each in source.lanes:
                each.unbind()
        elif into.index in self._open_slices:
            lane.bind(into)

    def _reached(self, source: Source, verdict: Event | Quarantined) -> EventTime:
        """How far a source has come with an event."""
        if not isinstance(verdict, Quarantined):
            return verdict.time
        # A time we made up says nothing of how far a device with a sound clock has come.
        return source.latest if source.clock.trusted else verdict.event.time

    def _fire(self, now: ArrivalTime) -> list[Outcome]:
        """Fire the windows that are to close or to be revised, and let go of the oldest."""
        panes: list[Outcome] = []
        as_of, oldest, passed = self._as_of(now), self._shelf.oldest, self._watermark.passed
        for number, closed in self._firings.close(passed, now, waited_to=as_of, oldest=oldest):
            if (begun := self._open_slices.pop(number, None)) is not None:
                self._roster.seal(begun)
            panes.append(self._pane(number, closed, Timing.ON_TIME, now))
        for number, closed in self._firings.revise(as_of, oldest):
            panes.append(self._pane(number, closed, Timing.LATE, now))
        if panes and self._firings.is_untidy():
            final = max(self._firings.final(as_of), oldest)
            self._shelf.let_go(self._firings.let_go(final, as_of))
        self.due = INFINITY
        self._expect(self._next_due())
        return panes

    def _pane(self, number: int, closed: Closed, timing: Timing, now: ArrivalTime) -> Pane:
        index, first = closed.firings, number - self._windows.overlap + 1
        closed.firings += 1
        extent = window(number, self._windows)
        return Pane(
            site=self.site,
            window=extent,
            index=index,
            timing=timing,
            closed_by=closed.closed_by,
            fired_at=now,
            lines=self._shelf.lines(first, number),
            carried=self._shelf.carried(first, extent.start - self._alignment.carry),
            cameras=self._roster.cameras(now - self._alignment.carry),
            late=closed.late,
        )
