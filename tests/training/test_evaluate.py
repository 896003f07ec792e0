from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edge_fusion.events import ModelInputs
from edge_fusion.model.spec import SPEC_KEY
from edge_fusion.training.card import card
from edge_fusion.training.dataset import LABELS, SPEC, Windows
from edge_fusion.training.evaluate import evaluate, write

ROWS = 40


def warmth_model(path: Path) -> Path:
    """Every label scores the mean of the first column of the grid, in hundredths."""
    height, width = SPEC.image_size
    grid = ["N", SPEC.steps, len(SPEC.quantities)]
    inputs = [
        helper.make_tensor_value_info(
            "image", TensorProto.UINT8, ["N", SPEC.frames, height, width, 3]
        ),
        helper.make_tensor_value_info("image_mask", TensorProto.FLOAT, ["N", SPEC.frames]),
        helper.make_tensor_value_info("sensors", TensorProto.FLOAT, grid),
        helper.make_tensor_value_info("sensors_mask", TensorProto.FLOAT, grid),
    ]
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(LABELS)])
    mix = np.tile([[0.01], [0.0]], (1, len(LABELS))).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["sensors", "axis"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "mix"], ["scores"]),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("mix", TensorProto.FLOAT, mix.shape, mix.ravel()),
    ]
    graph = helper.make_graph(nodes, "warmth", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {SPEC_KEY: SPEC.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture
def windows() -> Windows:
    """Half the rows are at 80 °C and true in every label, half at 20 °C and true in none."""
    hot = np.arange(ROWS) % 2 == 0
    sensors = np.zeros((ROWS, SPEC.steps, len(SPEC.quantities)), np.float32)
    sensors[:, :, 0] = np.where(hot, 80.0, 20.0)[:, None]
    inputs = ModelInputs(
        np.zeros((ROWS, SPEC.frames, *SPEC.image_size, 3), np.uint8),
        np.ones((ROWS, SPEC.frames), np.float32),
        sensors,
        np.ones_like(sensors),
    )
    truth = np.tile(hot[:, None], (1, len(LABELS))).astype(np.float32)
    return Windows(inputs, truth, np.arange(ROWS) // 10, np.where(hot, "fire", "quiet"))


def test_metrics_tell_what_the_model_can_and_from_what(tmp_path: Path, windows: Windows) -> None:
    metrics = evaluate(warmth_model(tmp_path / "model.onnx"), windows)
    assert metrics["rows"] == metrics["rows_with_both_modalities"] == ROWS
    assert metrics["episodes"] == 4
    full = metrics["views"]["full"]["smoke"]
    assert full["auroc"] == full["average_precision"] == full["recall"] == 1.0
    assert full["false_alarms"] == 0.0
    assert full["calibration_error"] == pytest.approx(0.2, abs=1e-3)
    blind = metrics["views"]["image_only"]["smoke"]
    assert blind["auroc"] == 0.5
    assert blind["recall"] == 0.0


def test_scenarios_tell_hits_from_false_alarms(tmp_path: Path, windows: Windows) -> None:
    scenarios = evaluate(warmth_model(tmp_path / "model.onnx"), windows)["scenarios"]
    assert scenarios["fire"]["smoke"] == {"recall": 1.0, "false_alarms": None}
    assert scenarios["quiet"]["smoke"] == {"recall": None, "false_alarms": 0.0}


def test_the_card_begins_with_what_the_model_is_not_and_quotes_the_metrics(
    tmp_path: Path, windows: Windows
) -> None:
    facts: dict[str, object] = {
        "settings": {"seed": 1, "allowed_false_alarms": 0.003, "allowed_confusions": 0.02},
        "training_rows": 1000,
        "training_episodes": 100,
        "validation_rows": 100,
        "parameters": 105_684,
        "minutes_simulating": 4.0,
        "minutes_fitting": 13.4,
    }
    metrics = facts | evaluate(warmth_model(tmp_path / "model.onnx"), windows)
    text = card(metrics | {"thresholds": dict.fromkeys(LABELS, 0.5)})
    assert text.startswith("**Not a certified life-safety device")
    assert str(metrics["sha256"]) in text
    assert "took 17 minutes" in text
    assert "| smoke | pictures only | 0.500 |" in text
    assert "For fire fusion adds nothing to readings only" in text
    assert "| quiet | 20 | - / 0.000 |" in text


def test_metrics_are_written_as_json(tmp_path: Path, windows: Windows) -> None:
    metrics = evaluate(warmth_model(tmp_path / "model.onnx"), windows)
    write(metrics, tmp_path / "deep" / "metrics.json")
    assert json.loads((tmp_path / "deep" / "metrics.json").read_text()) == metrics
