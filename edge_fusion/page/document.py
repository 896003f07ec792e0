"""What the browser is told: snapshots as JSON, first a whole one, then what changed since.

Events as in the HTML standard, section 9.2 (server-sent events). Times are seconds since the epoch,
by the clock of the box; what is unknown is null.

- `all`: {now, box, sites: [site…], traces: {site: {quantity: [value…]}}, step, traced_to}
- `some`: {now, box, sites: [those that changed], gone: [name…]}
- `tick`: {now, turned}: `turned` is when the pipeline last swapped a snapshot in
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from edge_fusion.align.roster import Known
from edge_fusion.events import Alert, ArrivalTime, Reading
from edge_fusion.page.board import STEP, TRACED
from edge_fusion.page.views import BEFORE, AlertView, BoxView, ScoreView, SiteView, Snapshot

MAX_DEVICES: Final = 64
MAX_QUANTITIES: Final = 8
"""Devices of a site, and quantities of a device, that are told of; the others are only counted."""

TICK: Final = 1.0


@dataclass(frozen=True, slots=True)
class About:
    """What does not change from snapshot to snapshot.

    A site is quiet that has not been heard for `quiet_after` seconds, and after `stale_after` what
    it said last says nothing any more.
    """

    box: str
    model: str
    version: str
    quiet_after: float
    stale_after: float
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """From which score on a label alerts; those that never do are not in it."""


class Script:
    """Makes the events that one watcher after another gets; each site's JSON is made once."""

    def __init__(self) -> None:
        self._sites: dict[str, tuple[int, bytes]] = {}

    def whole(self, snapshot: Snapshot, about: About) -> bytes:
        """All there is to show."""
        self._sites = {name: made for name, made in self._sites.items() if name in snapshot.sites}
        return event(
            "all",
            {
                "now": snapshot.now,
                "box": box_document(snapshot.box, about),
                "sites": [self._site(view) for view in snapshot.sites.values()],
                "traces": {name: _traces(traces) for name, traces in snapshot.traces.items()},
                "traced_to": snapshot.traced_to,
                "step": STEP,
            },
        )

    def changes(self, before: Snapshot, after: Snapshot, about: About) -> bytes | None:
        """What a watcher who has seen `before` is to hear of; None if nothing."""
        sites = [view for view in after.sites.values() if view.version > before.version]
        gone = [name for name in before.sites if name not in after.sites]
        if not (sites or gone or after.box != before.box):
            return None
        for name in gone:
            self._sites.pop(name, None)
        told = {
            "now": after.now,
            "box": box_document(after.box, about),
            "sites": [self._site(view) for view in sites],
            "gone": gone,
        }
        return event("some", told)

    def _site(self, view: SiteView) -> orjson.Fragment:
        version, text = self._sites.get(view.site, (0, b""))
        if version != view.version:
            text = orjson.dumps(site_document(view))
            self._sites[view.site] = view.version, text
        return orjson.Fragment(text)


class Viewing:
    """What one watcher has seen, and so what he is to get next."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._about: About | None = None
        self._seen = Snapshot()
        self._told = BEFORE

    def next(self, snapshot: Snapshot, about: About, now: ArrivalTime) -> bytes:
        """The events that bring him from what he has seen to `snapshot`; empty if nothing is due.

        At least a tick a second, so that he can tell a quiet box from a line that is dead.
        """
        told = None if snapshot.now == BEFORE else self._news(snapshot, about)
        if told is None and now - self._told >= TICK:
            told = event("tick", {"now": now, "turned": snapshot.now})
        if told is None:
            return b""
        self._told = now
        return told

    def _news(self, snapshot: Snapshot, about: About) -> bytes | None:
        seen, told_of = self._seen, self._about
        self._seen, self._about = snapshot, about
        if about != told_of:
            return self._script.whole(snapshot, about)
        return None if snapshot is seen else self._script.changes(seen, snapshot, about)


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event; JSON has no line breaks, so it is one line of data."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def box_document(box: BoxView, about: About) -> dict[str, Any]:
    """How the box is, and what it is called."""
    return {
        "box": about.box,
        "model": about.model,
        "version": about.version,
        "quiet_after": about.quiet_after,
        "stale_after": about.stale_after,
        "thresholds": about.thresholds,
        "connected": box.connected,
        "trouble": box.trouble,
        "catching_up": box.catching_up,
        "silences": [
            {"site": each.site, "label": each.label, "until": each.until} for each in box.silences
        ],
    }


def site_document(view: SiteView) -> dict[str, Any]:
    """One site, as the page shows it in a tile."""
    known = sorted(view.known, key=lambda each: (each.is_camera, each.name))
    readings = _by_device(view)
    return {
        "site": view.site,
        "heard": view.heard,
        "window_end": view.window_end,
        "values": {name: _rounded(value) for name, value in view.values.items()},
        "cameras": [
            {"camera": name, "time": frame.time, "arrival": frame.arrival}
            for name, frame in sorted(view.frames.items())
        ],
        "scores": [_score(label, score) for label, score in view.scores.items()],
        "alerts": [_alert(alert) for alert in view.alerts.values()],
        "devices": [
            _device(each, {} if each.is_camera else readings.get(each.name, {}))
            for each in known[:MAX_DEVICES]
        ],
        "more_devices": max(0, len(known) - MAX_DEVICES),
    }


def _score(label: str, score: ScoreView) -> dict[str, Any]:
    return {"label": label, "score": _rounded(score.score, 4), "camera": score.camera}


def _alert(view: AlertView) -> dict[str, Any]:
    """An alert that fires, or the last one that did."""
    alert, evidence, picture = view.alert, view.alert.evidence, view.picture
    return {
        "id": alert.id,
        "label": alert.label,
        "firing": alert.firing,
        "severity": alert.severity.value,
        "score": _rounded(alert.score, 4),
        "threshold": alert.threshold,
        "started_at": alert.started_at,
        "ended_at": alert.ended_at,
        "camera": None if evidence is None else evidence.camera,
        "contributions": _contributions(alert),
        "missing": [] if evidence is None else evidence.missing,
        "picture": None if picture is None else picture.time,
    }


def _contributions(alert: Alert) -> dict[str, float | None]:
    if alert.evidence is None:
        return {}
    return {name: _rounded(share, 4) for name, share in alert.evidence.contributions.items()}


def _device(known: Known, readings: Mapping[str, Reading]) -> dict[str, Any]:
    """A device or camera, with the values that it gave last, temperature and humidity first."""
    others = sorted(readings.keys() - {*TRACED})
    names = [*(name for name in TRACED if name in readings), *others]
    return {
        "device": known.name,
        "is_camera": known.is_camera,
        "heard": known.heard,
        "offset": _rounded(known.offset, 3),
        "values": {name: _rounded(readings[name].value) for name in names[:MAX_QUANTITIES]},
    }


def _by_device(view: SiteView) -> dict[str, dict[str, Reading]]:
    grouped: dict[str, dict[str, Reading]] = {}
    for (device, quantity), reading in view.readings.items():
        grouped.setdefault(device, {})[quantity] = reading
    return grouped


def _traces(traces: Mapping[str, tuple[float | None, ...]]) -> dict[str, list[float | None]]:
    return {quantity: [_rounded(value) for value in trace] for quantity, trace in traces.items()}


def _rounded(value: float | None, digits: int = 2) -> float | None:
    """Rounded; what is not finite becomes null in JSON."""
    return None if value is None else round(value, digits)
