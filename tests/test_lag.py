"""Whether messages wait in the broker for long, as echoes tell it."""

from __future__ import annotations

import pytest

from edge_fusion.events import ArrivalTime
from edge_fusion.lag import EVERY, LONG, MOST_AWAY, MUCH, Lag


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(1_800_000_000.0 + seconds)


@pytest.fixture
def lag() -> Lag:
    """Of a connection whose first echo came back at once, at 0.1 s."""
    lag = Lag("run 2")
    lag.begin()
    echo = sent(lag, 0, messages=MUCH)
    assert echo is not None
    lag.hear(echo, at(0.1))
    return lag


def sent(lag: Lag, when: float, messages: int = 0) -> bytes | None:
    """The echo that a turn after so many messages brings about."""
    for _ in range(messages):
        lag.count()
    lag.turn(at(when))
    return lag.echo()


def test_where_little_comes_there_are_no_echoes(lag: Lag) -> None:
    assert [sent(lag, second, messages=MUCH - 1) for second in range(1, 99)] == [None] * 98
    assert sent(lag, 99, messages=MUCH) is not None


def test_there_is_one_echo_a_second_however_much_comes(lag: Lag) -> None:
    assert sent(lag, 10, messages=500) is not None
    assert lag.echo() is None
    assert sent(lag, 10 + 0.9 * EVERY, messages=500) is None
    assert sent(lag, 10 + EVERY) is not None


def test_no_echo_is_like_another() -> None:
    echoes = set()
    for run in ("run 1", "run 2"):
        lag = Lag(run)
        lag.begin()
        echoes |= {sent(lag, second, messages=MUCH) for second in range(9)}
    assert len(echoes) == 18


def test_an_echo_that_is_soon_back_tells_of_no_wait(lag: Lag) -> None:
    echo = sent(lag, 10, messages=MUCH)
    assert echo is not None
    assert not lag.is_long(at(10 + LONG))
    lag.hear(echo, at(10 + LONG))
    assert not lag.is_long(at(10 + LONG))
    assert not lag.is_long(at(1000))


def test_an_echo_that_stays_away_tells_of_a_wait_until_one_is_soon_back(lag: Lag) -> None:
    first = sent(lag, 10, messages=MUCH)
    assert lag.is_long(at(10.1 + LONG))
    second = sent(lag, 10.1 + LONG)  # although nothing more came
    assert first is not None
    assert second is not None
    lag.hear(first, at(15))
    assert lag.is_long(at(15))
    lag.hear(second, at(15.1))
    assert lag.is_long(at(15.1))
    third = sent(lag, 15.2)
    assert third is not None
    lag.hear(third, at(15.3))
    assert not lag.is_long(at(15.3))
    assert sent(lag, 20) is None


def test_an_echo_that_the_broker_dropped_is_made_up_for_by_the_next(lag: Lag) -> None:
    assert sent(lag, 10, messages=MUCH) is not None
    assert lag.is_long(at(13))
    second = sent(lag, 13)
    assert second is not None
    lag.hear(second, at(13.5))
    assert not lag.is_long(at(99))


def test_where_no_echo_ever_came_back_nothing_is_concluded() -> None:
    """A broker may let us publish or read no barrier."""
    lag = Lag("run 2")
    lag.begin()
    for second in range(3 * MOST_AWAY):
        assert sent(lag, second, messages=MUCH) is not None
        assert not lag.is_long(at(second))
    assert len(lag._away) == MOST_AWAY


@pytest.mark.parametrize("payload", [b"", b"\xff", b"run 1/echo/2", b"run 2/echo/99", b"run 2/1"])
def test_what_is_no_echo_of_ours_means_nothing(lag: Lag, payload: bytes) -> None:
    assert sent(lag, 10, messages=MUCH) is not None
    lag.hear(payload, at(10.1))
    assert lag.is_long(at(13))


def test_a_connection_made_anew_has_no_wait_yet(lag: Lag) -> None:
    old = sent(lag, 10, messages=MUCH)
    assert old is not None
    assert lag.is_long(at(13))
    lag.begin()
    assert not lag.is_long(at(13))
    lag.hear(old, at(13.1))
    assert not lag.is_long(at(13.1))
