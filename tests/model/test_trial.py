"""Models that break their promise at run time are found out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_fusion.events import ModelInputs
from edge_fusion.model.spec import ModelSpec
from edge_fusion.model.trial import first_fault

SPEC = ModelSpec("test", 10.0, 4, ("temperature",), 1, (4, 6), ("smoke", "fire"), {})
Answer = Callable[[ModelInputs], NDArray[np.float32]]


class Model:
    """A model that answers as it is told."""

    spec = SPEC

    def __init__(self, answer: Answer) -> None:
        self.infer = answer


def constant(inputs: ModelInputs, value: float = 0.5) -> NDArray[np.float32]:
    return np.full((len(inputs.image), 2), value, np.float32)


def mixing(inputs: ModelInputs) -> NDArray[np.float32]:
    return np.full((len(inputs.image), 2), inputs.sensors_mask.mean(), np.float32)


def test_a_model_that_keeps_its_promise_has_no_fault() -> None:
    assert first_fault(Model(constant)) is None


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda inputs: constant(inputs)[:, :1], "have shape"),
        (lambda inputs: constant(inputs, np.nan), "are not all finite"),
        (lambda inputs: constant(inputs, 1.5), "reach from 1.5 to 1.5"),
        (lambda inputs: constant(inputs, -0.1), "expected 0 to 1"),
        (mixing, "differ from the scores of the same rows alone"),
    ],
)
def test_a_fault_is_told_in_words(answer: Answer, fault: str) -> None:
    assert fault in str(first_fault(Model(answer)))
