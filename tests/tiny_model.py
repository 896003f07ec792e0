"""A model of somebody's own, built by hand: it keeps the contract, and its verdicts are plain.

"hot" is how far the mean temperature lies from 20 towards 40 °C, "bright" the mean brightness of
the pictures; both are 0 where their input is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from edge_fusion.model.spec import SPEC_KEY, ModelSpec

SPEC = ModelSpec(
    name="greenhouse",
    window_s=4.0,
    steps=8,
    quantities=("temperature", "co2"),
    frames=1,
    image_size=(32, 48),
    labels=("hot", "bright"),
    thresholds={"hot": 0.6, "bright": 0.8},
)


def build(spec: ModelSpec = SPEC, **changes: Any) -> onnx.ModelProto:
    """The model; `changes` break it: batch (a fixed N), image_type, spec_json, output (a name),
    and fails_on_pictures or hangs_on_pictures, which make it fail at run time, or never come to an
    end, where there is one.
    """
    n = changes.get("batch", "N")
    pixel = changes.get("image_type", TensorProto.UINT8)
    height, width = spec.image_size
    grid = [n, spec.steps, len(spec.quantities)]
    inputs = [
        helper.make_tensor_value_info(
            "image",
            pixel,
            [n, spec.frames, height, width, 3],
        ),
        helper.make_tensor_value_info("image_mask", TensorProto.FLOAT, [n, spec.frames]),
        helper.make_tensor_value_info("sensors", TensorProto.FLOAT, grid),
        helper.make_tensor_value_info("sensors_mask", TensorProto.FLOAT, grid),
    ]
    output = changes.get("output", "scores")
    scores = helper.make_tensor_value_info(output, TensorProto.FLOAT, [n, len(spec.labels)])
    nodes = _nodes(output, "setpoint" if changes.get("hangs_on_pictures") else "twenty")
    if changes.get("fails_on_pictures"):
        nodes = [*_trap(), *nodes]
    if changes.get("hangs_on_pictures"):
        nodes = [*_treadmill(), *nodes]
    graph = helper.make_graph(nodes, "greenhouse", inputs, [scores], _constants())
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if (text := changes.get("spec_json", spec.to_json())) is not None:
        helper.set_model_props(model, {SPEC_KEY: text})
    return model


def write(path: Path, **changes: Any) -> Path:
    onnx.save(build(**changes), path)
    return path


def _nodes(output: str, setpoint: str) -> list[Any]:
    node = helper.make_node
    return [
        node("Slice", ["sensors", "first", "second", "channels"], ["temperature"]),
        node("Slice", ["sensors_mask", "first", "second", "channels"], ["fresh"]),
        node("Sign", ["fresh"], ["known"]),
        node("ReduceSum", ["temperature", "not_rows"], ["total"], keepdims=0),
        node("ReduceSum", ["known", "not_rows"], ["count"], keepdims=0),
        node("Max", ["count", "one"], ["at_least_one"]),
        node("Div", ["total", "at_least_one"], ["mean"]),
        node("Sub", ["mean", setpoint], ["above"]),
        node("Div", ["above", "twenty"], ["hot_raw"]),
        node("Clip", ["hot_raw", "zero", "one"], ["hot"]),
        node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        node("ReduceMean", ["pixels", "not_rows_of_image"], ["brightness"], keepdims=0),
        node("Div", ["brightness", "white"], ["bright"]),
        node("Unsqueeze", ["hot", "columns"], ["hot_column"]),
        node("Unsqueeze", ["bright", "columns"], ["bright_column"]),
        node("Concat", ["hot_column", "bright_column"], [output], axis=1),
    ]


def _trap() -> list[Any]:
    """Looks up a place that is there only while no frame is."""
    node = helper.make_node
    return [
        node("Cast", ["image_mask"], ["place"], to=TensorProto.INT64),
        node("Gather", ["columns", "place"], ["nothing"]),
    ]


def _treadmill() -> list[Any]:
    """Turns round for ever, unless no frame is there."""
    node = helper.make_node
    step = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", ["on"], ["still_on"]), node("Add", ["v", "zero"], ["v_next"])],
        "step",
        [
            step("turn", TensorProto.INT64, []),
            step("on", TensorProto.BOOL, []),
            step("v", TensorProto.FLOAT, []),
        ],
        [step("still_on", TensorProto.BOOL, []), step("v_next", TensorProto.FLOAT, [])],
    )
    return [
        node("ReduceMax", ["image_mask"], ["any_picture"], keepdims=0),
        node("Mul", ["any_picture", "for_ever"], ["turns_as_float"]),
        node("Cast", ["turns_as_float"], ["turns"], to=TensorProto.INT64),
        node("Loop", ["turns", "", "zero"], ["weary"], body=body),
        node("Add", ["weary", "twenty"], ["setpoint"]),
    ]


def _constants() -> list[Any]:
    def whole(name: str, values: list[int]) -> Any:
        return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)

    def number(name: str, value: float) -> Any:
        return helper.make_tensor(name, TensorProto.FLOAT, [], [value])

    return [
        whole("first", [0]), whole("second", [1]), whole("channels", [2]),
        whole("not_rows", [1, 2]), whole("not_rows_of_image", [1, 2, 3, 4]), whole("columns", [1]),
        number("zero", 0.0), number("one", 1.0), number("twenty", 20.0), number("white", 255.0),
        number("for_ever", 1e18),
    ]  # fmt: skip
