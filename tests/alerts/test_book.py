from __future__ import annotations

import math
import uuid
from dataclasses import replace

import pytest

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.lifecycle import NAMESPACE
from edge_fusion.alerts.rules import Rule
from edge_fusion.events import (
    AlertChange,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Pane,
    Row,
    Scores,
    Severity,
    Timing,
    Window,
)

SILENT_AFTER = 60.0
LAG = 2.0


def book(*, for_windows: int = 2, keep_firing: float = 30.0, labels: str = "smoke") -> AlertBook:
    rules = {
        label: Rule(label, 0.7, 0.5, for_windows, keep_firing, Severity.CRITICAL)
        for label in labels.split()
    }
    return AlertBook(
        rules, model_sha256="beef", quantities=("temperature",), silent_after=SILENT_AFTER
    )


def scored(
    number: int,
    smoke: float | None,
    *,
    site: str = "hall",
    index: int = 0,
    at: float | None = None,
    **others: float,
) -> Scores:
    """The scores of window [10 n, 10 n + 10), which fires 2 s after its end unless said."""
    window = Window(EventTime(number * 10.0), EventTime(number * 10.0 + 10))
    pane = Pane(
        site=site,
        window=window,
        index=index,
        timing=Timing.LATE if index else Timing.ON_TIME,
        closed_by=ClosedBy.WATERMARK,
        fired_at=ArrivalTime(window.end + LAG if at is None else at),
        lines=(),
    )
    if smoke is None:
        return Scores(pane, ())
    return Scores(pane, (Row(None, (), {"smoke": smoke, **others}),))


def seen(subject: AlertBook, *panes: Scores) -> list[AlertChange]:
    """What the panes bring about, announcements left out."""
    changes = [change for pane in panes for change in subject.take(pane)]
    return [change for change in changes if change.alert.id is not None]


def brief(changes: list[AlertChange]) -> list[tuple[str, int, float]]:
    """(what happened, sequence, when) of each change."""
    return [
        (
            ("firing" if change.alert.firing else "resolved") if change.lifecycle else "update",
            change.alert.sequence,
            change.alert.updated_at,
        )
        for change in changes
    ]


def until(subject: AlertBook, time: float) -> list[AlertChange]:
    return subject.advance(ArrivalTime(time))


def test_a_new_site_is_announced_as_resolved_before_anything_else() -> None:
    changes = book(for_windows=1, labels="smoke fire").take(scored(0, 0.9))
    assert [(c.alert.label, c.alert.id, c.alert.sequence) for c in changes[:2]] == [
        ("smoke", None, 0),
        ("fire", None, 0),
    ]
    assert not any(c.alert.firing or c.lifecycle for c in changes[:2])
    assert all(c.alert.updated_at == 12.0 and c.alert.evidence is None for c in changes[:2])
    assert changes[2].alert.firing
    assert len(changes) == 3


def test_a_site_is_announced_once_even_if_its_first_pane_says_nothing() -> None:
    subject = book()
    assert len(subject.take(scored(0, None))) == 1
    assert subject.take(scored(1, 0.1)) == []


def test_it_fires_at_the_last_of_enough_high_windows_and_dates_from_the_first() -> None:
    subject = book(for_windows=3)
    (change,) = seen(subject, scored(0, 0.8), scored(1, 0.7), scored(2, 0.9))
    alert = change.alert
    assert brief([change]) == [("firing", 1, 32.0)]
    assert (alert.site, alert.label, alert.score, alert.threshold) == ("hall", "smoke", 0.9, 0.7)
    assert (alert.started_at, alert.ended_at) == (0.0, None)
    assert alert.severity is Severity.CRITICAL
    assert alert.evidence is not None
    assert alert.evidence.window.start == 20.0
    assert alert.evidence.missing == ("temperature", "image")
    assert subject.firing() == [alert]


def test_the_id_is_made_of_site_label_first_window_and_model() -> None:
    (change,) = seen(book(), scored(5, 0.8), scored(6, 0.8))
    assert change.alert.id == str(uuid.uuid5(NAMESPACE, "hall|smoke|50000|beef"))


@pytest.mark.parametrize("interruption", [0.6, 0.1])
def test_a_window_that_is_not_high_ends_a_run(interruption: float) -> None:
    subject = book()
    assert seen(subject, scored(0, 0.8), scored(1, interruption), scored(2, 0.8)) == []
    (change,) = seen(subject, scored(3, 0.8))
    assert change.alert.started_at == 20.0


def test_it_resolves_when_nothing_has_reached_clear_for_keep_firing() -> None:
    subject = book(for_windows=1, keep_firing=25.0)
    seen(subject, scored(0, 0.8), scored(1, 0.78), scored(2, 0.79), scored(3, 0.77))
    changes = seen(subject, scored(4, 0.1), scored(5, 0.1), scored(6, 0.1), scored(7, 0.1))
    assert brief(changes) == [("update", 2, 52.0), ("resolved", 3, 77.0)]
    assert changes[-1].alert.ended_at == 77.0
    assert changes[-1].alert.started_at == 0.0
    assert subject.firing() == []
    assert subject.wake() is None


@pytest.mark.parametrize("score", [0.5, 0.9])
def test_a_score_from_clear_upwards_stops_the_timer(score: float) -> None:
    subject = book(for_windows=1, keep_firing=15.0)
    seen(subject, scored(0, 0.8), scored(1, 0.1), scored(2, score), scored(3, 0.1))
    assert subject.wake() == 42.0 + 15.0


def test_between_clear_and_threshold_it_goes_on_for_ever() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.8), *[scored(n, 0.55) for n in range(1, 50)])
    assert brief(changes) == [("firing", 1, 12.0), ("update", 2, 22.0)]


def test_without_keep_firing_it_resolves_at_the_first_low_score() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.8), scored(1, 0.2))
    assert brief(changes) == [("firing", 1, 12.0), ("resolved", 2, 22.0)]
    assert changes[-1].alert.score == 0.2


def test_a_new_firing_has_a_new_id_and_counts_from_one() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.8), scored(1, 0.2), scored(2, 0.8))
    assert brief(changes)[-1] == ("firing", 1, 32.0)
    assert changes[0].alert.id == changes[1].alert.id != changes[2].alert.id


def test_a_moved_score_refreshes_the_retained_state_without_an_event() -> None:
    subject = book(for_windows=1)
    changes = seen(
        subject, scored(0, 0.80), scored(1, 0.84), scored(2, 0.87), scored(3, 0.87), scored(4, 0.7)
    )
    assert brief(changes) == [("firing", 1, 12.0), ("update", 2, 32.0), ("update", 3, 52.0)]
    assert [change.alert.score for change in changes] == [0.80, 0.87, 0.7]
    assert len({change.alert.id for change in changes}) == 1


def test_a_silent_site_resolves_with_its_last_evidence() -> None:
    subject = book(for_windows=1, keep_firing=30.0)
    seen(subject, scored(0, 0.8))
    assert until(subject, 12.0 + SILENT_AFTER + 29.9) == []
    (change,) = until(subject, 1000.0)
    assert brief([change]) == [("resolved", 2, 12.0 + SILENT_AFTER + 30.0)]
    assert change.alert.score == 0.8
    assert change.alert.evidence is not None
    assert change.alert.evidence.window.start == 0.0


def test_a_silent_site_without_keep_firing_resolves_when_its_silence_shows() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    seen(subject, scored(0, 0.8))
    assert brief(until(subject, 1000.0)) == [("resolved", 2, 12.0 + SILENT_AFTER)]


def test_silence_ends_a_run() -> None:
    subject = book(for_windows=2)
    assert seen(subject, scored(0, 0.8), scored(20, 0.8)) == []
    (change,) = seen(subject, scored(21, 0.8))
    assert change.alert.started_at == 200.0


def test_what_was_due_before_a_pane_happens_before_it() -> None:
    subject = book(for_windows=1, keep_firing=10.0)
    changes = seen(subject, scored(0, 0.8), scored(50, 0.9))
    assert brief(changes) == [
        ("firing", 1, 12.0),
        ("resolved", 2, 12.0 + SILENT_AFTER + 10.0),
        ("firing", 1, 512.0),
    ]


def test_timers_of_several_sites_run_in_the_order_they_are_due() -> None:
    subject = book(for_windows=1, keep_firing=5.0)
    for site, at in (("c", 14.0), ("a", 15.0), ("b", 16.0)):
        subject.take(scored(0, 0.9, site=site, at=at))
    subject.take(scored(1, 0.1, site="b", at=22.0))
    assert subject.wake() == 27.0
    ended = [(change.alert.site, change.alert.ended_at) for change in until(subject, 1e6)]
    assert ended == [("b", 27.0), ("c", 14.0 + 65.0), ("a", 15.0 + 65.0)]


def test_labels_live_apart() -> None:
    subject = book(for_windows=1, keep_firing=0.0, labels="smoke fire")
    changes = seen(subject, scored(0, 0.9, fire=0.1), scored(1, 0.1, fire=0.9))
    assert [(change.alert.label, change.alert.firing) for change in changes] == [
        ("smoke", True),
        ("smoke", False),
        ("fire", True),
    ]


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_no_information_changes_nothing_but_timers(nothing: float | None) -> None:
    subject = book(for_windows=2)
    changes = seen(subject, scored(0, 0.8), scored(1, nothing), scored(2, 0.8))
    assert brief(changes) == [("firing", 1, 32.0)]
    assert brief(seen(subject, scored(3, nothing))) == []
    assert subject.wake() == 32.0 + SILENT_AFTER
    assert brief(seen(subject, scored(20, nothing))) == [("resolved", 2, 32.0 + 90.0)]


def test_a_label_that_the_model_does_not_score_never_alerts() -> None:
    subject = book(for_windows=1, labels="ghost")
    assert seen(subject, scored(0, 0.9)) == []
    assert subject.wake() is None


def test_a_revision_of_the_newest_window_can_complete_a_run() -> None:
    subject = book(for_windows=2)
    assert seen(subject, scored(0, 0.8), scored(1, 0.1)) == []
    (change,) = seen(subject, scored(1, 0.9, index=1, at=25.0))
    assert brief([change]) == [("firing", 1, 25.0)]
    assert change.alert.started_at == 0.0
    assert change.alert.evidence is not None
    assert change.alert.evidence.revision == 1


def test_a_revision_of_the_newest_window_can_break_a_run_before_it_fires() -> None:
    subject = book(for_windows=2)
    assert seen(subject, scored(0, 0.8), scored(0, 0.1, index=1, at=13.0), scored(1, 0.8)) == []


def test_a_revised_window_counts_once_in_its_run() -> None:
    subject = book(for_windows=3)
    revisions = [scored(1, 0.9, index=n, at=22.0 + n) for n in range(1, 5)]
    assert seen(subject, scored(0, 0.8), scored(1, 0.8), *revisions) == []


def test_a_revision_never_takes_back_a_firing() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.9), scored(0, 0.1, index=1, at=14.0))
    assert brief(changes) == [("firing", 1, 12.0), ("update", 2, 14.0)]
    assert brief(seen(subject, scored(1, 0.1))) == [("resolved", 3, 22.0)]


def test_a_revision_can_stop_the_timer() -> None:
    subject = book(for_windows=1, keep_firing=30.0)
    seen(subject, scored(0, 0.9), scored(1, 0.1), scored(1, 0.6, index=1, at=24.0))
    assert subject.wake() == 24.0 + SILENT_AFTER


def test_a_revision_does_not_stop_a_timer_by_being_low() -> None:
    subject = book(for_windows=1, keep_firing=30.0)
    seen(subject, scored(0, 0.9), scored(1, 0.1), scored(1, 0.2, index=1, at=24.0))
    assert subject.wake() == 22.0 + 30.0


def test_a_revision_does_not_fire_again_what_has_been_resolved() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    seen(subject, scored(0, 0.9))
    until(subject, 500.0)
    assert seen(subject, scored(0, 0.95, index=1, at=501.0)) == []


def test_a_window_that_turns_high_after_it_resolved_an_alert_fires_anew() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.9), scored(1, 0.1), scored(1, 0.9, index=1, at=24.0))
    assert brief(changes)[-1] == ("firing", 1, 24.0)
    assert changes[-1].alert.started_at == 10.0
    assert changes[-1].alert.id != changes[0].alert.id


def test_a_revision_of_an_older_window_changes_nothing() -> None:
    subject = book(for_windows=2)
    seen(subject, scored(0, 0.1), scored(1, 0.8))
    assert seen(subject, scored(0, 0.9, index=1, at=23.0)) == []
    assert brief(seen(subject, scored(2, 0.8))) == [("firing", 1, 32.0)]
    assert seen(subject, scored(1, 0.1, index=1, at=33.0)) == []
    assert len(subject.firing()) == 1


def test_a_revision_that_first_has_a_score_counts_as_the_window() -> None:
    subject = book(for_windows=2)
    late = scored(1, 0.8, index=1, at=24.0)
    (change,) = seen(subject, scored(0, 0.8), scored(1, None), late)
    assert brief([change]) == [("firing", 1, 24.0)]


def test_a_site_may_have_rules_of_its_own() -> None:
    usual = Rule("smoke", 0.7, 0.5, 1, 30.0, Severity.CRITICAL)
    subject = AlertBook(
        {"smoke": usual},
        model_sha256="beef",
        quantities=(),
        silent_after=SILENT_AFTER,
        of_sites={"kitchen": {"smoke": replace(usual, threshold=0.9)}, "bath": {}},
    )
    fired = [
        change.alert.site
        for site in ("hall", "kitchen", "bath")
        for change in seen(subject, scored(0, 0.8, site=site))
    ]
    assert fired == ["hall"]
    (change,) = seen(subject, scored(1, 0.95, site="kitchen"))
    assert change.alert.threshold == 0.9


def test_an_alert_whose_rule_is_gone_from_its_site_is_over() -> None:
    before = book(for_windows=1)
    seen(before, scored(0, 0.9))
    ((_, label, state),) = before.unsaved()
    later = AlertBook(
        {"smoke": Rule("smoke", 0.7, 0.5, 1, 30.0, Severity.CRITICAL)},
        model_sha256="beef",
        quantities=(),
        silent_after=SILENT_AFTER,
        of_sites={"hall": {}},
    )
    assert brief(later.restore(label, state, ArrivalTime(30.0))) == [("resolved", 2, 30.0)]


def test_an_alert_is_kept_as_it_was_published() -> None:
    subject, later = book(for_windows=1), book(for_windows=1)
    (change,) = seen(subject, scored(0, 0.9))
    assert change.alert.evidence is not None
    why = replace(change.alert.evidence, contributions={"image": 0.9})
    subject.amend(replace(change.alert, evidence=why))
    ((_, label, state),) = subject.unsaved()
    (again,) = later.restore(label, state, ArrivalTime(30.0))
    assert again.alert.evidence is not None
    assert again.alert.evidence.contributions == {"image": 0.9}


def test_what_was_published_of_an_alert_that_is_over_changes_nothing() -> None:
    subject = book(for_windows=1, keep_firing=0.0)
    changes = seen(subject, scored(0, 0.9), scored(1, 0.1))
    subject.amend(changes[-1].alert)
    assert subject.firing() == []


def test_would_change_foresees_and_leaves_everything_as_it_was() -> None:
    subject = book(for_windows=2, keep_firing=0.0)
    seen(subject, scored(0, 0.8))
    assert not subject.would_change(scored(1, 0.1))
    assert subject.would_change(scored(1, 0.8))
    assert subject.would_change(scored(1, 0.8))
    assert brief(seen(subject, scored(1, 0.8))) == [("firing", 1, 22.0)]
    assert not subject.would_change(scored(2, 0.99))
    assert subject.would_change(scored(2, 0.1))
    assert not subject.would_change(scored(1, 0.1, index=1, at=23.0))


def test_would_change_lets_time_pass_first() -> None:
    subject = book(for_windows=2)
    seen(subject, scored(0, 0.8))
    assert not subject.would_change(scored(20, 0.8))


def test_would_change_says_no_of_the_announcement_of_a_new_site() -> None:
    assert not book(for_windows=2).would_change(scored(0, 0.8))
    assert book(for_windows=1).would_change(scored(0, 0.8))


def test_a_site_that_is_forgotten_is_new_when_it_comes_back() -> None:
    subject = book()
    subject.take(scored(0, 0.1))
    assert subject.forget("hall")
    assert until(subject, 1000.0) == []
    assert len(subject.take(scored(200, 0.1))) == 1


def test_a_site_whose_alert_fires_is_not_forgotten() -> None:
    """Or else the store would forget what is still to be resolved."""
    subject = book(for_windows=1)
    seen(subject, scored(0, 0.9))
    assert not subject.forget("hall")
    assert [alert.firing for alert in subject.firing()] == [True]
