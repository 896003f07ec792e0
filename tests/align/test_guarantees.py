"""The promises of edge_fusion/align/__init__.py, by their numbers there, on random streams."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import count, groupby, pairwise
from random import Random

import pytest
from event_streams import (
    HOPS,
    IDLE,
    ORIGIN,
    PLAIN,
    SLACK,
    WAIT,
    admitted,
    assembler,
    by_arrival,
    closings,
    feed,
    frame,
    hopping,
    key_of,
    last_contents,
    mad_clock,
    panes,
    reading,
    run,
    streams,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.archive import HEAD, unpack
from edge_fusion.align.assembler import RETAINED_SLICES
from edge_fusion.align.closings import LIMIT
from edge_fusion.align.sites import Sites
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    Duplicate,
    Event,
    EventTime,
    Frame,
    Input,
    Outcome,
    Pane,
    Quarantined,
    Reading,
    Shed,
    ShedReason,
    TimeSource,
    TooLate,
    Window,
)

CLAIMS = st.one_of(
    st.floats(-1e12, 1e12),
    st.sampled_from([0.0, 4_070_908_800.0, ORIGIN - 3600, ORIGIN + 3600]),
    st.integers(0, 60).map(lambda at: ORIGIN + at * 1.01),
    st.integers(0, 60).map(lambda at: ORIGIN - 3600 + at),
)
"""1970, 2099, daylight saving, a drift of 1 %, and anything else."""


# 1


@given(streams(), HOPS, st.sampled_from([3, 1000]))
def test_1_every_event_ends_in_exactly_one_way(
    events: list[Event], hop: tuple[float, float], max_readings: int
) -> None:
    outcomes = run(events, replace(hopping(*hop), max_readings=max_readings, max_frames=2))
    assert Counter(map(end_of, filter(is_end, outcomes))).total() == len(events)
    ended = Counter(arrival_of(outcome) for outcome in outcomes if is_end(outcome))
    assert ended == Counter(event.arrival for event in events)


@given(streams(), HOPS, st.lists(CLAIMS, max_size=20))
def test_1_an_admitted_event_stands_in_exactly_the_windows_of_its_time(
    events: list[Event], hop: tuple[float, float], claims: list[float]
) -> None:
    of = replace(hopping(*hop), max_frames=2)
    outcomes = run(by_arrival([*events, *mad_clock(claims)]), of)
    pushed_out = {key_of(o.event) for o in outcomes if isinstance(o, Shed) and o.event is not None}
    expected: dict[Window, set[object]] = {}
    for event in admitted(outcomes):
        for window in of.windows.windows_of(event.time):
            expected.setdefault(window, set())
            if key_of(event) not in pushed_out:
                expected[window].add(key_of(event))
    assert {window: set(keys) for window, keys in last_contents(outcomes).items()} == expected


def is_end(outcome: Outcome) -> bool:
    pushed_out = isinstance(outcome, Shed) and outcome.reason is ShedReason.MAX_FRAMES
    return not isinstance(outcome, Pane) and not pushed_out


def end_of(outcome: Outcome) -> str:
    return type(outcome).__name__


def arrival_of(outcome: Outcome) -> ArrivalTime:
    event = outcome if isinstance(outcome, Reading | Frame) else getattr(outcome, "event", None)
    assert isinstance(event, Reading | Frame)
    return event.arrival


# 2


@given(streams(), HOPS)
def test_2_windows_close_in_order_of_their_end_and_are_revised_without_a_gap(
    events: list[Event], hop: tuple[float, float]
) -> None:
    outcomes = run(events, hopping(*hop))
    assert all(one.window.end < other.window.end for one, other in pairwise(closings(outcomes)))
    fired = sorted(panes(outcomes), key=lambda pane: pane.window)
    for _, revisions in groupby(fired, key=lambda pane: pane.window):
        assert all(pane.index == number for pane, number in zip(revisions, count(), strict=False))
    moments = [pane.fired_at for pane in panes(outcomes)]
    assert moments == sorted(moments)


# 3


@given(streams(max_delay=SLACK - 0.01), HOPS, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_3_any_order_of_arrival_within_the_slack_gives_the_same_windows(
    events: list[Event], hop: tuple[float, float], chance: Random
) -> None:
    dated = [event for event in events if event.time_source is TimeSource.DEVICE]
    shuffled = by_arrival(
        replace(event, arrival=ArrivalTime(event.time + chance.random() * (SLACK - 0.01)))
        for event in dated
    )
    of = replace(hopping(*hop), max_frames=1000)
    one, other = run(dated, of), run(shuffled, of)
    assert last_contents(one) == last_contents(other)
    assert not any(isinstance(outcome, TooLate) for outcome in (*one, *other))
    assert all(pane.index == 0 for pane in panes(other))


# 4

STRICT = replace(PLAIN, max_skew=3.0)


@given(st.lists(CLAIMS, min_size=1, max_size=40), streams(max_delay=3.0, devices="ab"))
@settings(max_examples=200)
def test_4_a_wrong_clock_changes_no_other_devices_windows_nor_when_they_close(
    claims: list[float], others: list[Event]
) -> None:
    mad = [
        event
        for event in mad_clock(claims, every=2.0)
        if abs(event.arrival - event.time) > STRICT.max_skew
    ]
    good = [reading(0.0, 0.0, "a"), *others]
    alone, mixed = run(good, STRICT), run(by_arrival([*good, *mad]), STRICT)
    seen = {pane.window: seen_by_others(pane) for pane in closings(mixed)}
    assert all(seen[pane.window] == seen_by_others(pane) for pane in closings(alone))
    assert others_of(last_contents(mixed)) == last_contents(alone)


@given(st.lists(CLAIMS, min_size=1, max_size=40))
def test_4_nor_does_any_clock_whatsoever_hold_a_window_back_past_max_wait(
    claims: list[float],
) -> None:
    good = [reading(at / 2, at / 2 + 0.1) for at in range(120)]
    mixed = run(by_arrival([*good, *mad_clock(claims)]), STRICT)
    assert others_of(last_contents(mixed)) == last_contents(run(good, STRICT))
    assert all(pane.fired_at <= pane.window.end + WAIT for pane in closings(mixed))


def seen_by_others(pane: Pane) -> tuple[object, ...]:
    own = [event for event in pane.events if event.source != "mad"]
    return pane.fired_at, pane.closed_by, own


def others_of(contents: dict[Window, list[tuple[str, str, EventTime]]]) -> dict[Window, object]:
    own = {w: [key for key in keys if key[0] != "mad"] for w, keys in contents.items()}
    return {window: keys for window, keys in own.items() if keys}


def test_4_a_single_future_timestamp_stalls_nothing() -> None:
    good = [reading(float(at)) for at in range(40)]
    future = mad_clock([4_070_908_800.0], device="a")
    assert [p.fired_at for p in closings(run(by_arrival([*good, *future])))] == [
        p.fired_at for p in closings(run(good))
    ]


# 5


@given(streams(max_delay=1.0, devices="ab"), st.integers(0, 100))
def test_5_a_silent_device_delays_no_window_by_more_than_idle_timeout(
    events: list[Event], silent_from: int
) -> None:
    patient = replace(PLAIN, max_wait=1e9)
    steady: list[Event] = [reading(float(at), at + 0.5, "steady") for at in range(130)]
    quiet = [event for event in events if event.arrival < ORIGIN + silent_from]
    last = max((event.arrival for event in quiet), default=ORIGIN)
    without = {pane.window: pane.fired_at for pane in closings(run(steady, patient))}
    for pane in closings(run(by_arrival([*steady, *quiet]), patient)):
        if pane.window in without and without[pane.window] < ORIGIN + 130:
            assert pane.fired_at <= max(without[pane.window], last + IDLE)


@given(streams(), HOPS)
def test_5_no_window_stays_open_longer_than_max_wait(
    events: list[Event], hop: tuple[float, float]
) -> None:
    for pane in closings(run(events, hopping(*hop))):
        assert pane.fired_at <= pane.window.end + WAIT


# 6


@given(streams(), HOPS, st.lists(st.floats(0, 200), max_size=30), st.lists(CLAIMS, max_size=9))
def test_6_extra_advances_change_nothing(
    events: list[Event], hop: tuple[float, float], extra: list[float], claims: list[float]
) -> None:
    events = by_arrival([*events, *mad_clock(claims)])
    of = hopping(*hop)
    plain, poked = assembler(of), assembler(of)
    outcomes: list[Outcome] = []
    pokes = sorted(extra)
    for event in events:
        while pokes and ORIGIN + pokes[0] <= event.arrival:
            outcomes += poked.advance(ArrivalTime(ORIGIN + pokes.pop(0)))
        outcomes += poked.feed(event)
    outcomes += poked.advance(ArrivalTime(ORIGIN + 1e6))
    assert outcomes == feed(plain, events)
    assert poked.snapshot() == plain.snapshot()


@given(streams(), HOPS, st.integers(0, 80), st.lists(CLAIMS, max_size=9))
def test_6_going_on_from_a_snapshot_is_going_on(
    events: list[Event], hop: tuple[float, float], cut: int, claims: list[float]
) -> None:
    events = by_arrival([*events, *mad_clock(claims)])
    of = replace(hopping(*hop), max_readings=5)
    through, before, after = assembler(of), assembler(of), assembler(of)
    outcomes = [outcome for event in events[:cut] for outcome in before.feed(event)]
    after.restore(before.snapshot())
    assert after.snapshot() == before.snapshot()
    outcomes += feed(after, events[cut:])
    assert outcomes == feed(through, events)
    assert after.snapshot() == through.snapshot()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"x" + b, lambda _: b""])
def test_6_a_damaged_snapshot_is_refused(damage: object) -> None:
    whole = assembler()
    feed(whole, [reading(1.0)], until=2.0)
    with pytest.raises(SnapshotError):
        assembler().restore(damage(whole.snapshot()))  # type: ignore[operator]


@given(st.data())
def test_6_a_snapshot_in_which_something_else_stands_is_refused_or_taken(
    data: st.DataObject,
) -> None:
    whole = assembler()
    feed(whole, [reading(1.0), frame(2.0)], until=2.0)
    document, pictures = unpack(whole.snapshot())
    key = data.draw(st.sampled_from(sorted(document)))
    document[key] = data.draw(st.none() | st.integers() | st.text() | st.just([]) | st.just({}))
    text = json.dumps(document).encode()
    parts = (len(part).to_bytes(8) + part for part in (text, *pictures))
    with suppress(SnapshotError):
        assembler().restore(HEAD + b"".join(parts))


def test_6_a_snapshot_of_other_windows_is_refused() -> None:
    with pytest.raises(SnapshotError, match="other windows"):
        assembler(hopping(10.0, 5.0)).restore(assembler().snapshot())


@given(streams(), st.lists(st.integers(1, 9), max_size=40), st.lists(CLAIMS, max_size=9))
def test_6_the_batches_in_which_events_are_fed_do_not_show(
    events: list[Event], lengths: list[int], claims: list[float]
) -> None:
    spread = [
        replace(event, site=f"site {place % 3}")
        for place, event in enumerate(by_arrival([*events, *mad_clock(claims)]))
    ]
    single, batched = (Sites(PLAIN, max_sites=9, max_devices=99) for _ in range(2))
    one = [outcome for event in spread for outcome in single.feed([event])]
    other: list[Outcome] = []
    rest = list(spread)
    for length in lengths:
        other += batched.feed(rest[:length])
        rest = rest[length:]
    other += batched.feed(rest)
    end = ArrivalTime(ORIGIN + 1e6)
    assert one + single.advance(end) == other + batched.advance(end)


@given(streams(), HOPS)
def test_6_all_sites_together_do_what_each_does_alone(
    events: list[Event], hop: tuple[float, float]
) -> None:
    of = hopping(*hop)
    together = Sites(of, max_sites=9, max_devices=99)
    outcomes = together.feed(events) + together.advance(ArrivalTime(ORIGIN + 1e6))
    assert outcomes == run(events, of)


# 7


@given(st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 30)), min_size=50, max_size=400))
@settings(max_examples=50, deadline=None)
def test_7_the_state_of_a_site_has_a_bound_that_no_arrivals_pass(
    drawn: list[tuple[int, int]],
) -> None:
    of = replace(PLAIN, max_readings=3, max_frames=2, max_skew=1e9, allowed_lateness=1e9)
    site = assembler(of)
    open_at_most = math.ceil((WAIT + 10.0) / 10.0) + 1
    now = 1e6
    for at, pause in drawn:
        now += pause / 10
        for event in (reading(at * 10.0, now), reading(at * 10.0 + 1, now, "b")):
            site.feed(event)
        assert len(site._shelf) <= RETAINED_SLICES + 1 + open_at_most
        assert all(len(each.events()) <= 3 for each in site._shelf)
        assert len(site._firings._closed) <= RETAINED_SLICES + 1 + open_at_most
        assert len(site._firings._closings._log) <= LIMIT


def test_7_of_too_many_frames_the_newest_are_kept() -> None:
    (pane,) = panes(run([frame(float(at)) for at in range(9)]))
    assert [event.time - ORIGIN for event in pane.events] == [5, 6, 7, 8]


def test_7_readings_past_the_bound_are_shed_and_counted() -> None:
    events = [reading(place / 100, place / 100) for place in range(20)]
    outcomes = run(events, replace(PLAIN, max_readings=8))
    assert sum(isinstance(outcome, Shed) for outcome in outcomes) == 12
    assert [len(pane.events) for pane in panes(outcomes)] == [8]


def test_a_redelivered_reading_is_a_duplicate() -> None:
    outcomes = run([reading(1.0, 1.0), reading(1.0, 2.0)])
    assert sum(isinstance(outcome, Duplicate) for outcome in outcomes) == 1
    assert [len(pane.events) for pane in panes(outcomes)] == [1]


def test_a_quarantined_reading_stands_at_its_arrival() -> None:
    (event,) = mad_clock([0.0])
    outcomes = run([event])
    (quarantined,) = (o for o in outcomes if isinstance(o, Quarantined))
    assert float(quarantined.event.time) == event.arrival
    assert quarantined.claimed == 0.0


# 9


def cut_off(events: list[Event], start: float, end: float) -> list[Input]:
    """The same events, those of an outage delivered at its end in order of their arrival."""
    since, back = ArrivalTime(ORIGIN + start), ArrivalTime(ORIGIN + end)
    inputs: list[Input] = [
        replace(event, arrival=back) if since < event.arrival <= back else event for event in events
    ]
    at = sum(each.arrival <= since for each in events)
    done = sum(each.arrival <= back for each in events)
    return [*inputs[:at], CatchUp(since, back), *inputs[at:done], CaughtUp(back), *inputs[done:]]


def end_of_all(of: Alignment, inputs: list[Input]) -> list[Outcome]:
    sites = Sites(of, max_sites=9, max_devices=99)
    return sites.feed(inputs) + sites.advance(ArrivalTime(ORIGIN + 1e6))


@given(streams(max_delay=SLACK - 0.01), HOPS, st.floats(1, 60), st.floats(0, 90))
def test_9_what_was_held_back_while_we_were_cut_off_is_not_late(
    events: list[Event], hop: tuple[float, float], start: float, lasted: float
) -> None:
    dated = [event for event in events if event.time_source is TimeSource.DEVICE]
    of = replace(hopping(*hop), max_frames=1000, max_skew=1e6)
    held = end_of_all(of, cut_off(dated, start, start + lasted))
    assert not any(isinstance(outcome, TooLate) for outcome in held)
    assert last_contents(held) == last_contents(run(dated, of))
    assert all(one.window.end < other.window.end for one, other in pairwise(closings(held)))


@given(streams(), st.floats(1, 60), st.floats(0, 90), st.integers(0, 80))
def test_9_nor_does_a_snapshot_show_while_catching_up(
    events: list[Event], start: float, lasted: float, cut: int
) -> None:
    inputs = cut_off(by_arrival(events), start, start + lasted)
    through, before, after = (Sites(PLAIN, max_sites=9, max_devices=99) for _ in range(3))
    outcomes = before.feed(inputs[:cut])
    assert after.take_over(before) == []
    assert outcomes + after.feed(inputs[cut:]) == through.feed(inputs)
    end = ArrivalTime(ORIGIN + 1e6)
    assert after.advance(end) == through.advance(end)


def test_9_a_window_that_was_forgotten_meanwhile_does_not_begin_again() -> None:
    """Its first revision would contradict the one that consumers have."""
    of = replace(PLAIN, allowed_lateness=0.0, max_out_of_orderness=100.0)
    sites = Sites(of, max_sites=9, max_devices=99)
    outcomes = sites.feed([reading(float(at), 5.0) for at in (1, 11, 21, 31, 41)])
    outcomes += sites.advance(ArrivalTime(ORIGIN + 80.0))
    late = replace(reading(3.0), arrival=ArrivalTime(ORIGIN + 90.0))
    since, back = ArrivalTime(ORIGIN + 6.0), ArrivalTime(ORIGIN + 90.0)
    outcomes += sites.feed([CatchUp(since, back), late, CaughtUp(back)])
    outcomes += sites.advance(ArrivalTime(ORIGIN + 1e6))
    windows = [(pane.window, pane.index) for pane in panes(outcomes)]
    assert len(set(windows)) == len(windows)
    assert any(isinstance(outcome, TooLate) for outcome in outcomes)


def test_9_time_that_stands_still_costs_no_more_memory() -> None:
    site = assembler(replace(PLAIN, max_skew=1e9))
    site.hold(ArrivalTime(ORIGIN))
    site.feed(reading(0.0, 0.0, "dead"))
    for place in range(1000):
        site.feed(reading(place * 10.0, 1.0))
    assert len(site._shelf) <= RETAINED_SLICES + 4
    assert len(site._firings._open) <= RETAINED_SLICES + 4
