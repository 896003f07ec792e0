"""Each drawing in tests/timelines is a test: events above, the panes they must give below.

`t`, `h` are readings of temperature and humidity, `f` is a frame. An `event` row says when things
happen by the device's clock, an `arrives` row under it when they reach the box (the same, where
there is none); a `clock` row says by how many seconds its clock runs ahead, an `offline` row when
it is reported dead. In a `cut` row `x` is when the box lost its broker, `(` when it had it back
and `)` when what had been held back had come. `expect panes` lists the panes up to the last column;
`late` marks a revision.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import assigner
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    Event,
    EventTime,
    Frame,
    Input,
    Offline,
    Outcome,
    Pane,
    Reading,
    TimeSource,
    Timing,
)

TIMELINES = sorted((Path(__file__).parent.parent / "timelines").glob("*.txt"))
ORIGIN = 1_800_000_000.0
QUANTITIES = {"t": "temperature", "h": "humidity"}
DEFAULTS = {
    "size": 10.0, "max_out_of_orderness": 2.0, "max_wait": 5.0, "allowed_lateness": 30.0,
    "idle_timeout": 30.0, "max_skew": 5.0,
}  # fmt: skip


def settings_of(text: str) -> dict[str, float]:
    found = re.findall(r"([a-z_]+) ([\d.]+)", " ".join(re.findall(r"^#.*", text, re.MULTILINE)))
    known = {*DEFAULTS, "every"}
    return DEFAULTS | {name: float(value) for name, value in found if name in known}


def inputs_of(text: str) -> list[Input]:
    rows: dict[tuple[str, str], str] = {}
    for line in text.splitlines():
        if match := re.match(r"(\S+/\S+)\s+(event|arrives|clock|offline|cut)\s+(\S+)", line):
            rows[match[1], match[2]] = match[3]
    inputs: list[Input] = []
    for (source, kind), row in rows.items():
        if kind == "event":
            happens = [(i, c) for i, c in enumerate(row) if c != "."]
            arrives = [i for i, c in enumerate(rows.get((source, "arrives"), row)) if c != "."]
            ahead = float(rows.get((source, "clock"), "0"))
            pairs = zip(happens, arrives, strict=True)
            inputs += [event_of(source, c, at + ahead, came) for (at, c), came in pairs]
        elif kind == "offline":
            site, device = source.split("/")
            inputs.append(Offline(site, device, ArrivalTime(ORIGIN + row.index("x"))))
        elif kind == "cut":
            since, back, done = (ArrivalTime(ORIGIN + row.index(sign)) for sign in "x()")
            inputs += [CatchUp(since, back), CaughtUp(done)]
    return sorted(inputs, key=lambda each: each.arrival)


def event_of(source: str, letter: str, at: float, came: float) -> Event:
    site, name = source.split("/")
    time, arrival = EventTime(ORIGIN + at), ArrivalTime(ORIGIN + came)
    if letter == "f":
        return Frame(site, name, b"picture", time, arrival, TimeSource.DEVICE)
    return Reading(site, name, QUANTITIES[letter], at, time, arrival, TimeSource.DEVICE)


def drawn(pane: Pane) -> str:
    kinds = Counter("f" if isinstance(event, Frame) else event.quantity[0] for event in pane.events)
    what = " ".join(f"{kind}{kinds[kind]}" for kind in "thf" if kinds[kind])
    late = "late " if pane.timing is Timing.LATE else ""
    start, end, at = (round(t - ORIGIN) for t in (*pane_bounds(pane), pane.fired_at))
    return f"[{start},{end}) {what} {late}{pane.closed_by.value} at {at}"


def pane_bounds(pane: Pane) -> tuple[float, float]:
    return pane.window.start, pane.window.end


def run(text: str) -> list[Outcome]:
    options = settings_of(text)
    size = options.pop("size")
    windows = assigner(size, options.pop("every", size))
    alignment = Alignment(windows, carry=900.0, max_readings=1000, max_frames=16, **options)
    sites = Sites(alignment, max_sites=1, max_devices=100)
    outcomes = sites.feed(inputs_of(text))
    columns = max(len(line.split()[-1]) for line in text.splitlines() if re.match(r"\S+/", line))
    return outcomes + sites.advance(ArrivalTime(ORIGIN + columns))


@pytest.mark.parametrize("path", TIMELINES, ids=lambda path: path.stem)
def test_the_drawing_holds(path: Path) -> None:
    text = path.read_text()
    expected = re.search(r"^expect\s+panes\s+(.*)", text, re.MULTILINE)
    assert expected is not None
    outcomes = run(text)
    panes = [drawn(outcome) for outcome in outcomes if isinstance(outcome, Pane)]
    assert panes == re.split(r"\s{2,}", expected[1].strip())
    if counts := re.search(r"^expect\s+counts\s+(.*)", text, re.MULTILINE):
        found = Counter(re.sub(r"(?<!^)(?=[A-Z])", "_", type(o).__name__).lower() for o in outcomes)
        for name, number in re.findall(r"(\w+) (\d+)", counts[1]):
            assert found[name] == int(number), name
