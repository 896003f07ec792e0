"""How often a sign of life is passed on, and when there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.events import ArrivalTime
from edge_fusion.pulse import STUCK_AFTER, Pulse


class Clock:
    def __init__(self) -> None:
        self.now = ArrivalTime(1000.0)

    def stamp(self) -> ArrivalTime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now = ArrivalTime(self.now + seconds)


@given(st.floats(0.5, 600), st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_a_thread_that_turns_in_time_is_always_heard_in_time(
    watchdog: float, sleeps: list[float]
) -> None:
    clock = Clock()
    told: list[float] = []
    pulse = Pulse(clock.stamp, lambda: told.append(clock.now), watchdog)
    pulse.beat()
    for share in sleeps:
        clock.go(share * pulse.interval)
        pulse.beat()
        assert clock.now - told[-1] <= watchdog / 2


def test_steps_in_quick_succession_are_not_all_told() -> None:
    clock = Clock()
    told: list[float] = []
    pulse = Pulse(clock.stamp, lambda: told.append(clock.now), 60.0)
    for _ in range(6000):
        clock.go(0.01)
        pulse.beat()
    assert len(told) <= 5


@pytest.mark.parametrize(("watchdog", "limit"), [(None, STUCK_AFTER), (4.0, 4.0)])
def test_a_thread_is_stuck_when_its_watchdog_would_say_so(
    watchdog: float | None, limit: float
) -> None:
    clock = Clock()
    pulse = Pulse(clock.stamp, lambda: None, watchdog)
    clock.go(limit - 0.1)
    assert not pulse.is_stuck()
    clock.go(0.2)
    assert pulse.is_stuck()
    assert pulse.age() == pytest.approx(limit + 0.1)
    pulse.beat()
    assert not pulse.is_stuck()
