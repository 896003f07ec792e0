"""In which type a model keeps its weights."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_model
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edge_fusion.config.keys import shipped_model
from edge_fusion.model.precision import precision


def of(*weights: NDArray[np.generic]) -> str:
    tensors = [numpy_helper.from_array(each, f"w{n}") for n, each in enumerate(weights)]
    graph = helper.make_graph([], "weights", [], [], tensors)
    return precision(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(np.float32, "float32"), (np.float16, "float16"), (np.int8, "int8"), (np.uint8, "uint8")],
)
def test_the_type_of_most_weights_counts(dtype: type[np.generic], name: str) -> None:
    assert of(np.zeros(1000, dtype), np.zeros(4, np.float64), np.zeros(9999, np.int64)) == name


def test_without_weights_it_is_what_the_tensors_are() -> None:
    assert precision(tiny_model.build().SerializeToString()) == "float32"
    assert of() == "float32"


def test_the_shipped_model_is_known() -> None:
    assert precision(shipped_model("indoor-hazard").read_bytes()) in {"float32", "int8"}
