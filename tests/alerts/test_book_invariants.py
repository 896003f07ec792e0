"""What holds for any sequence of panes and times."""

from __future__ import annotations

import itertools
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from panes import RULES, SCORES, SILENT_AFTER, histories, pane

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.rules import Rule
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    Scores,
)


def book(rule: Rule) -> AlertBook:
    return AlertBook({"smoke": rule}, model_sha256="ab", quantities=(), silent_after=SILENT_AFTER)


def run(subject: AlertBook, panes: list[Scores]) -> list[AlertChange]:
    changes = [change for each in panes for change in subject.take(each)]
    return changes + subject.advance(ArrivalTime(1e9))


def of_site(changes: list[AlertChange], site: str) -> list[AlertChange]:
    return [change for change in changes if change.alert.site == site]


@given(RULES, histories())
def test_firing_and_resolved_alternate(rule: Rule, panes: list[Scores]) -> None:
    changes = run(book(rule), panes)
    for site in ("hall", "attic"):
        states = [c.alert.firing for c in of_site(changes, site) if c.lifecycle]
        assert states == [n % 2 == 0 for n in range(len(states))]


@given(RULES, histories())
def test_an_id_stands_for_one_firing_and_counts_its_changes(
    rule: Rule, panes: list[Scores]
) -> None:
    by_id: dict[str, list[AlertChange]] = defaultdict(list)
    for change in run(book(rule), panes):
        if change.alert.id is not None:
            by_id[change.alert.id].append(change)
    for changes in by_id.values():
        assert [c.alert.sequence for c in changes] == list(range(1, len(changes) + 1))
        assert [c.lifecycle for c in changes] == [True, *[False] * (len(changes) - 2), True]
        assert len({c.alert.started_at for c in changes}) == 1


@given(RULES, histories(revisions=False))
def test_a_firing_takes_a_run_of_its_own(rule: Rule, panes: list[Scores]) -> None:
    fired = [c for c in run(book(rule), panes) if c.lifecycle and c.alert.firing]
    for site in ("hall", "attic"):
        own = [
            (each.pane.fired_at, each.rows[0].scores["smoke"])
            for each in panes
            if each.pane.site == site and each.rows
        ]
        assert len(of_site(fired, site)) <= _runs(own, rule)


def _runs(heard: list[tuple[ArrivalTime, float]], rule: Rule) -> int:
    """Maximal runs of high windows long enough to fire; silence ends a run as a low score does."""
    lengths, last = [0], ArrivalTime(0.0)
    for at, score in heard:
        if score < rule.threshold or at - last >= SILENT_AFTER:
            lengths.append(0)
        lengths[-1] += score >= rule.threshold
        last = at
    return sum(length >= rule.for_windows for length in lengths)


@given(RULES, histories())
def test_an_alert_cannot_flap(rule: Rule, panes: list[Scores]) -> None:
    """Whatever comes: no two firings share a window, and they are keep_firing apart at least."""
    changes = [change for change in run(book(rule), panes) if change.lifecycle]
    for site in ("hall", "attic"):
        own = of_site(changes, site)
        fired = [c.alert.updated_at for c in own if c.alert.firing]
        ended = [c.alert.updated_at for c in own if not c.alert.firing]
        for one, over, other in zip(fired, ended, fired[1:], strict=False):
            assert over - one >= rule.keep_firing
            assert other >= over
        windows = {p.pane.window for p in panes if p.pane.site == site and p.rows}
        assert len(fired) * rule.for_windows <= len(windows)


@given(RULES, st.lists(SCORES, max_size=60))
def test_it_fires_once_in_for_windows_and_keep_firing_at_most(
    rule: Rule, scores: list[float]
) -> None:
    """Of a site whose windows come on time, one every 10 s."""
    panes = [pane("hall", n, 0, n * 10.0 + 12, score) for n, score in enumerate(scores)]
    changes = run(book(rule), panes)
    fired = [c.alert.updated_at for c in changes if c.lifecycle and c.alert.firing]
    least = rule.for_windows * 10.0 + rule.keep_firing
    assert all(other - one >= least for one, other in itertools.pairwise(fired))


@given(RULES, histories(), st.lists(st.floats(0, 1500), max_size=30))
def test_it_does_not_matter_when_time_is_let_pass(
    rule: Rule, panes: list[Scores], instants: list[float]
) -> None:
    interrupted, changes = book(rule), []
    extra = sorted(instants)
    for each in panes:
        while extra and extra[0] <= each.pane.fired_at:
            changes += interrupted.advance(ArrivalTime(extra.pop(0)))
        changes += interrupted.take(each)
    changes += [c for now in extra for c in interrupted.advance(ArrivalTime(now))]
    changes += interrupted.advance(ArrivalTime(1e9))
    assert changes == run(book(rule), panes)


@given(RULES, histories())
def test_every_firing_ends_once_its_site_is_silent(rule: Rule, panes: list[Scores]) -> None:
    subject = book(rule)
    changes = run(subject, panes)
    lifecycle = [change.alert.firing for change in changes if change.lifecycle]
    assert lifecycle.count(True) == lifecycle.count(False)
    assert subject.firing() == []
    assert subject.wake() is None


@given(RULES, histories())
def test_changes_come_in_order_of_time(rule: Rule, panes: list[Scores]) -> None:
    times = [change.alert.updated_at for change in run(book(rule), panes)]
    assert times == sorted(times)


@given(RULES, histories())
def test_waking_when_told_is_enough(rule: Rule, panes: list[Scores]) -> None:
    subject, changes = book(rule), []
    for each, after in itertools.pairwise([*panes, pane("end", 0, 0, 1e9, None)]):
        changes += subject.take(each)
        while (due := subject.wake()) is not None and due < after.pane.fired_at:
            changes += subject.advance(due)
    assert changes == run(book(rule), panes)


@given(RULES, histories())
def test_would_change_says_what_take_does(rule: Rule, panes: list[Scores]) -> None:
    subject = book(rule)
    for each in panes:
        subject.advance(each.pane.fired_at)
        foreseen = subject.would_change(each)
        assert foreseen == any(change.lifecycle for change in subject.take(each))


def by_site(alerts: list[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: alert.site)


@given(histories(), RULES, st.integers(0, 25))
def test_going_on_from_what_was_saved_is_going_on(
    panes: list[Scores], rule: Rule, cut: int
) -> None:
    through, before, after = book(rule), book(rule), book(rule)
    changes = [change for each in panes[:cut] for change in before.take(each)]
    now = panes[:cut][-1].pane.fired_at if panes[:cut] else ArrivalTime(0)
    for _, label, state in before.unsaved():
        told = after.restore(label, state, now)
        assert all(not change.lifecycle and change.alert in before.firing() for change in told)
    assert by_site(after.firing()) == by_site(before.firing())
    assert after.unsaved() == []
    assert changes + run(after, panes[cut:]) == run(through, panes)


@given(histories(), RULES)
def test_only_what_changed_is_to_be_saved(panes: list[Scores], rule: Rule) -> None:
    one, other = book(rule), book(rule)
    saved: dict[tuple[str, str], bytes] = {}
    for each in panes:
        one.take(each)
        saved |= {(site, label): state for site, label, state in one.unsaved()}
    run(other, [])
    for each in panes:
        other.take(each)
    assert saved == {(site, label): state for site, label, state in other.unsaved()}


@given(histories(revisions=False), RULES, st.floats(0, 2000))
def test_time_that_stands_still_ends_nothing(panes: list[Scores], rule: Rule, later: float) -> None:
    subject = book(rule)
    for each in panes:
        subject.take(each)
    before, now = subject.firing(), ArrivalTime(5000 + later)
    subject.hold()
    assert subject.wake() is None
    assert subject.advance(now) == []
    assert subject.firing() == before
    ended = [change.alert for change in subject.release(now) if change.lifecycle]
    assert all(alert.ended_at == now for alert in ended)
    assert len(subject.firing()) == len(before) - len(ended)
