"""Readings -> a grid of evenly spaced values and how fresh they are.

A window is a grid of `spec.steps` equal cells. Per quantity the readings of the site that fall into
a cell make one *knot*: their mean, at the mean of their times. A cell's value is that of the line
from knot to knot at the cell's middle, where readings on either side are no more than `max_gap`
apart: so an even slope stays one, however unevenly it is sampled. A cell beyond the last such
knot takes the mean of its own readings. A cell without any takes the last value of each device,
carried for up to `carry` seconds, and the mask falls from 1 to 0 with its age. The reading before
the window (`pane.carried`) is a knot too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import Pane, Reading, Window
from edge_fusion.model.spec import ModelSpec

Floats = NDArray[np.float64]


def sensor_grid(
    pane: Pane, spec: ModelSpec, *, max_gap: float, carry: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The grid and its freshness, each float32 [T, C]; `max_gap` and `carry` in seconds."""
    grid = np.zeros((spec.steps, len(spec.quantities)), np.float32)
    mask = np.zeros_like(grid)
    for column, quantity in enumerate(spec.quantities):
        inside = [e for e in pane.events if isinstance(e, Reading) and e.quantity == quantity]
        before = [e for e in pane.carried if e.quantity == quantity]
        if inside or before:
            values, freshness = _column(pane.window, spec.steps, inside, before, max_gap, carry)
            grid[:, column], mask[:, column] = values, freshness
    return grid, mask


def _column(
    window: Window,
    steps: int,
    inside: Sequence[Reading],
    before: Sequence[Reading],
    max_gap: float,
    carry: float,
) -> tuple[Floats, Floats]:
    width = (window.end - window.start) / steps
    centres: Floats = width * (np.arange(steps, dtype=np.float64) + 0.5)
    values, freshness = np.zeros(steps), np.zeros(steps)
    if inside:
        times = np.array([r.time for r in inside]) - window.start
        readings = np.array([r.value for r in inside])
        cells = np.clip((times / width).astype(int), 0, steps - 1)
        counts = np.bincount(cells, minlength=steps)
        filled = counts > 0
        knots = _Knots(
            np.bincount(cells, times, minlength=steps)[filled] / counts[filled],
            np.bincount(cells, readings, minlength=steps)[filled] / counts[filled],
            np.diff(times)[np.diff(cells) > 0],
        )
        values[filled], freshness[filled] = knots.values, 1.0
        if before:
            latest = max(before, key=lambda r: r.time)
            lead = latest.time - window.start
            knots = knots.after(lead, latest.value, times[0] - lead)
        knots.draw(values, freshness, centres, max_gap)
    if not freshness.all():
        _carry(values, freshness, centres + window.start, [*before, *inside], carry)
    return values, freshness


class _Knots(NamedTuple):
    """Knots in order of time, in seconds after the start of the window.

    gaps: from the last reading of each knot to the first of the next, so one fewer.
    """

    times: Floats
    values: Floats
    gaps: Floats

    def after(self, time: float, value: float, gap: float) -> _Knots:
        """The same with one more knot before all others."""
        return _Knots(
            np.concatenate(([time], self.times)),
            np.concatenate(([value], self.values)),
            np.concatenate(([gap], self.gaps)),
        )

    def draw(self, values: Floats, freshness: Floats, centres: Floats, max_gap: float) -> None:
        """Put the cells between neighbours near enough to each other on the line."""
        # A hair above max_gap forgives what float subtraction adds to an exact gap.
        near = np.concatenate(([False], self.gaps <= max_gap + 1e-6, [False]))
        on_line = near[np.searchsorted(self.times, centres)]
        values[on_line] = np.interp(centres[on_line], self.times, self.values)
        freshness[on_line] = 1.0


def _carry(
    values: Floats,
    freshness: Floats,
    centres: Floats,
    readings: Sequence[Reading],
    carry: float,
) -> None:
    """Fill what is still empty by each device's last value, weighted by its freshness."""
    empty = np.flatnonzero(freshness == 0)
    weights, total = np.zeros(len(empty)), np.zeros(len(empty))
    best = np.zeros(len(empty))
    for device in sorted({r.device for r in readings}):
        own = sorted((r.time, r.value) for r in readings if r.device == device)
        times, levels = np.array([t for t, _ in own]), np.array([v for _, v in own])
        last = np.searchsorted(times, centres[empty], side="right") - 1
        age = centres[empty] - times[np.maximum(last, 0)]
        fresh = np.where(last >= 0, np.clip(1 - age / carry, 0, 1), 0.0)
        weights += fresh
        total += fresh * levels[np.maximum(last, 0)]
        best = np.maximum(best, fresh)
    known = weights > 0
    values[empty[known]] = total[known] / weights[known]
    freshness[empty[known]] = best[known]
