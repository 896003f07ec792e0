from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from pathlib import Path  # noqa: E402 - everything below needs torch

import numpy as np  # noqa: E402

from edge_fusion.events import ModelInputs  # noqa: E402
from edge_fusion.io.onnx import OnnxModel  # noqa: E402
from edge_fusion.model.inputs import take_rows, without  # noqa: E402
from edge_fusion.training.dataset import SPEC  # noqa: E402
from edge_fusion.training.export import (  # noqa: E402
    TOLERANCE,
    difference,
    export,
    random_inputs,
    tensors,
)
from edge_fusion.training.network import HazardNet  # noqa: E402


@pytest.fixture(scope="module")
def network() -> HazardNet:
    torch.manual_seed(5)
    net = HazardNet(SPEC.quantities, SPEC.labels, SPEC.image_size)
    for parameter in net.parameters():
        # Away from the symmetric start, so that a wrong gate or a lost bias would show.
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    net.eval()
    return net


@pytest.fixture(scope="module")
def exported(network: HazardNet, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return export(network, SPEC, tmp_path_factory.mktemp("model") / "model.onnx")


def scored(network: HazardNet, inputs: ModelInputs) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(network(*tensors(inputs)).numpy())


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_the_exported_file_scores_as_the_network_does(
    network: HazardNet, exported: OnnxModel, rows: int
) -> None:
    inputs = random_inputs(SPEC, rows, seed=rows + 100)
    assert difference(network, exported, inputs) < TOLERANCE


def test_the_exported_file_states_the_contract(exported: OnnxModel) -> None:
    assert exported.spec == SPEC


def test_the_exported_file_is_small_and_alone_and_says_nothing_of_its_making(
    exported: OnnxModel,
) -> None:
    assert [p.name for p in exported.path.parent.iterdir()] == [exported.path.name]
    content = exported.path.read_bytes()
    assert len(content) < 2_000_000
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_a_row_is_scored_alone_as_among_others(network: HazardNet) -> None:
    inputs = random_inputs(SPEC, 5, seed=3)
    together = scored(network, inputs)
    alone = [scored(network, take_rows(inputs, slice(i, i + 1)))[0] for i in range(5)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_pixels_behind_a_zero_mask_change_nothing(network: HazardNet) -> None:
    inputs = random_inputs(SPEC, 4, seed=4)
    blind = without(inputs, SPEC, "image")
    noise = ModelInputs(inputs.image, blind.image_mask, blind.sensors, blind.sensors_mask)
    np.testing.assert_allclose(scored(network, blind), scored(network, noise), atol=1e-5)


def test_values_behind_a_zero_mask_change_nothing(network: HazardNet) -> None:
    inputs = random_inputs(SPEC, 4, seed=4)
    hidden = without(inputs, SPEC, "temperature")
    noise = ModelInputs(inputs.image, inputs.image_mask, inputs.sensors, hidden.sensors_mask)
    np.testing.assert_allclose(scored(network, hidden), scored(network, noise), atol=1e-5)


def test_everything_missing_still_gives_probabilities(network: HazardNet) -> None:
    inputs = random_inputs(SPEC, 2, seed=1)
    for name in ("image", *SPEC.quantities):
        inputs = without(inputs, SPEC, name)
    scores = scored(network, inputs)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_network_is_small_enough_for_an_edge_box(network: HazardNet) -> None:
    assert 50_000 < network.parameter_count() < 200_000
