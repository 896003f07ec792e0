from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_fusion.codecs.times import UNZONED, format_time, parse_time, property_time, stated_time
from edge_fusion.events import ArrivalTime, InvalidReason

# 2026-11-23T10:00:00Z
T = 1795428000.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T10:00:00Z", T),
        ("2026-11-23T10:00:00z", T),
        ("2026-11-23 10:00:00Z", T),
        ("2026-11-23T10:00Z", T),
        ("2026-11-23T10:00:00.123Z", T + 0.123),
        ("2026-11-23T10:00:00.123456789Z", T + 0.123456),
        ("2026-11-23T11:00:00+01:00", T),
        ("2026-11-23T11:00:00+0100", T),
        ("2022-07-18T09:34:15.775023242+00:00", 1658136855.775023),
        (1795428000, T),
        (1795428000.25, T + 0.25),
        (1795428000123, T + 0.123),
        (1795428000123456, T + 0.123456),
        (1795428000123456789, T + 0.123456),
        ("1795428000", T),
        (" 1795428000123 ", T + 0.123),
        (0, 0.0),
    ],
)
def test_times_are_read_in_all_their_spellings(value: object, expected: float) -> None:
    assert parse_time(value) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "value",
    [
        *[True, None, [], {}, "", "soon", "12:30", "2026-11-23", "2026-13-01T00:00:00Z"],
        *["2026-11-23T25:00:00Z", "2026-11-23T10:00:00+99:00", "2026-11-23T10:00:00Zebra"],
        *[-1, "-1", 1e20, 10**400, float("nan"), float("inf"), "9" * 100, b"1795428000"],
        *["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\uff12026-11-23T10:00:00Z"],
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_time(value) is None


def test_a_local_time_is_read_in_the_zone_given() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_time("2026-11-23T11:00:00", berlin) == T
    assert parse_time("2026-07-23T12:00:00", berlin) == parse_time("2026-07-23T10:00:00Z")
    assert parse_time("2026-11-23T10:00:00Z", berlin) == T


@pytest.mark.parametrize("utc", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
def test_a_time_that_comes_twice_when_clocks_are_set_back_is_the_one_nearest(utc: str) -> None:
    """02:30 in Berlin is 00:30 UTC in summer time and 01:30 UTC in winter time."""
    berlin, truth = ZoneInfo("Europe/Berlin"), parse_time(utc)
    assert isinstance(truth, float)
    for delay in (-60, 0, 60):
        near = ArrivalTime(truth + delay)
        assert parse_time("2026-10-25T02:30:00", berlin, near) == truth
    assert parse_time("2026-11-23T11:00:00", berlin, ArrivalTime(0)) == T


def test_a_time_that_is_left_out_in_spring_is_the_instant_nearest() -> None:
    """A device whose clock is still on winter time at 02:30 means 01:30 UTC."""
    truth = parse_time("2026-03-29T01:30:00Z")
    assert isinstance(truth, float)
    near = ArrivalTime(truth + 1)
    assert parse_time("2026-03-29T02:30:00", ZoneInfo("Europe/Berlin"), near) == truth


def test_a_local_time_without_a_zone_is_never_taken_for_utc() -> None:
    assert parse_time("2026-11-23T18:06:22") is UNZONED
    assert stated_time("2026-11-23T18:06:22") is None


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_the_ends_of_the_calendar_do_not_overflow_in_a_zone(year: str) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        parse_time(f"{year}-01-01T00:00:00", ZoneInfo(zone))
        parse_time(f"{year}-12-31T23:59:59", ZoneInfo(zone))


def test_a_time_field_that_is_null_or_empty_says_nothing() -> None:
    assert stated_time(None) is None
    assert stated_time("") is None
    assert stated_time("soon") is InvalidReason.TIME


def test_the_first_known_user_property_dates_a_message() -> None:
    assert property_time({}) is None
    assert property_time({"ts": "1795428000", "captured_at": "1795428001"}) == T + 1
    assert property_time({"time": "soon", "ts": "1795428000"}) is InvalidReason.TIME


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert format_time(T) == "2026-11-23T10:00:00.000Z"
    assert format_time(T + 0.1236) == "2026-11-23T10:00:00.124Z"
    assert format_time(T - 0.0001) == "2026-11-23T10:00:00.000Z"
    assert format_time(-1e15) == "0001-01-02T00:00:00.000Z"
    assert format_time(1e15) == "9999-12-31T00:00:00.000Z"


@given(st.floats(min_value=-6e10, max_value=2.5e11))
@example(0.9999999)
def test_what_is_written_is_read_back(time: float) -> None:
    text = format_time(time)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert parse_time(text) == pytest.approx(time, abs=0.00055)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_anything_is_a_time_or_none(value: object) -> None:
    parse_time(value)
    parse_time(value, ZoneInfo("Europe/Berlin"), ArrivalTime(T))
    parse_time(str(value))
