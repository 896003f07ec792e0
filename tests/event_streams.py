"""Streams of events, drawn at random or by hand, and what a site's assembler makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.assembler import SiteAssembler
from edge_fusion.align.census import Census
from edge_fusion.align.windows import assigner
from edge_fusion.events import (
    ArrivalTime,
    Event,
    EventTime,
    Frame,
    Outcome,
    Pane,
    Quarantined,
    Reading,
    TimeSource,
    Timing,
    Window,
)

ORIGIN = 1_800_000_000.0
SLACK, LATENESS, IDLE, WAIT, SKEW = 2.0, 8.0, 12.0, 5.0, 60.0
PLAIN = Alignment(
    windows=assigner(10.0, 10.0),
    max_out_of_orderness=SLACK,
    allowed_lateness=LATENESS,
    idle_timeout=IDLE,
    max_wait=WAIT,
    max_skew=SKEW,
    carry=900.0,
    max_readings=1000,
    max_frames=4,
)

Key = tuple[str, str, EventTime]
"""What makes two events the same: source, quantity ("" for a frame) and event time."""


def hopping(size: float, every: float, of: Alignment = PLAIN) -> Alignment:
    return replace(of, windows=assigner(size, every))


def reading(
    at: float,
    came: float | None = None,
    device: str = "a",
    source: TimeSource = TimeSource.DEVICE,
    quantity: str = "temperature",
) -> Reading:
    """A reading of `at`, seconds after ORIGIN, that arrived when it `came`, or at once."""
    arrival = ArrivalTime(ORIGIN + (at if came is None else came))
    return Reading("hall", device, quantity, at, EventTime(ORIGIN + at), arrival, source)


def frame(at: float, came: float | None = None, camera: str = "cam") -> Frame:
    arrival = ArrivalTime(ORIGIN + (at if came is None else came))
    picture = f"picture of {at}".encode()
    return Frame("hall", camera, picture, EventTime(ORIGIN + at), arrival, TimeSource.DEVICE)


def assembler(of: Alignment = PLAIN) -> SiteAssembler:
    return SiteAssembler("hall", of, Census(100))


def feed(into: SiteAssembler, events: Iterable[Event], until: float = 1e6) -> list[Outcome]:
    """What comes of the events, and of the time up to `until`."""
    outcomes = [outcome for event in events for outcome in into.feed(event)]
    return outcomes + into.advance(ArrivalTime(ORIGIN + until))


def run(events: Iterable[Event], of: Alignment = PLAIN) -> list[Outcome]:
    return feed(assembler(of), events)


def panes(outcomes: Iterable[Outcome]) -> list[Pane]:
    return [outcome for outcome in outcomes if isinstance(outcome, Pane)]


def closings(outcomes: Iterable[Outcome]) -> list[Pane]:
    """The panes that closed their windows."""
    return [pane for pane in panes(outcomes) if pane.timing is Timing.ON_TIME]


def admitted(outcomes: Iterable[Outcome]) -> list[Event]:
    """The events that were admitted, as corrected."""
    found: list[Event] = []
    for outcome in outcomes:
        if isinstance(outcome, Reading | Frame):
            found.append(outcome)
        elif isinstance(outcome, Quarantined):
            found.append(outcome.event)
    return found


def key_of(event: Event) -> Key:
    return event.source, event.quantity if isinstance(event, Reading) else "", event.time


def last_contents(outcomes: Iterable[Outcome]) -> dict[Window, list[Key]]:
    """What each window held when it last fired, in its order."""
    return {pane.window: [key_of(event) for event in pane.events] for pane in panes(outcomes)}


def by_arrival(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.arrival)


HOPS = st.sampled_from([(10.0, 10.0), (10.0, 5.0), (6.0, 2.0)])


@st.composite
def streams(draw: st.DrawFn, max_delay: float = 40.0, devices: str = "abcf") -> list[Event]:
    """Events of some devices and a camera "f" over 100 s, each up to `max_delay` s late."""
    instants = st.integers(0, 400).map(lambda part: part / 4)
    delays = st.integers(0, 100).map(lambda part: part / 100 * max_delay)
    kinds = st.sampled_from(["temperature", "humidity"])
    dated = st.sampled_from([TimeSource.DEVICE] * 4 + [TimeSource.ARRIVAL])
    event = st.tuples(st.sampled_from(devices), instants, delays, kinds, dated)
    return by_arrival(made(*drawn) for drawn in draw(st.lists(event, min_size=1, max_size=80)))


def made(device: str, at: float, delay: float, quantity: str, source: TimeSource) -> Event:
    if device == "f":
        return frame(at, at + delay)
    if source is TimeSource.ARRIVAL:
        return reading(at + delay, at + delay, device, source, quantity)
    return reading(at, at + delay, device, source, quantity)


def mad_clock(claims: Sequence[float], every: float = 1.0, device: str = "mad") -> list[Event]:
    """A device that sends every so often and claims any time, seconds since 1970."""
    return [
        Reading(
            "hall",
            device,
            "temperature",
            1.0,
            EventTime(claim),
            ArrivalTime(ORIGIN + 1.5 + place * every),
            TimeSource.DEVICE,
        )
        for place, claim in enumerate(claims)
    ]
