from __future__ import annotations

import json
from dataclasses import replace

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.publications import (
    ALWAYS_KEPT,
    SnapshotTerms,
    alert_publications,
    late_publication,
    site_gone,
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
    Frame,
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
FRAME = Frame("kitchen", "ceiling", b"", EventTime(1795428029.87), ArrivalTime(1795428030.0))
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
    evidence=Evidence(WINDOW, 0, 0.93, "ceiling", {}, (FRAME,), (), {}),
)
OVER = replace(ALERT, firing=False, sequence=4, ended_at=ArrivalTime(1795428092.5))
JPEG = b"\xff\xd8\xff"
SNAPSHOT = "edge_fusion/kitchen/snapshot/smoke"


def published(
    change: AlertChange, snapshot: bytes | None = None, terms: SnapshotTerms = ALWAYS_KEPT
) -> list[Publication]:
    return alert_publications(
        change, prefix="edge_fusion", box="edge-7", model=MODEL, snapshot=snapshot, terms=terms
    )


def named_in(publication: Publication) -> object:
    return json.loads(publication.payload)["snapshot"]


def test_a_change_is_published_as_snapshot_then_alert_then_event() -> None:
    snapshot, alert, event = published(AlertChange(ALERT), JPEG)
    assert snapshot.topic == SNAPSHOT
    assert (snapshot.retain, snapshot.content_type) == (True, "image/jpeg")
    assert snapshot.payload == JPEG
    assert alert.topic == "edge_fusion/kitchen/alert/smoke"
    assert (alert.retain, alert.expiry) == (True, None)
    assert event.topic == "edge_fusion/kitchen/event"
    assert (event.retain, event.expiry) == (False, 3600)
    assert alert.payload == event.payload
    assert {p.qos for p in (snapshot, alert, event)} == {1}


def test_an_alert_names_the_topic_of_the_picture_that_it_rests_on() -> None:
    snapshot, alert, event = published(AlertChange(ALERT), JPEG)
    assert named_in(alert) == named_in(event) == snapshot.topic
    assert ALERT.evidence is not None
    blind = replace(ALERT, evidence=replace(ALERT.evidence, frames=()))
    assert [named_in(publication) for publication in published(AlertChange(blind))] == [None, None]


def test_after_a_restart_the_picture_is_gone_from_memory_and_still_with_the_broker() -> None:
    [alert] = published(AlertChange(ALERT, lifecycle=False))
    assert named_in(alert) == SNAPSHOT


def test_a_snapshot_that_is_kept_stays_as_it_is_when_the_alert_is_over() -> None:
    alert, event = published(AlertChange(OVER))
    assert named_in(alert) == named_in(event) == SNAPSHOT


def test_a_snapshot_that_is_not_to_be_kept_is_cleared_behind_the_event() -> None:
    terms = SnapshotTerms(keep=False)
    assert named_in(published(AlertChange(ALERT), JPEG, terms)[1]) == SNAPSHOT
    alert, event, cleared = published(AlertChange(OVER), terms=terms)
    assert [named_in(publication) for publication in (alert, event)] == [None, None]
    assert (cleared.topic, cleared.payload, cleared.retain) == (SNAPSHOT, b"", True)


def test_pictures_that_are_not_to_be_published_are_not_even_named() -> None:
    alert, event = published(AlertChange(ALERT), JPEG, SnapshotTerms(publish=False))
    assert [named_in(publication) for publication in (alert, event)] == [None, None]


def test_a_snapshot_expires_and_makes_way_for_alerts_where_there_is_no_room() -> None:
    snapshot, alert, _ = published(AlertChange(ALERT), JPEG, SnapshotTerms(expiry=86_400))
    assert (snapshot.expiry, snapshot.telemetry) == (86_400, True)
    assert (alert.expiry, alert.telemetry) == (None, False)


def test_of_a_site_that_is_gone_nothing_stays_retained_and_home_assistant_hears_first() -> None:
    gone = site_gone("kitchen", ["smoke", "device"], prefix="ef", discovery="homeassistant")
    assert [publication.topic for publication in gone] == [
        "homeassistant/device/ef_kitchen/config",
        "ef/kitchen/alert/smoke",
        "ef/kitchen/snapshot/smoke",
        "ef/kitchen/alert/device",
        "ef/kitchen/snapshot/device",
    ]
    assert {(publication.payload, publication.retain) for publication in gone} == {(b"", True)}
    assert len(site_gone("kitchen", ["smoke"], prefix="ef", discovery=None)) == 2


def test_an_event_carries_the_attributes_of_cloudevents() -> None:
    snapshot, alert, event = published(AlertChange(ALERT), JPEG)
    assert (
        alert.properties
        == event.properties
        == {
            "specversion": "1.0",
            "id": "5f0c-3",
            "source": "/edge_fusion/edge-7/kitchen",
            "type": "io.edge_fusion.alert.firing",
            "time": "2026-11-23T10:00:32.500Z",
            "subject": "smoke",
        }
    )
    assert snapshot.properties == {
        **event.properties,
        "id": "5f0c-3-snapshot",
        "type": "io.edge_fusion.snapshot",
    }
    _, resolved = published(AlertChange(OVER))
    assert resolved.properties["type"] == "io.edge_fusion.alert.resolved"


def test_an_announcement_is_retained_state_and_no_event() -> None:
    quiet = replace(ALERT, id=None, sequence=0, firing=False, started_at=None, evidence=None)
    [alert] = published(AlertChange(quiet, lifecycle=False))
    assert alert.retain
    assert alert.properties == {}
    assert json.loads(alert.payload)["id"] is None


def test_latency_is_told_once_and_only_by_what_a_window_caused() -> None:
    assert [p.window_end for p in published(AlertChange(ALERT))] == [WINDOW.end, None]
    resolved = published(AlertChange(OVER))
    assert [p.window_end for p in resolved] == [None, None]


def test_windows_and_late_events_are_not_retained() -> None:
    pane = Pane(
        "kitchen", WINDOW, 0, Timing.ON_TIME, ClosedBy.WATERMARK, ArrivalTime(1795428032.0), ()
    )
    window = window_publication(Scores(pane, ()), {}, ["image"], prefix="p", box="b", model=MODEL)
    assert (window.topic, window.retain) == ("p/kitchen/window", False)
    assert json.loads(window.payload)["missing"] == ["image"]
    reading = Reading("hall", "th", "temperature", 21.5, EventTime(0.0), ArrivalTime(9.0))
    late = late_publication(TooLate(reading, EventTime(5.0)), prefix="p", box="b")
    assert (late.topic, late.retain) == ("p/hall/late", False)


def test_windows_and_late_events_are_cloudevents_too() -> None:
    pane = Pane(
        "kitchen", WINDOW, 2, Timing.LATE, ClosedBy.WATERMARK, ArrivalTime(1795428032.0), ()
    )
    window = window_publication(Scores(pane, ()), {}, [], prefix="p", box="b", model=MODEL)
    assert window.properties == {
        "specversion": "1.0",
        "id": "2026-11-23T10:00:20.000Z-2",
        "source": "/p/b/kitchen",
        "type": "io.edge_fusion.window",
        "time": "2026-11-23T10:00:32.000Z",
    }
    reading = Reading("hall", "th", "temperature", 21.5, EventTime(0.0), ArrivalTime(9.0))
    frame = Frame("hall", "cam", b"", EventTime(0.0), ArrivalTime(9.0))
    late = [late_publication(TooLate(event, EventTime(5.0)), prefix="p", box="b").properties
            for event in (reading, frame)]  # fmt: skip
    assert [event["id"] for event in late] == [
        "th-temperature-1970-01-01T00:00:00.000Z",
        "cam-image-1970-01-01T00:00:00.000Z",
    ]
    assert {(event["type"], event["time"]) for event in late} == {
        ("io.edge_fusion.late", "1970-01-01T00:00:09.000Z")
    }


def test_the_status_of_a_box_is_retained_text() -> None:
    online, offline = (status_publication("p", "edge-7", online) for online in (True, False))
    assert (online.topic, online.payload) == ("p/box/edge-7/status", b"online")
    assert (offline.payload, offline.retain) == (b"offline", True)
    assert online.content_type == "text/plain"
