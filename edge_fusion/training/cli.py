"""`edge-fusion train`: from nothing to a model file with its card."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from edge_fusion.training.card import card
from edge_fusion.training.dataset import SPEC, Split, Windows, load, save, simulate
from edge_fusion.training.evaluate import evaluate, write
from edge_fusion.training.export import export
from edge_fusion.training.fit import FitSettings, calibrate, fit, thresholds
from edge_fusion.training.network import HazardNet

app = typer.Typer(help="Fit, export and evaluate the model on the simulator.", no_args_is_help=True)
console = Console()

MODEL, METRICS, CARD = "model.onnx", "metrics.json", "card.md"
WEIGHTS = "weights.pt"

Out = Annotated[Path, typer.Option(help="Folder for model.onnx, metrics.json and card.md.")]
Work = Annotated[Path, typer.Option(help="Folder for simulated windows and weights.")]
Episodes = Annotated[int, typer.Option(help="Episodes to train on; a tenth more to validate on.")]
TestEpisodes = Annotated[int, typer.Option(help="Episodes, in unseen rooms, to measure on.")]
Epochs = Annotated[int, typer.Option(help="Passes over the training windows.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, order of rows and hiding.")]

_OUT, _WORK = Path("models/indoor-hazard"), Path("build/training")
_EPISODES, _TEST_EPISODES = 1200, 240
_DEFAULTS = FitSettings()


@app.command("fit")
def fit_command(
    work: Work = _WORK,
    episodes: Episodes = _EPISODES,
    epochs: Epochs = _DEFAULTS.epochs,
    seed: Seed = _DEFAULTS.seed,
) -> None:
    """Simulate, train, calibrate and choose thresholds; keeps the weights in the work folder."""
    settings = replace(_DEFAULTS, epochs=epochs, seed=seed)
    began = time.monotonic()
    train = _windows(work, Split.TRAIN, episodes)
    validation = _windows(work, Split.VALIDATION, max(4, episodes // 10))
    simulated = time.monotonic()
    torch.manual_seed(seed)
    network = _network()
    fit(network, train, validation, settings, console.print)
    calibrate(network, validation)
    chosen = thresholds(network, validation, SPEC.labels, settings)
    facts = {
        "training_rows": len(train),
        "training_episodes": episodes,
        "validation_rows": len(validation),
        "parameters": network.parameter_count(),
        "minutes_simulating": round((simulated - began) / 60, 1),
        "minutes_fitting": round((time.monotonic() - simulated) / 60, 1),
        "settings": asdict(settings),
    }
    torch.save(
        {"weights": network.state_dict(), "thresholds": chosen, "facts": facts}, work / WEIGHTS
    )
    console.print(f"weights in {work / WEIGHTS}, thresholds {chosen}")


@app.command("export")
def export_command(out: Out = _OUT, work: Work = _WORK) -> None:
    """Write model.onnx from the weights of `fit`, and compare the two."""
    kept = torch.load(work / WEIGHTS, weights_only=True)
    network = _network()
    network.load_state_dict(kept["weights"])
    model = export(network, replace(SPEC, thresholds=kept["thresholds"]), out / MODEL)
    console.print(f"{model.path}: {model.path.stat().st_size} bytes, sha256 {model.sha256}")


@app.command("evaluate")
def evaluate_command(
    out: Out = _OUT, work: Work = _WORK, test_episodes: TestEpisodes = _TEST_EPISODES
) -> None:
    """Measure model.onnx on unseen rooms; writes metrics.json and card.md beside it."""
    facts = torch.load(work / WEIGHTS, weights_only=True)["facts"]
    metrics = facts | evaluate(out / MODEL, _windows(work, Split.TEST, test_episodes))
    write(metrics, out / METRICS)
    (out / CARD).write_text(card(metrics))
    console.print(f"{out / METRICS}, {out / CARD}")


@app.command("all")
def all_command(
    out: Out = _OUT,
    work: Work = _WORK,
    episodes: Episodes = _EPISODES,
    test_episodes: TestEpisodes = _TEST_EPISODES,
    epochs: Epochs = _DEFAULTS.epochs,
    seed: Seed = _DEFAULTS.seed,
) -> None:
    """From nothing to a model with its card; the defaults made the one that is shipped."""
    fit_command(work, episodes, epochs, seed)
    export_command(out, work)
    evaluate_command(out, work, test_episodes)


def _network() -> HazardNet:
    return HazardNet(SPEC.quantities, SPEC.labels, SPEC.image_size)


def _windows(work: Path, split: Split, episodes: int) -> Windows:
    """The split's windows, from the work folder where an earlier run left them."""
    path = work / f"{split.name.lower()}-{episodes}.npz"
    if not path.exists():
        console.print(f"simulating {episodes} episodes to {path}")
        save(simulate(split, episodes), path)
    return load(path)
