"""The assembler against an oracle written in the plainest way, on recorded readings.

The oracle keeps every event and answers each question from all of them: quadratic, and nothing in
common with the assembler but the vocabulary and what the words mean. Delays,
duplicates, reorderings, dropouts and wrong clocks are put into the recordings first.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from event_streams import (
    HOPS,
    PLAIN,
    admitted,
    assembler,
    by_arrival,
    closings,
    hopping,
    key_of,
    last_contents,
    streams,
)
from hypothesis import given, settings

from edge_fusion.align.alignment import Alignment
from edge_fusion.events import (
    ArrivalTime,
    Duplicate,
    Event,
    EventTime,
    Outcome,
    Reading,
    TimeSource,
    TooLate,
)

DATA = Path(__file__).parents[1] / "data"
SOUND = replace(PLAIN, max_skew=1000.0)
"""No clock is doubted: what the oracle says of windows is then all there is to say."""


# The oracle


class Oracle:
    """Writes down all that happens, and looks everything up in what it wrote down."""

    def __init__(self, of: Alignment) -> None:
        self.of = of
        self.kept: list[Event] = []
        self.late: list[Event] = []
        self.same: list[Event] = []
        self.watermarks: list[tuple[float, float]] = []
        """When, and how far the watermark was then."""

    def take(self, event: Event) -> None:
        self.let_pass(event.arrival)
        last_end = max(window.end for window in self.of.windows.windows_of(event.time))
        if event.arrival > self.closed_at(last_end, event.arrival) + self.of.allowed_lateness:
            self.late.append(event)
        elif any(key_of(event) == key_of(other) for other in self.kept):
            self.same.append(event)
        else:
            self.kept.append(event)
            self.watermarks.append((event.arrival, self.watermark(event.arrival)))

    def let_pass(self, now: float) -> None:
        """Sources that fell silent before an event no longer hold the watermark back."""
        last = self.kept[-1].arrival if self.kept else now
        for at in sorted(heard + self.of.idle_timeout for heard, _ in self.sources().values()):
            if last < at <= now:
                self.watermarks.append((at, self.watermark(at)))

    def sources(self) -> dict[object, tuple[float, float]]:
        """When each was last heard, and the largest event time it gave."""
        found: dict[object, tuple[float, float]] = {}
        for event in self.kept:
            name = type(event), event.source
            _, largest = found.get(name, (0.0, -math.inf))
            found[name] = event.arrival, max(largest, event.time)
        return found

    def watermark(self, now: float) -> float:
        active = [
            largest
            for heard, largest in self.sources().values()
            if heard + self.of.idle_timeout > now
        ]
        return min(active, default=-math.inf) - self.of.max_out_of_orderness

    def closed_at(self, end: float, now: float) -> float:
        """When the window that ends at `end` was closed, as known at `now`; else infinity."""
        crossed = [at for at, watermark in self.watermarks if watermark >= end and at <= now]
        latest = end + self.of.max_wait
        return min([*crossed, *([latest] if latest <= now else [])], default=math.inf)


def grouped(events: Iterable[Event], of: Alignment) -> dict[object, list[object]]:
    """Sort everything, group by window."""
    groups: dict[object, list[object]] = {}
    for event in sorted(events, key=lambda e: (e.time, *key_of(e)[:2])):
        for window in of.windows.windows_of(event.time):
            groups.setdefault(window, []).append(key_of(event))
    return groups


def agree(events: list[Event], of: Alignment) -> None:
    """Feed a stream to both, and compare all that can be seen."""
    site, oracle, forever = assembler(of), Oracle(of), events[-1].arrival + 1e6
    outcomes: list[Outcome] = [outcome for event in events for outcome in site.feed(event)]
    outcomes += site.advance(ArrivalTime(forever))
    for event in events:
        oracle.take(event)
    oracle.let_pass(forever)
    assert admitted(outcomes) == oracle.kept
    assert [o.event for o in outcomes if isinstance(o, TooLate)] == oracle.late
    assert [o.event for o in outcomes if isinstance(o, Duplicate)] == oracle.same
    assert last_contents(outcomes) == grouped(oracle.kept, of)
    for pane in closings(outcomes):
        assert pane.fired_at == oracle.closed_at(pane.window.end, forever)


# Recordings, and what can go wrong with them


def smoke() -> list[Event]:
    """Temperature and humidity at 1 Hz, two quantities of one device; ten minutes."""
    with (DATA / "smoke_detection_1hz.csv").open() as file:
        rows = list(csv.DictReader(file))
    start = 1_700_000_000.0
    return [
        measured(start + place, "smoke", quantity, float(row[column]))
        for place, row in enumerate(rows)
        for quantity, column in (("temperature", "temperature_c"), ("humidity", "humidity_pct"))
    ]


def office() -> list[Event]:
    """A reading a minute, a little under seven hours."""
    with (DATA / "occupancy.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return [
        measured(
            datetime.fromisoformat(row[1]).replace(year=2025, tzinfo=UTC).timestamp(),
            "office",
            quantity,
            float(row[column]),
        )
        for row in rows
        for quantity, column in (("temperature", 2), ("humidity", 3))
    ]


def measured(at: float, device: str, quantity: str, value: float) -> Reading:
    time = EventTime(at)
    return Reading("hall", device, quantity, value, time, ArrivalTime(at), TimeSource.DEVICE)


def disturbed(events: list[Event], chance: Random, *, delay: float) -> list[Event]:
    """Delayed by up to `delay`, so reordered; a tenth doubled, a tenth lost, an outage."""
    low, high = events[0].time, events[-1].time
    outage = low + chance.random() * (high - low)
    came = []
    for event in events:
        if chance.random() < 0.1 or outage <= event.time < outage + (high - low) / 10:
            continue
        copies = 2 if chance.random() < 0.1 else 1
        came += [
            replace(event, arrival=ArrivalTime(event.time + chance.random() * delay))
            for _ in range(copies)
        ]
    return by_arrival(came)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("delay", [1.5, 12.0, 40.0])
def test_a_recording_at_1_hz_is_aligned_as_the_oracle_says(seed: int, delay: float) -> None:
    agree(disturbed(smoke()[:180], Random(seed), delay=delay), SOUND)


@pytest.mark.parametrize("hop", [(300.0, 300.0), (600.0, 300.0)])
def test_a_recording_of_a_reading_a_minute_is_aligned_as_the_oracle_says(
    hop: tuple[float, float],
) -> None:
    of = replace(hopping(*hop, SOUND), idle_timeout=150.0, max_wait=100.0, allowed_lateness=200.0)
    agree(disturbed(office()[:160], Random(7), delay=400.0), of)


@given(streams(), HOPS)
@settings(max_examples=60, deadline=None)
def test_a_random_stream_is_aligned_as_the_oracle_says(
    events: list[Event], hop: tuple[float, float]
) -> None:
    agree(events[:30], replace(hopping(*hop, SOUND), max_frames=1000))


@pytest.mark.parametrize("offset", [-3600.0, 3600.0, 1e9, -2e8])
@pytest.mark.parametrize("drift", [0.0, 200e-6, 0.01])
def test_a_recording_by_a_wrong_clock_falls_into_the_right_windows(
    offset: float, drift: float
) -> None:
    """The truth is known here: only an instant near the edge of a window may cross it."""
    of = replace(PLAIN, max_skew=5.0)
    true = smoke()
    start, chance = true[0].time, Random(3)
    site = assembler(of)
    wrong = []
    for event in true:
        claimed = EventTime(event.time + offset + (event.time - start) * drift)
        arrival = ArrivalTime(event.time + chance.expovariate(1 / 0.08))
        wrong += site.feed(replace(event, time=claimed, arrival=arrival))
    placed = {(e.arrival, key_of(e)[1]): e.time for e in admitted(wrong)}
    errors = sorted(
        abs(time - arrival) for (arrival, _), time in placed.items() if arrival > start + 60
    )
    assert len(placed) >= len(true) - 4
    assert errors[len(errors) * 99 // 100] < 0.08 * 10
