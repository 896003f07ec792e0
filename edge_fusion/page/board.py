"""Board: what the live page shows of each site, folded from what the pipeline observes.

It is told of every reading, so between two snapshots it only keeps references to values that are
there anyway; what is made of them is made for the sites that changed, at most once a second.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from edge_fusion.align.roster import Known
from edge_fusion.events import (
    HUMIDITY,
    TEMPERATURE,
    AlertChange,
    ArrivalTime,
    EventTime,
    Frame,
    Outcome,
    Quarantined,
    Reading,
    Scores,
)
from edge_fusion.page.views import AlertView, BoxView, ScoreView, SiteView, Snapshot, Trace

EVERY = 1.0
AT_ONCE = 0.2
"""Seconds between two snapshots; and where an alert has changed."""

STEP = 5.0
POINTS = 120
"""Seconds between the points of a trace, and how many it has at most: ten minutes."""

TRACED = (TEMPERATURE, HUMIDITY)

MAX_PICTURE_BYTES = 32_000_000
"""Of the newest picture of every camera and alert together; of more the oldest are let go."""


class Site(Protocol):
    """A site of the alignment (align/assembler.py)."""

    @property
    def site(self) -> str: ...
    def known(self) -> tuple[Known, ...]: ...


def _empty_traces() -> dict[str, deque[float | None]]:
    return {quantity: deque(maxlen=POINTS) for quantity in TRACED}


@dataclass(slots=True, eq=False)
class _Entry:
    """What is known of a site since its last view."""

    readings: dict[tuple[str, str], Reading] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=dict)
    scores: dict[str, ScoreView] = field(default_factory=dict)
    window_end: EventTime | None = None
    alerts: dict[str, AlertView] = field(default_factory=dict)
    traces: dict[str, deque[float | None]] = field(default_factory=_empty_traces)
    changed: bool = True

    @property
    def fires(self) -> bool:
        return any(view.alert.firing for view in self.alerts.values())


class Board:
    """Owned by the pipeline thread, but for `snapshot`, which any thread may read.

    A value older than `stale_after` seconds says nothing of its site any more.
    """

    def __init__(self, stale_after: float, max_picture_bytes: int = MAX_PICTURE_BYTES) -> None:
        self.stale_after = stale_after
        self.snapshot = Snapshot()
        self._entries: dict[str, _Entry] = {}
        self._views: dict[str, SiteView] = {}
        self._pictures = _Pictures(max_picture_bytes)
        self._urgent = False
        self._version = 0

    def observe(self, outcome: Outcome) -> None:
        """Take note of what was taken in; of two readings or frames the newer one counts."""
        match outcome:
            case Reading():
                self._read(outcome)
            case Frame():
                self._see(outcome)
            case Quarantined(event=event):
                self.observe(event)
            case _:
                pass

    def scored(self, scores: Scores) -> None:
        """Take the scores of a pane, unless a later window has been scored."""
        entry, end = self._entry(scores.pane.site), scores.pane.window.end
        if entry.window_end is None or end >= entry.window_end:
            entry.window_end, entry.scores = end, _highest(scores)
            entry.changed = True

    def alert_changed(self, change: AlertChange) -> None:
        """Take an alert as it is now; that nothing has fired yet is nothing to show."""
        if change.alert.id is None:
            return
        alert, entry = change.alert, self._entry(change.alert.site)
        before, evidence = entry.alerts.get(alert.label), alert.evidence
        picture = None if before is None or alert.id != before.alert.id else before.picture
        if evidence is not None and evidence.frames:
            # As with the published snapshot: the picture is the one it fired on. What an earlier
            # run kept of a frame is its time alone.
            last = evidence.frames[-1]
            picture = picture or (last if last.image else None)
            alert = replace(alert, evidence=replace(evidence, frames=()))
        entry.alerts[alert.label] = AlertView(alert, picture)
        self._keep_picture(("alert", alert.site, alert.label), picture)
        entry.changed = self._urgent = True

    def due(self, now: ArrivalTime) -> bool:
        """Whether it is time for a new snapshot."""
        return now - self.snapshot.now >= (AT_ONCE if self._urgent else EVERY)

    def show(self, sites: Iterable[Site], now: ArrivalTime, box: BoxView) -> None:
        """Swap in a snapshot of all sites there are, and of those that are gone but still fire."""
        present = {site.site: site for site in sites}
        for name in [name for name in self._entries if name not in present]:
            self._let_go(name)
        for name, site in present.items():
            entry = self._entry(name)
            if entry.changed:
                self._views[name] = self._view(name, entry, site.known(), now)
        for name, entry in self._entries.items():
            if entry.changed:
                self._views[name] = self._view(name, entry, (), now)
        traces, traced_to = self._traced(now)
        self.snapshot = Snapshot(now, self._version, box, {**self._views}, traces, traced_to)
        self._urgent = False

    def _read(self, reading: Reading) -> None:
        entry = self._entries.get(reading.site) or self._entry(reading.site)
        key = reading.device, reading.quantity
        before = entry.readings.get(key)
        if before is None or reading.time >= before.time:
            entry.readings[key] = reading
        entry.changed = True

    def _see(self, frame: Frame) -> None:
        entry = self._entry(frame.site)
        before = entry.frames.get(frame.camera)
        if before is None or frame.time >= before.time:
            entry.frames[frame.camera] = frame
            self._keep_picture(("camera", frame.site, frame.camera), frame)
        entry.changed = True

    def _keep_picture(self, key: _Key, frame: Frame | None) -> None:
        for kind, site, name in self._pictures.put(key, frame):
            entry = self._entries[site]
            entry.changed = True
            if kind == "camera":
                del entry.frames[name]
            else:
                entry.alerts[name] = replace(entry.alerts[name], picture=None)

    def _entry(self, site: str) -> _Entry:
        entry = self._entries.get(site)
        if entry is None:
            entry = self._entries[site] = _Entry()
        return entry

    def _let_go(self, name: str) -> None:
        entry = self._entries[name]
        if entry.fires:
            return
        del self._entries[name]
        self._views.pop(name, None)
        self._pictures.drop(name)

    def _view(
        self, name: str, entry: _Entry, known: tuple[Known, ...], now: ArrivalTime
    ) -> SiteView:
        self._version += 1
        entry.changed = False
        names = {each.name for each in known}
        if any(device not in names for device, _ in entry.readings):
            readings = entry.readings.items()
            entry.readings = {key: reading for key, reading in readings if key[0] in names}
        return SiteView(
            site=name,
            version=self._version,
            values={quantity: self._value(entry, quantity, now) for quantity in TRACED},
            known=known,
            readings=entry.readings.copy(),
            frames=entry.frames.copy(),
            scores=entry.scores,
            window_end=entry.window_end,
            alerts=entry.alerts.copy(),
        )

    def _value(self, entry: _Entry, quantity: str, now: ArrivalTime) -> float | None:
        """The mean of what each device last said; one device after the other would zigzag."""
        since = now - self.stale_after
        values = [reading.value for (_, of), reading in entry.readings.items()
                  if of == quantity and reading.arrival >= since]  # fmt: skip
        return math.fsum(values) / len(values) if values else None

    def _traced(self, now: ArrivalTime) -> tuple[Mapping[str, Mapping[str, Trace]], ArrivalTime]:
        """The traces, longer by a point where it is time for one."""
        last = self.snapshot
        at = ArrivalTime(now // STEP * STEP)
        if at <= last.traced_to:
            return last.traces, last.traced_to
        missed = min(int((at - last.traced_to) / STEP) - 1, POINTS) if last.traced_to else 0
        for entry in self._entries.values():
            for quantity, trace in entry.traces.items():
                trace.extend([None] * missed)
                trace.append(self._value(entry, quantity, now))
        return {
            name: {quantity: tuple(trace) for quantity, trace in entry.traces.items()}
            for name, entry in self._entries.items()
        }, at


_Key = tuple[str, str, str]
"""Whether of a "camera" or an "alert", the site, and the name of the camera or the label."""


class _Pictures:
    """Which pictures are kept, the oldest first, and how many bytes they are."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._bytes = 0
        self._sizes: OrderedDict[_Key, int] = OrderedDict()

    def put(self, key: _Key, frame: Frame | None) -> Iterator[_Key]:
        """Count a picture in place of the one before; yields what there is no room for any more."""
        self._bytes -= self._sizes.pop(key, 0)
        if frame is not None:
            self._sizes[key] = len(frame.image)
            self._bytes += len(frame.image)
        while self._bytes > self._max:
            oldest, size = self._sizes.popitem(last=False)
            self._bytes -= size
            yield oldest

    def drop(self, site: str) -> None:
        """Forget the pictures of a site."""
        for key in [key for key in self._sizes if key[1] == site]:
            self._bytes -= self._sizes.pop(key)


def _highest(scores: Scores) -> dict[str, ScoreView]:
    """Per label the camera that is surest; NaN is no score."""
    highest: dict[str, ScoreView] = {}
    for row in scores.rows:
        for label, score in row.scores.items():
            before = highest.get(label)
            if not math.isnan(score) and (before is None or score > before.score):
                highest[label] = ScoreView(score, row.camera)
    return highest
