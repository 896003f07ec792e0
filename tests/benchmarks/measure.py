"""Times and ratios."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from edge_fusion.garbage import settle_collector

RUNS = 5


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median CPU time of a piece of work: what others do on the machine is none of it."""
    return median(_times(work, runs))


def least_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The least CPU time, for differences: others disturb the caches, and only ever add to it."""
    return min(_times(work, runs))


def _times(work: Callable[[], object], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return times


@contextmanager
def settled_garbage() -> Iterator[None]:
    """The garbage collector as the daemon sets it, for ourselves and for peers."""
    before = gc.get_threshold()
    settle_collector()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def show(name: str, floor: str, ratio: float, detail: str) -> None:
    print(f"\n{name:<40} {ratio:6.2f} x {floor:<38} {detail}")
