"""Scoring: a pane in, scores out, by way of decoded frames, tensors and one inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import (
    IMAGE,
    EventTime,
    Frame,
    Invalid,
    InvalidReason,
    ModelInputs,
    Pane,
    Row,
    Scores,
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

Picture = NDArray[np.uint8]
FrameKey = tuple[str, EventTime]
WHITE = 255


class Model(Protocol):
    """What scoring needs of a loaded model; called by one thread only."""

    @property
    def spec(self) -> ModelSpec: ...

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]: ...


DecodeFrames = Callable[[Sequence[Frame], tuple[int, int]], list[Picture | None]]
"""Decodes frames to RGB [H, W, 3] of the size (H, W); None for each that is no picture."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a pane, the inputs they came from, and the frames that were no pictures."""

    scores: Scores
    inputs: ModelInputs | None
    undecodable: tuple[Invalid, ...]


class Scorer:
    """Turns panes into scores with one model.

    `max_gap` and `carry` are seconds; `max_batch` bounds the rows of one inference.
    """

    def __init__(
        self,
        model: Model,
        decode: DecodeFrames,
        *,
        max_gap: float,
        carry: float,
        max_batch: int,
    ) -> None:
        self._model = model
        self._decode = decode
        self._max_gap = max_gap
        self._carry = carry
        self._max_batch = max_batch

    @property
    def spec(self) -> ModelSpec:
        return self._model.spec

    def score(self, pane: Pane) -> Scored:
        """Score one pane. Raises ModelError when the model fails at run time.

        Panes are never inferred together: the last digits of a score depend on how many rows
        share an inference (a product with one row is another routine), and a score must depend on
        its pane alone.
        """
        plans, pictures, undecodable = self._pictures(pane)
        if not plans:
            return Scored(Scores(pane, ()), None, undecodable)
        grid = sensor_grid(pane, self.spec, max_gap=self._max_gap, carry=self._carry)
        inputs = build_inputs(self.spec, plans, grid, pictures)
        rows = zip(plans, self._infer(inputs), strict=True)
        return Scored(
            Scores(pane, tuple(self._row(plan, scores, pictures) for plan, scores in rows)),
            inputs,
            undecodable,
        )

    def contributions(self, inputs: ModelInputs, row: int, label: str) -> dict[str, float]:
        """The drop in a row's score of `label` when one input is masked, per input it has."""
        own = take_rows(inputs, slice(row, row + 1))
        names = [name for name in (IMAGE, *self.spec.quantities) if self._present(own, name)]
        variants = [own, *(without(own, self.spec, name) for name in names)]
        column = self.spec.labels.index(label)
        scores = self._infer(concatenate(variants))[:, column]
        return {
            name: float(scores[0] - masked) for name, masked in zip(names, scores[1:], strict=True)
        }

    def _pictures(
        self, pane: Pane
    ) -> tuple[tuple[RowPlan, ...], Mapping[FrameKey, Picture], tuple[Invalid, ...]]:
        """Choose and decode frames; where one is no picture, the next best takes its place."""
        pictures: dict[FrameKey, Picture] = {}
        bad: dict[FrameKey, Invalid] = {}
        while True:
            plans = plan_rows(pane, self.spec, bad.keys())
            wanted = [
                frame
                for plan in plans
                for frame in plan.frames
                if frame is not None and _key(frame) not in pictures
            ]
            if not wanted:
                return plans, pictures, tuple(bad.values())
            decoded = self._decode(wanted, self.spec.image_size)
            for frame, picture in zip(wanted, decoded, strict=True):
                if picture is None:
                    bad[_key(frame)] = _undecodable(frame)
                else:
                    pictures[_key(frame)] = picture

    def _infer(self, inputs: ModelInputs) -> NDArray[np.float32]:
        rows = len(inputs.image_mask)
        parts = [
            self._model.infer(take_rows(inputs, slice(first, first + self._max_batch)))
            for first in range(0, rows, self._max_batch)
        ]
        return np.concatenate(parts)

    def _row(
        self, plan: RowPlan, scores: NDArray[np.float32], pictures: Mapping[FrameKey, Picture]
    ) -> Row:
        # A model may be anybody's: what is no probability is no verdict either.
        known = {
            label: min(1.0, max(0.0, float(score)))
            for label, score in zip(self.spec.labels, scores, strict=True)
            if np.isfinite(score)
        }
        frames = tuple(frame for frame in plan.frames if frame is not None)
        seen = [float(pictures[_key(frame)].mean()) for frame in frames]
        return Row(plan.camera, frames, known, max(seen) / WHITE if seen else None)

    def _present(self, inputs: ModelInputs, name: str) -> bool:
        if name == IMAGE:
            return bool(inputs.image_mask.any())
        return bool(inputs.sensors_mask[:, :, self.spec.quantities.index(name)].any())


def _key(frame: Frame) -> FrameKey:
    return frame.camera, frame.time


def _undecodable(frame: Frame) -> Invalid:
    return Invalid(
        topic=f"{frame.site}/{frame.camera}",
        reason=InvalidReason.UNDECODABLE_IMAGE,
        detail=f"{len(frame.image)} bytes that are no complete picture",
        site=frame.site,
        source=frame.camera,
    )
