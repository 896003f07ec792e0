"""Alignment beside its peers: what an event costs, and what a window costs.

Workload: sites of five devices, each with temperature and humidity once a second, so 100 readings
a site in a window of 10 s; a fifth of them up to 1.5 s out of order. Told is the second half of a
stream, the time of the whole less that of the first half, so that what is made once per device
does not count, for anybody. All on one thread.

* bytewax 0.21 `collect_window` with `TumblingWindower` and `EventClock`, a Rust engine, takes the
  same objects, keyed by site, and gives the readings of each window in one list in order; we give
  them in order by lane, or, as "merged", in one list too. It knows no watermark per device, no
  wrong clocks, no duplicates and no revisions.
* pandas groups the same columns in batch, when all is over: the bound for whoever takes events
  one by one.
* putting each event into the list of its lane and window, and letting go of the lists a minute
  later, is the least that alignment in Python does, and shows how memory that is out of the
  caches makes that grow with the sites.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import numpy as np
import pytest
from benchmarks.measure import least_seconds, seconds, settled_garbage, show

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.assembler import SiteAssembler
from edge_fusion.align.census import Census
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.events import ArrivalTime, EventTime, Frame, Pane, Reading, TimeSource
from edge_fusion.model.grid import sensor_grid
from edge_fusion.model.inputs import build_inputs, plan_rows
from edge_fusion.model.spec import ModelSpec

ORIGIN = 1_800_000_000.0
BATCH = 512
SIZE = 10.0
DEVICES = 5
KEPT = 60
"""Lists of a site in a minute: ten lanes, six windows."""

BOX = 20
"""Sites of a box whose windows close one after the other."""

QUANTITIES = ("temperature", "humidity")
ALIGNMENT = Alignment(Tumbling(SIZE), 2.0, 30.0, 30.0, 5.0, 5.0, 900.0, 100_000, 64)


def stream(sites: int, lasting: int, devices: int = DEVICES) -> list[Reading]:
    """Readings of so many seconds in order of arrival."""
    chance = random.Random(1)
    names = [f"site-{site}" for site in range(sites)]
    kinds = [f"device-{device}" for device in range(devices)]
    readings: list[Reading] = []
    for second in range(lasting):
        for place in range(sites * devices):
            arrival = ORIGIN + second + place / (sites * devices)
            late = chance.random() * 1.5 if chance.random() < 0.2 else 0.0
            site, device = names[place // devices], kinds[place % devices]
            time = EventTime(arrival - late)
            readings += (
                Reading(site, device, q, 20.0, time, ArrivalTime(arrival), TimeSource.DEVICE)
                for q in QUANTITIES
            )
    return readings


def panes_of(events: Sequence[Reading]) -> Iterator[Pane]:
    sites = Sites(ALIGNMENT, max_sites=1000, max_devices=100_000)
    for begin in range(0, len(events), BATCH):
        outcomes = sites.feed(events[begin : begin + BATCH])
        yield from (outcome for outcome in outcomes if type(outcome) is Pane)


def ours(events: Sequence[Reading]) -> int:
    return sum(len(pane.lines) for pane in panes_of(events))


def bytewax(events: Sequence[Reading]) -> int:
    operators = pytest.importorskip("bytewax.operators")
    windowing = pytest.importorskip("bytewax.operators.windowing")
    testing = pytest.importorskip("bytewax.testing")
    dataflow = pytest.importorskip("bytewax.dataflow")
    out: list[object] = []
    flow = dataflow.Dataflow("peer")
    source = operators.input("in", flow, testing.TestingSource(events, batch_size=BATCH))
    keyed = operators.key_on("key", source, lambda event: event.site)
    clock = windowing.EventClock(
        lambda event: datetime.fromtimestamp(event.time, UTC),
        wait_for_system_duration=timedelta(seconds=2),
    )
    windower = windowing.TumblingWindower(
        length=timedelta(seconds=SIZE), align_to=datetime(2020, 1, 1, tzinfo=UTC)
    )
    windows = windowing.collect_window("windows", keyed, clock, windower)
    operators.output("out", windows.down, testing.TestingSink(out))
    testing.run_main(flow)
    return len(out)


def pandas(events: Sequence[Reading]) -> Callable[[], object]:
    """What is told is the grouping alone: the columns are there already."""
    frame = pytest.importorskip("pandas").DataFrame(
        {
            "site": [event.site for event in events],
            "window": [event.time // SIZE for event in events],
            "value": [event.value for event in events],
        }
    )
    return lambda: frame.groupby(["site", "window"]).value.agg(["mean", "count"])


def merged(events: Sequence[Reading]) -> int:
    return sum(len(pane.events) for pane in panes_of(events))


def lists(events: Sequence[Reading]) -> int:
    lanes: dict[tuple[str, str, str], tuple[float, list[Reading]]] = {}
    done: deque[list[Reading]] = deque(maxlen=KEPT * len({event.site for event in events}))
    for event in events:
        key, window = (event.site, event.device, event.quantity), event.time // SIZE
        lane = lanes.get(key)
        if lane is None or lane[0] != window:
            lane = lanes[key] = window, []
            done.append(lane[1])
        lane[1].append(event)
    return len(lanes)


def cost(work: Callable[[Sequence[Reading]], object], events: Sequence[Reading]) -> float:
    """Seconds for an event of the second half."""
    half = events[: len(events) // 2]
    whole, part = least_seconds(lambda: work(events)), least_seconds(lambda: work(half))
    return (whole - part) / (len(events) - len(half))


_AT_TEN: dict[str, float] = {}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sites", [10, 100, 1000])
def test_an_event(sites: int) -> None:
    events = stream(sites, max(60, 200_000 // (sites * DEVICES * len(QUANTITIES))))
    with settled_garbage():
        costs = {work.__name__: cost(work, events) for work in (ours, merged, bytewax, lists)}
    costs["pandas"] = seconds(pandas(events)) / len(events)
    mine = costs["ours"]
    for peer in ("bytewax", "pandas", "lists"):
        rates = f"{1 / mine:,.0f} against {1 / costs[peer]:,.0f} events/s"
        show(f"feed, {sites} sites: rate", peer, costs[peer] / mine, rates)
    rates = f"{1 / costs['merged']:,.0f} events/s"
    show(f"merged, {sites} sites: rate", "bytewax", costs["bytewax"] / costs["merged"], rates)
    for name in ("ours", "bytewax", "lists"):
        first = _AT_TEN.setdefault(name, costs[name])
        growth = costs[name] / first
        show(f"feed, {sites} sites: cost of an event", f"{name} at 10 sites", growth, "")


@pytest.mark.parametrize("devices", [1, 5, 50])
def test_a_window(devices: int) -> None:
    """From the instant it is to close to its tensors, less the copy of its pictures."""
    spec = ModelSpec("bench", SIZE, 20, QUANTITIES, 2, (160, 160), ("smoke",), {})
    readings = [r for r in stream(1, 60, devices) if r.time < ORIGIN + 50]
    frames = [
        Frame("site-0", "cam", b"", EventTime(at), ArrivalTime(at), TimeSource.DEVICE)
        for at in (ORIGIN + 1 + place for place in range(50))
    ]
    mixed: list[Reading | Frame] = [*readings, *frames]
    events = sorted(mixed, key=lambda event: event.arrival)
    picture = np.zeros((*spec.image_size, 3), np.uint8)
    pictures = {("cam", frame.time): picture for frame in frames}
    panes: list[Pane] = []

    def close(sites: Sequence[SiteAssembler]) -> None:
        panes[:] = [o for site in sites for o in site.advance(_END) if isinstance(o, Pane)]

    def build() -> None:
        for pane in panes:
            grid = sensor_grid(pane, spec, max_gap=5.0, carry=900.0)
            build_inputs(spec, plan_rows(pane, spec), grid, pictures)

    def copy() -> None:
        for _ in panes:
            np.concatenate([picture[None], picture[None]])

    # Sites that began at different times: what is done once in several windows counts as often.
    begun = [[e for e in events if e.time >= ORIGIN + SIZE * windows] for windows in range(4)]
    with settled_garbage():
        rounds = [[_filled(begun[place % 4]) for place in range(BOX)] for _ in range(20)]
        closing = median(seconds(partial(close, sites), 1) for sites in rounds) / BOX
        building, floor = seconds(build, 20) / BOX, seconds(copy, 20) / BOX
    own = closing + building - floor
    detail = f"close {closing * 1e6:.0f} us, tensors {building * 1e6:.0f} us"
    name = f"a window of {len(panes[0].events)} events"
    show(name, f"100 us and its copy ({floor * 1e6:.0f} us)", own / 100e-6, detail)


_END = ArrivalTime(ORIGIN + 50 + ALIGNMENT.max_wait)


def _filled(events: Sequence[Reading | Frame]) -> SiteAssembler:
    """A site whose last window is still open."""
    site = SiteAssembler("site-0", ALIGNMENT, Census(1000))
    for event in events:
        site.feed(event)
    return site
