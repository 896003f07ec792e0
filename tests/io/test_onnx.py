"""Model files: what is loaded, what is refused and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny_model
from onnx import TensorProto, helper, numpy_helper

from edge_fusion.errors import ContractError, ModelError, ProviderUnavailable
from edge_fusion.events import ModelInputs
from edge_fusion.io.onnx import load_model
from edge_fusion.model.inputs import zeros

SPEC = tiny_model.SPEC


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tiny_model.write(tmp_path / "model.onnx")


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_any_file_that_keeps_the_contract_runs_with_any_number_of_rows(
    path: Path, rows: int
) -> None:
    model = load_model(path)
    assert model.spec == SPEC
    assert (model.provider, model.fallback) == ("CPU", False)
    inputs = zeros(SPEC, rows)
    inputs.sensors[:, :, 0] = 30.0
    inputs.sensors_mask[:, :, 0] = 1.0
    inputs.image[:] = 51
    scores = model.infer(inputs)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(np.tile([0.5, 0.2], (rows, 1)))


def test_a_missing_file_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: No such file.*expected a readable ONNX"):
        load_model(tmp_path / "gone.onnx")


def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"this is a picture of a cat")
    with pytest.raises(ModelError, match="not a usable ONNX file"):
        load_model(path)


def test_another_digest_than_the_one_configured_is_refused(path: Path) -> None:
    load_model(path, sha256=load_model(path).sha256.upper())
    with pytest.raises(ModelError, match=r"sha256 is .* expected 0000"):
        load_model(path, sha256="0" * 64)


def test_weights_in_another_file_are_refused_even_beside_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest of the model would say nothing of them."""
    path = tmp_path / "model.onnx"
    model = tiny_model.build()
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    onnx.save(
        model,
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(ModelError, match=r'tensor ".+" is kept in another file: expected one'):
        load_model(path)


def spec_with(**changes: Any) -> str:
    return json.dumps(json.loads(SPEC.to_json()) | changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"spec_json": None}, 'metadata has no "edge_fusion.spec"'),
        ({"spec_json": "{"}, "is not JSON"),
        ({"spec_json": "[]"}, "is a JSON list: expected an object"),
        ({"spec_json": spec_with(version=2)}, "version is 2: expected 1"),
        ({"spec_json": spec_with(window_s=0)}, "window_s is 0: expected a number above 0"),
        ({"spec_json": spec_with(steps=2.5)}, "steps is 2.5: expected a whole number from 1"),
        ({"spec_json": spec_with(labels=[])}, "labels is .*: expected a list of different names"),
        ({"spec_json": spec_with(labels=["a/b", "c"])}, "labels is"),
        ({"spec_json": spec_with(image_size=[32])}, r"image_size is \[32\]: expected \[height"),
        ({"spec_json": spec_with(thresholds={"cold": 0.5})}, "thresholds is"),
        ({"spec_json": spec_with(thresholds={"hot": 2})}, "thresholds.hot is 2"),
        ({"spec_json": spec_with(name="a b")}, "name is 'a b'"),
        ({"spec_json": spec_with(steps=9)}, r'"sensors" has shape \[N, 8, 2\]: expected \[N, 9'),
        ({"spec_json": spec_with(labels=["hot"], thresholds={})}, '"scores" has shape'),
        ({"batch": 1}, "fixes its first dimension at 1: expected a dynamic N"),
        ({"image_type": TensorProto.FLOAT}, r'"image" is tensor\(float\): expected tensor\(uint8'),
        ({"output": "verdict"}, r"outputs are \['verdict'\]: expected \['scores'\]"),
    ],
)
def test_a_file_that_breaks_the_contract_says_where(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    path = tiny_model.write(tmp_path / "model.onnx", **changes)
    with pytest.raises(ContractError, match=complaint) as raised:
        load_model(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_graph_that_loads_but_cannot_run_is_refused(tmp_path: Path) -> None:
    model = tiny_model.build()
    model.graph.node.insert(0, helper.make_node("Reshape", ["sensors", "not_rows"], ["broken"]))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="inference failed"):
        load_model(tmp_path / "model.onnx")


def test_a_provider_that_is_not_here_falls_back_to_the_cpu_and_says_so(path: Path) -> None:
    model = load_model(path, providers=["TensorRT", "CUDA"])
    assert (model.requested, model.provider, model.fallback) == ("TensorRT,CUDA", "CPU", True)


def test_a_required_provider_that_is_not_here_is_an_error(path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match="none of the execution providers CUDA works"):
        load_model(path, providers=["CUDA"], require=True)


def test_the_warm_up_inputs_have_the_shapes_of_the_contract() -> None:
    inputs: ModelInputs = zeros(SPEC, 3)
    assert inputs.image.shape == (3, 1, 32, 48, 3)
    assert inputs.sensors_mask.shape == (3, 8, 2)
