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
    """Median time of a piece of work."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


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
