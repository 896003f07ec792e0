from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.alerts.archive import pack, unpack
from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.lifecycle import Run, Track
from edge_fusion.alerts.rules import Rule
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    Alert,
    AlertState,
    ArrivalTime,
    EventTime,
    Evidence,
    Frame,
    Severity,
    Summary,
    Window,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.floats(0, 4e9)
NAMES = st.text(min_size=1, max_size=9)
WINDOWS = st.builds(Window, TIMES.map(EventTime), TIMES.map(EventTime))
FRAMES = st.builds(Frame, NAMES, NAMES, st.just(b""), TIMES.map(EventTime), TIMES.map(ArrivalTime))
EVIDENCE = st.builds(
    Evidence,
    window=WINDOWS,
    readings=st.dictionaries(
        NAMES, st.builds(Summary, st.integers(1), NUMBERS, NUMBERS, NUMBERS, NUMBERS)
    ),
    frames=st.lists(FRAMES, max_size=3).map(tuple),
    missing=st.lists(NAMES, max_size=3).map(tuple),
    contributions=st.dictionaries(NAMES, NUMBERS),
    score=NUMBERS,
)
ALERTS = st.builds(
    Alert,
    severity=st.sampled_from(Severity),
    evidence=st.none() | EVIDENCE,
    score=NUMBERS,
    threshold=NUMBERS,
    started_at=st.none() | TIMES.map(EventTime),
    updated_at=TIMES.map(ArrivalTime),
    ended_at=st.none() | TIMES.map(ArrivalTime),
)
RUNS = st.builds(Run, st.integers(0), st.none() | TIMES.map(EventTime))
TRACKS = st.builds(
    Track,
    state=st.sampled_from(AlertState),
    newest=st.none() | WINDOWS,
    before=RUNS,
    run=RUNS,
    spent=st.none() | WINDOWS,
    heard_at=st.none() | TIMES.map(ArrivalTime),
    low_since=st.none() | TIMES.map(ArrivalTime),
    alert=st.none() | ALERTS,
    evidence=st.none() | EVIDENCE,
)


@given(TRACKS)
def test_a_track_comes_back_as_it_was(track: Track) -> None:
    assert unpack(pack(track)) == track


def odd_track(**parts: object) -> bytes:
    return json.dumps({**json.loads(pack(Track("hall"))), **parts}).encode()


EVIDENCE_OF_NUMBERS = {
    "window": [0, 1], "revision": 0, "score": 0, "camera": None, "readings": 1.5,
}  # fmt: skip
ODD_PARTS: list[object] = [1, "x", [], {}, EVIDENCE_OF_NUMBERS, {"evidence": EVIDENCE_OF_NUMBERS}]


@given(
    st.binary()
    | st.sampled_from(
        [
            *(b"{}", b'{"version": 2}', b"[1]", b"[" * 100_000),
            *(odd_track(alert=odd) for odd in ODD_PARTS),
            *(odd_track(evidence=odd) for odd in ODD_PARTS),
            *(odd_track(state="lost"), odd_track(run=7), odd_track(newest={})),
        ]
    )
)
def test_bytes_that_are_no_track_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        unpack(data)


def test_an_alert_whose_rule_is_gone_is_over() -> None:
    alert = Alert(
        id="x", sequence=3, site="hall", label="smoke", firing=True, severity=Severity.INFO,
        threshold=0.5, score=0.9, started_at=EventTime(1.0), updated_at=ArrivalTime(2.0),
        ended_at=None, evidence=None,
    )  # fmt: skip
    state = pack(Track("hall", AlertState.FIRING, heard_at=ArrivalTime(2.0), alert=alert))
    rule = Rule("fire", 0.5, 0.5, 1, 0.0, Severity.INFO)
    book = AlertBook({"fire": rule}, model_sha256="ab", quantities=(), silent_after=9.0)
    [change] = book.restore("smoke", state, ArrivalTime(7.0))
    assert change.lifecycle
    assert (change.alert.sequence, change.alert.firing, change.alert.ended_at) == (4, False, 7.0)
    assert book.firing() == []
