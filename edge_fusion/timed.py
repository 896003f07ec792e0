"""A model and a store that say how long they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import ModelInputs
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.io.store import Store
from edge_fusion.kept import Changes
from edge_fusion.model.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class TimedModel:
    """A model whose inferences are timed; `done` is called after each, as a step further."""

    model: OnnxModel
    metrics: Metrics
    done: Callable[[], None]

    @property
    def spec(self) -> ModelSpec:
        return self.model.spec

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]:
        with self.metrics.stage("infer"):
            scores = self.model.infer(inputs)
        self.done()
        return scores


@dataclass(frozen=True, slots=True)
class TimedStore:
    """A store whose transactions are timed."""

    store: Store
    metrics: Metrics

    @property
    def durable(self) -> bool:
        return self.store.durable

    def save(self, changes: Changes) -> None:
        with self.metrics.store_commit():
            self.store.save(changes)

    def begin_anew(self) -> Path:
        return self.store.begin_anew()
