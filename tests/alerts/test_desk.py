from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panes import RULES, SILENT_AFTER, histories, pane

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.desk import AlertDesk
from edge_fusion.alerts.devices import DeviceWatch
from edge_fusion.alerts.rules import Rule
from edge_fusion.alerts.silences import ROW
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    AlertChange,
    ArrivalTime,
    Change,
    Scores,
    Severity,
    Silence,
    SilenceChange,
    Silenced,
)

RULE = Rule("smoke", 0.7, 0.5, 1, 20.0, Severity.CRITICAL)


def desk(rule: Rule = RULE, *, max_sites: int = 8) -> AlertDesk:
    book = AlertBook({"smoke": rule}, model_sha256="ab", quantities=(), silent_after=SILENT_AFTER)
    return AlertDesk(book, DeviceWatch(None, model_sha256="ab", every=60.0), max_sites=max_sites)


def high(number: int, score: float = 0.9, site: str = "hall") -> Scores:
    """Window number n, which fires 2 s after its end."""
    return pane(site, number, 0, number * 10.0 + 12, score)


def quiet(at: float, seconds: float, label: str | None = "smoke", site: str = "hall") -> Silence:
    return Silence(site, label, seconds, ArrivalTime(at))


def command(subject: AlertDesk, said: Silence) -> list[Change]:
    return [*subject.advance(said.arrival), *subject.silence(said)]


def brief(changes: list[Change]) -> list[tuple[str, int] | str]:
    """(what happened, sequence) of each alert, and how many are silenced where that changes."""
    told: list[tuple[str, int] | str] = []
    for change in changes:
        match change:
            case SilenceChange(silences=silences):
                told.append(f"{len(silences)} silenced")
            case AlertChange(alert=alert) if alert.id is not None:
                what = "firing" if alert.firing else "resolved"
                told.append((what if change.lifecycle else "update", alert.sequence))
            case _:
                pass
    return told


def test_what_is_silenced_fires_to_nobody() -> None:
    subject = desk()
    assert brief(command(subject, quiet(1.0, 3600.0))) == ["1 silenced"]
    assert brief(subject.take(high(0))) == []
    assert subject.firing() == []
    assert subject.silences() == (Silenced("hall", "smoke", ArrivalTime(3601.0)),)


def test_what_is_over_before_the_silence_was_never_told() -> None:
    subject = desk()
    command(subject, quiet(1.0, 3600.0))
    changes = [*subject.take(high(0)), *subject.advance(ArrivalTime(4000.0))]
    assert brief(changes) == ["0 silenced"]


def test_what_still_fires_when_a_silence_ends_fires_then() -> None:
    subject = desk()
    command(subject, quiet(1.0, 50.0))
    for number in range(4):
        subject.take(high(number))
    changes = subject.advance(ArrivalTime(60.0))
    assert brief(changes) == [("firing", 2), "0 silenced"]
    (fires, _) = changes
    assert isinstance(fires, AlertChange)
    assert (fires.alert.started_at, fires.alert.updated_at) == (0.0, 51.0)
    assert fires.alert.evidence is not None
    assert subject.firing() == [fires.alert]


def test_what_fires_resolves_when_it_is_silenced_and_its_sequence_goes_on() -> None:
    subject = desk()
    (fired,) = brief(subject.take(high(0))[1:])
    assert fired == ("firing", 1)
    assert brief(command(subject, quiet(13.0, 600.0))) == [("resolved", 2), "1 silenced"]
    assert brief(subject.take(high(1))) == []
    assert brief(command(subject, quiet(23.0, 0.0))) == [("firing", 3), "0 silenced"]
    assert brief(subject.take(high(2, 0.75))) == [("update", 4)]
    assert brief(subject.advance(ArrivalTime(1000.0))) == [("resolved", 5)]


def test_a_new_firing_counts_from_one_again() -> None:
    subject = desk()
    subject.take(high(0))
    command(subject, quiet(13.0, 5.0))
    assert brief(subject.advance(ArrivalTime(1000.0)))[-1] == ("resolved", 4)
    assert brief(subject.take(high(200))) == [("firing", 1)]


def test_to_silence_again_makes_it_longer_or_shorter() -> None:
    subject = desk()
    command(subject, quiet(1.0, 600.0))
    assert brief(command(subject, quiet(2.0, 5.0))) == ["1 silenced"]
    assert subject.wake() == 7.0


def test_without_a_label_all_of_the_site_are_meant_and_one_can_be_let_out() -> None:
    book = AlertBook(
        dict.fromkeys(("fire", "smoke"), RULE),
        model_sha256="ab", quantities=(), silent_after=SILENT_AFTER,
    )  # fmt: skip
    subject = AlertDesk(book, DeviceWatch(None, model_sha256="ab", every=60.0))
    subject.silence(quiet(1.0, 60.0, label=None))
    assert [each.label for each in subject.silences()] == ["fire", "smoke"]
    subject.silence(quiet(2.0, 0.0, label="fire"))
    assert [each.label for each in subject.silences()] == ["smoke"]
    subject.silence(quiet(3.0, 0.0, label=None))
    assert subject.silences() == ()


def test_other_sites_go_on() -> None:
    subject = desk()
    command(subject, quiet(1.0, 3600.0, site="attic"))
    assert brief(subject.take(high(0))) == [("firing", 1)]


def test_there_is_no_silence_to_end() -> None:
    assert command(desk(), quiet(1.0, 0.0)) == []


def test_there_is_room_for_so_many_sites() -> None:
    subject = desk(max_sites=2)
    for site in ("a", "b"):
        subject.silence(quiet(1.0, 60.0, site=site))
    one_more = quiet(2.0, 60.0, site="c")
    assert not subject.has_room_for(one_more)
    assert subject.silence(one_more) == []
    assert [each.site for each in subject.silences()] == ["a", "b"]
    assert subject.has_room_for(quiet(2.0, 90.0, site="a"))
    assert subject.has_room_for(quiet(2.0, 0.0, site="c"))


def test_no_silence_ends_while_time_stands_still() -> None:
    subject = desk()
    subject.take(high(0))
    subject.silence(quiet(13.0, 10.0))
    subject.hold(ArrivalTime(15.0))
    assert subject.wake() is None
    assert subject.advance(ArrivalTime(30.0)) == []
    assert brief(subject.release(ArrivalTime(40.0))) == [("firing", 3), "0 silenced"]


def test_a_silence_that_ended_is_told_to_be_over_when_all_is_saved_anew() -> None:
    subject = desk()
    command(subject, quiet(1.0, 50.0))
    subject.unsaved()
    subject.advance(ArrivalTime(100.0))
    subject.unsave()
    saved = {label: state for _, label, state in subject.unsaved()}
    after = desk()
    after.restore(ROW, saved[ROW], ArrivalTime(101.0))
    assert after.silences() == ()


def test_a_site_that_is_let_go_of_stays_silenced() -> None:
    subject = desk()
    subject.take(high(0, 0.1))
    subject.silence(quiet(13.0, 1e6))
    subject.unsaved()
    assert subject.forget("hall")
    assert [label for _, label, _ in subject.unsaved()] == [ROW]
    assert len(subject.silences()) == 1


@pytest.mark.parametrize("state", [b"", b"{}", b'{"version": 9}', b'{"version": 1, "site": 1}'])
def test_what_are_no_silences_is_refused(state: bytes) -> None:
    with pytest.raises(SnapshotError):
        desk().restore(ROW, state, ArrivalTime(0.0))


COMMANDS = st.lists(
    st.builds(
        quiet,
        st.floats(0, 600),
        st.sampled_from([0.0, 5.0, 30.0, 200.0]),
        st.sampled_from(["smoke", None]),
        st.sampled_from(["hall", "attic"]),
    ),
    max_size=8,
)
Step = Scores | Silence


def steps(panes: list[Scores], commands: list[Silence]) -> list[Step]:
    def when(step: Step) -> float:
        return step.arrival if isinstance(step, Silence) else step.pane.fired_at

    return sorted([*panes, *commands], key=when)


def run(subject: AlertDesk, given: list[Step]) -> list[Change]:
    changes: list[Change] = []
    for step in given:
        changes += command(subject, step) if isinstance(step, Silence) else subject.take(step)
    return changes


@given(RULES, histories(), COMMANDS)
def test_to_consumers_an_alert_is_firing_or_resolved_as_ever(
    rule: Rule, panes: list[Scores], commands: list[Silence]
) -> None:
    subject = desk(rule)
    changes = run(subject, steps(panes, commands)) + subject.advance(ArrivalTime(1e9))
    for site in ("hall", "attic"):
        own = [c for c in changes if isinstance(c, AlertChange) and c.alert.site == site]
        told = [c for c in own if c.alert.id is not None]
        states = [c.alert.firing for c in told if c.lifecycle]
        assert states == [n % 2 == 0 for n in range(len(states))]
        for one, other in itertools.pairwise(told):
            if one.alert.id == other.alert.id:
                assert other.alert.sequence > one.alert.sequence
            else:
                assert not one.alert.firing
    assert subject.firing() == []
    assert subject.wake() is None


@given(RULES, histories(), COMMANDS)
def test_nothing_fires_while_it_is_silenced(
    rule: Rule, panes: list[Scores], commands: list[Silence]
) -> None:
    subject = desk(rule)
    for step in steps(panes, commands):
        run(subject, [step])
        firing = {(alert.site, alert.label) for alert in subject.firing()}
        assert not firing & {(each.site, each.label) for each in subject.silences()}


@given(RULES, histories(), COMMANDS, st.integers(0, 30))
def test_a_restart_ends_no_silence_and_fires_nothing_again(
    rule: Rule, panes: list[Scores], commands: list[Silence], cut: int
) -> None:
    given = steps(panes, commands)
    through, before, after = desk(rule), desk(rule), desk(rule)
    changes = run(before, given[:cut])
    for _, label, state in before.unsaved():
        told = after.restore(label, state, ArrivalTime(0.0))
        assert all(not c.lifecycle and c.alert in before.firing() for c in told)
    assert after.silences() == before.silences()
    assert after.unsaved() == []
    assert changes + run(after, given[cut:]) == run(through, given)


@given(RULES, histories(), COMMANDS, st.lists(st.floats(0, 1500), max_size=20))
def test_it_does_not_matter_when_time_is_let_pass(
    rule: Rule, panes: list[Scores], commands: list[Silence], instants: list[float]
) -> None:
    interrupted, changes = desk(rule), list[Change]()
    extra = sorted(instants)
    for step in steps(panes, commands):
        now = step.arrival if isinstance(step, Silence) else step.pane.fired_at
        while extra and extra[0] <= now:
            changes += interrupted.advance(ArrivalTime(extra.pop(0)))
        changes += run(interrupted, [step])
    changes += interrupted.advance(ArrivalTime(1e9))
    plain = desk(rule)
    assert changes == run(plain, steps(panes, commands)) + plain.advance(ArrivalTime(1e9))
