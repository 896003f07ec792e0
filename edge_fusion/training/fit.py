"""Training: shuffled rows with parts of their input hidden, then calibration, then thresholds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from edge_fusion.events import ModelInputs
from edge_fusion.model.inputs import take_rows
from edge_fusion.training import quality
from edge_fusion.training.dataset import View, Windows, seen_as
from edge_fusion.training.export import tensors
from edge_fusion.training.network import HazardNet

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train. The defaults made the shipped model.

    Of the validation windows without any hazard a share `allowed_false_alarms` may reach a
    label's threshold, and of those without this hazard a share `allowed_confusions`.
    """

    seed: int = 1
    epochs: int = 9
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.02
    warmup: float = 0.05
    clip: float = 2.0
    smoothing: float = 0.02
    hide_pictures: float = 0.15
    hide_sensors: float = 0.15
    hide_part: float = 0.15
    allowed_false_alarms: float = 0.003
    allowed_confusions: float = 0.02
    threads: int = 2


def fit(
    network: HazardNet,
    train: Windows,
    validation: Windows,
    settings: FitSettings,
    report: Report,
) -> None:
    """Train in place; ends with the weights of the epoch that did best on `validation`.

    AdamW under a cosine schedule with a linear warm-up. The loss is binary cross entropy over
    the labels, whose positives weigh the more the rarer they are.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    weight = torch.from_numpy(_positive_weights(train.truth))
    course = _Course(
        network, settings, steps=settings.epochs * math.ceil(len(train) / settings.batch)
    )
    best, kept = math.inf, copy.deepcopy(network.state_dict())
    for epoch in range(settings.epochs):
        network.train()
        losses = [
            course.step(inputs, truth, weight) for inputs, truth in _batches(train, settings, rng)
        ]
        found = _validation_loss(network, validation, weight)
        report(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, validation {found:.4f}")
        if found < best:
            best, kept = found, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)


class _Course:
    """The optimiser on its way along the schedule."""

    def __init__(self, network: HazardNet, settings: FitSettings, steps: int) -> None:
        self.network, self.settings = network, settings
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.rate, weight_decay=settings.decay
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: _rate(step / steps, settings.warmup)
        )

    def step(self, inputs: ModelInputs, truth: NDArray[np.float32], weight: torch.Tensor) -> float:
        """Learn from one batch; gives its loss."""
        loss = binary_cross_entropy_with_logits(
            self.network.logits(*tensors(inputs)),
            _softened(truth, self.settings.smoothing),
            pos_weight=weight,
        )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        self.schedule.step()
        return float(loss.item())


def _rate(progress: float, warmup: float) -> float:
    if progress < warmup:
        return progress / warmup
    return 0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def _positive_weights(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    share = truth.mean(0).clip(0.01, 0.99)
    # The root of the imbalance: the whole of it drowns precision, which false alarms are about.
    return np.asarray(np.sqrt((1 - share) / share).clip(0.5, 6.0), np.float32)


def _softened(truth: NDArray[np.float32], smoothing: float) -> torch.Tensor:
    return torch.from_numpy(truth * (1 - smoothing) + smoothing / 2)


def _batches(
    windows: Windows, settings: FitSettings, rng: np.random.Generator
) -> Iterator[tuple[ModelInputs, NDArray[np.float32]]]:
    order = rng.permutation(len(windows))
    for start in range(0, len(order), settings.batch):
        part = windows.take(np.sort(order[start : start + settings.batch]))
        yield hide(mirror(part.inputs, rng), settings, rng), part.truth


def mirror(inputs: ModelInputs, rng: np.random.Generator) -> ModelInputs:
    """Swap left and right in the pictures of half the rows."""
    image = inputs.image.copy()
    turned = rng.random(len(image)) < 0.5
    image[turned] = image[turned][:, :, :, ::-1]
    return ModelInputs(image, inputs.image_mask, inputs.sensors, inputs.sensors_mask)


def hide(inputs: ModelInputs, settings: FitSettings, rng: np.random.Generator) -> ModelInputs:
    """Hide whole modalities and parts of them, so that the network learns to do without any.

    Some rows lose all pictures, others all readings; others one frame, one quantity or a
    stretch of the grid. A row of one modality alone never loses the whole of it.
    """
    rows, frames = inputs.image_mask.shape
    steps, quantities = inputs.sensors.shape[1:]
    fate = rng.random(rows)
    frame_kept, cell_kept = np.ones((rows, frames)), np.ones((rows, steps, quantities))
    for row in _some(rng, rows, settings.hide_part):
        frame_kept[row, rng.integers(0, frames)] = 0
    for row in _some(rng, rows, settings.hide_part):
        cell_kept[row, :, rng.integers(0, quantities)] = 0
    for row in _some(rng, rows, settings.hide_part):
        first, last = np.sort(rng.integers(0, steps + 1, 2))
        cell_kept[row, first:last] = 0
    smells, sees = inputs.sensors_mask.max((1, 2)) > 0, inputs.image_mask.max(1) > 0
    frame_kept[(fate < settings.hide_pictures) & smells] = 0
    cell_kept[(fate > 1 - settings.hide_sensors) & sees] = 0
    image_mask = (inputs.image_mask * frame_kept).astype(np.float32)
    return ModelInputs(
        inputs.image * (image_mask > 0)[:, :, None, None, None],
        image_mask,
        (inputs.sensors * cell_kept).astype(np.float32),
        (inputs.sensors_mask * cell_kept).astype(np.float32),
    )


def _some(rng: np.random.Generator, rows: int, share: float) -> NDArray[np.intp]:
    return np.flatnonzero(rng.random(rows) < share)


def logits_of(network: HazardNet, inputs: ModelInputs, batch: int = 128) -> torch.Tensor:
    """Uncalibrated logits [N, K], in batches and without gradients."""
    network.eval()
    with torch.no_grad():
        parts = [
            network.logits(*tensors(take_rows(inputs, slice(start, start + batch))))
            for start in range(0, len(inputs.image), batch)
        ]
    return torch.cat(parts)


def _validation_loss(network: HazardNet, validation: Windows, weight: torch.Tensor) -> float:
    truth = torch.from_numpy(validation.truth)
    logits = logits_of(network, validation.inputs)
    return float(binary_cross_entropy_with_logits(logits, truth, pos_weight=weight))


def calibrate(network: HazardNet, validation: Windows) -> None:
    """Set the network's slope and offset so that its scores are probabilities.

    Platt scaling per label: temperature scaling, and an offset because the weights of the
    loss had shifted the scores. Fitted on every `View` of the validation set at once.
    """
    logits = torch.cat([logits_of(network, seen_as(validation.inputs, v)) for v in View])
    truth = torch.from_numpy(np.tile(validation.truth, (len(View), 1)))
    scale = torch.zeros(logits.shape[1], requires_grad=True)
    offset = torch.zeros(logits.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, offset], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(logits * scale.exp() + offset, truth)
        loss.backward()
        return loss

    optimizer.step(closure)
    network.slope.copy_(scale.detach().exp())
    network.offset.copy_(offset.detach())


def thresholds(
    network: HazardNet, validation: Windows, labels: tuple[str, ...], settings: FitSettings
) -> dict[str, float]:
    """Per label the lowest threshold that keeps false alarms few in every `View`.

    A window without any hazard must hardly ever alarm. One that holds another hazard may be
    taken for this one a little more often: somebody should look there in any case.
    """
    calm = validation.truth.max(1) < 0.5
    chosen = dict.fromkeys(labels, 0.0)
    for view in View:
        logits = logits_of(network, seen_as(validation.inputs, view))
        scores = torch.sigmoid(logits * network.slope + network.offset).numpy()
        for place, label in enumerate(labels):
            without = validation.truth[:, place] < 0.5
            limits = (
                quality.threshold_for(scores[calm, place], settings.allowed_false_alarms),
                quality.threshold_for(scores[without, place], settings.allowed_confusions),
            )
            chosen[label] = max(chosen[label], *limits)
    return chosen
