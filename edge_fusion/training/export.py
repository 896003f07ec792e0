"""A trained network -> one ONNX file that keeps the model contract."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from edge_fusion.errors import ModelError
from edge_fusion.events import ModelInputs
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.model.spec import SPEC_KEY, ModelSpec
from edge_fusion.training.network import HazardNet

OPSET = 18
MAX_IR = 10
"""Runtimes back to onnxruntime 1.18 read it."""
TOLERANCE = 1e-4
_BATCHES = (1, 2, 7)
_NAMES = ("image", "image_mask", "sensors", "sensors_mask")


def export(network: HazardNet, spec: ModelSpec, path: Path) -> OnnxModel:
    """Write `network` as an ONNX file with `spec` in its metadata, and prove it.

    The file is loaded as the daemon would load it and compared with the network on batches of
    1, 2 and 7 rows. Returns the loaded model. Raises ModelError where the two differ by more
    than 1e-4: exporters have frozen batch sizes and mistaken the gates of a GRU before.
    """
    network.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(_stamp(_graph(network, spec), spec), path)
    model = load_model(path, providers=("CPU",))
    for rows in _BATCHES:
        worst = difference(network, model, random_inputs(spec, rows, seed=rows))
        if not worst <= TOLERANCE:
            raise ModelError(
                f"{path}: {rows} rows differ from the network by {worst:.2g}: "
                f"expected at most {TOLERANCE:g}"
            )
    return model


def difference(network: HazardNet, model: OnnxModel, inputs: ModelInputs) -> float:
    """The greatest absolute difference between the scores of the two for the same rows."""
    with torch.no_grad():
        ours = network(*tensors(inputs)).numpy()
    return float(np.abs(ours - model.infer(inputs)).max())


def random_inputs(spec: ModelSpec, rows: int, seed: int) -> ModelInputs:
    """Rows of noise with about a third of everything missing: any shape of input, no meaning."""
    rng = np.random.default_rng(seed)
    height, width = spec.image_size
    grid = (rows, spec.steps, len(spec.quantities))
    image_mask = (rng.random((rows, spec.frames)) < 0.7).astype(np.float32)
    image = rng.integers(0, 256, (rows, spec.frames, height, width, 3), dtype=np.uint8)
    freshness = (rng.random(grid) * (rng.random(grid) < 0.7)).astype(np.float32)
    values = rng.uniform(15.0, 60.0, grid).astype(np.float32)
    return ModelInputs(
        image=image * (image_mask[:, :, None, None, None] > 0),
        image_mask=image_mask,
        sensors=values * (freshness > 0),
        sensors_mask=freshness,
    )


def tensors(inputs: ModelInputs) -> tuple[torch.Tensor, ...]:
    """The four tensors in the order of `HazardNet.forward`."""
    return tuple(torch.from_numpy(np.ascontiguousarray(getattr(inputs, name))) for name in _NAMES)


def _graph(network: HazardNet, spec: ModelSpec) -> onnx.ModelProto:
    # Two rows as the example: with one, the exporter may take N for a constant.
    example = tensors(random_inputs(spec, 2, seed=0))
    rows = torch.export.Dim("N")
    with warnings.catch_warnings():
        # The exporter warns about its own internals; what it wrote is proved in `export`.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(_NAMES),
            output_names=["scores"],
            dynamic_shapes=tuple({0: rows} for _ in _NAMES),
            verbose=False,
        )
    graph: onnx.ModelProto = program.model_proto
    return graph


def _stamp(graph: onnx.ModelProto, spec: ModelSpec) -> onnx.ModelProto:
    graph.ir_version = min(graph.ir_version, MAX_IR)
    # The exporter leaves Python stack traces and file names in every node: no one's business.
    for holder in (*graph.graph.node, *graph.graph.input, *graph.graph.output):
        del holder.metadata_props[:]
        holder.doc_string = ""
    for value in graph.graph.value_info:
        del value.metadata_props[:]
    onnx.helper.set_model_props(graph, {SPEC_KEY: spec.to_json()})
    onnx.checker.check_model(graph)
    return graph
