"""What a device's timestamps are worth."""

from __future__ import annotations

import random

import pytest

from edge_fusion.align.clock import SETTLED, DeviceClock
from edge_fusion.events import ArrivalTime, EventTime, QuarantineReason

NOW = 1_800_000_000.0
HOUR = 3600.0


def feed(clock: DeviceClock, offset: float, times: range, delay: float = 0.1) -> list[float]:
    """Errors of the corrected event time for messages sent at `times` by a clock off by -offset."""
    errors = []
    for at in times:
        sent = NOW + at
        found = clock.correct(EventTime(sent - offset), ArrivalTime(sent + delay))
        errors.append(found.time - sent)
    return errors


def test_a_good_clock_is_used_as_it_is() -> None:
    clock = DeviceClock(max_skew=5.0)
    assert feed(clock, 0.0, range(10)) == [0.0] * 10
    assert clock.offset == pytest.approx(0.1)


def test_a_small_offset_within_max_skew_is_left_alone() -> None:
    assert feed(DeviceClock(5.0), 2.0, range(3)) == [-2.0] * 3


@pytest.mark.parametrize("offset", [HOUR, -HOUR, 50 * 8766 * HOUR / 100, -8766 * HOUR])
def test_a_clock_that_is_wrong_by_a_constant_is_corrected(offset: float) -> None:
    clock = DeviceClock(5.0)
    errors = feed(clock, offset, range(20))
    assert all(abs(error) <= 0.1 + 1e-6 for error in errors[SETTLED - 1 :])
    assert not clock.trusted


def test_a_first_message_that_is_old_is_old_and_says_nothing_of_the_clock() -> None:
    clock = DeviceClock(5.0)
    found = clock.correct(EventTime(NOW - HOUR), ArrivalTime(NOW))
    assert (found.time, found.reason) == (NOW - HOUR, None)
    assert feed(clock, 0.0, range(1, 4)) == [0.0] * 3
    assert clock.trusted


@pytest.mark.parametrize("interval", [0.1, 1.0, 60.0])
def test_a_wrong_clock_is_recognised_however_often_it_is_heard(interval: float) -> None:
    clock, chance = DeviceClock(5.0), random.Random(1)
    for place in range(100):
        sent = NOW + place * interval
        delay = chance.expovariate(1 / 0.08)
        found = clock.correct(EventTime(sent - HOUR), ArrivalTime(sent + delay))
    assert abs(found.time - sent) < 0.1


def test_quantities_of_one_message_count_once() -> None:
    clock = DeviceClock(5.0)
    for _ in range(2 * SETTLED):
        assert clock.correct(EventTime(NOW + HOUR), ArrivalTime(NOW)).reason is not None


def test_before_it_has_claimed_any_time_a_clock_is_trusted_and_after_1970_it_is_not() -> None:
    clock = DeviceClock(5.0)
    assert clock.trusted
    clock.correct(EventTime(0.0), ArrivalTime(NOW))
    assert not clock.trusted


def test_delays_are_filtered_out_by_the_fastest_path() -> None:
    clock, chance = DeviceClock(5.0), random.Random(1)
    for at in range(64):
        delay = chance.expovariate(10)
        clock.correct(EventTime(NOW + at - HOUR), ArrivalTime(NOW + at + delay))
    assert clock.offset == pytest.approx(HOUR, abs=0.02)


def test_a_time_before_2020_is_never_believed() -> None:
    clock = DeviceClock(5.0)
    for at in range(10):
        found = clock.correct(EventTime(at), ArrivalTime(NOW + at))
        assert (found.time, found.reason) == (NOW + at, QuarantineReason.BEFORE_2020)


def test_a_single_future_time_moves_nothing() -> None:
    clock = DeviceClock(5.0)
    feed(clock, 0.0, range(10))
    found = clock.correct(EventTime(NOW + HOUR), ArrivalTime(NOW + 10))
    assert (found.time, found.reason) == (NOW + 10, QuarantineReason.FUTURE)
    assert feed(clock, 0.0, range(11, 14)) == [0.0] * 3


def test_a_backlog_after_an_outage_keeps_its_own_times() -> None:
    clock = DeviceClock(5.0)
    feed(clock, 0.0, range(10))
    came = NOW + 600
    for at in range(10, 600):
        came += 0.001
        found = clock.correct(EventTime(NOW + at), ArrivalTime(came))
        assert (found.time, found.reason) == (NOW + at, None)
    assert clock.offset == pytest.approx(0.1)


def test_a_clock_stepped_back_an_hour_is_quarantined_then_followed() -> None:
    clock = DeviceClock(5.0)
    feed(clock, 0.0, range(10))
    errors = feed(clock, HOUR, range(10, 30))
    assert all(abs(error) <= 0.1 + 1e-6 for error in errors)
    assert clock.offset == pytest.approx(HOUR + 0.1)


def test_it_takes_a_few_agreeing_messages_to_believe_a_step() -> None:
    clock = DeviceClock(5.0)
    feed(clock, 0.0, range(10))
    reasons = [
        clock.correct(EventTime(NOW + at - HOUR), ArrivalTime(NOW + at)).reason
        for at in range(10, 10 + SETTLED)
    ]
    assert reasons == [QuarantineReason.JUMP] * (SETTLED - 1) + [None]


@pytest.mark.parametrize("interval", [1, 60])
@pytest.mark.parametrize("drift", [0.01, -0.01])
def test_a_drift_of_one_per_cent_is_followed(drift: float, interval: int) -> None:
    clock = DeviceClock(5.0)
    for at in range(0, 500 * interval, interval):
        found = clock.correct(EventTime(NOW + at * (1 + drift)), ArrivalTime(NOW + at + 0.1))
        assert abs(found.time - (NOW + at)) < 12.0


def test_what_was_held_back_shows_nothing_of_the_clock_at_whatever_pace_it_comes() -> None:
    clock = DeviceClock(5.0)
    clock.correct(EventTime(1_799_999_999.0), ArrivalTime(1_799_999_999.0))
    for at in range(9):
        now = ArrivalTime(1_800_000_600.0 + at)
        claimed = EventTime(1_800_000_000.0 + at)
        assert clock.correct(claimed, now, held_back=True).time == claimed
    assert clock.trusted
    assert clock.offset == 0.0
