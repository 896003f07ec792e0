from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from dataclasses import replace  # noqa: E402 - everything below needs torch

import numpy as np  # noqa: E402

from edge_fusion.events import ModelInputs  # noqa: E402
from edge_fusion.training.dataset import LABELS, SPEC, Windows  # noqa: E402
from edge_fusion.training.export import random_inputs  # noqa: E402
from edge_fusion.training.fit import (  # noqa: E402
    FitSettings,
    calibrate,
    fit,
    hide,
    logits_of,
    mirror,
    thresholds,
)
from edge_fusion.training.network import HazardNet  # noqa: E402
from edge_fusion.training.quality import auroc  # noqa: E402

SETTINGS = FitSettings(epochs=4, batch=8, rate=2e-3)


def complete(rows: int) -> ModelInputs:
    inputs = random_inputs(SPEC, rows, seed=9)
    return ModelInputs(
        np.random.default_rng(8).integers(1, 256, inputs.image.shape, dtype=np.uint8),
        np.ones_like(inputs.image_mask),
        inputs.sensors,
        np.ones_like(inputs.sensors_mask),
    )


def bright_or_dark(rows: int) -> Windows:
    """Every label holds where the picture is bright, none where it is dark."""
    bright = np.arange(rows) % 2 == 0
    inputs = complete(rows)
    inputs.image[:] = np.where(bright, 220, 30)[:, None, None, None, None]
    truth = np.tile(bright[:, None], (1, len(LABELS))).astype(np.float32)
    return Windows(inputs, truth, np.arange(rows), np.full(rows, "x"))


def fitted(rows: int, settings: FitSettings) -> HazardNet:
    torch.manual_seed(settings.seed)
    network = HazardNet(SPEC.quantities, SPEC.labels, SPEC.image_size)
    windows = bright_or_dark(rows)
    fit(network, windows, windows, settings, lambda _: None)
    calibrate(network, windows)
    return network


@pytest.fixture(scope="module")
def network() -> HazardNet:
    return fitted(48, SETTINGS)


def test_it_learns_what_is_plain_to_see(network: HazardNet) -> None:
    windows = bright_or_dark(16)
    logits = logits_of(network, windows.inputs).numpy()
    for place in range(len(LABELS)):
        assert auroc(windows.truth[:, place] > 0.5, logits[:, place]) > 0.95


def test_the_same_seed_trains_the_same_network() -> None:
    brief = replace(SETTINGS, epochs=1)
    networks = fitted(8, brief), fitted(8, brief)
    for one, two in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(one, two)


def test_thresholds_keep_the_calm_silent_in_every_view(network: HazardNet) -> None:
    windows = bright_or_dark(32)
    chosen = thresholds(network, windows, LABELS, SETTINGS)
    logits = logits_of(network, windows.inputs)
    scores = torch.sigmoid(logits * network.slope + network.offset).numpy()
    calm = windows.truth.max(1) == 0
    for place, label in enumerate(LABELS):
        assert (scores[calm, place] < chosen[label]).all()


def test_hiding_a_modality_never_leaves_a_row_with_nothing() -> None:
    always = replace(SETTINGS, hide_pictures=0.5, hide_sensors=0.5, hide_part=0.0)
    inputs = complete(64)
    inputs.sensors_mask[:16] = 0
    inputs.image_mask[16:32] = 0
    hidden = hide(inputs, always, np.random.default_rng(0))
    sees, smells = hidden.image_mask.max(1) > 0, hidden.sensors_mask.max((1, 2)) > 0
    assert (sees | smells).all()
    assert sees[:16].all()
    assert smells[16:32].all()
    assert (sees[32:] != smells[32:]).all()


def test_what_is_hidden_is_zero_as_in_service() -> None:
    hidden = hide(complete(64), replace(SETTINGS, hide_part=0.5), np.random.default_rng(1))
    assert not hidden.image[hidden.image_mask == 0].any()
    assert not hidden.sensors[hidden.sensors_mask == 0].any()
    assert hidden.image.dtype == np.uint8
    assert hidden.sensors.dtype == hidden.sensors_mask.dtype == np.float32


def test_hiding_leaves_the_original_alone() -> None:
    inputs = complete(8)
    before = inputs.image.copy(), inputs.sensors.copy()
    hide(mirror(inputs, np.random.default_rng(2)), SETTINGS, np.random.default_rng(2))
    np.testing.assert_array_equal(inputs.image, before[0])
    np.testing.assert_array_equal(inputs.sensors, before[1])


def test_mirroring_turns_both_frames_of_a_row_together() -> None:
    inputs = complete(12)
    image = mirror(inputs, np.random.default_rng(0)).image
    turned = [np.array_equal(image[i], inputs.image[i][:, :, ::-1]) for i in range(12)]
    kept = [np.array_equal(image[i], inputs.image[i]) for i in range(12)]
    assert any(turned)
    assert any(kept)
    assert np.logical_xor(turned, kept).all()
