"""Quality control on real traces, on faults put into them, and on anything at all."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.events import HUMIDITY, TEMPERATURE, ArrivalTime, Doubt, EventTime, Reading
from edge_fusion.quality import SHORTEST_RUN, SHORTEST_SPAN, QualityControl

DATA = Path(__file__).parent / "data"
ORIGIN = 1_800_000_000.0

Trace = list[tuple[float, float]]
"""Seconds and values."""

Traces = Callable[[], Iterator[tuple[str, Trace]]]


def reading(
    at: float, value: float, quantity: str = TEMPERATURE, device: str = "th", site: str = "hall"
) -> Reading:
    time = ORIGIN + at
    return Reading(site, device, quantity, value, EventTime(time), ArrivalTime(time))


def check(control: QualityControl, trace: Iterable[tuple[float, float]], quantity: str) -> Trace:
    """Where a trace is stuck or jumps, with the values there."""
    return [(at, v) for at, v in trace if control.check(reading(at, v, quantity)) is not None]


def doubts(trace: Iterable[tuple[float, float]], quantity: str = TEMPERATURE) -> list[Doubt | None]:
    control = QualityControl()
    return [control.check(reading(at, value, quantity)) for at, value in trace]


def of_smoke() -> Iterator[tuple[str, Trace]]:
    with (DATA / "smoke_detection_1hz.csv").open() as file:
        rows = [(float(r["second"]), r) for r in csv.DictReader(file)]
    yield TEMPERATURE, [(at, float(row["temperature_c"])) for at, row in rows]
    yield HUMIDITY, [(at, float(row["humidity_pct"])) for at, row in rows]


def of_an_office() -> Iterator[tuple[str, Trace]]:
    with (DATA / "occupancy.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    times = [dt.datetime.fromisoformat(row[1]).replace(tzinfo=dt.UTC).timestamp() for row in rows]
    for column, quantity in ((2, TEMPERATURE), (3, HUMIDITY)):
        values = (float(row[column]) for row in rows)
        yield quantity, [(at - ORIGIN, value) for at, value in zip(times, values, strict=True)]


def rounded(trace: Trace, step: float) -> Trace:
    return [(at, round(round(value / step) * step, 6)) for at, value in trace]


def noisy(count: int, period: float = 1.0, noise: float = 0.2, seed: int = 1) -> Trace:
    """A sensor of 0.1 °C in a room that stays as it is."""
    values = np.random.default_rng(seed).normal(21.0, noise, count)
    return [(number * period, round(float(value), 1)) for number, value in enumerate(values)]


def standing(after: Trace, count: int, period: float) -> Trace:
    """The last reading of a trace, repeated."""
    at, value = after[-1]
    return [(at + (number + 1) * period, value) for number in range(count)]


@pytest.mark.parametrize("step", [0.001, 0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("traces", [of_smoke, of_an_office])
def test_nothing_is_odd_about_real_sensors_however_coarse(traces: Traces, step: float) -> None:
    for quantity, trace in traces():
        assert check(QualityControl(), rounded(trace, step), quantity) == []


@pytest.mark.parametrize("traces", [of_smoke, of_an_office])
def test_a_real_sensor_that_gets_stuck_is_said_to_be_so_once(traces: Traces) -> None:
    for quantity, trace in traces():
        period = trace[1][0] - trace[0][0]
        stuck = standing(trace, 1000, period)
        control = QualityControl()
        assert check(control, trace, quantity) == []
        found = check(control, stuck, quantity)
        assert len(found) == 1
        assert found[0][0] - trace[-1][0] >= SHORTEST_SPAN - period
        assert control.stuck() == {("hall", "th"): True}


def test_a_sensor_is_no_longer_stuck_once_it_moves() -> None:
    control = QualityControl()
    trace = noisy(500)
    stuck = standing(trace, 900, 1.0)
    assert len(check(control, [*trace, *stuck], TEMPERATURE)) == 1
    control.check(reading(2000.0, 21.7))
    assert control.stuck() == {("hall", "th"): False}


def test_a_fault_that_comes_again_is_said_again() -> None:
    trace = noisy(500)
    stuck = standing(trace, 20_000, 1.0)
    again = [(at + 21_000, value) for at, value in [*trace, *stuck]]
    assert doubts([*trace, *stuck, *again]).count(Doubt.STUCK) == 2


def test_a_sensor_that_never_moved_much_may_stand_still() -> None:
    coarse = [(60.0 * number, 21.0 + (number % 40 == 0)) for number in range(8000)]
    assert Doubt.STUCK not in doubts([*coarse, *standing(coarse, 5000, 60.0)])


def test_a_few_changes_are_no_past_to_judge_by() -> None:
    trace = noisy(60)
    assert Doubt.STUCK not in doubts([*trace, *standing(trace, 5000, 1.0)])


def test_a_value_repeated_often_but_within_minutes_is_not_stuck() -> None:
    trace = noisy(2000, 0.1)
    assert Doubt.STUCK not in doubts([*trace, *standing(trace, 5000, 0.1)])


def test_a_value_repeated_for_hours_but_seldom_is_not_stuck() -> None:
    trace = noisy(2000, 600.0)
    assert Doubt.STUCK not in doubts([*trace, *standing(trace, SHORTEST_RUN // 2, 600.0)])


def test_air_that_is_saturated_keeps_a_humidity_sensor_at_100() -> None:
    trace = [(at, value + 40.0) for at, value in noisy(500)]
    fog = [(500.0 + number, 100.0) for number in range(5000)]
    assert Doubt.STUCK not in doubts([*trace, *fog], HUMIDITY)


def test_a_spike_is_one_fault_going_up_and_none_coming_back() -> None:
    trace = [(0.0, 21.0), (1.0, 21.1), (2.0, 85.0), (3.0, 21.0), (4.0, 21.1)]
    assert doubts(trace) == [None, None, Doubt.STEP, None, None]


def test_a_spike_that_lasts_is_still_one_fault() -> None:
    trace = [(0.0, 21.0), (1.0, 85.0), (2.0, 85.0), (3.0, 21.0)]
    assert doubts(trace) == [None, Doubt.STEP, None, None]


def test_a_level_that_moves_is_believed_after_the_step() -> None:
    trace = [(0.0, 21.0), (1.0, 60.0), (2.0, 60.2), (3.0, 21.0)]
    assert doubts(trace) == [None, Doubt.STEP, None, Doubt.STEP]


def test_every_jump_of_a_sensor_gone_mad_counts() -> None:
    assert doubts([(0.0, 0.0), (1.0, 40.0), (2.0, 80.0), (3.0, -40.0)]) == [None, *[Doubt.STEP] * 3]


def test_a_change_that_had_the_time_is_no_step() -> None:
    assert doubts([(0.0, 21.0), (10.0, 60.0)]) == [None, None]
    assert doubts([(0.0, 40.0), (3.0, 95.0)], HUMIDITY) == [None, None]


def test_a_step_of_the_coarsest_sensor_is_none_even_within_one_second_of_its_clock() -> None:
    assert doubts([(0.0, 21.0), (0.001, 23.0)]) == [None, None]


def test_a_time_before_the_last_one_says_nothing() -> None:
    trace = [(10.0, 21.0), (5.0, 85.0), (10.0, 85.0), (11.0, 21.0)]
    assert doubts(trace) == [None] * 4


def test_quantities_of_which_nothing_is_known_are_not_judged() -> None:
    control = QualityControl()
    assert check(control, [(0.0, 400.0), (1.0, 60_000.0)], "co2") == []
    assert len(control) == 0


def test_devices_and_quantities_are_apart() -> None:
    control = QualityControl()
    for site, device, value in (("hall", "a", 0.0), ("hall", "b", 40.0), ("attic", "a", 80.0)):
        assert control.check(reading(0.0, value, device=device, site=site)) is None
    assert control.check(reading(0.0, 100.0, HUMIDITY, "a")) is None


def test_the_device_heard_longest_ago_is_forgotten_first() -> None:
    control = QualityControl(max_devices=2)
    for device in ("a", "b", "c", "d", "a", "e"):
        control.check(reading(0.0, 20.0, device=device))
        control.check(reading(1.0, 20.0, device=device))
    assert len(control) == 4
    assert [device for _, device in control.stuck()] == ["c", "d", "a", "e"]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 60.0, 3600.0]),
        st.sampled_from([20.0, 20.1, 25.0, 85.0, 100.0]),
        st.sampled_from([TEMPERATURE, HUMIDITY, "co2"]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=300,
)


def timed(events: Sequence[tuple[float, float, str, str]]) -> list[Reading]:
    times = np.cumsum([pause for pause, *_ in events]).tolist()
    return [reading(at, *event[1:]) for at, event in zip(times, events, strict=True)]


@given(EVENTS)
def test_what_comes_out_of_order_changes_nothing_that_is_said_of_the_rest(
    events: list[tuple[float, float, str, str]],
) -> None:
    clean, disturbed = QualityControl(), QualityControl()
    for one in timed(events):
        assert disturbed.check(one) == clean.check(one)
        late = Reading(one.site, one.device, one.quantity, -80.0, EventTime(0.0), one.arrival)
        assert disturbed.check(late) is None


@given(EVENTS, st.integers(1, 3))
def test_memory_is_bounded_whatever_comes(
    events: list[tuple[float, float, str, str]], most: int
) -> None:
    control = QualityControl(most)
    for one in timed(events):
        assert control.check(one) in {None, Doubt.STEP, Doubt.STUCK}
        assert len(control) <= 2 * most
