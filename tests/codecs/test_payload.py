from __future__ import annotations

import pytest

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.payload import (
    UNDATED,
    Sender,
    Stamp,
    json_object_of,
    measured,
    measured_text,
    stamp_of,
    values_at,
)
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, Doubt, EventTime, Invalid, InvalidReason, Message


def message(payload: bytes = b"") -> Message:
    return Message("t", payload, ArrivalTime(1.8e9))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", InvalidReason.EMPTY),
        (b"{", InvalidReason.SYNTAX),
        (b"[1]", InvalidReason.SYNTAX),
        (b"21.4", InvalidReason.SYNTAX),
        (b"null", InvalidReason.SYNTAX),
    ],
)
def test_what_is_no_json_object_is_refused(payload: bytes, reason: InvalidReason) -> None:
    found = json_object_of(message(payload))
    assert isinstance(found, Invalid)
    assert found.reason is reason


def test_a_json_object_is_returned_as_it_is() -> None:
    assert json_object_of(message(b'{"a":[1]}')) == {"a": [1]}


@pytest.mark.parametrize("document", [{}, {"ts": None}, {"ts": ""}, [], None])
def test_a_time_that_is_not_there_says_nothing(document: object) -> None:
    assert stamp_of(message(), document, "ts", SensorKeys()) is UNDATED


def test_a_time_is_an_instant_a_doubt_or_refused() -> None:
    def stamp(value: object) -> Stamp | Invalid:
        return stamp_of(message(), {"ts": value}, "ts", SensorKeys())

    assert stamp(1795428000) == Stamp(EventTime(1795428000.0))
    assert stamp("2026-11-23T18:06:22") == Stamp(None, Doubt.NO_ZONE)
    refused = stamp("soon")
    assert isinstance(refused, Invalid)
    assert refused.reason is InvalidReason.TIME


def test_paths_that_lead_nowhere_are_left_out_and_null_is_not() -> None:
    assert values_at({"a": 1, "b": None}, {"x": "a", "y": "b", "z": "c"}) == {"x": 1, "y": None}


def test_a_sample_carries_its_time_its_doubt_and_its_sender() -> None:
    stamp, sender = Stamp(EventTime(1.0), Doubt.NO_ZONE), Sender("th", "left")
    assert measured(
        message(), "temperature", "70.7", TemperatureUnit.FAHRENHEIT, stamp, sender
    ) == [Sample("temperature", 21.5, EventTime(1.0), "th", "left", Doubt.NO_ZONE)]
    assert measured_text(message(b"21.5 C"), "temperature", None, sender) == [
        Sample("temperature", 21.5, device="th", part="left")
    ]


def test_the_detail_of_a_refusal_stays_short() -> None:
    for value in ("x" * 10_000, [0] * 10_000, {"a": 1}, 10**5000, True):
        [found] = measured(message(), "temperature", value, None)
        assert isinstance(found, Invalid)
        assert found.reason is InvalidReason.NOT_A_NUMBER
        assert len(found.detail) <= 120
