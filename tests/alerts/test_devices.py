from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.alerts.devices import BLOCKED, DeviceRule, DeviceWatch
from edge_fusion.alerts.rules import Rule
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    DEVICE,
    AlertChange,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Frame,
    Offline,
    Pane,
    Row,
    Scores,
    Severity,
    Sighting,
    Timing,
    Trouble,
    Window,
)

EVERY = 60.0
COVERED = Rule(BLOCKED, 0.6, 0.4, 2, 0.0, Severity.WARNING)
RULE = DeviceRule(
    Severity.WARNING, 0.0, stale_sensor=300.0, stale_camera=120.0, dark_after=180.0,
    stale_of={"door": 3600.0, "clock": 0.0}, blocked=COVERED,
)  # fmt: skip


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(seconds)


def watch(rule: DeviceRule | None = RULE) -> DeviceWatch:
    return DeviceWatch(rule, model_sha256="ab", every=EVERY)


def sensor(name: str, heard: float, *, clock_off: bool = False, site: str = "hall") -> Sighting:
    return Sighting(site, name, camera=False, heard=at(heard), clock_off=clock_off)


def camera(name: str, heard: float) -> Sighting:
    return Sighting("hall", name, camera=True, heard=at(heard))


def brief(changes: list[AlertChange]) -> list[tuple[str, int, list[tuple[str, Trouble, float]]]]:
    """(what happened, sequence, devices) of each change, announcements left out."""
    return [
        (
            ("firing" if change.alert.firing else "resolved") if change.lifecycle else "other",
            change.alert.sequence,
            [(each.device, each.trouble, each.since) for each in change.alert.devices],
        )
        for change in changes
        if change.alert.id is not None
    ]


def seen(at_: float, *, brightness: float = 0.4, covered: float = 0.0, index: int = 0) -> Scores:
    """A window in which the camera "ceiling" gave a picture."""
    start, end = EventTime(at_ - 12), EventTime(at_ - 2)
    pane = Pane("hall", Window(start, end), index, Timing.ON_TIME, ClosedBy.WATERMARK, at(at_), ())
    frame = Frame("hall", "ceiling", b"", end, at(at_))
    return Scores(pane, (Row("ceiling", (frame,), {BLOCKED: covered}, brightness),))


def test_a_site_is_announced_at_the_first_look_that_finds_it() -> None:
    subject = watch()
    (change,) = subject.look(at(60), [sensor("th", 50)])
    alert = change.alert
    assert (alert.id, alert.label, alert.firing, change.lifecycle) == (None, DEVICE, False, False)
    assert subject.look(at(120), [sensor("th", 110)]) == []


def test_looks_lie_on_a_grid_whenever_one_begins() -> None:
    subject = watch()
    assert subject.wake() is None
    assert subject.next_look(at(61.0)) == 120.0
    assert subject.next_look(at(100.0)) == 120.0
    subject.look(at(120.0), [])
    assert subject.wake() == 180.0


def test_who_is_silent_for_too_long_is_named_and_since_when() -> None:
    subject = watch()
    assert brief(subject.look(at(300), [sensor("th", 1), sensor("ok", 299)])) == []
    changes = subject.look(at(360), [sensor("th", 1), sensor("ok", 359)])
    assert brief(changes) == [("firing", 1, [("th", Trouble.SILENT, 1.0)])]
    alert = changes[0].alert
    assert (alert.started_at, alert.updated_at, alert.score) == (1.0, 360.0, 1.0)
    assert (alert.threshold, alert.evidence) == (1.0, None)
    assert subject.look(at(420), [sensor("th", 1), sensor("ok", 419)]) == []


@pytest.mark.parametrize(
    ("device", "patience"),
    [
        (sensor("th", 0), 300),
        (camera("ceiling", 0), 120),
        (sensor("door", 0), 3600),
        (sensor("clock", 0), None),
    ],
)
def test_patience_is_that_of_a_sensor_a_camera_or_the_very_device(
    device: Sighting, patience: float | None
) -> None:
    subject = watch()
    looks = (subject.look(at(t), [device]) for t in range(60, 7200, 60))
    fired = [c.alert.updated_at for changes in looks for c in changes if c.alert.firing]
    assert fired == ([] if patience is None else [at(patience)])


def test_every_other_set_of_devices_is_news_and_none_is_the_end() -> None:
    subject = watch()
    quiet, late = sensor("a", 0), sensor("b", 30)
    changes = [
        change
        for now, devices in (
            (300, [quiet, late]), (360, [quiet, late]), (420, [quiet, sensor("b", 400)]),
            (480, [sensor("a", 470), sensor("b", 470)]),
        )
        for change in subject.look(at(now), devices)
    ]  # fmt: skip
    a, b = ("a", Trouble.SILENT, 0.0), ("b", Trouble.SILENT, 30.0)
    assert brief(changes) == [
        ("firing", 1, [a]), ("other", 2, [a, b]), ("other", 3, [a]), ("resolved", 4, []),
    ]  # fmt: skip
    told = [change for change in changes if change.alert.id is not None]
    assert [change.news for change in told] == [False, True, True, False]
    assert len({change.alert.id for change in told}) == 1
    assert told[-1].alert.ended_at == 480.0


def test_the_next_firing_has_an_id_of_its_own() -> None:
    subject = watch()
    first = subject.look(at(300), [sensor("a", 0)])[-1]
    subject.look(at(360), [sensor("a", 350)])
    second = subject.look(at(660), [sensor("a", 350)])[-1]
    assert second.alert.firing
    assert second.alert.sequence == 1
    assert first.alert.id != second.alert.id


def test_with_keep_firing_it_waits_before_it_resolves() -> None:
    subject = watch(replace(RULE, keep_firing=100.0))
    subject.look(at(300), [sensor("a", 0)])
    assert brief(subject.look(at(360), [sensor("a", 350)])) == []
    assert brief(subject.look(at(420), [sensor("a", 410)])) == []
    assert brief(subject.look(at(480), [sensor("a", 470)])) == [("resolved", 2, [])]


def test_trouble_that_comes_back_while_it_waits_keeps_it() -> None:
    subject = watch(replace(RULE, keep_firing=100.0))
    off = [sensor("a", 50, clock_off=True)]
    assert len(subject.look(at(60), off)) == 2
    assert subject.look(at(120), [sensor("a", 110)]) == []
    assert subject.look(at(180), off) == []
    assert subject.look(at(240), [sensor("a", 230)]) == []
    assert brief(subject.look(at(360), [sensor("a", 350)])) == [("resolved", 2, [])]


def test_who_is_reported_offline_is_so_until_heard_again() -> None:
    subject = watch()
    subject.offline(Offline("hall", "door", at(70)))
    assert brief(subject.look(at(360), [sensor("door", 65)])) == []
    assert brief(subject.look(at(420), [sensor("door", 65)])) == [
        ("firing", 1, [("door", Trouble.OFFLINE, 70.0)])
    ]
    assert brief(subject.look(at(480), [sensor("door", 450)])) == [("resolved", 2, [])]
    assert subject.look(at(540), [sensor("door", 450)]) == []


def test_who_starts_anew_was_never_gone() -> None:
    subject = watch()
    subject.offline(Offline("hall", "door", at(70)))
    assert brief(subject.look(at(420), [sensor("door", 75)])) == []


def test_who_may_be_silent_for_ever_may_be_offline_no_longer_than_others() -> None:
    subject = watch()
    subject.offline(Offline("hall", "clock", at(70)))
    (_, change) = subject.look(at(420), [sensor("clock", 65)])
    assert [each.trouble for each in change.alert.devices] == [Trouble.OFFLINE]


def test_what_was_never_heard_of_is_none_of_ours() -> None:
    subject = watch()
    subject.offline(Offline("hall", "stranger", at(70)))
    assert brief(subject.look(at(420), [sensor("th", 410)])) == []


def test_a_clock_that_is_off_is_trouble() -> None:
    subject = watch()
    assert brief(subject.look(at(60), [sensor("th", 50, clock_off=True)])) == [
        ("firing", 1, [("th", Trouble.CLOCK, 60.0)])
    ]
    assert subject.look(at(120), [sensor("th", 110, clock_off=True)]) == []
    assert brief(subject.look(at(180), [sensor("th", 170)])) == [("resolved", 2, [])]


def test_a_camera_is_covered_after_as_many_windows_as_its_label_fires_after() -> None:
    subject, here = watch(), camera("ceiling", 59)
    subject.see(seen(20, covered=0.9))
    assert brief(subject.look(at(60), [here])) == []
    subject.see(seen(70, covered=0.7))
    assert brief(subject.look(at(120), [camera("ceiling", 119)])) == [
        ("firing", 1, [("ceiling", Trouble.BLOCKED, 20.0)])
    ]
    subject.see(seen(130, covered=0.5))
    assert subject.look(at(180), [camera("ceiling", 179)]) == []
    subject.see(seen(190, covered=0.39))
    assert brief(subject.look(at(240), [camera("ceiling", 239)])) == [("resolved", 2, [])]


def test_a_window_that_is_not_high_begins_anew() -> None:
    subject = watch()
    for when, score in ((10, 0.9), (20, 0.5), (30, 0.9), (40, 0.1), (50, 0.9)):
        subject.see(seen(when, covered=score))
    assert brief(subject.look(at(60), [camera("ceiling", 50)])) == []


def test_a_revision_says_nothing_of_a_camera() -> None:
    subject = watch()
    for index in range(3):
        subject.see(seen(20, covered=0.9, index=index))
    assert brief(subject.look(at(60), [camera("ceiling", 50)])) == []


def test_a_camera_is_dark_after_a_while() -> None:
    subject = watch()
    for when in range(10, 200, 10):
        subject.see(seen(when, brightness=0.01))
    assert brief(subject.look(at(180), [camera("ceiling", 179)])) == []
    assert brief(subject.look(at(240), [camera("ceiling", 239)])) == [
        ("firing", 1, [("ceiling", Trouble.DARK, 10.0)])
    ]
    subject.see(seen(250))
    assert brief(subject.look(at(300), [camera("ceiling", 299)])) == [("resolved", 2, [])]


def test_a_night_need_not_be_trouble() -> None:
    subject = watch(replace(RULE, dark_after=0.0))
    subject.see(seen(10, brightness=0.0))
    assert brief(subject.look(at(86_400), [camera("ceiling", 86_399)])) == []


def test_of_several_troubles_the_worst_is_told() -> None:
    subject = watch()
    subject.see(seen(10, covered=0.9, brightness=0.0))
    subject.see(seen(20, covered=0.9, brightness=0.0))
    steps = [
        (240.0, Sighting("hall", "ceiling", camera=True, heard=at(230), clock_off=True)),
        (360.0, camera("ceiling", 230)),
    ]
    troubles = [subject.look(at(now), [each])[-1].alert.devices for now, each in steps]
    assert [each.trouble for (each,) in troubles] == [Trouble.BLOCKED, Trouble.SILENT]
    subject.offline(Offline("hall", "ceiling", at(370)))
    (change,) = subject.look(at(540), [camera("ceiling", 230)])
    assert [each.trouble for each in change.alert.devices] == [Trouble.OFFLINE]


def test_a_camera_and_a_sensor_of_one_name_are_two() -> None:
    subject = watch()
    (_, change) = subject.look(at(300), [camera("th", 0), sensor("th", 0)])
    assert [each.camera for each in change.alert.devices] == [False, True]


def test_nobody_looks_while_a_backlog_comes_in_and_nobody_was_silent_meanwhile() -> None:
    subject = watch()
    subject.look(at(60), [sensor("th", 50)])
    subject.go_deaf(at(70))
    assert subject.next_look(at(5000)) is None
    assert subject.wake() is None
    subject.release(at(5000), ["hall"])
    assert subject.wake() == 5040.0
    assert subject.look(at(5040), [sensor("th", 50)]) == []
    assert subject.look(at(5280), [sensor("th", 50)]) == []
    assert brief(subject.look(at(5340), [sensor("th", 50)])) == [
        ("firing", 1, [("th", Trouble.SILENT, 50.0)])
    ]


def test_nobody_looks_while_the_broker_is_away() -> None:
    subject = watch()
    subject.look(at(60), [sensor("th", 50)])
    subject.go_deaf(at(70))
    assert subject.next_look(at(5000)) is None
    subject.release(at(5000), ["hall"])
    assert subject.look(at(5040), [sensor("th", 50)]) == []


def test_an_outage_that_begins_before_the_first_look_blames_nobody_either() -> None:
    subject = watch()
    subject.go_deaf(at(10))
    subject.release(at(5000), ["hall"])
    assert brief(subject.look(at(5040), [sensor("th", 5)])) == []


def test_a_brief_outage_makes_no_silence_shorter() -> None:
    subject = watch()
    subject.look(at(60), [sensor("th", 50)])
    subject.go_deaf(at(100))
    subject.release(at(159), ["hall"])
    assert subject.look(at(300), [sensor("th", 50)]) == []
    assert brief(subject.look(at(360), [sensor("th", 50)]))[0][0] == "firing"


def test_what_fires_goes_on_over_an_outage() -> None:
    subject = watch()
    subject.look(at(300), [sensor("th", 0)])
    subject.go_deaf(at(310))
    subject.release(at(5000), ["hall"])
    assert subject.look(at(5040), [sensor("th", 0), sensor("ok", 10)]) == []
    assert brief(subject.look(at(5100), [sensor("th", 5050), sensor("ok", 10)])) == [
        ("resolved", 2, [])
    ]


def test_a_site_that_is_forgotten_is_over() -> None:
    subject = watch()
    subject.look(at(300), [sensor("th", 0)])
    assert not subject.forget("hall")
    assert brief(subject.look(at(360), [])) == [("resolved", 2, [])]
    assert subject.forget("hall")
    subject.unsave()
    assert subject.unsaved() == []


def test_without_a_rule_there_is_nothing_to_look_at() -> None:
    subject = watch(None)
    assert subject.next_look(at(60)) is None
    subject.offline(Offline("hall", "th", at(10)))
    subject.see(seen(20, covered=0.9))
    assert subject.look(at(600), [sensor("th", 0)]) == []
    assert subject.unsaved() == []


def test_a_site_may_have_a_rule_of_its_own_or_none() -> None:
    subject = DeviceWatch(
        RULE, model_sha256="ab", every=EVERY,
        of_sites={"attic": None, "barn": replace(RULE, stale_sensor=600.0)},
    )  # fmt: skip
    changes = subject.look(
        at(300), [sensor("th", 0, site=site) for site in ("attic", "barn", "hall")]
    )
    assert [c.alert.site for c in changes if c.alert.firing] == ["hall"]


def test_an_alert_without_a_rule_any_more_is_over() -> None:
    before = watch()
    before.look(at(300), [sensor("th", 0)])
    ((_, label, state),) = before.unsaved()
    assert label == DEVICE
    assert brief(watch(None).restore(state, at(400))) == [("resolved", 2, [])]


@pytest.mark.parametrize("state", [b"", b"7", b'{"version": 9}', b'{"version": 1}'])
def test_what_is_no_ward_is_refused(state: bytes) -> None:
    with pytest.raises(SnapshotError):
        watch().restore(state, at(0))


# Whatever comes: a device is heard or not, reported offline or not, its clock off or not.
MOMENTS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(["a", "b"])),
        st.sets(st.sampled_from(["a", "b"])),
        st.sets(st.sampled_from(["a", "b"])),
        st.sampled_from([None, "deaf", "release"]),
    ),
    max_size=25,
)
Moment = tuple[set[str], set[str], set[str], str | None]


class Household:
    """Two devices, and a watch that looks at them whenever it wants to."""

    def __init__(self, rule: DeviceRule) -> None:
        self.watch = DeviceWatch(rule, model_sha256="ab", every=EVERY)
        self.heard = {"a": 0.0, "b": 0.0}
        self.now = 0.0
        self.clocks: set[str] = set()

    def live(self, moment: Moment) -> list[AlertChange]:
        """What comes of 100 seconds in which this happens."""
        heard, offline, self.clocks, event = moment
        self.heard |= dict.fromkeys(heard, self.now + 1)
        for device in sorted(offline):
            self.watch.offline(Offline("hall", device, at(self.now + 2)))
        match event:
            case "deaf":
                self.watch.go_deaf(at(self.now + 3))
            case "release":
                self.watch.release(at(self.now + 3), ["hall"])
            case _:
                pass
        self.now += 100
        changes: list[AlertChange] = []
        while (due := self.watch.next_look(at(self.now))) is not None and due <= self.now:
            changes += self.watch.look(due, self.sightings())
        return changes

    def sightings(self) -> list[Sighting]:
        return [
            sensor(name, heard, clock_off=name in self.clocks) for name, heard in self.heard.items()
        ]


RULES = st.builds(
    replace, st.just(RULE), keep_firing=st.sampled_from([0.0, 100.0]),
    stale_sensor=st.sampled_from([0.0, 150.0, 400.0]),
)  # fmt: skip


@given(RULES, MOMENTS)
def test_it_changes_no_more_than_once_a_look_whatever_comes(
    rule: DeviceRule, moments: list[Moment]
) -> None:
    household = Household(rule)
    changes = [change for moment in moments for change in household.live(moment)]
    told = [change.alert for change in changes if change.alert.id is not None]
    times = [alert.updated_at for alert in told]
    assert all(other - one >= EVERY for one, other in itertools.pairwise(times))
    states = [c.alert.firing for c in changes if c.lifecycle]
    assert states == [n % 2 == 0 for n in range(len(states))]
    for one, other in itertools.pairwise(told):
        assert other.sequence == (one.sequence + 1 if one.firing else 1)
        assert (one.id == other.id) == one.firing
        assert one.devices != other.devices
        assert bool(other.devices) == other.firing


@given(RULES, MOMENTS, st.integers(0, 25))
def test_going_on_from_what_was_saved_is_going_on(
    rule: DeviceRule, moments: list[Moment], cut: int
) -> None:
    through, other = Household(rule), Household(rule)
    want = [change for moment in moments for change in through.live(moment)]
    found = [change for moment in moments[:cut] for change in other.live(moment)]
    before, other.watch = other.watch, DeviceWatch(rule, model_sha256="ab", every=EVERY)
    for _, _, state in before.unsaved():
        told = other.watch.restore(state, at(other.now))
        assert all(not c.lifecycle and c.alert in before.firing() for c in told)
    if cut and moments:
        other.watch.go_on_with(before.deaf_since, at(other.now))
    found += [change for moment in moments[cut:] for change in other.live(moment)]
    assert found == want
