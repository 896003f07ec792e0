"""Tensors in other files, wherever in a model they hide."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import tiny_model
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, ModelProto, TensorProto, helper

from edge_fusion.model.external import external_tensor


def elsewhere(name: str = "weights") -> TensorProto:
    tensor = helper.make_tensor(name, TensorProto.FLOAT, [2], [1.0, 2.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    return tensor


def branch(tensor: TensorProto) -> Any:
    output = helper.make_tensor_value_info("weights", TensorProto.FLOAT, [2])
    return helper.make_graph([], "branch", [], [output], [tensor])


def in_initializer(model: ModelProto) -> None:
    model.graph.initializer.append(elsewhere())


def in_sparse_initializer(model: ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(elsewhere())


def in_constant(model: ModelProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=elsewhere()))


def in_list_of_an_attribute(model: ModelProto) -> None:
    attribute = model.graph.node.add().attribute.add(name="a", type=AttributeProto.TENSORS)
    attribute.tensors.append(elsewhere())


def in_branch(model: ModelProto) -> None:
    then, other = branch(elsewhere()), branch(elsewhere())
    model.graph.node.append(
        helper.make_node("If", ["c"], ["x"], then_branch=then, else_branch=other)
    )


def in_function(model: ModelProto) -> None:
    function = model.functions.add(name="f", domain="d")
    function.node.append(helper.make_node("Constant", [], ["c"], value=elsewhere()))


def in_training(model: ModelProto) -> None:
    model.training_info.add().initialization.CopyFrom(branch(elsewhere()))


HIDING = [
    in_initializer,
    in_sparse_initializer,
    in_constant,
    in_list_of_an_attribute,
    in_branch,
    in_function,
    in_training,
]


@pytest.mark.parametrize("hide", HIDING, ids=lambda hide: hide.__name__)
def test_a_tensor_in_another_file_is_found(hide: Callable[[ModelProto], None]) -> None:
    model = tiny_model.build()
    assert external_tensor(model.SerializeToString()) is None
    hide(model)
    assert external_tensor(model.SerializeToString()) == "weights"


def message(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return bytes([number << 3 | 2, len(content)]) + content


@pytest.mark.parametrize(
    "location", ["70 01", "f0 00 81 00", "f0 80 80 80 10 01", "70 81 80 80 80 10"]
)
def test_it_does_not_hide_behind_an_odd_encoding(location: str) -> None:
    """Field 14 with the value 1: short, with idle bytes, and with more bits than either has."""
    tensor = message(8, b"weights") + bytes.fromhex(location)
    assert external_tensor(message(7, message(5, tensor))) == "weights"


@given(content=st.binary(max_size=200))
def test_bytes_of_any_kind_are_judged_or_said_to_be_no_protocol_buffer(content: bytes) -> None:
    with suppress(ValueError):
        external_tensor(content)
