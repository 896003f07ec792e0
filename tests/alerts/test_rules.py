from __future__ import annotations

import itertools

import pytest

from edge_fusion.alerts.rules import TRANSITIONS, Rule
from edge_fusion.events import AlertState, Severity, Signal


def rule(
    threshold: float = 0.7, clear: float = 0.5, for_windows: int = 2, keep_firing: float = 30.0
) -> Rule:
    return Rule("smoke", threshold, clear, for_windows, keep_firing, Severity.CRITICAL)


def test_every_state_answers_every_signal() -> None:
    assert set(TRANSITIONS) == set(itertools.product(AlertState, Signal))


def test_only_a_held_run_leads_to_firing() -> None:
    entered = {
        (state, signal)
        for (state, signal), to in TRANSITIONS.items()
        if to is AlertState.FIRING and state is not AlertState.FIRING
    }
    assert entered == {(AlertState.INACTIVE, Signal.HELD), (AlertState.PENDING, Signal.HELD)}


def test_only_the_end_of_the_timer_ends_a_firing() -> None:
    firing = AlertState.FIRING
    kept = {signal for signal in Signal if TRANSITIONS[firing, signal] is firing}
    assert kept == set(Signal) - {Signal.EXPIRED}


def test_a_pending_alert_ends_at_the_first_window_that_is_not_high() -> None:
    for signal in (Signal.BETWEEN, Signal.LOW):
        assert TRANSITIONS[AlertState.PENDING, signal] is AlertState.INACTIVE


@pytest.mark.parametrize(
    ("score", "run", "signal"),
    [
        (0.7, 1, Signal.HIGH),
        (0.7, 2, Signal.HELD),
        (0.9, 9, Signal.HELD),
        (0.69, 0, Signal.BETWEEN),
        (0.5, 0, Signal.BETWEEN),
        (0.49, 0, Signal.LOW),
    ],
)
def test_a_score_on_a_bound_belongs_above_it(score: float, run: int, signal: Signal) -> None:
    assert rule().signal(score, run) is signal


def test_without_hysteresis_nothing_lies_between() -> None:
    assert rule(clear=0.7).signal(0.699, 0) is Signal.LOW


@pytest.mark.parametrize(
    "wrong",
    [
        {"clear": 0.0},
        {"clear": 0.8},
        {"threshold": 1.01},
        {"threshold": float("nan")},
        {"for_windows": 0},
        {"keep_firing": -1.0},
        {"keep_firing": float("inf")},
    ],
)
def test_a_rule_that_could_never_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"smoke: .* expected"):
        rule(**wrong)  # type: ignore[arg-type]
