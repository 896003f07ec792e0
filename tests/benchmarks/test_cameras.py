"""A camera that is looked at: how old its pictures are, and what it costs.

An RTSP server on this machine sends 1280 x 720 pixels ten times a second, H.264, each picture
with the time of its drawing in it, so that the age of what we hand over can be read off. The floor
of the age is the distance of two pictures: FFmpeg gives a picture out when the next one begins. The
floor of the cost is a loop that decodes the stream and does nothing with it. The pictures are
plain, so those of a living camera take more to decode, in both.

Seen on 2026-11-24, two cores shared with other work: age 0.12 s at the median, 0.14 s in 99 of 100;
1.1 % of a core at one picture a second, of which decoding is 0.8 %, and 3.5 % at ten. With a noisy
scene of 2 Mbit/s it was 4.5 % of a core, of which decoding is 4.4 %, and 7.9 % at ten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from statistics import median, quantiles

import cv2
import pytest
from benchmarks.measure import show
from filming import RtspCamera, age

from edge_fusion.events import Capture
from edge_fusion.io.address import parse_address
from edge_fusion.io.cameras import Cameras, VideoSource
from edge_fusion.io.clock import ArrivalClock

FPS = 10
LASTING = 8.0


@pytest.fixture(scope="module")
def camera() -> Iterator[RtspCamera]:
    camera = RtspCamera(size=(1280, 720), fps=FPS)
    camera.start()
    yield camera
    camera.kill()


def looked_at(camera: RtspCamera, fps: float) -> tuple[list[Capture], float]:
    """What comes in `LASTING` seconds, and the share of a core that it takes."""
    captures: list[Capture] = []
    first = threading.Event()

    def deliver(capture: Capture) -> None:
        captures.append(capture)
        first.set()

    cameras = Cameras(
        [VideoSource("hall", "door", parse_address(camera.url), fps)],
        deliver=deliver,
        notify=lambda _: None,
        stamp=ArrivalClock().stamp,
    )
    cameras.start()
    assert first.wait(20)
    began = time.process_time()
    time.sleep(LASTING)
    spent = time.process_time() - began
    cameras.stop(10)
    return captures, spent / LASTING


def decoded(camera: RtspCamera) -> float:
    """The share of a core that it takes to decode the stream."""
    video = cv2.VideoCapture(camera.url, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    began, until = time.process_time(), time.monotonic() + LASTING
    while time.monotonic() < until:
        assert video.grab()
    spent = time.process_time() - began
    video.release()
    return spent / LASTING


def test_the_age_of_a_picture(camera: RtspCamera) -> None:
    captures, _ = looked_at(camera, fps=FPS)
    ages = [age(capture.payload, capture.arrival) for capture in captures]
    middle, most = median(ages), quantiles(ages, n=100)[98]
    detail = f"median {middle:.3f} s, 99 % {most:.3f} s, {len(ages)} pictures"
    show("age of a picture", "the next picture's coming (0.1 s)", middle * FPS, detail)


@pytest.mark.parametrize("fps", [1, 2, 10])
def test_the_cost_of_a_camera(camera: RtspCamera, fps: float) -> None:
    floor = decoded(camera)
    _, ours = looked_at(camera, fps)
    detail = f"{100 * ours:.1f} % of a core"
    show(f"looking, {fps} of 10 pictures a second", "decoding the stream", ours / floor, detail)
