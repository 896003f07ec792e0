"""Model files, execution providers and inference: the only importer of onnxruntime."""

from __future__ import annotations

import hashlib
import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge_fusion.errors import ContractError, ModelError, ProviderUnavailable
from edge_fusion.events import ModelInputs
from edge_fusion.model.external import external_tensor
from edge_fusion.model.inputs import zeros
from edge_fusion.model.spec import ModelSpec, TensorInfo, check_tensors, parse_spec

log = logging.getLogger("edge_fusion.model")

AUTO = "auto"
CPU = "CPU"
PROVIDERS = {
    "TensorRT": "TensorrtExecutionProvider",
    "CUDA": "CUDAExecutionProvider",
    "OpenVINO": "OpenVINOExecutionProvider",
    CPU: "CPUExecutionProvider",
}
VERSION: str = ort.__version__
# TensorRT builds an engine for minutes at first use: only on request.
AUTO_ORDER = ("CUDA", "OpenVINO", CPU)


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A model that has passed its contract and one warm-up inference.

    `requested` is what the configuration asked for, `provider` what runs; `fallback` is True
    when that is not the first choice.
    """

    spec: ModelSpec
    sha256: str
    path: Path
    requested: str
    provider: str
    fallback: bool
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    session: Any

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]:
        """Score the rows: float32 [N, K]. Raises ModelError."""
        feed = {
            "image": inputs.image,
            "image_mask": inputs.image_mask,
            "sensors": inputs.sensors,
            "sensors_mask": inputs.sensors_mask,
        }
        try:
            scores: NDArray[np.float32] = self.session.run(["scores"], feed)[0]
        except Exception as error:
            # onnxruntime raises its own family, a new one for each fault, none with a base.
            raise ModelError(f"{self.path}: inference failed: {_first_line(error)}") from error
        return scores


def load_model(
    path: Path,
    *,
    providers: Sequence[str] = (AUTO,),
    require: bool = False,
    threads: int = 0,
    sha256: str | None = None,
) -> OnnxModel:
    """Open, verify and warm up a model file.

    Raises ModelError when the file is missing, is not ONNX, has another digest or is not all of
    the model, ContractError when it breaks the contract, ProviderUnavailable when `require` is
    set and none of the named providers works.
    """
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise ModelError(f"{path}: sha256 is {digest}: expected {sha256.lower()}")
    _refuse_parts(path, content)
    wanted = AUTO_ORDER if AUTO in providers else tuple(providers)
    session, provider = _open(path, content, wanted, require=require, threads=threads)
    try:
        spec = parse_spec(session.get_modelmeta().custom_metadata_map)
        inputs, outputs = _tensors(session.get_inputs()), _tensors(session.get_outputs())
        check_tensors(spec, inputs, outputs)
    except ContractError as error:
        raise ContractError(f"{path}: {error}") from None
    available = [name for name in wanted if PROVIDERS[name] in ort.get_available_providers()]
    first = available[0] if AUTO in providers and available else wanted[0]
    model = OnnxModel(
        spec=spec,
        sha256=digest,
        path=path,
        requested=",".join(providers),
        provider=provider,
        fallback=provider != first,
        inputs=inputs,
        outputs=outputs,
        session=session,
    )
    _warm_up(model)
    return model


def offered() -> tuple[str, ...]:
    """The execution providers that this onnxruntime was built with, by our names for them."""
    return tuple(name for name, own in PROVIDERS.items() if own in ort.get_available_providers())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: {error.strerror or error}: expected a readable ONNX file"
        ) from None


def _refuse_parts(path: Path, content: bytes) -> None:
    """What lies in other files would be read from wherever the file says, whatever its digest."""
    try:
        tensor = external_tensor(content)
    except ValueError as error:
        raise ModelError(f"{path}: not a usable ONNX file: {error}") from None
    if tensor is not None:
        raise ModelError(
            f'{path}: the tensor "{tensor[:80]}" is kept in another file: '
            "expected one file that holds all"
        )


def _open(
    path: Path, content: bytes, wanted: Sequence[str], *, require: bool, threads: int
) -> tuple[Any, str]:
    available = ort.get_available_providers()
    for name in wanted:
        if PROVIDERS[name] not in available:
            continue
        session = _session(path, content, name, threads)
        # onnxruntime falls back to the CPU without an error: what it says it runs is what counts.
        if session.get_providers()[0] == PROVIDERS[name]:
            return session, name
        log.warning("execution provider %s does not work on this machine", name)
    if require:
        raise ProviderUnavailable(
            f"none of the execution providers {', '.join(wanted)} works here: "
            f"onnxruntime offers {', '.join(available)}"
        )
    log.warning("none of the execution providers %s works here: using CPU", ", ".join(wanted))
    return _session(path, content, CPU, threads), CPU


def _session(path: Path, content: bytes, provider: str, threads: int) -> Any:
    # From memory: what was hashed is what runs.
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or max(1, min(2, (os.cpu_count() or 2) - 1))
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # A spinning pool burns a quarter of a core between two windows; a box has other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ort.InferenceSession(content, options, providers=[PROVIDERS[provider]])
        except Exception as error:
            # As in `infer`: no base class to name. A provider that cannot start is the next one's
            # turn, which _open sees by asking for the CPU; a file that cannot load fails there too.
            if provider == CPU:
                raise ModelError(f"{path}: not a usable ONNX file: {_first_line(error)}") from error
            log.warning("execution provider %s: %s", provider, _first_line(error))
            return _session(path, content, CPU, threads)


def _tensors(nodes: Sequence[Any]) -> tuple[TensorInfo, ...]:
    return tuple(TensorInfo(node.name, node.type, tuple(node.shape)) for node in nodes)


def _warm_up(model: OnnxModel) -> None:
    """The first inference allocates and compiles; and a graph may load that cannot run."""
    scores = model.infer(zeros(model.spec, 2))
    expected = (2, len(model.spec.labels))
    if scores.shape != expected:
        raise ContractError(
            f"{model.path}: scores of 2 rows have shape {list(scores.shape)}: "
            f"expected {list(expected)}"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
