from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from edge_fusion.codecs.alert import (
    AlertPayload,
    LatePayload,
    ModelIdentity,
    WindowPayload,
    alert_schema,
    encode_alert,
    encode_late,
    encode_window,
    late_schema,
    window_schema,
)
from edge_fusion.events import (
    Alert,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Evidence,
    Frame,
    Pane,
    Reading,
    Row,
    Scores,
    Severity,
    Summary,
    Timing,
    TooLate,
    Window,
)

MODEL = ModelIdentity("indoor-hazard", "ab" * 32)
WINDOW = Window(EventTime(1795428020.0), EventTime(1795428030.0))
FRAME = Frame("kitchen", "ceiling", b"", EventTime(1795428029.87), ArrivalTime(1795428030.0))
READINGS = {"temperature": Summary(20, 31.200000000000003, 24.0, 38.5, 38.5)}
EVIDENCE = Evidence(
    WINDOW, 0, 0.93, "ceiling", READINGS, (FRAME,), ("humidity",), {"image": 0.4123456}
)
ALERT = Alert(
    id="5f0c",
    sequence=3,
    site="kitchen",
    label="smoke",
    firing=True,
    severity=Severity.CRITICAL,
    threshold=0.5,
    score=0.9300000001,
    started_at=EventTime(1795428020.0),
    updated_at=ArrivalTime(1795428032.5),
    ended_at=None,
    evidence=EVIDENCE,
)
PANE = Pane(
    "kitchen",
    WINDOW,
    1,
    Timing.LATE,
    ClosedBy.MAX_WAIT,
    ArrivalTime(1795428040.0),
    ((FRAME,),),
    late=2,
)
SCORES = Scores(PANE, (Row("ceiling", (FRAME,), {"fire": 0.02, "smoke": 0.93}),))


def valid(payload: bytes, schema: dict[str, Any]) -> Any:
    document = json.loads(payload)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def test_an_alert_is_the_json_of_the_contract() -> None:
    assert valid(encode_alert(ALERT, "edge-7", MODEL), alert_schema()) == {
        "schema": 1,
        "id": "5f0c",
        "sequence": 3,
        "site": "kitchen",
        "label": "smoke",
        "state": "firing",
        "severity": "critical",
        "score": 0.93,
        "threshold": 0.5,
        "camera": "ceiling",
        "started_at": "2026-11-23T10:00:20.000Z",
        "updated_at": "2026-11-23T10:00:32.500Z",
        "ended_at": None,
        "window": {
            "start": "2026-11-23T10:00:20.000Z",
            "end": "2026-11-23T10:00:30.000Z",
            "revision": 0,
        },
        "readings": {
            "temperature": {"count": 20, "mean": 31.2, "min": 24.0, "max": 38.5, "last": 38.5}
        },
        "frames": [{"camera": "ceiling", "time": "2026-11-23T10:00:29.870Z"}],
        "missing": ["humidity"],
        "contributions": {"image": 0.4123},
        "model": {"name": "indoor-hazard", "sha256": "ab" * 32},
        "box": "edge-7",
    }


def test_the_announcement_of_a_site_is_resolved_and_has_no_id() -> None:
    quiet = replace(ALERT, id=None, sequence=0, firing=False, started_at=None, evidence=None)
    document = valid(encode_alert(quiet, "edge-7", MODEL), alert_schema())
    assert (document["id"], document["state"], document["window"]) == (None, "resolved", None)
    assert (document["readings"], document["frames"], document["missing"]) == ({}, [], [])


def test_a_window_is_the_json_of_the_contract() -> None:
    assert valid(encode_window(SCORES, READINGS, ["humidity"], MODEL), window_schema()) == {
        "schema": 1,
        "site": "kitchen",
        "start": "2026-11-23T10:00:20.000Z",
        "end": "2026-11-23T10:00:30.000Z",
        "revision": 1,
        "closed_by": "max_wait",
        "rows": [{"camera": "ceiling", "frames": 1, "scores": {"fire": 0.02, "smoke": 0.93}}],
        "readings": {
            "temperature": {"count": 20, "mean": 31.2, "min": 24.0, "max": 38.5, "last": 38.5}
        },
        "missing": ["humidity"],
        "late": 2,
        "model": {"name": "indoor-hazard", "sha256": "ab" * 32},
    }


def test_a_late_event_tells_what_it_was_and_how_late() -> None:
    reading = Reading(
        "kitchen", "th", "temperature", 21.5, EventTime(1795428000.0), ArrivalTime(1795428100.0)
    )
    document = valid(encode_late(TooLate(reading, EventTime(1795428090.0))), late_schema())
    assert document == {
        "schema": 1,
        "site": "kitchen",
        "device": "th",
        "quantity": "temperature",
        "value": 21.5,
        "camera": None,
        "time": "2026-11-23T10:00:00.000Z",
        "arrived_at": "2026-11-23T10:01:40.000Z",
        "watermark": "2026-11-23T10:01:30.000Z",
    }
    picture = valid(encode_late(TooLate(FRAME, EventTime(1795428090.0))), late_schema())
    assert (picture["camera"], picture["device"], picture["value"]) == ("ceiling", None, None)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1.0, 1.0000001])
def test_numbers_are_finite_whatever_the_model_says(score: float) -> None:
    bad = {"co2": replace(READINGS["temperature"], mean=float("inf")), **READINGS}
    evidence = replace(EVIDENCE, readings=bad, contributions={"image": score, "humidity": 0.1})
    alert = valid(
        encode_alert(replace(ALERT, score=score, evidence=evidence), "b", MODEL), alert_schema()
    )
    assert 0 <= alert["score"] <= 1
    assert list(alert["readings"]) == ["temperature"]
    scores = Scores(PANE, (Row(None, (), {"smoke": score, "fire": 0.1}),))
    window = valid(encode_window(scores, bad, [], MODEL), window_schema())
    assert window["rows"][0]["scores"]["fire"] == 0.1


def test_consumers_can_read_payloads_with_the_same_models() -> None:
    payload = encode_alert(ALERT, "edge-7", MODEL)
    assert AlertPayload.model_validate_json(payload).sequence == 3
    extended = json.loads(payload) | {"added_later": 1}
    assert AlertPayload.model_validate(extended).site == "kitchen"
    window = encode_window(SCORES, READINGS, [], MODEL)
    assert WindowPayload.model_validate_json(window).closed_by is ClosedBy.MAX_WAIT
    late = encode_late(TooLate(FRAME, EventTime(0.0)))
    assert LatePayload.model_validate_json(late).camera == "ceiling"


@pytest.mark.parametrize("schema", [alert_schema(), window_schema(), late_schema()])
def test_schemas_ask_for_every_field_and_name_their_dialect(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["required"]) == set(schema["properties"]) - {"devices"}
    assert "schema" in schema["properties"]
