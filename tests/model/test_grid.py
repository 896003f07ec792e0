"""Cells, knots, gaps and carried values; the eighth guarantee of `edge_fusion.align`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.events import (
    ArrivalTime,
    ClosedBy,
    Event,
    EventTime,
    Frame,
    Pane,
    Reading,
    Timing,
    Window,
    lines_of,
)
from edge_fusion.model.grid import sensor_grid
from edge_fusion.model.spec import ModelSpec

SPEC = ModelSpec("test", 10.0, 20, ("temperature", "humidity"), 2, (4, 6), ("smoke",), {})
MAX_GAP, CARRY = 5.0, 900.0


def reading(at: float, value: float, device: str = "a", quantity: str = "temperature") -> Reading:
    return Reading("hall", device, quantity, value, EventTime(at), ArrivalTime(at))


def frame(at: float, camera: str = "cam") -> Frame:
    return Frame("hall", camera, b"picture", EventTime(at), ArrivalTime(at))


def pane(
    events: Sequence[Event], carried: Sequence[Reading] = (), cameras: Sequence[str] = ()
) -> Pane:
    window = Window(EventTime(0.0), EventTime(10.0))
    return Pane(
        "hall", window, 0, Timing.ON_TIME, ClosedBy.WATERMARK, ArrivalTime(12.0), lines_of(events),
        tuple(carried), tuple(cameras),
    )  # fmt: skip


def temperature(of: Pane) -> tuple[list[float], list[float]]:
    grid, mask = sensor_grid(of, SPEC, max_gap=MAX_GAP, carry=CARRY)
    return grid[:, 0].tolist(), mask[:, 0].tolist()


def test_a_cell_holds_the_mean_of_its_readings_of_all_sensors() -> None:
    values, mask = temperature(pane([reading(0.1, 20.0), reading(0.3, 24.0, "b")]))
    assert (values[0], mask[0]) == (22.0, 1.0)


def test_a_gap_is_bridged_in_a_straight_line() -> None:
    values, mask = temperature(pane([reading(0.25, 20.0), reading(5.25, 30.0)]))
    assert values[5] == pytest.approx(25.0)
    assert mask[:11] == [1.0] * 11


def test_a_gap_above_max_gap_is_carried_not_bridged() -> None:
    values, mask = temperature(pane([reading(0.25, 20.0), reading(5.75, 30.0)]))
    assert values[5] == 20.0
    assert mask[5] == pytest.approx(1 - 2.5 / CARRY)


def test_a_carried_value_fades_and_ends() -> None:
    fading = pane([frame(1.0)], [reading(-450.0 + 0.25, 19.0)])
    values, mask = temperature(fading)
    assert values[0] == 19.0
    assert mask[0] == pytest.approx(0.5)
    old = pane([frame(1.0)], [reading(-CARRY + 2.0, 19.0)])
    values, mask = temperature(old)
    assert values[0] == 19.0
    assert (values[-1], mask[-1]) == (0.0, 0.0)


def test_devices_that_are_carried_count_by_their_freshness() -> None:
    values, mask = temperature(
        pane([frame(1.0)], [reading(-89.75, 10.0, "a"), reading(-449.75, 25.0, "b")])
    )
    assert values[0] == pytest.approx((0.9 * 10 + 0.5 * 25) / 1.4)
    assert mask[0] == pytest.approx(0.9)


def test_the_reading_before_the_window_is_a_neighbour_on_the_left() -> None:
    values, mask = temperature(pane([reading(1.25, 22.0)], [reading(-1.75, 19.0)]))
    assert values[0] == pytest.approx(21.0)
    assert mask[0] == 1.0


def test_what_nobody_measured_is_zero_with_mask_zero() -> None:
    grid, mask = sensor_grid(pane([reading(1.0, 20.0)]), SPEC, max_gap=MAX_GAP, carry=CARRY)
    assert not grid[:, 1].any()
    assert not mask[:, 1].any()
    assert grid.dtype == mask.dtype == np.float32


def test_a_cell_between_neighbours_is_brought_to_its_middle() -> None:
    values, _ = temperature(pane([reading(0.0, 20.0), reading(0.5, 21.0), reading(1.0, 22.0)]))
    assert values[:2] == pytest.approx([20.5, 21.5])
    assert values[2] == 22.0


TIMES = st.lists(st.integers(0, 999).map(lambda n: n / 100), min_size=1, max_size=40, unique=True)


@given(TIMES, st.floats(-50, 120))
def test_a_constant_signal_gives_a_constant_grid_however_it_is_sampled(
    times: list[float], level: float
) -> None:
    values, mask = temperature(pane([reading(at, level) for at in times], [reading(-3, level)]))
    assert values == pytest.approx([level] * 20, rel=1e-6)
    assert all(0 < fresh <= 1 for fresh in mask)


@given(TIMES, st.floats(0, 5), st.floats(-20, 60), st.floats(-3, 3))
def test_a_linear_signal_gives_a_linear_grid_over_gaps_however_it_is_sampled(
    times: list[float], lead: float, level: float, slope: float
) -> None:
    def signal(at: float) -> float:
        return level + slope * at

    before = reading(-lead - 0.01, signal(-lead - 0.01))
    values, mask = temperature(pane([reading(at, signal(at)) for at in times], [before]))
    known = sorted([before.time, *times])
    for cell, value in enumerate(values):
        start, centre, end = cell / 2, cell / 2 + 0.25, cell / 2 + 0.5
        left = max((at for at in known if at < start), default=None)
        right = min((at for at in known if at >= end), default=None)
        inside = [at for at in known if start <= at < end]
        around = [at for at in (left, *inside, right) if at is not None]
        gaps = [after - at for at, after in pairwise(around)]
        if left is not None and right is not None and max(gaps) <= MAX_GAP:
            assert value == pytest.approx(signal(centre), rel=1e-6, abs=1e-6)
            assert mask[cell] == 1.0
