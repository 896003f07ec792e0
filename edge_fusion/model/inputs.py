"""Pane + ModelSpec -> the arrays of the model contract; that of the readings is made in grid.py.

Frames: a row has `spec.frames` places at evenly spaced instants, the middles of equal parts of
the window. The frames that lie nearest to them in sum, in order and none twice, are taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import IMAGE, EventTime, Frame, ModelInputs, Pane, Window
from edge_fusion.model.spec import ModelSpec

Pictures = Mapping[tuple[str, EventTime], NDArray[np.uint8]]
"""Decoded frames, uint8 [H, W, 3] RGB, by camera and event time."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The frames chosen for one camera's row; None where there is none."""

    camera: str | None
    frames: tuple[Frame | None, ...]


def plan_rows(
    pane: Pane, spec: ModelSpec, unusable: Collection[tuple[str, EventTime]] = ()
) -> tuple[RowPlan, ...]:
    """Choose the frames of each camera's row; a site without a camera gives one row of none.

    `unusable` are frames (camera, event time) that could not be decoded. A pane without any
    event gives no row.
    """
    if not pane.lines:
        return ()
    instants = _instants(pane.window, spec.frames)
    return tuple(
        RowPlan(camera, _choose(_frames_of(pane, camera, unusable), instants))
        for camera in pane.cameras
    ) or (RowPlan(None, (None,) * spec.frames),)


def _instants(window: Window, count: int) -> list[float]:
    part = (window.end - window.start) / count
    return [window.start + part * (place + 0.5) for place in range(count)]


def _frames_of(pane: Pane, camera: str, unusable: Collection[tuple[str, EventTime]]) -> list[Frame]:
    return [each for each in pane.frames(camera) if (camera, each.time) not in unusable]


def _choose(frames: Sequence[Frame], instants: Sequence[float]) -> tuple[Frame | None, ...]:
    """Pair frames with instants, in order, at the least sum of distances; ties to the later."""
    times = [frame.time for frame in frames]
    nearest = [_nearest(times, instant) for instant in instants] if frames else []
    if all(one < other for one, other in pairwise(nearest)) and nearest:
        return tuple(frames[i] for i in nearest)
    if len(frames) >= len(instants):
        return tuple(frames[i] for i in _match(instants, times))
    places = _match(times, instants)
    chosen: list[Frame | None] = [None] * len(instants)
    for frame, place in zip(frames, places, strict=True):
        chosen[place] = frame
    return tuple(chosen)


def _nearest(times: Sequence[float], instant: float) -> int:
    """The index of the time nearest to an instant; of two as near, the later."""
    after = bisect_left(times, instant)
    if after == len(times) or (after and instant - times[after - 1] < times[after] - instant):
        return after - 1
    return after


def _match(few: Sequence[float], many: Sequence[float]) -> list[int]:
    """For each of `few` the index of its partner in `many`, increasing, at least total distance.

    The classic dynamic programme of sequence alignment: best[j] is the least cost of pairing
    the first i of `few` within the first j of `many`.
    """
    best = [0.0] * (len(many) + 1)
    took: list[list[bool]] = []
    for i, time in enumerate(few):
        row, take = [float("inf")] * (len(many) + 1), [False] * (len(many) + 1)
        for j in range(i + 1, len(many) + 1):
            cost = best[j - 1] + abs(many[j - 1] - time)
            take[j] = cost <= row[j - 1]
            row[j] = min(cost, row[j - 1])
        best = row
        took.append(take)
    partners, j = [], len(many)
    for take in reversed(took):
        while not take[j]:
            j -= 1
        partners.append(j - 1)
        j -= 1
    return partners[::-1]


def build_inputs(
    spec: ModelSpec,
    plans: Sequence[RowPlan],
    grid: tuple[NDArray[np.float32], NDArray[np.float32]],
    pictures: Pictures,
) -> ModelInputs:
    """The tensors of one pane: a row per plan, all with the site's one grid.

    `pictures` must hold every planned frame, uint8 [H, W, 3] of `spec.image_size`.
    """
    height, width = spec.image_size
    image = np.empty((len(plans), spec.frames, height, width, 3), np.uint8)
    image_mask = np.zeros((len(plans), spec.frames), np.float32)
    for row, plan in enumerate(plans):
        for place, frame in enumerate(plan.frames):
            if frame is None:
                image[row, place] = 0
            else:
                image[row, place] = pictures[frame.camera, frame.time]
                image_mask[row, place] = 1.0
    values, freshness = grid
    rows = len(plans)
    return ModelInputs(
        image, image_mask, values[None].repeat(rows, axis=0), freshness[None].repeat(rows, axis=0)
    )


def zeros(spec: ModelSpec, rows: int) -> ModelInputs:
    """Inputs of `rows` rows in which everything is missing."""
    height, width = spec.image_size
    grid = (rows, spec.steps, len(spec.quantities))
    return ModelInputs(
        image=np.zeros((rows, spec.frames, height, width, 3), np.uint8),
        image_mask=np.zeros((rows, spec.frames), np.float32),
        sensors=np.zeros(grid, np.float32),
        sensors_mask=np.zeros(grid, np.float32),
    )


def concatenate(parts: Iterable[ModelInputs]) -> ModelInputs:
    """The rows of several panes in one batch, in the order given."""
    every = list(parts)
    if len(every) == 1:
        return every[0]
    return ModelInputs(
        image=np.concatenate([part.image for part in every]),
        image_mask=np.concatenate([part.image_mask for part in every]),
        sensors=np.concatenate([part.sensors for part in every]),
        sensors_mask=np.concatenate([part.sensors_mask for part in every]),
    )


def take_rows(inputs: ModelInputs, rows: slice) -> ModelInputs:
    """Some rows of a batch, without a copy."""
    return ModelInputs(
        inputs.image[rows], inputs.image_mask[rows], inputs.sensors[rows], inputs.sensors_mask[rows]
    )


def without(inputs: ModelInputs, spec: ModelSpec, name: str) -> ModelInputs:
    """The same rows as if one input had been missing: a quantity of the spec, or "image"."""
    if name == IMAGE:
        return ModelInputs(
            np.zeros_like(inputs.image),
            np.zeros_like(inputs.image_mask),
            inputs.sensors,
            inputs.sensors_mask,
        )
    column = spec.quantities.index(name)
    sensors, mask = inputs.sensors.copy(), inputs.sensors_mask.copy()
    sensors[:, :, column] = 0.0
    mask[:, :, column] = 0.0
    return ModelInputs(inputs.image, inputs.image_mask, sensors, mask)
