"""Readings -> a grid of evenly spaced values and how fresh they are.

A window is a grid of `spec.steps` equal cells. Per quantity the readings of the site that fall into
a cell make one *knot*: their mean, at the mean of their times. A cell's value is that of the line
from knot to knot at the cell's middle, where readings on either side are no more than `max_gap`
apart: so an even slope stays one, however unevenly it is sampled. A cell beyond the last such
knot takes the mean of its own readings. A cell without any takes the last value of each device,
carried for up to `carry` seconds, and the mask falls from 1 to 0 with its age. The reading before
the window (`pane.carried`) is a knot too.

The quantities are laid out end to end on one axis of seconds, further apart than `max_gap`, so that
one pass of numpy over all readings draws the lines of them all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import mul

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import IN_TIME, Pane, Reading, of_readings
from edge_fusion.model.spec import ModelSpec

Floats = NDArray[np.float64]

_HAIR = 1e-6
"""Seconds above `max_gap` that forgive what float subtraction adds to an exact gap."""


def sensor_grid(
    pane: Pane, spec: ModelSpec, *, max_gap: float, carry: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The grid and its freshness, each float32 [T, C]; `max_gap` and `carry` in seconds."""
    size = pane.window.end - pane.window.start
    axis = _axis(len(spec.quantities), spec.steps, size, max_gap)
    values, freshness = _drawn(*_laid_out(pane, spec.quantities, axis), axis)
    if not freshness.all():
        middles = pane.window.start + axis.middles[1 : spec.steps + 1]
        for quantity, of_cells, fresh in zip(spec.quantities, values, freshness, strict=True):
            before = sorted((e for e in pane.carried if e.quantity == quantity), key=IN_TIME)
            _carry([*before, *pane.readings(quantity)], middles, carry, of_cells, fresh)
    return values.T.astype(np.float32), freshness.T.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where on the axis things lie, in seconds; each of `columns` begins at its `offset`.

    A column has a cell before the window, for what leads in, and `steps` in it. `edges` are the
    beginnings of all cells and an end of all, `middles` their middles.
    """

    columns: int
    steps: int
    max_gap: float
    offsets: list[float]
    edges: Floats
    middles: Floats


@lru_cache(maxsize=32)
def _axis(columns: int, steps: int, size: float, max_gap: float) -> _Axis:
    offsets = np.arange(columns) * (size + 3 * (max_gap + 1))
    begins = np.arange(steps) * (size / steps)
    begins = np.concatenate([[-max_gap - 1], begins])
    edges = np.append(np.add.outer(offsets, begins), np.inf)
    middles = np.add.outer(offsets, begins + size / steps / 2).ravel()
    return _Axis(columns, steps, max_gap, offsets.tolist(), edges, middles)


def _laid_out(pane: Pane, quantities: Sequence[str], axis: _Axis) -> tuple[Floats, Floats]:
    """Times on the axis and values of all readings that may make a knot, in order of time."""
    columns: dict[str, list[Reading]] = {quantity: [] for quantity in quantities}
    for line in pane.lines:
        if of_readings(line) and (column := columns.get(line[0].quantity)) is not None:
            column += line
    for last in _leading_in(pane, axis.max_gap):
        if (column := columns.get(last.quantity)) is not None:
            column.append(last)
    readings = [*chain.from_iterable(columns.values())]
    times = np.array([*map(IN_TIME, readings)], np.float64)
    levels = np.array([reading.value for reading in readings], np.float64)
    begin = 0
    for offset, column in zip(axis.offsets, columns.values(), strict=True):
        end = begin + len(column)
        times[begin:end] += offset - pane.window.start
        begin = end
    order = times.argsort(kind="stable")
    return times[order], levels[order]


def _leading_in(pane: Pane, max_gap: float) -> list[Reading]:
    """Of each quantity the last reading before the window, if a line may begin there."""
    lasts: dict[str, Reading] = {}
    for last in pane.carried:
        known = lasts.get(last.quantity)
        if known is None or known.time <= last.time:
            lasts[last.quantity] = last
    since = pane.window.start - max_gap - _HAIR
    return [last for last in lasts.values() if last.time >= since]


def _drawn(times: Floats, levels: Floats, axis: _Axis) -> tuple[Floats, Floats]:
    """Values and freshness [C, T] of the cells that hold readings or lie between near ones."""
    values, freshness = np.zeros_like(axis.middles), np.zeros_like(axis.middles)
    if len(times):
        bounds = times.searchsorted(axis.edges)
        held = bounds[1:] - bounds[:-1]
        cells = held.nonzero()[0]
        begins, counts = bounds[cells], held[cells]
        knots = np.add.reduceat(times, begins) / counts
        means = np.add.reduceat(levels, begins) / counts
        values[cells] = means
        near = np.zeros(len(knots) + 1, np.bool_)
        near[1:-1] = times[begins[1:]] - times[begins[1:] - 1] <= axis.max_gap + _HAIR
        on_line = near[knots.searchsorted(axis.middles, side="right")]
        np.copyto(values, np.interp(axis.middles, knots, means), where=on_line)
        freshness[on_line] = freshness[cells] = 1.0
    shape = axis.columns, axis.steps + 1
    return values.reshape(shape)[:, 1:], freshness.reshape(shape)[:, 1:]


def _carry(
    readings: Sequence[Reading], middles: Floats, carry: float, values: Floats, fresh: Floats
) -> None:
    """Fill what is still empty by each device's last value, weighted by its freshness."""
    lasts: dict[str, Reading] = {}
    done = 0
    for cell in (fresh == 0.0).nonzero()[0].tolist():
        at = float(middles[cell])
        came = bisect_right(readings, at, done, key=IN_TIME)
        lasts |= {last.device: last for last in readings[done:came]}
        done = came
        weights = [max(0.0, 1 - (at - last.time) / carry) for last in lasts.values()]
        if total := sum(weights):
            levels = (last.value for last in lasts.values())
            values[cell] = sum(map(mul, weights, levels)) / total
            fresh[cell] = max(weights)
