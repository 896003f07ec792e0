from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_fusion.training.dataset import (
    LABELS,
    SPEC,
    Split,
    View,
    Windows,
    join,
    load,
    save,
    seen_as,
    windows_of,
)


@pytest.fixture(scope="module")
def some() -> Windows:
    found = [windows_of(Split.TEST.value + place) for place in range(8)]
    return join([windows for windows in found if windows is not None])


def test_rows_have_the_shapes_and_types_of_the_contract(some: Windows) -> None:
    rows = len(some)
    assert some.inputs.image.shape == (rows, SPEC.frames, *SPEC.image_size, 3)
    assert some.inputs.image.dtype == np.uint8
    assert some.inputs.sensors.shape == (rows, SPEC.steps, len(SPEC.quantities))
    assert some.inputs.sensors.dtype == some.inputs.sensors_mask.dtype == np.float32
    assert some.truth.shape == (rows, len(LABELS))


def test_the_same_seed_gives_the_same_windows() -> None:
    one, two = windows_of(Split.TRAIN.value + 3), windows_of(Split.TRAIN.value + 3)
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.inputs.image, two.inputs.image)
    np.testing.assert_array_equal(one.inputs.sensors, two.inputs.sensors)
    np.testing.assert_array_equal(one.truth, two.truth)


def test_splits_lie_too_far_apart_to_share_an_episode() -> None:
    starts = sorted(split.value for split in Split)
    assert (np.diff(starts) >= 1_000_000).all()


def test_a_missing_frame_is_black_and_a_missing_cell_zero(some: Windows) -> None:
    inputs = some.inputs
    assert not inputs.image[inputs.image_mask == 0].any()
    assert not inputs.sensors[inputs.sensors_mask == 0].any()


def test_values_are_those_of_rooms(some: Windows) -> None:
    known = some.inputs.sensors_mask > 0
    temperature, humidity = some.inputs.sensors[:, :, 0], some.inputs.sensors[:, :, 1]
    assert (temperature[known[:, :, 0]] > -5).all()
    assert (humidity[known[:, :, 1]] <= 100).all()


def test_no_row_is_without_any_input_but_truth_has_both_sides(some: Windows) -> None:
    has = some.inputs.image_mask.any(1) | some.inputs.sensors_mask.any((1, 2))
    assert has.all()
    assert set(np.unique(some.truth)) == {0.0, 1.0}


def test_a_view_masks_what_it_does_not_show(some: Windows) -> None:
    pictures = seen_as(some.inputs, View.IMAGE_ONLY)
    assert not pictures.sensors_mask.any()
    np.testing.assert_array_equal(pictures.image, some.inputs.image)
    numbers = seen_as(some.inputs, View.SENSORS_ONLY)
    assert not numbers.image_mask.any()
    assert not numbers.image.any()
    np.testing.assert_array_equal(numbers.sensors, some.inputs.sensors)
    assert seen_as(some.inputs, View.FULL) is some.inputs


def test_what_is_saved_is_what_is_loaded(some: Windows, tmp_path: Path) -> None:
    few = some.take(np.array([0, 2]))
    save(few, tmp_path / "work" / "few.npz")
    again = load(tmp_path / "work" / "few.npz")
    np.testing.assert_array_equal(again.inputs.image, few.inputs.image)
    np.testing.assert_array_equal(again.truth, few.truth)
    assert list(again.scenario) == list(few.scenario)
