"""ModelSpec: the contract that an ONNX file states in its own metadata.

`metadata_props["edge_fusion.spec"]` holds JSON, read by `parse_spec`; the tensors of the graph
are compared with it by `check_tensors`. Both raise `ContractError` with what is wrong and what
was expected, so that a bad file is refused at start-up and never guessed at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_fusion.errors import ContractError
from edge_fusion.events import DEVICE

SPEC_KEY = "edge_fusion.spec"
SPEC_VERSION = 1
DEFAULT_THRESHOLD = 0.5
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model takes and gives.

    window_s: seconds a window lasts; steps: T cells of its grid; quantities: the C channels of
    the grid; frames: F pictures a row; image_size: (H, W) pixels; labels: the K scores;
    thresholds: per label, from which score on the model would raise an alarm.
    """

    name: str
    window_s: float
    steps: int
    quantities: tuple[str, ...]
    frames: int
    image_size: tuple[int, int]
    labels: tuple[str, ...]
    thresholds: Mapping[str, float]

    def threshold(self, label: str) -> float:
        return self.thresholds.get(label, DEFAULT_THRESHOLD)

    def to_json(self) -> str:
        """The text that belongs under `edge_fusion.spec`."""
        return json.dumps(
            {
                "version": SPEC_VERSION,
                "name": self.name,
                "window_s": self.window_s,
                "steps": self.steps,
                "quantities": list(self.quantities),
                "frames": self.frames,
                "image_size": list(self.image_size),
                "labels": list(self.labels),
                "thresholds": dict(self.thresholds),
            }
        )


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Name, element type as onnxruntime prints it, and shape (str or None where dynamic)."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]


def parse_spec(metadata: Mapping[str, str]) -> ModelSpec:
    """Read the spec out of a model's metadata; raises ContractError."""
    text = metadata.get(SPEC_KEY)
    if text is None:
        raise ContractError(
            f'metadata has no "{SPEC_KEY}": expected the JSON of the model contract'
        )
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ContractError(f'"{SPEC_KEY}" is not JSON: {error}') from None
    if not isinstance(raw, dict):
        raise ContractError(f'"{SPEC_KEY}" is a JSON {type(raw).__name__}: expected an object')
    if raw.get("version") != SPEC_VERSION:
        raise ContractError(
            f'"{SPEC_KEY}".version is {raw.get("version")!r}: expected {SPEC_VERSION}'
        )
    labels = _labels(raw)
    return ModelSpec(
        name=_name(raw),
        window_s=_positive(raw, "window_s"),
        steps=_count(raw, "steps"),
        quantities=_names(raw, "quantities"),
        frames=_count(raw, "frames"),
        image_size=_image_size(raw),
        labels=labels,
        thresholds=_thresholds(raw, labels),
    )


def check_tensors(
    spec: ModelSpec, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]
) -> None:
    """Compare a graph's inputs and outputs with its spec; raises ContractError."""
    height, width = spec.image_size
    grid = (spec.steps, len(spec.quantities))
    _check_side(
        "input",
        inputs,
        (
            TensorInfo("image", "tensor(uint8)", ("N", spec.frames, height, width, 3)),
            TensorInfo("image_mask", "tensor(float)", ("N", spec.frames)),
            TensorInfo("sensors", "tensor(float)", ("N", *grid)),
            TensorInfo("sensors_mask", "tensor(float)", ("N", *grid)),
        ),
    )
    _check_side(
        "output", outputs, (TensorInfo("scores", "tensor(float)", ("N", len(spec.labels))),)
    )


def _check_side(side: str, found: Sequence[TensorInfo], expected: Sequence[TensorInfo]) -> None:
    names = {tensor.name for tensor in found}
    wanted = {tensor.name for tensor in expected}
    if names != wanted:
        raise ContractError(f"{side}s are {sorted(names)}: expected {sorted(wanted)}")
    by_name = {tensor.name: tensor for tensor in found}
    for want in expected:
        _check_tensor(side, by_name[want.name], want)


def _check_tensor(side: str, found: TensorInfo, want: TensorInfo) -> None:
    if found.type != want.type:
        raise ContractError(f'{side} "{want.name}" is {found.type}: expected {want.type}')
    if found.shape and isinstance(found.shape[0], int):
        raise ContractError(
            f'{side} "{want.name}" fixes its first dimension at {found.shape[0]}: '
            "expected a dynamic N (export with dynamic_shapes and an example batch of 2)"
        )
    # A dimension left symbolic in the file is allowed: the spec says what is fed.
    fits = len(found.shape) == len(want.shape) and all(
        not isinstance(have, int) or have == need
        for have, need in zip(found.shape[1:], want.shape[1:], strict=True)
    )
    if not fits:
        raise ContractError(
            f'{side} "{want.name}" has shape {_shape(found.shape)}: expected {_shape(want.shape)}'
        )


def _shape(shape: tuple[int | str | None, ...]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _wrong(key: str, found: object, expected: str) -> ContractError:
    return ContractError(f'"{SPEC_KEY}".{key} is {found!r}: expected {expected}')


def _name(raw: Mapping[str, Any]) -> str:
    name = raw.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong("name", name, "1 to 64 letters, digits, _ . -")
    return name


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _positive(raw: Mapping[str, Any], key: str) -> float:
    value = raw.get(key)
    if not _number(value) or not 0 < value < float("inf"):  # type: ignore[operator]
        raise _wrong(key, value, "a number above 0")
    return float(value)  # type: ignore[arg-type]


def _count(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(key, value, "a whole number from 1")
    return value


def _names(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in value)
        or len(set(value)) != len(value)
    ):
        raise _wrong(key, value, "a list of different names (letters, digits, _ . -)")
    return tuple(value)


def _labels(raw: Mapping[str, Any]) -> tuple[str, ...]:
    labels = _names(raw, "labels")
    if DEVICE in labels:
        text = f'labels other than "{DEVICE}": that is what trouble with devices is called'
        raise _wrong("labels", list(labels), text)
    return labels


def _image_size(raw: Mapping[str, Any]) -> tuple[int, int]:
    value = raw.get("image_size")
    if (
        not isinstance(value, list)
        or len(value) != 2  # noqa: PLR2004 - height and width
        or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in value)
    ):
        raise _wrong("image_size", value, "[height, width] in pixels")
    return value[0], value[1]


def _thresholds(raw: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, float]:
    value = raw.get("thresholds", {})
    if not isinstance(value, dict) or not set(value) <= set(labels):
        raise _wrong("thresholds", value, f"numbers for labels among {list(labels)}")
    for label, number in value.items():
        if not _number(number) or not 0 < number < 1:
            raise _wrong(f"thresholds.{label}", number, "a number between 0 and 1")
    return {label: float(number) for label, number in value.items()}
