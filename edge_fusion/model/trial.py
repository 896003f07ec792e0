"""Whether a model does what its contract promises: tried out, not read."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import ModelInputs
from edge_fusion.model.inputs import take_rows, zeros
from edge_fusion.model.spec import ModelSpec

BATCHES = (1, 2, 7)
# Graphics cards add up in other orders for other batches; an error of indexing is far larger.
_TOLERANCE = 1e-3


class Scorer(Protocol):
    """What can be tried: `edge_fusion.io.onnx.OnnxModel`, for one."""

    @property
    def spec(self) -> ModelSpec: ...

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]: ...


def first_fault(model: Scorer) -> str | None:
    """Score nothing (zeros) and noise in batches of 1, 2 and 7 rows; None if all is well.

    Checked are the shape [N, K], that scores are finite and within 0 to 1, and that the score
    of a row does not depend on the other rows of its batch. Raises ModelError when inference
    fails.
    """
    for name, inputs in (("zeros", zeros(model.spec, BATCHES[-1])), ("noise", _noise(model.spec))):
        alone = [model.infer(take_rows(inputs, slice(row, row + 1))) for row in range(BATCHES[-1])]
        for rows in BATCHES:
            scores = model.infer(take_rows(inputs, slice(0, rows)))
            fault = _fault(scores, (rows, len(model.spec.labels)))
            if fault is None and not np.allclose(
                scores, np.concatenate(alone[:rows]), rtol=0, atol=_TOLERANCE
            ):
                fault = "differ from the scores of the same rows alone: expected the same"
            if fault is not None:
                return f"scores of {rows} rows of {name} {fault}"
    return None


def _fault(scores: NDArray[np.float32], shape: tuple[int, int]) -> str | None:
    if scores.shape != shape:
        return f"have shape {list(scores.shape)}: expected {list(shape)}"
    if not np.isfinite(scores).all():
        return "are not all finite: expected numbers from 0 to 1"
    if scores.min() < 0 or scores.max() > 1:
        return f"reach from {scores.min():.3g} to {scores.max():.3g}: expected 0 to 1"
    return None


def _noise(spec: ModelSpec) -> ModelInputs:
    rows = BATCHES[-1]
    images = (rows, spec.frames, *spec.image_size, 3)
    grid = (rows, spec.steps, len(spec.quantities))
    random = np.random.default_rng(0)
    return ModelInputs(
        image=random.integers(0, 256, images, np.uint8),
        image_mask=random.integers(0, 2, images[:2]).astype(np.float32),
        sensors=random.uniform(0, 50, grid).astype(np.float32),
        sensors_mask=random.uniform(0, 1, grid).astype(np.float32),
    )
