"""The promises of edge_fusion/align/__init__.py, on random streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_fusion.align.assembler import RETAINED_WINDOWS, Alignment, SiteAssembler
from edge_fusion.align.bucket import Key, key_of
from edge_fusion.align.windows import assigner
from edge_fusion.events import (
    Admitted,
    ArrivalTime,
    Duplicate,
    Event,
    EventTime,
    Frame,
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

ORIGIN = 1_800_000_000.0
SLACK, LATENESS, IDLE, WAIT, SKEW = 2.0, 8.0, 12.0, 5.0, 60.0


def alignment(size: float = 10.0, every: float = 10.0, max_readings: int = 1000) -> Alignment:
    return Alignment(
        windows=assigner(size, every),
        max_out_of_orderness=SLACK,
        allowed_lateness=LATENESS,
        idle_timeout=IDLE,
        max_wait=WAIT,
        max_skew=SKEW,
        carry=900.0,
        max_readings=max_readings,
        max_frames=4,
    )


def reading(
    at: float, came: float | None = None, device: str = "a", source: TimeSource = TimeSource.DEVICE
) -> Reading:
    arrival = ArrivalTime(ORIGIN + (at if came is None else came))
    return Reading("hall", device, "temperature", at, EventTime(ORIGIN + at), arrival, source)


def frame(at: float, camera: str = "cam") -> Frame:
    time = EventTime(ORIGIN + at)
    return Frame("hall", camera, b"picture", time, ArrivalTime(time), TimeSource.DEVICE)


def run(events: Sequence[Event], of: Alignment, until: float = 1e6) -> list[Outcome]:
    assembler = SiteAssembler("hall", of)
    outcomes = [outcome for event in events for outcome in assembler.feed(event)]
    return outcomes + assembler.advance(ArrivalTime(ORIGIN + until))


def panes(outcomes: Sequence[Outcome]) -> list[Pane]:
    return [outcome for outcome in outcomes if isinstance(outcome, Pane)]


@st.composite
def streams(draw: st.DrawFn, max_delay: float = 40.0) -> list[Event]:
    """Events of three devices and a camera, each up to `max_delay` late, in order of arrival."""
    instants = st.integers(0, 400).map(lambda tenths: tenths / 4)
    delays = st.integers(0, 100).map(lambda part: part / 100 * max_delay)
    drawn = draw(
        st.lists(st.tuples(st.sampled_from("abcf"), instants, delays), min_size=1, max_size=60)
    )
    events: list[Event] = [
        frame(at) if device == "f" else reading(at, at + delay, device)
        for device, at, delay in drawn
    ]
    return sorted(events, key=lambda event: event.arrival)


HOPS = st.sampled_from([(10.0, 10.0), (10.0, 5.0), (6.0, 2.0)])


@given(streams(), HOPS)
def test_every_event_ends_in_exactly_one_outcome(
    events: list[Event], hop: tuple[float, float]
) -> None:
    outcomes = run(events, alignment(*hop))
    ends: Counter[type] = Counter(type(o) for o in outcomes if not isinstance(o, Pane | Shed))
    ends[Shed] = sum(isinstance(o, Shed) and o.reason is ShedReason.MAX_READINGS for o in outcomes)
    assert sum(ends.values()) == len(events)


@given(streams(), HOPS)
def test_every_window_agrees_with_sorting_and_grouping(
    events: list[Event], hop: tuple[float, float]
) -> None:
    """The oracle in the plainest way: admitted events, sorted, grouped by window."""
    of = alignment(*hop)
    outcomes = run(events, of)
    admitted = [o.event for o in outcomes if isinstance(o, Admitted | Quarantined)]
    shed = {key_of(o.event) for o in outcomes if isinstance(o, Shed) and o.event is not None}
    last: dict[Window, set[Key]] = {}
    for pane in panes(outcomes):
        last[pane.window] = {key_of(event) for event in pane.events}
    for event in admitted:
        if key_of(event) in shed:
            continue
        took = [w for w in of.windows.windows_of(event.time) if key_of(event) in last.get(w, ())]
        assert took, "an admitted event is in no window"
    for window, keys in last.items():
        assert all(window.start <= time < window.end for _, _, time in keys)


@given(streams(), HOPS)
def test_windows_close_in_order_of_their_end_and_once(
    events: list[Event], hop: tuple[float, float]
) -> None:
    fired = panes(run(events, alignment(*hop)))
    on_time = [pane.window for pane in fired if pane.index == 0 and pane.late == 0]
    assert all(one.end < next_.end for one, next_ in pairwise(on_time))
    assert len({(pane.window, pane.index) for pane in fired}) == len(fired)
    assert all(one.fired_at <= next_.fired_at for one, next_ in pairwise(fired))


@given(streams(), st.lists(st.floats(0, 200), max_size=30))
def test_extra_advances_change_nothing(events: list[Event], extra: list[float]) -> None:
    plain = run(events, alignment())
    assembler = SiteAssembler("hall", alignment())
    outcomes: list[Outcome] = []
    pokes = sorted(extra)
    for event in events:
        while pokes and ORIGIN + pokes[0] <= event.arrival:
            outcomes += assembler.advance(ArrivalTime(ORIGIN + pokes.pop(0)))
        outcomes += assembler.feed(event)
    outcomes += assembler.advance(ArrivalTime(ORIGIN + 1e6))
    assert outcomes == plain


@given(streams(max_delay=SLACK - 0.01), st.randoms())
@settings(max_examples=200)
def test_arrival_order_within_the_slack_changes_no_window(
    events: list[Event], random: object
) -> None:
    """Every device is heard before the first window can close, else 'active' is undefined."""
    first: list[Event] = [reading(0.0, 0.0, device) for device in "abc"]
    one = run([*first, *(e for e in events if isinstance(e, Reading))], alignment())
    shuffled = sorted(
        (reading(e.time - ORIGIN, e.time - ORIGIN + random.random() * (SLACK - 0.01), e.source)  # type: ignore[attr-defined]
         for e in events if isinstance(e, Reading)),
        key=lambda event: event.arrival,
    )  # fmt: skip
    other = run([*first, *shuffled], alignment())

    def contents(outcomes: list[Outcome]) -> dict[Window, list[object]]:
        return {pane.window: [key_of(event) for event in pane.events] for pane in panes(outcomes)}

    assert contents(one) == contents(other)
    assert not any(isinstance(outcome, TooLate) for outcome in (*one, *other))


@given(streams())
def test_no_window_stays_open_longer_than_max_wait(events: list[Event]) -> None:
    for pane in panes(run(events, alignment())):
        if pane.index == 0 and pane.late == 0:
            assert pane.fired_at <= pane.window.end + WAIT


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40))
def test_a_wrong_clock_changes_no_other_devices_windows(claims: list[float]) -> None:
    good = [reading(float(at), at + 0.1) for at in range(60)]
    bad = [
        Reading(
            "hall", "mad", "temperature", 1.0, EventTime(claim),
            ArrivalTime(ORIGIN + 1.5 + place), TimeSource.DEVICE,
        )
        for place, claim in enumerate(claims)
    ]  # fmt: skip
    both = sorted([*good, *bad], key=lambda event: event.arrival)
    alone = {p.window: p for p in panes(run(good, alignment())) if p.index == 0}
    mixed = [p for p in panes(run(both, alignment())) if p.index == 0 and p.window in alone]
    assert {p.window for p in mixed} == set(alone)
    for pane in mixed:
        own = [event for event in pane.events if event.source == "a"]
        assert own == list(alone[pane.window].events)
        assert pane.fired_at <= pane.window.end + WAIT


def test_a_redelivered_reading_is_a_duplicate() -> None:
    outcomes = run([reading(1.0, 1.0), reading(1.0, 2.0)], alignment())
    assert sum(isinstance(outcome, Duplicate) for outcome in outcomes) == 1
    assert [len(pane.events) for pane in panes(outcomes)] == [1]


def test_readings_past_the_bound_are_shed_and_counted() -> None:
    events = [reading(place / 100, place / 100) for place in range(20)]
    outcomes = run(events, alignment(max_readings=8))
    assert sum(isinstance(outcome, Shed) for outcome in outcomes) == 12
    assert [len(pane.events) for pane in panes(outcomes)] == [8]


def test_of_too_many_frames_the_newest_are_kept() -> None:
    outcomes = run([frame(float(at)) for at in range(9)], alignment())
    (pane,) = panes(outcomes)
    assert [event.time - ORIGIN for event in pane.events] == [5, 6, 7, 8]


def test_an_undated_reading_stands_at_its_arrival() -> None:
    (pane,) = panes(run([reading(3.0, 3.0, source=TimeSource.ARRIVAL)], alignment()))
    assert pane.window == Window(EventTime(ORIGIN), EventTime(ORIGIN + 10))


def test_the_last_reading_before_a_window_is_carried_into_it() -> None:
    fired = panes(run([reading(4.0), reading(7.0), reading(14.0)], alignment()))
    assert [r.time - ORIGIN for r in fired[1].carried] == [7.0]


def test_a_first_event_that_comes_after_its_window_closed_empty_makes_a_late_pane() -> None:
    events = [reading(1.0), reading(25.0), reading(15.0, 27.0, "b")]
    fired = [pane for pane in panes(run(events, alignment())) if pane.late]
    assert [(p.window.start - ORIGIN, p.index, p.fired_at - ORIGIN) for p in fired] == [
        (10.0, 0, 28.0)
    ]


def test_closed_windows_are_kept_for_revision_only_up_to_the_bound() -> None:
    assembler = SiteAssembler("hall", alignment())
    for place in range(4 * RETAINED_WINDOWS):
        assembler.feed(reading(place * 10.0, 1e5 + place / 1e3, source=TimeSource.DEVICE))
    assert len(assembler._closed) <= RETAINED_WINDOWS + 1


@pytest.mark.parametrize(("size", "every"), [(10.0, 10.0), (10.0, 2.0), (0.3, 0.1)])
@given(time=st.floats(0, 4e9))
def test_an_instant_lies_in_size_by_every_windows(size: float, every: float, time: float) -> None:
    windows = assigner(size, every).windows_of(EventTime(time))
    assert len(windows) == round(size / every)
    assert all(window.start <= time < window.end for window in windows)
