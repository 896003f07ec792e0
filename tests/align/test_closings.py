"""When windows were closed."""

from __future__ import annotations

from edge_fusion.align.closings import LIMIT, LONG_AGO, Closings
from edge_fusion.events import ArrivalTime


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(seconds)


def test_a_window_is_dated_by_the_first_advance_past_it() -> None:
    log = Closings()
    for below, when in ((1, 2.0), (1, 3.0), (4, 4.0)):
        log.add(below, at(when))
    assert log.when(0) == 2.0
    assert log.when(1) == log.when(3) == 4.0
    assert log.when(4) is None
    assert (log.before(at(2.0)), log.before(at(2.5)), log.before(at(9.0))) == (0, 1, 4)


def test_what_is_forgotten_was_long_ago() -> None:
    log = Closings()
    for place in range(1, 6):
        log.add(place, at(place))
    log.forget_before(at(3.5))
    assert log.when(1) == LONG_AGO
    assert log.when(3) == 4.0
    assert log.before(at(1.0)) == 2


def test_the_log_is_bounded() -> None:
    log = Closings()
    for place in range(1, LIMIT + 10):
        log.add(place, at(place))
    assert log.when(8) == LONG_AGO
    assert log.when(9) == 10.0
