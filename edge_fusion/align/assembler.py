"""SiteAssembler: the events of one site in, panes of its windows out.

It reads no clock: `feed` takes an event with its arrival time, `wake` says when something is due,
`advance` lets time pass. Whatever was due before an event is run at the instant at which it was
due, never at the instant the caller got round to it, so the panes depend on the events alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_fusion.align.bucket import Bucket, key_of
from edge_fusion.align.clock import DeviceClock
from edge_fusion.align.crossings import Crossings
from edge_fusion.align.history import History
from edge_fusion.align.watermark import SiteWatermark
from edge_fusion.align.windows import Assigner
from edge_fusion.events import (
    Admitted,
    ArrivalTime,
    ClosedBy,
    Duplicate,
    Event,
    EventTime,
    Frame,
    Outcome,
    Pane,
    Quarantined,
    Reading,
    Shed,
    ShedReason,
    TimeSource,
    Timing,
    TooLate,
    Window,
)

REVISION_DELAY = 1.0
"""Seconds for which late events of a window are gathered into one revision."""

RETAINED_WINDOWS = 256
"""Closed windows a site keeps for revision. Past it the oldest go before their lateness is up:
a burst that closes more than this many windows must not cost more memory than that."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How events are put into windows; all durations in seconds, bounds per window."""

    windows: Assigner
    max_out_of_orderness: float
    allowed_lateness: float
    idle_timeout: float
    max_wait: float
    max_skew: float
    carry: float
    max_readings: int
    max_frames: int


class SiteAssembler:
    """Clocks, watermark and windows of one site."""

    def __init__(self, site: str, alignment: Alignment) -> None:
        self.site = site
        self._alignment = alignment
        self._watermark = SiteWatermark(alignment.max_out_of_orderness, alignment.idle_timeout)
        self._sources: set[str] = set()
        self._clocks: dict[str, DeviceClock] = {}
        self._cameras: dict[str, ArrivalTime] = {}
        self._open: dict[Window, Bucket] = {}
        self._closed: dict[Window, Bucket] = {}
        self._crossings = Crossings(alignment.windows.every)
        self._history = History(alignment.carry, alignment.max_readings)

    @property
    def watermark(self) -> EventTime:
        return self._watermark.value

    def idle(self, now: ArrivalTime) -> int:
        """How many sources of the site are idle at `now`."""
        return self._watermark.idle(now)

    def offsets(self) -> dict[str, float]:
        """Estimated clock offset (arrival - device time, seconds) of each source with a clock."""
        return {name.partition(":")[2]: clock.offset for name, clock in self._clocks.items()}

    def knows(self, event: Event) -> bool:
        return _source(event) in self._sources

    def feed(self, event: Event) -> list[Outcome]:
        """Take one event; its arrival time must not lie before that of the one before."""
        outcomes = self.advance(event.arrival)
        self._sources.add(_source(event))
        # With no window open nobody waits for silence, and no timer has noted it.
        self._watermark.make_idle(event.arrival)
        placed, verdict = self._correct(event)
        outcomes += self._place(placed, verdict, event.arrival)
        outcomes += self._fire_closed(event.arrival)
        return outcomes

    def wake(self) -> ArrivalTime | None:
        """The arrival time at which something is due, or None."""
        due = [
            bucket.revision_due
            for bucket in self._closed.values()
            if bucket.revision_due is not None
        ]
        if self._open:
            earliest = min(window.end for window in self._open)
            due.append(ArrivalTime(earliest + self._alignment.max_wait))
            idle = self._watermark.next_idle()
            if idle is not None:
                due.append(idle)
        return min(due, default=None)

    def advance(self, now: ArrivalTime) -> list[Outcome]:
        """Run everything that is due at `now` or before, in the order in which it was due."""
        outcomes: list[Outcome] = []
        while (due := self.wake()) is not None and due <= now:
            self._watermark.make_idle(due)
            outcomes += self._fire_closed(due)
            outcomes += self._fire_revisions(due)
        return outcomes

    def _correct(self, event: Event) -> tuple[Event, Admitted | Quarantined]:
        if event.time_source is TimeSource.ARRIVAL:
            return event, Admitted(event)
        clock = self._clocks.get(_source(event))
        if clock is None:
            clock = self._clocks[_source(event)] = DeviceClock(self._alignment.max_skew)
        corrected = clock.correct(event.time, event.arrival)
        placed = event if corrected.time == event.time else replace(event, time=corrected.time)
        if corrected.reason is None:
            return placed, Admitted(placed)
        return placed, Quarantined(placed, corrected.reason, event.time)

    def _place(
        self, event: Event, verdict: Admitted | Quarantined, now: ArrivalTime
    ) -> list[Outcome]:
        """Put an event into every window of its time that still takes it."""
        buckets = [
            bucket
            for window in self._alignment.windows.windows_of(event.time)
            if (bucket := self._bucket(window, now)) is not None
        ]
        if not buckets:
            return [TooLate(event, self._watermark.value)]
        if any(event in bucket for bucket in buckets):
            return [Duplicate(event)]
        roomy = [bucket for bucket in buckets if bucket.has_room_for(event)]
        if not roomy:
            return [Shed(event, ShedReason.MAX_READINGS)]
        pushed_out = {
            key_of(frame): Shed(frame, ShedReason.MAX_FRAMES)
            for bucket in roomy
            if (frame := self._add(bucket, event, now))
        }
        self._note(event, now)
        return [verdict, *pushed_out.values()]

    def _bucket(self, window: Window, now: ArrivalTime) -> Bucket | None:
        """The bucket that takes an event for `window` at `now`; None if it is too late."""
        bucket = self._open.get(window) or self._closed.get(window)
        closed_at, closed_by = self._close_of(window, bucket)
        if now >= closed_at and now > closed_at + self._alignment.allowed_lateness:
            return None
        if bucket is None:
            bucket = Bucket(window, self._alignment.max_readings, self._alignment.max_frames)
            if now >= closed_at:
                bucket.closed_at, bucket.closed_by = closed_at, closed_by
        return bucket

    def _close_of(self, window: Window, bucket: Bucket | None) -> tuple[ArrivalTime, ClosedBy]:
        """When a window closed, or will have closed at the latest, and by what."""
        if bucket is not None and bucket.closed_at is not None:
            return bucket.closed_at, bucket.closed_by
        latest = ArrivalTime(window.end + self._alignment.max_wait)
        crossed = self._crossings.when(window.end)
        if crossed is not None and crossed <= latest:
            return crossed, ClosedBy.WATERMARK
        return latest, ClosedBy.MAX_WAIT

    def _add(self, bucket: Bucket, event: Event, now: ArrivalTime) -> Frame | None:
        if bucket.closed_at is None:
            self._open[bucket.window] = bucket
        else:
            self._closed[bucket.window] = bucket
            bucket.late += 1
            if bucket.revision_due is None:
                bucket.revision_due = ArrivalTime(now + REVISION_DELAY)
        return bucket.add(event)

    def _note(self, event: Event, now: ArrivalTime) -> None:
        if isinstance(event, Reading):
            self._history.add(event)
        else:
            self._cameras[event.camera] = now
        self._watermark.observe(_source(event), event.time, now)

    def _fire_closed(self, now: ArrivalTime) -> list[Outcome]:
        """Close what the watermark or `max_wait` has reached, in order of window end."""
        if self._watermark.value > float("-inf"):
            self._crossings.add(self._watermark.value, now)
        panes: list[Outcome] = []
        for window in sorted(self._open, key=lambda window: window.end):
            closed_at, closed_by = self._close_of(window, None)
            if closed_at > now:
                break
            bucket = self._open.pop(window)
            bucket.closed_at, bucket.closed_by = now, closed_by
            self._closed[window] = bucket
            panes.append(self._pane(bucket, Timing.ON_TIME, now))
        if panes:
            self._forget(now)
        return panes

    def _fire_revisions(self, now: ArrivalTime) -> list[Outcome]:
        due = [
            bucket
            for bucket in self._closed.values()
            if bucket.revision_due is not None and bucket.revision_due <= now
        ]
        due.sort(key=lambda bucket: bucket.window.end)
        panes: list[Outcome] = []
        for bucket in due:
            bucket.revision_due = None
            panes.append(self._pane(bucket, Timing.LATE, now))
        self._forget(now)
        return panes

    def _pane(self, bucket: Bucket, timing: Timing, now: ArrivalTime) -> Pane:
        index = bucket.firings
        bucket.firings += 1
        carry = self._alignment.carry
        return Pane(
            site=self.site,
            window=bucket.window,
            index=index,
            timing=timing,
            closed_by=bucket.closed_by,
            fired_at=now,
            events=bucket.events(),
            carried=self._history.before(bucket.window.start),
            cameras=tuple(sorted(c for c, heard in self._cameras.items() if now - heard < carry)),
            late=bucket.late,
        )

    def _forget(self, now: ArrivalTime) -> None:
        """Let go of closed windows past their lateness, and of what only they needed."""
        horizon = ArrivalTime(now - self._alignment.allowed_lateness)
        settled = [w for w, bucket in self._closed.items() if bucket.revision_due is None]
        settled.sort(key=lambda window: window.end)
        surplus = len(self._closed) - RETAINED_WINDOWS
        for place, window in enumerate(settled):
            closed_at = self._closed[window].closed_at
            if place < surplus or (closed_at is not None and closed_at < horizon):
                del self._closed[window]
        self._crossings.forget_before(horizon)
        starts = [window.start for window in (*self._open, *self._closed)]
        self._history.forget_before(min(starts, default=self._watermark.value))


def _source(event: Event) -> str:
    # A camera and a sensor may bear the same name.
    return f"{'reading' if isinstance(event, Reading) else 'frame'}:{event.source}"
