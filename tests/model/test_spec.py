"""The spec in a model's metadata: read, written, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge_fusion.errors import ContractError
from edge_fusion.model.spec import (
    DEFAULT_THRESHOLD,
    SPEC_KEY,
    ModelSpec,
    TensorInfo,
    check_tensors,
    parse_spec,
)

SPEC = ModelSpec(
    "indoor-hazard", 10.0, 20, ("temperature", "humidity"), 2, (160, 120), ("fire", "smoke"),
    {"fire": 0.6},
)  # fmt: skip


def spec_with(**changes: Any) -> dict[str, str]:
    return {SPEC_KEY: json.dumps(json.loads(SPEC.to_json()) | changes)}


def test_what_is_written_is_read() -> None:
    assert parse_spec({SPEC_KEY: SPEC.to_json()}) == SPEC


def test_a_label_without_a_threshold_has_the_default() -> None:
    assert (SPEC.threshold("fire"), SPEC.threshold("smoke")) == (0.6, DEFAULT_THRESHOLD)


def test_thresholds_may_be_left_out() -> None:
    raw = json.loads(SPEC.to_json())
    del raw["thresholds"]
    assert parse_spec({SPEC_KEY: json.dumps(raw)}).thresholds == {}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"version": 2}, "version is 2: expected 1"),
        ({"name": 5}, "name is 5"),
        ({"window_s": -1}, "window_s is -1"),
        ({"window_s": "10"}, "window_s is '10'"),
        ({"window_s": float("inf")}, "window_s is inf"),
        ({"steps": True}, "steps is True"),
        ({"steps": 0}, "steps is 0"),
        ({"quantities": "temperature"}, "quantities is"),
        ({"quantities": ["a", "a"]}, "quantities is"),
        ({"labels": []}, "labels is"),
        ({"labels": ["fire", "device"]}, 'expected labels other than "device"'),
        ({"image_size": [0, 5]}, "image_size is"),
        ({"image_size": 160}, "image_size is"),
        ({"thresholds": [0.5]}, "thresholds is"),
        ({"thresholds": {"fire": True}}, "thresholds.fire is True"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ContractError, match=complaint):
        parse_spec(spec_with(**changes))


@pytest.mark.parametrize("metadata", [{}, {SPEC_KEY: "no json"}, {SPEC_KEY: "5"}])
def test_what_is_no_spec_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(ContractError, match=SPEC_KEY):
        parse_spec(metadata)


def tensors(**shapes: tuple[int | str | None, ...]) -> tuple[list[TensorInfo], list[TensorInfo]]:
    known: dict[str, tuple[int | str | None, ...]] = {
        "image": ("N", 2, 160, 120, 3),
        "image_mask": ("N", 2),
        "sensors": ("N", 20, 2),
        "sensors_mask": ("N", 20, 2),
    }
    given = known | shapes
    inputs = [
        TensorInfo(name, "tensor(uint8)" if name == "image" else "tensor(float)", given[name])
        for name in known
    ]
    return inputs, [TensorInfo("scores", "tensor(float)", given.get("scores", ("N", 2)))]


def test_tensors_that_fit_pass_and_symbols_are_taken_on_trust() -> None:
    check_tensors(SPEC, *tensors())
    check_tensors(SPEC, *tensors(sensors=("N", "T", None), scores=(None, "K")))


@pytest.mark.parametrize(
    ("shapes", "complaint"),
    [
        ({"image": ("N", 2, 120, 160, 3)}, r'"image" has shape \[N, 2, 120, 160, 3\]: expected'),
        ({"sensors": ("N", 20)}, r'"sensors" has shape \[N, 20\]'),
        ({"sensors_mask": ("N", None, 3)}, r'"sensors_mask" has shape \[N, \?, 3\]'),
        ({"scores": (1, 2)}, "fixes its first dimension at 1"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    shapes: dict[str, tuple[int | str | None, ...]], complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        check_tensors(SPEC, *tensors(**shapes))
