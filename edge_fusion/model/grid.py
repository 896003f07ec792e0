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

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil
from operator import attrgetter, mul

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import Pane, Reading, Window
from edge_fusion.model.spec import ModelSpec

INFINITY = float("inf")

_TIME = attrgetter("time")


def sensor_grid(
    pane: Pane, spec: ModelSpec, *, max_gap: float, carry: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The grid and its freshness, each float32 [T, C]; `max_gap` and `carry` in seconds."""
    columns = []
    for quantity in spec.quantities:
        inside = [e for e in pane.events if type(e) is Reading and e.quantity == quantity]
        before = [e for e in pane.carried if e.quantity == quantity]
        before.sort(key=_TIME)
        column = _Column(pane.window, spec.steps)
        column.draw(before[-1] if before else None, inside, max_gap)
        if 0.0 in column.freshness:
            column.carry([*before, *inside], carry)
        columns.append((column.values, column.freshness))
    grid, mask = np.array(columns, np.float32).transpose(1, 2, 0)
    return grid, mask


class _Column:
    """Values of one quantity and how fresh they are, cell by cell; times are in seconds.

    Plain lists, as a window holds so little that the calls into numpy would cost more.
    """

    def __init__(self, window: Window, steps: int) -> None:
        self.values = [0.0] * steps
        self.freshness = [0.0] * steps
        self._start = window.start
        self._width = (window.end - window.start) / steps

    def draw(self, before: Reading | None, inside: Sequence[Reading], max_gap: float) -> None:
        """Fill the cells that hold readings, and put those between near ones on the line.

        `before` is the reading that leads into the window, `inside` those in it, in order of time.
        """
        start, width, steps = self._start, self._width, len(self.values)
        times = [reading.time - start for reading in inside]
        levels = [reading.value for reading in inside]
        left = last = INFINITY
        level_left, drawn = 0.0, 0
        if before is not None:
            left = last = before.time - start
            level_left = before.value
        begin, count = 0, len(times)
        while begin < count:
            cell, end = int(times[begin] / width), begin + 1
            if cell >= steps - 1:
                cell, end = steps - 1, count
            elif end < count and times[end] < (cell + 1) * width:
                end = bisect_left(times, (cell + 1) * width, end)
            right, level = times[begin], levels[begin]
            if end > begin + 1:
                right = sum(times[begin:end]) / (end - begin)
                level = sum(levels[begin:end]) / (end - begin)
            self.values[cell], self.freshness[cell] = level, 1.0
            until = ceil(right / width - 0.5)
            # A hair above max_gap forgives what float subtraction adds to an exact gap.
            if 0 <= times[begin] - last <= max_gap + 1e-6:
                slope = (level - level_left) / (right - left)
                for place in range(drawn, until):
                    self.values[place] = level_left + slope * ((place + 0.5) * width - left)
                    self.freshness[place] = 1.0
            left, level_left, last, drawn, begin = right, level, times[end - 1], until, end

    def carry(self, readings: Sequence[Reading], carry: float) -> None:
        """Fill what is still empty by each device's last value, weighted by its freshness."""
        lasts: dict[str, Reading] = {}
        done = 0
        for cell, fresh in enumerate(self.freshness):
            if fresh:
                continue
            at = self._start + (cell + 0.5) * self._width
            came = bisect_right(readings, at, done, key=_TIME)
            lasts |= {last.device: last for last in readings[done:came]}
            done = came
            weights = [max(0.0, 1 - (at - last.time) / carry) for last in lasts.values()]
            if total := sum(weights):
                levels = (last.value for last in lasts.values())
                self.values[cell] = sum(map(mul, weights, levels)) / total
                self.freshness[cell] = max(weights)
