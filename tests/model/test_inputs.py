"""Grid, carry, masks and chosen frames."""

from __future__ import annotations

from collections.abc import Sequence

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
from edge_fusion.model.inputs import (
    RowPlan,
    build_inputs,
    concatenate,
    plan_rows,
    take_rows,
    without,
)
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


def chosen(times: Sequence[float], frames: int = 2) -> list[float | None]:
    spec = ModelSpec("test", 10.0, 20, ("temperature",), frames, (4, 6), ("smoke",), {})
    of = pane([frame(at) for at in times], cameras=["cam"])
    (plan,) = plan_rows(of, spec)
    return [None if one is None else one.time for one in plan.frames]


def test_frames_nearest_to_evenly_spaced_instants_are_chosen() -> None:
    assert chosen([0, 1, 2.4, 3, 6, 7.4, 9]) == [2.4, 7.4]


def test_of_two_frames_equally_near_the_later_is_chosen() -> None:
    assert chosen([2.0, 3.0, 7.0, 8.0]) == [3.0, 8.0]


def test_no_frame_is_chosen_twice_and_their_order_is_kept() -> None:
    assert chosen([7.5, 9.0]) == [7.5, 9.0]
    assert chosen([7.5]) == [None, 7.5]
    assert chosen([1.0]) == [1.0, None]


@given(st.lists(st.integers(0, 999).map(lambda n: n / 100), unique=True, min_size=1, max_size=12))
def test_the_choice_is_the_best_of_all_choices(times: list[float]) -> None:
    from itertools import combinations  # noqa: PLC0415

    places = [5 / 3, 5.0, 25 / 3]
    found = chosen(sorted(times), 3)
    pairs = [(t, p) for t, p in zip(found, places, strict=True) if t is not None]
    assert len(pairs) == min(3, len(times))
    best = min(
        (
            sum(abs(t - p) for t, p in zip(picked, at, strict=True))
            for picked in combinations(sorted(times), len(pairs))
            for at in combinations(places, len(pairs))
        ),
        default=0.0,
    )
    assert sum(abs(t - p) for t, p in pairs) == pytest.approx(best)


def test_one_row_per_camera_and_one_without_any() -> None:
    two = pane([frame(1.0, "a")], cameras=["a", "b"])
    assert [plan.camera for plan in plan_rows(two, SPEC)] == ["a", "b"]
    assert plan_rows(pane([reading(1.0, 20.0)]), SPEC) == (RowPlan(None, (None, None)),)


def test_a_window_in_which_nothing_arrived_gives_no_row() -> None:
    assert plan_rows(pane([], [reading(-1.0, 20.0)], ["cam"]), SPEC) == ()


def test_a_frame_that_is_no_picture_gives_its_place_to_the_next_best() -> None:
    of = pane([frame(2.5), frame(3.0), frame(7.5)], cameras=["cam"])
    (plan,) = plan_rows(of, SPEC, {("cam", EventTime(2.5))})
    assert [one.time for one in plan.frames if one is not None] == [3.0, 7.5]


def test_the_tensors_have_the_shapes_of_the_contract() -> None:
    of = pane([reading(1.0, 20.0), frame(2.0), frame(8.0, "b")], cameras=["b", "cam"])
    grid = sensor_grid(of, SPEC, max_gap=MAX_GAP, carry=CARRY)
    picture = np.full((4, 6, 3), 7, np.uint8)
    pictures = {("cam", EventTime(2.0)): picture, ("b", EventTime(8.0)): picture + 1}
    inputs = build_inputs(SPEC, plan_rows(of, SPEC), grid, pictures)
    assert inputs.image.shape == (2, 2, 4, 6, 3)
    assert inputs.image[0, 1].max() == 8
    assert inputs.image_mask.tolist() == [[0, 1], [1, 0]]
    assert inputs.sensors.shape == inputs.sensors_mask.shape == (2, 20, 2)
    assert np.array_equal(inputs.sensors[0], inputs.sensors[1])
    twice = concatenate([inputs, inputs])
    assert len(twice.image) == 4
    assert np.array_equal(take_rows(twice, slice(2, 4)).image, inputs.image)


def test_a_masked_input_is_gone_and_the_others_stay() -> None:
    of = pane(
        [reading(1.0, 20.0), reading(1.0, 50.0, quantity="humidity"), frame(2.0)], (), ["cam"]
    )
    grid = sensor_grid(of, SPEC, max_gap=MAX_GAP, carry=CARRY)
    picture = {("cam", EventTime(2.0)): np.full((4, 6, 3), 9, np.uint8)}
    inputs = build_inputs(SPEC, plan_rows(of, SPEC), grid, picture)
    dry = without(inputs, SPEC, "humidity")
    assert not dry.sensors[:, :, 1].any()
    assert not dry.sensors_mask[:, :, 1].any()
    assert dry.sensors_mask[:, :, 0].any()
    dark = without(inputs, SPEC, "image")
    assert not dark.image.any()
    assert not dark.image_mask.any()
    assert inputs.image_mask.any()
