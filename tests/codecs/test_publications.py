from __future__ import annotations

import json
from dataclasses import replace

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.publications import (
    alert_publications,
    late_publication,
    status_publication,
    window_publication,
)
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Evidence,
    Pane,
    Publication,
    Reading,
    Scores,
    Severity,
    Timing,
    TooLate,
    Window,
)

MODEL = ModelIdentity("indoor-hazard", "ab" * 32)
WINDOW = Window(EventTime(1795428020.0), EventTime(1795428030.0))
ALERT = Alert(
    id="5f0c",
    sequence=3,
    site="kitchen",
    label="smoke",
    firing=True,
    severity=Severity.CRITICAL,
    threshold=0.5,
    score=0.93,
    started_at=EventTime(1795428020.0),
    updated_at=ArrivalTime(1795428032.5),
    ended_at=None,
    evidence=Evidence(WINDOW, 0, 0.93, "ceiling", {}, (), (), {}),
)


def published(change: AlertChange, snapshot: bytes | None = None) -> list[Publication]:
    return alert_publications(
        change, prefix="edge_fusion", box="edge-7", model=MODEL, snapshot=snapshot
    )


def test_a_change_is_published_as_snapshot_then_alert_then_event() -> None:
    snapshot, alert, event = published(AlertChange(ALERT), b"\xff\xd8\xff")
    assert snapshot.topic == "edge_fusion/kitchen/snapshot/smoke"
    assert (snapshot.retain, snapshot.content_type) == (True, "image/jpeg")
    assert snapshot.payload == b"\xff\xd8\xff"
    assert alert.topic == "edge_fusion/kitchen/alert/smoke"
    assert (alert.retain, alert.expiry) == (True, None)
    assert event.topic == "edge_fusion/kitchen/event"
    assert (event.retain, event.expiry) == (False, 3600)
    assert alert.payload == event.payload
    assert {p.qos for p in (snapshot, alert, event)} == {1}


def test_an_event_carries_the_attributes_of_cloudevents() -> None:
    _, event = published(AlertChange(ALERT))
    assert event.properties == {
        "specversion": "1.0",
        "id": "5f0c-3",
        "source": "/edge_fusion/edge-7/kitchen",
        "type": "io.edge_fusion.alert.firing",
        "time": "2026-11-23T10:00:32.500Z",
        "subject": "smoke",
    }
    _, resolved = published(AlertChange(replace(ALERT, firing=False)))
    assert resolved.properties["type"] == "io.edge_fusion.alert.resolved"


def test_an_announcement_is_retained_state_and_no_event() -> None:
    quiet = replace(ALERT, id=None, sequence=0, firing=False, started_at=None, evidence=None)
    [alert] = published(AlertChange(quiet, lifecycle=False))
    assert alert.retain
    assert alert.properties == {}
    assert json.loads(alert.payload)["id"] is None


def test_latency_is_told_once_and_only_by_what_a_window_caused() -> None:
    assert [p.window_end for p in published(AlertChange(ALERT))] == [WINDOW.end, None]
    resolved = published(AlertChange(replace(ALERT, firing=False)))
    assert [p.window_end for p in resolved] == [None, None]


def test_windows_and_late_events_are_not_retained() -> None:
    pane = Pane(
        "kitchen", WINDOW, 0, Timing.ON_TIME, ClosedBy.WATERMARK, ArrivalTime(1795428032.0), ()
    )
    window = window_publication(Scores(pane, ()), {}, ["image"], prefix="p", model=MODEL)
    assert (window.topic, window.retain) == ("p/kitchen/window", False)
    assert json.loads(window.payload)["missing"] == ["image"]
    reading = Reading("hall", "th", "temperature", 21.5, EventTime(0.0), ArrivalTime(9.0))
    late = late_publication(TooLate(reading, EventTime(5.0)), prefix="p")
    assert (late.topic, late.retain) == ("p/hall/late", False)


def test_the_status_of_a_box_is_retained_text() -> None:
    online, offline = (status_publication("p", "edge-7", online) for online in (True, False))
    assert (online.topic, online.payload) == ("p/box/edge-7/status", b"online")
    assert (offline.payload, offline.retain) == (b"offline", True)
    assert online.content_type == "text/plain"
