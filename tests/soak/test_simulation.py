"""The simulation of tests/simulation, with as many seeds as there is time for."""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from simulation.fuse import Point
from simulation.seeds import live

SEEDS = int(os.environ.get("SEEDS", "10000"))
FIRST = int(os.environ.get("SEED", "0"))


def outcome(seed: int) -> tuple[int, Counter[str], str]:
    """How often what happened in a seed, and what was wrong with it."""
    logging.getLogger("edge_fusion").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        try:
            world = live(seed, Path(directory))
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is to be named
            return seed, Counter(), f"{type(error).__name__}: {str(error)[:300]}"
        return seed, world.happened + world.ledger.totals, ""


@pytest.mark.timeout(0)
def test_nothing_is_lost_and_nothing_comes_twice() -> None:
    happened: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    with ProcessPoolExecutor() as pool:
        for seed, what, error in pool.map(outcome, range(FIRST, FIRST + SEEDS), chunksize=20):
            happened += what
            if error:
                wrong[seed] = error
    print(f"\nin {SEEDS:,} seeds from {FIRST} on:")
    for thing, times in happened.most_common():
        print(f"{times:12,}  {thing}")
    for seed, error in wrong.items():
        print(f"seed {seed}: {error}; `make story SEED={seed}` tells what happened in it")
    assert not wrong
    assert all(happened[f"box loses power {point.value}"] for point in Point)
