"""Every input that was ever interesting, by every harness; `make fuzz` looks for more of them."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from edge_fusion.codecs.formats import SENSOR_FORMATS

CORPUS = Path(__file__).parent / "corpus"
SEEDS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.parent.name}/{seed.name}")
def test_what_was_once_interesting_is_sound(seed: Path) -> None:
    importlib.import_module(f"fuzz.{seed.parent.name}").check(seed.read_bytes())


@pytest.mark.parametrize("form", SENSOR_FORMATS)
def test_every_sensor_format_has_a_seed(form: str) -> None:
    named = {path.name.partition("-")[0] for path in (CORPUS / "sensors").iterdir()}
    assert form in named


def test_seeds_are_small() -> None:
    for seed in SEEDS:
        assert seed.stat().st_size <= 20_000, seed
