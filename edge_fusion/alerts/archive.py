"""A track or a ward as bytes, and back: JSON that keeps every float to the last bit.

Of the frames an alert rests on, names and times are kept, and the pictures are not: who gets an
alert again after a restart has its snapshot already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from edge_fusion.alerts.lifecycle import Run, Track
from edge_fusion.alerts.ward import View, Ward
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    Alert,
    AlertState,
    DeviceTrouble,
    Evidence,
    Frame,
    Severity,
    Summary,
    TimeSource,
    Trouble,
    Window,
)

VERSION = 1


def pack(track: Track) -> bytes:
    """The bytes that `unpack` makes the same track of, but for its pictures."""
    document = {
        "version": VERSION,
        "site": track.site,
        "state": track.state.value,
        "newest": _window(track.newest),
        "before": [track.before.length, track.before.start],
        "run": [track.run.length, track.run.start],
        "spent": _window(track.spent),
        "heard_at": track.heard_at,
        "low_since": track.low_since,
        "alert": None if track.alert is None else _alert(track.alert),
        "evidence": None if track.evidence is None else _evidence(track.evidence),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def unpack(data: bytes) -> Track:
    """The track that was packed. Raises SnapshotError if these are no bytes of this version."""
    try:
        state = json.loads(data)
        if state["version"] != VERSION:
            raise SnapshotError(f"a track of version {state['version']}, expected {VERSION}")
        return Track(
            site=state["site"],
            state=AlertState(state["state"]),
            newest=_as_window(state["newest"]),
            before=Run(*state["before"]),
            run=Run(*state["run"]),
            spent=_as_window(state["spent"]),
            heard_at=state["heard_at"],
            low_since=state["low_since"],
            alert=None if state["alert"] is None else _as_alert(state["alert"]),
            evidence=None if state["evidence"] is None else _as_evidence(state["evidence"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"no track: {error!r}") from None


def pack_ward(ward: Ward) -> bytes:
    """The bytes that `unpack_ward` makes the same ward of."""
    document = {
        "version": VERSION,
        "site": ward.site,
        "offline": dict(ward.offline),
        "views": {camera: list(astuple(view)) for camera, view in ward.views.items()},
        "announced": ward.announced,
        "clear_since": ward.clear_since,
        "counts_from": ward.counts_from,
        "alert": None if ward.alert is None else _alert(ward.alert),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def unpack_ward(data: bytes) -> Ward:
    """The ward that was packed. Raises SnapshotError if these are no bytes of this version."""
    try:
        state = json.loads(data)
        if state["version"] != VERSION:
            raise SnapshotError(f"a ward of version {state['version']}, expected {VERSION}")
        return Ward(
            site=state["site"],
            offline=dict(state["offline"]),
            views={camera: View(*view) for camera, view in state["views"].items()},
            announced=state["announced"],
            clear_since=state["clear_since"],
            counts_from=state["counts_from"],
            alert=None if state["alert"] is None else _as_alert(state["alert"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"no ward: {error!r}") from None


def _window(window: Window | None) -> list[float] | None:
    return None if window is None else [window.start, window.end]


def _as_window(state: list[Any] | None) -> Window | None:
    return None if state is None else Window(*state)


def _alert(alert: Alert) -> dict[str, Any]:
    state = {name: getattr(alert, name) for name in Alert.__slots__}
    evidence = None if alert.evidence is None else _evidence(alert.evidence)
    devices = [[d.device, d.camera, d.trouble.value, d.since] for d in alert.devices]
    return {**state, "severity": alert.severity.value, "evidence": evidence, "devices": devices}


def _as_alert(state: Mapping[str, Any]) -> Alert:
    evidence = None if state["evidence"] is None else _as_evidence(state["evidence"])
    devices = tuple(
        DeviceTrouble(device, camera, Trouble(trouble), since)
        for device, camera, trouble, since in state.get("devices", ())
    )
    severity = Severity(state["severity"])
    return Alert(**{**state, "severity": severity, "evidence": evidence, "devices": devices})


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "window": _window(evidence.window),
        "revision": evidence.revision,
        "score": evidence.score,
        "camera": evidence.camera,
        "readings": {
            quantity: [s.count, s.mean, s.min, s.max, s.last]
            for quantity, s in evidence.readings.items()
        },
        "frames": [
            [f.site, f.camera, f.time, f.arrival, f.time_source.value] for f in evidence.frames
        ],
        "missing": list(evidence.missing),
        "contributions": dict(evidence.contributions),
    }


def _as_evidence(state: Mapping[str, Any]) -> Evidence:
    return Evidence(
        window=Window(*state["window"]),
        revision=state["revision"],
        score=state["score"],
        camera=state["camera"],
        readings={quantity: Summary(*summary) for quantity, summary in state["readings"].items()},
        frames=tuple(
            Frame(site, camera, b"", time, arrival, TimeSource(source))
            for site, camera, time, arrival, source in state["frames"]
        ),
        missing=tuple(state["missing"]),
        contributions=state["contributions"],
    )
