from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schemas import valid

from edge_fusion.codecs.silence import SilenceTopic, encode_silenced
from edge_fusion.events import (
    ArrivalTime,
    Invalid,
    InvalidReason,
    Message,
    Silence,
    Silenced,
)

NOW = ArrivalTime(1795428032.5)
SUBJECT = SilenceTopic("home/edge_fusion", ("smoke", "steam", "device"))
TOPIC = "home/edge_fusion/cellar/silence"


def said(payload: bytes | str, topic: str = TOPIC, *, retained: bool = False) -> object:
    data = payload.encode() if isinstance(payload, str) else payload
    decoded = SUBJECT.decode(Message(topic, data, NOW, retained=retained))
    assert decoded is not None
    (only,) = decoded
    return only


@pytest.mark.parametrize(
    ("payload", "label", "seconds"),
    [
        ('{"label": "steam", "for": "2h"}', "steam", 7200.0),
        ('{"label": "device", "for": 90}', "device", 90.0),
        ('{"for": "1d"}', None, 86400.0),
        ('{"label": "*", "for": "15m"}', None, 900.0),
        ('{"label": null, "for": "15m"}', None, 900.0),
        ('{"label": "steam", "for": "0s"}', "steam", 0.0),
        ('{"label": "steam", "for": null}', "steam", 0.0),
        ('{"label": "steam", "for": "2h", "who": "Ada"}', "steam", 7200.0),
    ],
)
def test_people_say_what_is_to_be_quiet_and_for_how_long(
    payload: str, label: str | None, seconds: float
) -> None:
    assert said(payload) == Silence("cellar", label, seconds, NOW)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("2h", InvalidReason.SYNTAX),
        ('["steam"]', InvalidReason.SYNTAX),
        ("{", InvalidReason.SYNTAX),
        (b"\xff\xfe", InvalidReason.SYNTAX),
        ('{"label": "steam"}', InvalidReason.MISSING_FIELD),
        ('{"label": "stream", "for": "2h"}', InvalidReason.OUT_OF_RANGE),
        ('{"label": ["steam"], "for": "2h"}', InvalidReason.OUT_OF_RANGE),
        ('{"for": "soon"}', InvalidReason.OUT_OF_RANGE),
        ('{"for": -1}', InvalidReason.OUT_OF_RANGE),
        ('{"for": true}', InvalidReason.OUT_OF_RANGE),
        ('{"for": NaN}', InvalidReason.OUT_OF_RANGE),
        ('{"for": "99999d"}', InvalidReason.OUT_OF_RANGE),
        ('{"for": "1h", "x": "' + 1000 * "y" + '"}', InvalidReason.TOO_LARGE),
    ],
)
def test_what_says_neither_is_invalid(payload: str | bytes, reason: InvalidReason) -> None:
    found = said(payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason
    assert found.topic == TOPIC
    assert found.detail.isprintable()


def test_a_site_must_have_a_name_that_sites_have() -> None:
    found = said('{"for": "2h"}', "home/edge_fusion/down stairs/silence")
    assert isinstance(found, Invalid)
    assert found.reason is InvalidReason.NAME


def test_a_retained_command_would_come_again_and_again() -> None:
    found = said('{"for": "2h"}', retained=True)
    assert isinstance(found, Invalid)
    assert found.reason is InvalidReason.RETAINED


def test_the_removal_of_a_retained_command_says_nothing() -> None:
    assert SUBJECT.decode(Message(TOPIC, b"", NOW)) == []


@pytest.mark.parametrize(
    "topic",
    ["home/edge_fusion/cellar/silenced", "other/cellar/silence", "a/b/c/d/silence", "silence"],
)
def test_other_topics_are_for_others(topic: str) -> None:
    assert SUBJECT.decode(Message(topic, b'{"for": "2h"}', NOW)) is None


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_payload_raises(payload: bytes) -> None:
    found = SUBJECT.decode(Message(TOPIC, payload, NOW))
    assert found is not None
    assert all(isinstance(each, Silence | Invalid) for each in found)


def test_what_is_silenced_is_told_by_label_and_until_when() -> None:
    silences = (Silenced("cellar", "steam", ArrivalTime(NOW + 60)),)
    payload = encode_silenced("cellar", silences, NOW, "edge-7")
    assert valid("ef/cellar/silenced", payload) == {
        "schema": 1,
        "site": "cellar",
        "silenced": [{"label": "steam", "until": "2026-11-23T10:01:32.500Z"}],
        "updated_at": "2026-11-23T10:00:32.500Z",
        "box": "edge-7",
    }
    assert json.loads(encode_silenced("cellar", (), NOW, "edge-7"))["silenced"] == []
