"""What the stages cost, each as a ratio to a floor measured in the same run. Run by `make bench`.

Nothing is asserted about time: machines differ, ratios are for reading.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import pytest
import tiny_model

from edge_fusion.align.assembler import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.events import (
    ArrivalTime,
    ClosedBy,
    EventTime,
    Pane,
    Reading,
    TimeSource,
    Timing,
    Window,
)
from edge_fusion.io.onnx import load_model
from edge_fusion.model.grid import sensor_grid
from edge_fusion.model.inputs import build_inputs, plan_rows, zeros

ORIGIN = 1_800_000_000.0
RUNS = 5


def seconds(work: Callable[[], object]) -> float:
    """Median time of a piece of work."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def show(name: str, floor: str, ratio: float, detail: str) -> None:
    print(f"\n{name:<34} {ratio:6.2f} x {floor:<38} {detail}")


def stream(sites: int, count: int) -> list[Reading]:
    """Readings 0.1 s apart over all sites, a fifth of them out of order by up to 1.5 s."""
    chance = random.Random(1)
    readings = []
    for place in range(count):
        arrival = ORIGIN + place * 10.0 / max(100, sites)
        late = chance.random() * 1.5 if chance.random() < 0.2 else 0.0
        readings.append(
            Reading(
                f"site-{place % sites}", "th", "temperature", 20.0, EventTime(arrival - late),
                ArrivalTime(arrival), TimeSource.DEVICE,
            )
        )  # fmt: skip
    return readings


@pytest.mark.parametrize("sites", [10, 100, 1000])
def test_feed_against_grouping_in_a_dictionary(sites: int) -> None:
    events = stream(sites, 20_000)
    alignment = Alignment(Tumbling(10.0), 2.0, 30.0, 30.0, 5.0, 5.0, 900.0, 10_000, 64)

    def feed() -> None:
        assemblers = Sites(alignment, max_sites=sites, max_devices=sites)
        assemblers.feed(events)

    def group() -> None:
        groups: dict[tuple[str, float], list[Reading]] = defaultdict(list)
        for event in events:
            groups[event.site, event.time // 10.0].append(event)

    ours, floor = seconds(feed), seconds(group)
    rate = len(events) / ours
    show(f"feed, {sites} sites", "grouping in a dictionary", ours / floor, f"{rate:,.0f} events/s")


def test_tensors_of_a_window_against_copying_its_data() -> None:
    spec = tiny_model.SPEC
    window = Window(EventTime(ORIGIN), EventTime(ORIGIN + 4))
    events = tuple(
        Reading("s", "th", "temperature", 20.0, EventTime(ORIGIN + t / 10), ArrivalTime(ORIGIN))
        for t in range(40)
    )
    pane = Pane("s", window, 0, Timing.ON_TIME, ClosedBy.WATERMARK, ArrivalTime(ORIGIN), events)

    def build() -> None:
        for _ in range(100):
            grid = sensor_grid(pane, spec, max_gap=5.0, carry=900.0)
            build_inputs(spec, plan_rows(pane, spec), grid, {})

    image = np.zeros((1, spec.frames, *spec.image_size, 3), np.uint8)

    def copy() -> None:
        for _ in range(100):
            image.copy()

    ours, floor = seconds(build), seconds(copy)
    show("tensors of a window", "copying its pixels", ours / floor, f"{ours / 100 * 1e6:.0f} us")


@pytest.mark.parametrize("size", [(480, 640), (720, 1280)])
def test_decoding_a_frame_against_decoding_it_whole(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    _, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 3))
    jpeg = data.tobytes()

    def whole() -> None:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        cv2.resize(picture, (160, 160), interpolation=cv2.INTER_AREA)

    ours, floor = seconds(lambda: decode_rgb(jpeg, (160, 160))), seconds(whole)
    name = f"decode {size[1]}x{size[0]} to 160x160"
    show(name, "imdecode and INTER_AREA", ours / floor, f"{ours * 1e3:.1f} ms")


def test_the_shipped_model() -> None:
    path = Path(__file__).parents[2] / "models" / "indoor-hazard" / "model.onnx"
    model = load_model(path, threads=1)
    one, eight = zeros(model.spec, 1), zeros(model.spec, 8)
    alone, together = seconds(lambda: model.infer(one)), seconds(lambda: model.infer(eight)) / 8
    show("a row of eight, one thread", "a row alone", together / alone, f"{together * 1e3:.2f} ms")
