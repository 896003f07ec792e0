"""Evidence: what an alert rests on, gathered from the scored pane that brought it about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain

from edge_fusion.events import IMAGE, Evidence, Pane, Reading, Row, Scores, Summary, of_readings


def summaries(pane: Pane) -> dict[str, Summary]:
    """Count, mean, extremes and last value of each quantity read inside the pane's window."""
    quantities = sorted({line[0].quantity for line in pane.lines if of_readings(line)})
    readings = {quantity: pane.readings(quantity) for quantity in quantities}
    return {quantity: _summary([each.value for each in own]) for quantity, own in readings.items()}


def _summary(values: Sequence[float]) -> Summary:
    # Divided first, so that the mean of huge values does not overflow.
    mean = math.fsum(value / len(values) for value in values)
    low, high = min(values), max(values)
    return Summary(len(values), min(max(mean, low), high), low, high, values[-1])


def heard(pane: Pane) -> tuple[Reading, ...]:
    """Every reading the model could use: those in the window, and those carried into it."""
    lines = filter(of_readings, pane.lines)
    return (*chain.from_iterable(lines), *pane.carried)


def missing(
    pane_readings: Iterable[Reading], row: Row | None, quantities: Sequence[str]
) -> tuple[str, ...]:
    """Names of the model's inputs that had nothing: of `quantities`, in their order, or "image".

    `pane_readings` are those the model could use (see `heard`); `row` None stands for no frames.
    """
    present = {reading.quantity for reading in pane_readings}
    absent = tuple(quantity for quantity in quantities if quantity not in present)
    return absent if row is not None and row.frames else (*absent, IMAGE)


def top_row(scores: Scores, label: str) -> Row | None:
    """The row with the highest score of `label`, the first of equals; None where none has one."""
    # A NaN is no information either, and would poison the comparison.
    known = [row for row in scores.rows if not math.isnan(row.scores.get(label, math.nan))]
    return max(known, key=lambda row: row.scores[label], default=None)


def gather(scores: Scores, label: str, quantities: Sequence[str]) -> Evidence:
    """What the highest score of `label` in this pane rests on; raises KeyError where none has one.

    `contributions` stay empty: they take further inferences, which are not made here.
    """
    row = top_row(scores, label)
    if row is None:
        raise KeyError(label)
    pane = scores.pane
    return Evidence(
        window=pane.window,
        revision=pane.index,
        score=row.scores[label],
        camera=row.camera,
        readings=summaries(pane),
        frames=row.frames,
        missing=missing(heard(pane), row, quantities),
        contributions={},
    )
