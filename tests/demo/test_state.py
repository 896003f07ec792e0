"""What the screen knows after which message."""

from __future__ import annotations

import json
from typing import Any

from edge_fusion.demo.state import LOG_LINES, DemoState, apply

MODEL = {"name": "indoor-hazard", "sha256": "00"}


def window(scores: dict[str, dict[str, float]], **last: float) -> bytes:
    return json.dumps(
        {
            "schema": 1,
            "site": "kitchen",
            "start": "2026-11-23T10:00:20.000Z",
            "end": "2026-11-23T10:00:30.000Z",
            "revision": 0,
            "closed_by": "watermark",
            "rows": [{"camera": name, "frames": 2, "scores": row} for name, row in scores.items()],
            "readings": {name: {"count": 1, "last": value} for name, value in last.items()},
            "missing": [],
            "late": 0,
            "model": MODEL,
        }
    ).encode()


def alert(state: str, identity: str | None = "5f0c", **changes: Any) -> bytes:
    return json.dumps(
        {
            "schema": 1, "id": identity, "sequence": 3, "site": "kitchen", "label": "smoke",
            "state": state, "severity": "critical", "score": 0.93, "threshold": 0.7,
            "started_at": "2026-11-23T10:00:20Z", "updated_at": "2026-11-23T10:00:40Z",
            "contributions": {"image": 0.41, "temperature": 0.38}, "model": MODEL,
        }
        | changes
    ).encode()  # fmt: skip


def test_the_worst_camera_of_a_site_counts() -> None:
    rows = {"a": {"smoke": 0.2, "fire": 0.5}, "b": {"smoke": 0.9, "fire": 0.1}}
    state = apply(DemoState(), "kitchen/window", window(rows, temperature=31.2))
    assert state.sites["kitchen"].scores == {"smoke": 0.9, "fire": 0.5}
    assert state.sites["kitchen"].readings == {"temperature": 31.2}
    assert (state.windows, state.model) == (1, "indoor-hazard")


def test_a_reading_stays_until_a_newer_one_comes() -> None:
    state = apply(DemoState(), "kitchen/window", window({}, temperature=20.0, humidity=50.0))
    state = apply(state, "kitchen/window", window({}, temperature=21.0))
    assert state.sites["kitchen"].readings == {"temperature": 21.0, "humidity": 50.0}


def test_an_alert_fires_until_it_resolves() -> None:
    state = apply(DemoState(), "kitchen/alert/smoke", alert("firing"))
    assert state.sites["kitchen"].firing == {"smoke": "2026-11-23T10:00:20Z"}
    assert state.sites["kitchen"].thresholds == {"smoke": 0.7}
    state = apply(state, "kitchen/alert/smoke", alert("resolved"))
    assert not state.sites["kitchen"].firing


def test_the_demo_is_complete_when_the_same_alert_fired_and_resolved() -> None:
    state = apply(DemoState(), "kitchen/event", alert("firing"))
    assert not state.complete
    assert not apply(state, "kitchen/event", alert("resolved", "another")).complete
    assert apply(state, "kitchen/event", alert("resolved")).complete


def test_the_log_keeps_the_latest_changes() -> None:
    state = DemoState()
    for number in range(LOG_LINES + 3):
        state = apply(state, "kitchen/event", alert("firing", str(number), score=number / 100))
    assert len(state.log) == LOG_LINES
    assert state.log[-1].score == (LOG_LINES + 2) / 100


def test_the_status_says_whether_the_daemon_is_there() -> None:
    state = apply(DemoState(), "box/demo/status", b"online")
    assert state.online
    assert not apply(state, "box/demo/status", b"offline").online


def test_other_topics_change_nothing() -> None:
    assert apply(DemoState(), "kitchen/snapshot/smoke", b"\xff\xd8") == DemoState()
