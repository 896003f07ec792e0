"""`python -m simulation SEED`: tell the story of a seed, and what is wrong with it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from simulation.plan import draw
from simulation.story import Story
from simulation.verdict import judge
from simulation.world import World


def tell(seed: int) -> int:
    """Returns the exit status: 1 if something does not hold."""
    logging.getLogger("edge_fusion").addHandler(logging.NullHandler())
    plan, story = draw(seed), Story()
    print(f"seed {seed}: {plan.configuration}")
    print("mean seconds between:", {k.value: round(mean) for k, mean in plan.troubles.items()})
    with TemporaryDirectory() as directory:
        world = World(plan, Path(directory), story)
        story.now = lambda: world.now
        try:
            with story.with_log():
                world.run()
            judge(story)
        except AssertionError as error:
            print(f"WRONG: {error}")
            return 1
    print("nothing lost, nothing twice")
    return 0


if __name__ == "__main__":
    sys.exit(tell(int(sys.argv[1])))
