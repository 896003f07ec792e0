"""What a site's assembler does with single events, case by case."""

from __future__ import annotations

from dataclasses import replace

from event_streams import (
    LATENESS,
    ORIGIN,
    PLAIN,
    WAIT,
    assembler,
    closings,
    feed,
    frame,
    hopping,
    mad_clock,
    panes,
    reading,
    run,
)

from edge_fusion.align.assembler import SiteAssembler
from edge_fusion.align.census import Census
from edge_fusion.align.roster import Known
from edge_fusion.events import (
    ArrivalTime,
    EventTime,
    Offline,
    Pane,
    Quarantined,
    QuarantineReason,
    Shed,
    ShedReason,
    TimeSource,
    TooLate,
    Window,
)


def test_an_admitted_event_comes_out_again() -> None:
    assert run([reading(1.0)])[0] == reading(1.0)


def test_an_event_by_a_wrong_clock_comes_out_corrected() -> None:
    claims = [ORIGIN + 86_400 + second for second in range(6)]
    outcomes = run(mad_clock(claims))
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Quarantined)]
    assert reasons == [QuarantineReason.FUTURE] * 2
    assert [e.time - ORIGIN for e in panes(outcomes)[0].events] == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]


def test_an_undated_reading_stands_at_its_arrival() -> None:
    (pane,) = panes(run([reading(3.0, 3.0, source=TimeSource.ARRIVAL)]))
    assert pane.window == Window(EventTime(ORIGIN), EventTime(ORIGIN + 10))


def test_the_first_reading_of_a_device_that_is_hours_old_is_late_and_not_news() -> None:
    outcomes = run([reading(-7200.0, 1.0)])
    assert [type(outcome) for outcome in outcomes] == [TooLate]


def test_a_backlog_fills_the_windows_it_is_from() -> None:
    patient = replace(PLAIN, allowed_lateness=1000.0, max_skew=5.0)
    live = [reading(float(at)) for at in range(20)]
    backlog = [reading(float(at), 300.0 + at / 1000) for at in range(20, 300)]
    filled = {pane.window.start - ORIGIN: pane for pane in panes(run([*live, *backlog], patient))}
    assert all(len(filled[start * 10.0].events) == 10 for start in range(2, 30))


def test_the_last_reading_before_a_window_is_carried_into_it() -> None:
    fired = panes(run([reading(4.0), reading(7.0), reading(14.0)]))
    assert [r.time - ORIGIN for r in fired[1].carried] == [7.0]


def test_a_reading_is_carried_over_windows_that_were_let_go_but_no_longer_than_carry() -> None:
    slow = [reading(at * 200.0) for at in range(4)]
    fired = panes(run(slow, replace(PLAIN, carry=500.0)))
    assert [[r.time - ORIGIN for r in pane.carried] for pane in fired] == [[], [0], [200], [400]]
    fired = panes(run(slow, replace(PLAIN, carry=100.0)))
    assert not any(pane.carried for pane in fired)


def test_a_late_reading_is_carried_into_the_revisions_of_the_windows_after_it() -> None:
    events = [reading(4.0), reading(14.0), reading(9.0, 15.0), reading(13.0, 25.5)]
    revised = [pane for pane in panes(run(events)) if pane.index == 1]
    assert [[r.time - ORIGIN for r in pane.carried] for pane in revised] == [[], [9.0]]


def test_frames_are_not_carried_but_their_camera_is_remembered() -> None:
    fired = panes(run([frame(1.0), reading(12.0)]))
    assert fired[1].carried == ()
    assert fired[1].cameras == ("cam",)


def test_a_first_event_that_comes_after_its_window_closed_empty_makes_a_late_pane() -> None:
    events = [reading(1.0), reading(25.0), reading(15.0, 27.0, "b")]
    fired = [pane for pane in panes(run(events)) if pane.late]
    assert [(p.window.start - ORIGIN, p.index, p.fired_at - ORIGIN) for p in fired] == [
        (10.0, 0, 28.0)
    ]


def test_late_events_within_a_second_make_one_revision() -> None:
    late = [reading(5.0 + part / 10, 13.0 + part / 10, "b") for part in range(5)]
    fired = panes(run([reading(1.0), reading(12.5), *late, reading(20.0)]))
    revision = next(pane for pane in fired if pane.index == 1)
    assert (revision.fired_at - ORIGIN, revision.late, len(revision.events)) == (14.0, 5, 6)


def test_an_event_past_the_allowed_lateness_is_too_late_by_a_hair_only() -> None:
    by_watermark, by_max_wait = [reading(1.0), reading(12.0)], [reading(1.0)]
    for before, closed in ((by_watermark, 12.0), (by_max_wait, 15.0)):
        for came, late in ((closed + LATENESS, 0), (closed + LATENESS + 0.001, 1)):
            outcomes = run([*before, reading(5.0, came, "b")])
            assert sum(isinstance(outcome, TooLate) for outcome in outcomes) == late


def test_in_a_hopping_window_an_event_may_revise_all_its_windows_or_none() -> None:
    overlapping = hopping(10.0, 5.0)
    for came, windows in ((22.0, 2), (30.5, 0)):
        late = reading(6.0, came, "b")
        outcomes = run([reading(1.0), reading(17.0), late], overlapping)
        holding = {p.window for p in panes(outcomes) if late in p.events}
        assert len(holding) == windows


def test_a_device_reported_dead_holds_no_window_back() -> None:
    site = assembler(replace(PLAIN, max_wait=100.0, idle_timeout=60.0))
    feed(site, [reading(9.0, device="dying"), reading(9.0), reading(12.5)], until=12.5)
    (pane,) = site.offline(Offline("hall", "dying", ArrivalTime(ORIGIN + 13.0)))
    assert isinstance(pane, Pane)
    assert pane.fired_at == ORIGIN + 13.0
    assert site.idle(ArrivalTime(ORIGIN + 13.0)) == 1


def test_a_device_reported_dead_counts_again_when_it_is_heard() -> None:
    site = assembler(replace(PLAIN, max_wait=100.0, idle_timeout=60.0))
    feed(site, [reading(9.0, device="dying"), reading(9.0)], until=9.0)
    site.offline(Offline("hall", "dying", ArrivalTime(ORIGIN + 9.5)))
    outcomes = feed(site, [reading(9.8, device="dying"), reading(13.0)], until=14.0)
    assert closings(outcomes) == []


def test_an_unknown_device_reported_dead_is_nobody() -> None:
    assert assembler().offline(Offline("hall", "nobody", ArrivalTime(ORIGIN))) == []


def test_devices_past_the_census_are_shed() -> None:
    site = SiteAssembler("hall", PLAIN, Census(1))
    outcomes = feed(site, [reading(1.0), reading(2.0, device="b"), frame(3.0)])
    shed = [outcome for outcome in outcomes if isinstance(outcome, Shed)]
    assert [outcome.reason for outcome in shed] == [ShedReason.MAX_DEVICES] * 2


def test_offsets_are_those_of_the_clocks() -> None:
    site = assembler()
    feed(site, [reading(at * 1.0, at + 0.25) for at in range(10)])
    assert site.offsets() == {"a": 0.25}


def test_readings_that_were_held_back_come_late_by_a_clock_that_may_be_right() -> None:
    learned: dict[TimeSource, float] = {}
    for source in (TimeSource.DEVICE, TimeSource.HELD_BACK):
        site = assembler()
        late = [reading(20.0 + at, 320.0 + at, source=source) for at in range(10)]
        feed(site, [reading(0.0, 0.25), *late])
        learned[source] = site.offsets()["a"]
    assert learned == {TimeSource.DEVICE: 300.0, TimeSource.HELD_BACK: 0.25}


def test_a_site_knows_its_devices_and_cameras_and_when_each_was_heard() -> None:
    site = assembler()
    feed(site, [reading(1.0, 1.25), frame(2.0), reading(3.0, 3.25)])
    assert site.known() == (
        Known("a", False, ArrivalTime(ORIGIN + 3.25), 0.25),
        Known("cam", True, ArrivalTime(ORIGIN + 2.0), 0.0),
    )


def test_what_comes_at_the_very_instant_at_which_its_window_closes_is_in_its_revision() -> None:
    outcomes = run([reading(8.0), reading(9.0, 10.0 + WAIT)])
    assert [(pane.index, len(pane.events)) for pane in panes(outcomes)] == [(0, 1), (1, 2)]


def test_frames_that_nobody_promised_to_keep_can_be_dropped() -> None:
    site = assembler()
    durable = replace(frame(3.0, camera="other"), durable=True)
    for event in (frame(1.0), reading(2.0), durable):
        site.feed(event)
    site.drop_fleeting()
    (pane,) = panes(site.advance(ArrivalTime(ORIGIN + 100.0)))
    assert pane.events == (reading(2.0), durable)
    assert pane.cameras == ("cam", "other")
