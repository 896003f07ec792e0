"""Event time -> windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.align.windows import Hopping, Tumbling, assigner, index_of
from edge_fusion.events import EventTime


def test_windows_that_do_not_overlap_tumble() -> None:
    assert assigner(10.0, 10.0) == Tumbling(10.0)
    assert assigner(10.0, 5.0) == Hopping(10.0, 5.0)
    assert (Tumbling(10.0).every, Tumbling(10.0).overlap) == (10.0, 1)
    assert Hopping(10.0, 2.5).overlap == 4


@pytest.mark.parametrize(("size", "every"), [(10.0, 10.0), (10.0, 2.0), (0.3, 0.1)])
@given(time=st.floats(0, 4e9))
def test_an_instant_lies_in_size_by_every_windows(size: float, every: float, time: float) -> None:
    windows = assigner(size, every).windows_of(EventTime(time))
    assert len(windows) == round(size / every)
    assert all(window.start <= time < window.end for window in windows)


@given(st.floats(0, 4e9), st.sampled_from([0.1, 0.3, 1.0, 10.0, 3600.0]))
def test_slices_meet_without_gap_or_overlap(time: float, every: float) -> None:
    index = index_of(time, every)
    assert index * every <= time < (index + 1) * every
