"""What the exported file is worth: measured through onnxruntime, on rooms it has never seen."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import ModelInputs
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.model.inputs import take_rows
from edge_fusion.model.spec import ModelSpec
from edge_fusion.training import quality
from edge_fusion.training.dataset import View, Windows, seen_as

Scores = NDArray[np.float32]
_DIGITS = 4
_TIMED_RUNS = 200


def evaluate(path: Path, windows: Windows) -> dict[str, Any]:
    """Measure the model file at `path` on `windows`; the result is what metrics.json holds.

    `views` compares full input with each modality alone, over the rows that have both.
    `scenarios` gives, per scenario, the share of all its rows in which a label reaches its
    threshold: among rows in which that label is true, and among those in which it is not.
    """
    model = load_model(path, providers=("CPU",))
    both = windows.take(np.flatnonzero(_has_both(windows.inputs)))
    scores = score(model, windows.inputs)
    return {
        "model": model.spec.name,
        "sha256": model.sha256,
        "kilobytes": path.stat().st_size // 1000,
        "rows": len(windows),
        "rows_with_both_modalities": len(both),
        "episodes": len(np.unique(windows.episode)),
        "thresholds": dict(model.spec.thresholds),
        "views": {
            view.value: _labels(model.spec, both.truth, score(model, seen_as(both.inputs, view)))
            for view in View
        },
        "all_rows": _labels(model.spec, windows.truth, scores),
        "scenarios": _scenarios(model.spec, windows, scores),
        "milliseconds_per_row_on_one_thread": milliseconds_per_row(path, windows.inputs),
    }


def score(model: OnnxModel, inputs: ModelInputs, batch: int = 128) -> Scores:
    """Probabilities [N, K] of all rows, in batches."""
    starts = range(0, len(inputs.image), batch)
    return np.concatenate([model.infer(take_rows(inputs, slice(s, s + batch))) for s in starts])


def milliseconds_per_row(path: Path, inputs: ModelInputs) -> float:
    """Median time of one row alone on one thread, as a daemon with one camera would run it."""
    model = load_model(path, providers=("CPU",), threads=1)
    row = take_rows(inputs, slice(0, 1))
    spent = []
    for _ in range(_TIMED_RUNS):
        start = time.perf_counter()
        model.infer(row)
        spent.append(time.perf_counter() - start)
    return round(float(np.median(spent)) * 1000, 2)


def write(metrics: Mapping[str, Any], path: Path) -> None:
    """Write metrics as JSON; what had no answer (NaN) becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=1) + "\n")


def _has_both(inputs: ModelInputs) -> NDArray[np.bool_]:
    seen = inputs.image_mask.max(1) > 0
    smelt = inputs.sensors_mask.max((1, 2)) > 0
    return np.asarray(seen & smelt)


def _labels(spec: ModelSpec, truth: Scores, scores: Scores) -> dict[str, dict[str, Any]]:
    return {
        label: _label(truth[:, place] > 0.5, scores[:, place], spec.threshold(label))
        for place, label in enumerate(spec.labels)
    }


def _label(truth: NDArray[np.bool_], scores: Scores, threshold: float) -> dict[str, Any]:
    return {
        "positives": int(truth.sum()),
        "auroc": _rounded(quality.auroc(truth, scores)),
        "average_precision": _rounded(quality.average_precision(truth, scores)),
        "recall": _rounded(quality.recall(truth, scores, threshold)),
        "false_alarms": _rounded(quality.false_alarms(truth, scores, threshold)),
        "calibration_error": _rounded(quality.calibration_error(truth, scores)),
    }


def _scenarios(spec: ModelSpec, windows: Windows, scores: Scores) -> dict[str, Any]:
    found = {}
    for scenario in sorted(set(windows.scenario)):
        rows = windows.scenario == scenario
        found[str(scenario)] = {"rows": int(rows.sum())} | {
            label: _hits(windows.truth[rows, k] > 0.5, scores[rows, k], spec.threshold(label))
            for k, label in enumerate(spec.labels)
        }
    return found


def _hits(truth: NDArray[np.bool_], scores: Scores, threshold: float) -> dict[str, Any]:
    return {
        "recall": _rounded(quality.recall(truth, scores, threshold)),
        "false_alarms": _rounded(quality.false_alarms(truth, scores, threshold)),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, _DIGITS)
