"""Metrics: every outcome counted once, for Prometheus to read.

Each `Metrics` has a registry of its own. What devices and sites may name is bounded: a site past
the first `max_sites`, or a device past the first `max_devices`, is served but not exported; its
events are counted as unnamed. Series of what is gone are let go of, so that nothing that was last
true a while ago looks as if it were so now.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, assert_never

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from edge_fusion.events import (
    HUMIDITY,
    TEMPERATURE,
    AlertChange,
    Duplicate,
    Event,
    Frame,
    Invalid,
    InvalidReason,
    Outcome,
    Pane,
    Quarantined,
    Reading,
    Scores,
    Shed,
    Suspect,
    TooLate,
)
from edge_fusion.io.exported import (
    DUPLICATE,
    AlertMetrics,
    AlignmentMetrics,
    BoxMetrics,
    CameraMetrics,
    EventMetrics,
    Stage,
)
from edge_fusion.io.families import PREFIX, Admission, Factory

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_QUANTITIES = 64
"""Different quantities exported. SenML and Sparkplug devices name theirs as they like."""


class Metrics:
    """All metrics of one daemon. Methods may be called from any thread."""

    def __init__(self, version: str, *, max_sites: int = 256, max_devices: int = 4096) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        make = self._make = Factory(self._registry)
        self._events = EventMetrics(make)
        self._alignment = AlignmentMetrics(make)
        self._alerts = AlertMetrics(make)
        self._cameras = CameraMetrics(make)
        self._box = BoxMetrics(make)
        self._sites = Admission(max_sites)
        self._devices = Admission(max_devices)
        self._quantities = Admission(MAX_QUANTITIES)
        self._firing: set[tuple[str, str]] = set()
        self._labels: set[str] = set()
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self._seen: set[tuple[str, str]] = set()
        self._silenced: set[tuple[str, str]] = set()
        self._pictures: dict[tuple[str, str], tuple[int, int]] = {}
        self._running: Gauge | None = None
        Info(f"{PREFIX}_build", "Version.", registry=self._registry).info({"version": version})
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def observe(self, outcome: Outcome) -> None:
        """Count what became of an event, a message or a window."""
        match outcome:
            case Reading() | Frame():
                self._admitted(outcome)
            case Quarantined(event=event, reason=quarantine):
                self._admitted(event)
                self._events.quarantined(quarantine.value).inc()
            case TooLate(event=event):
                self._too_late(event)
            case Duplicate():
                self._events.dropped(DUPLICATE).inc()
            case Shed(reason=bound, count=count):
                self._events.dropped(bound.value).inc(count)
            case Invalid():
                self._refused(outcome)
            case Suspect(reading=reading, doubt=doubt):
                self._suspect(reading.site, reading.device, doubt.value)
            case Pane():
                self._fired(outcome)
            case _:
                assert_never(outcome)

    def _too_late(self, event: Event) -> None:
        if self._sites.admits(event.site):
            self._events.late(event.site).inc()
        else:
            self._events.unnamed("late").inc()

    def _refused(self, invalid: Invalid) -> None:
        self._events.invalid(invalid.reason.value).inc()
        if invalid.reason is not InvalidReason.OUT_OF_RANGE:
            return
        if invalid.site is not None and invalid.source is not None:
            self._suspect(invalid.site, invalid.source, invalid.reason.value)

    def _suspect(self, site: str, device: str, reason: str) -> None:
        if self._knows(site, device):
            self._events.suspect(site, device, reason).inc()

    def _admitted(self, event: Event) -> None:
        if isinstance(event, Reading):
            self._read(event)
        elif self._knows(event.site, event.camera):
            self._events.frames(event.site, event.camera).inc()
        else:
            self._events.unnamed("frame").inc()

    def _read(self, reading: Reading) -> None:
        if not (self._sites.admits(reading.site) and self._quantities.admits(reading.quantity)):
            self._events.unnamed("reading").inc()
            return
        self._events.readings(reading.site, reading.quantity).inc()
        if reading.quantity == TEMPERATURE:
            self._events.temperature.show(reading.value, reading.arrival, reading.site)
        elif reading.quantity == HUMIDITY:
            self._events.humidity.show(reading.value / 100, reading.arrival, reading.site)
        else:
            self._events.reading.show(
                reading.value, reading.arrival, reading.site, reading.quantity
            )

    def _fired(self, pane: Pane) -> None:
        if pane.index > 0:
            self._alignment.revisions().inc()
        elif self._sites.admits(pane.site):
            self._alignment.windows(pane.site, pane.closed_by.value).inc()
        else:
            self._events.unnamed("window").inc()

    def _knows(self, site: str, device: str) -> bool:
        return self._sites.admits(site) and self._devices.admits((site, device))

    def scored(self, scores: Scores) -> None:
        """Show the scores of a pane; a site without a camera has an empty `camera` label."""
        pane = scores.pane
        for row in scores.rows:
            site, camera = pane.site, row.camera
            known = self._sites.admits(site) if camera is None else self._knows(site, camera)
            if known:
                self._show(site, camera or "", row.scores, pane.fired_at)

    def _show(self, site: str, camera: str, scores: Mapping[str, float], at: float) -> None:
        for label, score in scores.items():
            self._alerts.score.show(score, at, site, camera, label)

    def alert_changed(self, change: AlertChange) -> None:
        """Count an alert that began to fire or was resolved, and show whether it fires."""
        alert = change.alert
        if not self._sites.admits(alert.site):
            return
        self._labels.add(alert.label)
        if alert.firing:
            self._firing.add((alert.site, alert.label))
        else:
            self._firing.discard((alert.site, alert.label))
        self._alerts.active(alert.site, alert.label).set(alert.firing)
        # From zero on: a rate over a series that begins with its first count would miss that count.
        fired, resolved = (
            self._alerts.changes(alert.site, alert.label, state) for state in ("firing", "resolved")
        )
        if change.lifecycle:
            (fired if alert.firing else resolved).inc()

    def silenced(self, silences: Collection[tuple[str, str]]) -> None:
        """Show which labels of which sites are silenced; what was and is no longer is 0."""
        for site, label in {*silences, *self._silenced}:
            if self._sites.admits(site):
                self._labels.add(label)
                self._silenced.add((site, label))
                self._alerts.silenced(site, label).set((site, label) in silences)

    def decoded(self, count: int = 1) -> None:
        """Count frames decoded for the model."""
        self._events.decoded().inc(count)

    def stage(self, name: Stage) -> AbstractContextManager[Any]:
        """Time the block under it as one run of a stage."""
        return self._box.stage(name).time()

    def store_commit(self) -> AbstractContextManager[Any]:
        """Time the block under it as one transaction of the store."""
        return self._box.commit().time()

    def store_failing(self, failing: bool) -> None:  # noqa: FBT001 - the state is all it says
        """Show whether what comes can't be kept."""
        self._box.store_failing().set(failing)

    def clock_offset(self, site: str, device: str, seconds: float) -> None:
        """Show arrival time minus device time, as estimated."""
        if self._knows(site, device):
            self._alignment.clock_offset(site, device).set(seconds)

    def seen(self, site: str, device: str, at: float) -> None:
        """Show when a device or camera was heard last, by arrival."""
        if self._knows(site, device):
            self._events.last_seen(site, device).set(at)

    def stuck(self, site: str, device: str, stuck: bool) -> None:  # noqa: FBT001 - the state is all it says
        """Show whether a device is stuck."""
        if self._knows(site, device):
            self._events.stuck(site, device).set(stuck)

    def watermark(self, site: str, time: float) -> None:
        """Show how far a site has come in event time; before its first event it is nowhere."""
        if math.isfinite(time) and self._sites.admits(site):
            self._alignment.watermark(site).set(time)
            self._events.late(site)

    def idle(self, site: str, devices: int) -> None:
        """Show how many devices of a site are idle."""
        if self._sites.admits(site):
            self._alignment.idle(site).set(devices)

    def catching_up(self, active: bool) -> None:  # noqa: FBT001 - likewise
        """Show whether a backlog is being read."""
        self._alignment.catching_up().set(active)

    def published(self, latency: float) -> None:
        """Count an alert the broker acknowledged `latency` seconds after its window's end."""
        self._alerts.latency().observe(latency)

    def connection(self, name: str, connected: bool) -> None:  # noqa: FBT001 - likewise
        """Show whether one of the connections to the broker stands."""
        self._box.connected(name).set(connected)

    def subscriptions_refused(self, name: str, count: int) -> None:
        """Show how many topic filters of a connection the broker denies."""
        self._box.refused(name).set(count)

    def reconnected(self) -> None:
        """Count a connection regained."""
        self._box.reconnects().inc()

    def watch_cameras(self, wanted: Collection[tuple[str, str]]) -> None:
        """Show these cameras, by site and name, and no others; down until they are up."""
        for site, camera in self._wanted - frozenset(wanted):
            self._forget_camera(site, camera)
        fresh = frozenset(wanted) - self._wanted
        self._wanted = frozenset(wanted)
        for site, camera in fresh:
            self.camera(site, camera, up=False)

    def _forget_camera(self, site: str, camera: str) -> None:
        self._seen.discard((site, camera))
        self._pictures.pop((site, camera), None)
        for family in self._cameras.all:
            family.forget({"site": site, "camera": camera})

    def camera(self, site: str, camera: str, up: bool) -> None:  # noqa: FBT001 - likewise
        """Show whether a camera gives pictures; each time that it does again is counted."""
        if (site, camera) not in self._wanted or not self._knows(site, camera):
            return
        self._cameras.up(site, camera).set(up)
        regained = self._cameras.reconnects(site, camera)
        if up and (site, camera) in self._seen:
            regained.inc()
        elif up:
            self._seen.add((site, camera))

    def pictures(self, site: str, camera: str, grabbed: int, stale: int) -> None:
        """Count what a camera has come to, given the totals so far."""
        if (site, camera) not in self._wanted or not self._knows(site, camera):
            return
        before = self._pictures.get((site, camera), (0, 0))
        if grabbed < before[0]:  # a camera that was begun anew counts from zero again
            before = (0, 0)
        self._pictures[site, camera] = (grabbed, stale)
        self._cameras.grabbed(site, camera).inc(grabbed - before[0])
        self._cameras.stale(site, camera).inc(stale - before[1])

    def unrecorded(self, count: int) -> None:
        """Count events that a recording does not hold because of trouble with the disk."""
        self._box.unrecorded().inc(count)

    def queue(self, name: str, length: int) -> None:
        """Show how many items wait in a queue of the program."""
        self._box.queue(name).set(length)

    def outbox(self, pending: int) -> None:
        """Show how many messages the broker has yet to acknowledge."""
        self._box.outbox().set(pending)

    def provider(self, requested: str, provider: str, fallback: bool) -> None:  # noqa: FBT001
        """Show which execution provider runs the model: 1 for this one, 0 for any before it."""
        if self._running is not None:
            self._running.set(0)
        self._running = self._box.provider(requested, provider, "true" if fallback else "false")
        self._running.set(1)

    def reloaded(self, ok: bool) -> None:  # noqa: FBT001 - likewise
        """Show whether the last reload of the configuration was taken."""
        self._box.reloaded().set(ok)

    def fires(self, site: str) -> bool:
        """Whether an alert of a site fires."""
        return any(name == site for name, _ in self._firing)

    def fade(self, before: float) -> None:
        """Let go of readings and scores that came before; the counters go on."""
        for values in (
            self._events.temperature,
            self._events.humidity,
            self._events.reading,
            self._alerts.score,
        ):
            values.fade(before)

    def keep_labels(self, labels: Collection[str]) -> None:
        """Let go of the alerts that have no rule any more."""
        for label in self._labels - set(labels):
            self._alerts.active.forget({"label": label})
            self._alerts.changes.forget({"label": label})
            self._alerts.silenced.forget({"label": label})
        self._labels &= set(labels)
        self._firing = {key for key in self._firing if key[1] in self._labels}
        self._silenced = {key for key in self._silenced if key[1] in self._labels}

    def forget_device(self, site: str, device: str) -> None:
        """Let go of all that is shown of a device or camera, and make room for another."""
        self._make.forget(site=site, device=device)
        self._make.forget(site=site, camera=device)
        self._devices.release((site, device))

    def forget_site(self, site: str) -> None:
        """Let go of all that is shown of a site, and make room for another."""
        self._make.forget(site=site)
        self._silenced = {key for key in self._silenced if key[0] != site}
        self._sites.release(site)

    def exposition(self) -> tuple[bytes, str]:
        """The body and content type of `/metrics`, in the Prometheus text format."""
        return generate_latest(self._registry), CONTENT_TYPE
