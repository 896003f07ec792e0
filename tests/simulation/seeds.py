"""One seed from its plan to its verdict."""

from __future__ import annotations

from pathlib import Path

from simulation.ledger import Ledger
from simulation.plan import draw
from simulation.verdict import judge
from simulation.world import World


def live(seed: int, directory: Path) -> World:
    """Raises what goes wrong, with a note on how to see it again."""
    world = World(draw(seed), directory, Ledger())
    try:
        world.run()
        judge(world.ledger)
    except BaseException as error:
        error.add_note(f"this was seed {seed}: `make story SEED={seed}` tells what happened in it")
        raise
    return world
