from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.events import ArrivalTime
from edge_fusion.io.liveness import Backlog, Pace, Stillness

Arrivals = list[tuple[float, float]]
"""When each picture came, and where in the stream it stands."""


def live(start: float, pictures: int, position: float = 0.0, step: float = 0.1) -> Arrivals:
    return [(start + n * step, position + n * step) for n in range(pictures)]


def burst(start: float, pictures: int, position: float = 0.0) -> Arrivals:
    return [(start + n * 0.003, position + n * 0.1) for n in range(pictures)]


def judged(backlog: Backlog, arrivals: Arrivals) -> list[bool]:
    return [backlog.is_old(ArrivalTime(at), position) for at, position in arrivals]


def opened() -> Backlog:
    """A stream that has run for 2 s, to the position 1.9."""
    backlog = Backlog()
    judged(backlog, live(100.0, 20))
    return backlog


def test_what_was_held_while_the_stream_was_recognised_is_old() -> None:
    backlog = Backlog()
    assert all(judged(backlog, burst(100.0, 8)))
    assert not any(judged(backlog, live(100.15, 50, 0.8)))


def test_the_first_picture_of_all_is_not_trusted() -> None:
    assert judged(Backlog(), live(100.0, 3)) == [True, False, False]


@given(seed=st.integers(0, 1000))
def test_a_network_that_delays_each_picture_a_little_makes_none_old(seed: int) -> None:
    chance = Random(seed)
    stream = [(at + chance.uniform(0, 0.3), position) for at, position in live(102.0, 600, 2.0)]
    assert not any(judged(opened(), stream))


def test_what_was_held_back_for_three_seconds_is_old_until_it_has_been_read() -> None:
    backlog = opened()
    assert judged(backlog, burst(105.0, 30, 2.0)) == [True] * 21 + [False] * 9
    assert not backlog.is_stuck(ArrivalTime(106.0))


def test_a_camera_whose_clock_is_slow_stays_fresh_for_an_hour() -> None:
    stream = [(100 + position * 1.0005, position) for _, position in live(0, 36_000)]
    assert not any(judged(Backlog(), stream)[1:])


def test_a_stream_that_counts_anew_is_trusted_again_after_a_picture() -> None:
    assert judged(opened(), live(102.0, 40, -50.0)) == [True] + [False] * 39


def test_a_stream_that_comes_slower_than_it_is_taken_is_stuck_after_five_seconds() -> None:
    backlog = opened()
    slow = [(102 + n * 0.15, 2 + n * 0.1) for n in range(100)]
    old = judged(backlog, slow)
    first = old.index(True)
    assert 15 < first < 25
    assert all(old[first:])
    assert not backlog.is_stuck(ArrivalTime(slow[first][0] + 4.9))
    assert backlog.is_stuck(ArrivalTime(slow[first][0] + 5.1))


def test_a_stream_that_never_says_where_it_stands_is_taken_as_it_comes() -> None:
    stream = [(at, 0.0) for at, _ in live(100.0, 60)]
    old = judged(Backlog(), stream)
    assert old == [True] * old.count(True) + [False] * old.count(False)
    assert 20 < old.count(True) < 30


def frozen(stillness: Stillness, images: Iterator[bytes], start: float = 0.0) -> list[bool]:
    return [
        stillness.is_frozen(image, ArrivalTime(start + n), blank=False)
        for n, image in enumerate(images)
    ]


def test_the_same_picture_again_and_again_is_frozen_once_the_patience_is_over() -> None:
    assert frozen(Stillness(3.0), iter([b"a"] * 6)) == [False] * 3 + [True] * 3


def test_so_is_a_loop_of_a_few_pictures() -> None:
    assert frozen(Stillness(3.0), iter([b"a", b"b", b"c"] * 3)) == [False] * 5 + [True] * 4


def test_a_new_picture_ends_it() -> None:
    stillness = Stillness(3.0)
    frozen(stillness, iter([b"a"] * 6))
    assert frozen(stillness, iter([b"b", b"b"]), 6.0) == [False, False]


def test_a_dark_room_is_not_frozen() -> None:
    stillness = Stillness(3.0)
    judged = [stillness.is_frozen(b"dark", ArrivalTime(float(n)), blank=True) for n in range(9)]
    assert not any(judged)


def test_what_is_remembered_is_bounded() -> None:
    stillness = Stillness(3.0)
    frozen(stillness, (b"%d" % number for number in range(1000)))
    assert not stillness.is_frozen(b"0", ArrivalTime(1002.0), blank=False)


@pytest.mark.parametrize("camera", [10, 12, 25, 30])
@pytest.mark.parametrize("wanted", [0.2, 1, 2, 3, 5, 10])
@given(seed=st.integers(0, 100))
def test_so_many_pictures_a_second_are_taken_evenly(camera: int, wanted: float, seed: int) -> None:
    chance, pace = Random(seed), Pace(wanted)
    steps = [n / camera + chance.uniform(0, 0.2 / camera) for n in range(camera * 60)]
    taken = [at for at in steps if pace.is_due(ArrivalTime(at))]
    assert len(taken) == pytest.approx(60 * wanted, abs=1.5)
    gaps = [b - a for a, b in pairwise(taken)]
    assert max(gaps) < 1 / wanted + 1.5 / camera


def test_a_slower_camera_gives_all_it_has() -> None:
    pace = Pace(10)
    assert all(pace.is_due(ArrivalTime(float(n))) for n in range(10))


def test_after_a_pause_nothing_is_made_up_for() -> None:
    pace = Pace(1)
    assert [pace.is_due(ArrivalTime(at)) for at in (0.0, 60.0, 60.1, 60.2, 61.0)] == [
        True,
        True,
        False,
        False,
        True,
    ]
