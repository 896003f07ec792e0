"""Cameras that are looked at: a real RTSP server, HTTP, files, and devices that are not there."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import pytest
from conftest import eventually, free_port
from filming import RtspCamera, age, clip, noise, number_in

from edge_fusion.codecs.jpeg import header_size
from edge_fusion.events import Capture
from edge_fusion.io.address import parse_address
from edge_fusion.io.cameras import Cameras, Patience, Tally, VideoSource, faults, looks
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.retry import Backoff
from edge_fusion.mailbox import CameraDown, CameraUp, Notice

SOON = Backoff(first=0.2, longest=0.5)
UP, DOWN = CameraUp("hall", "door"), CameraDown("hall", "door")
HANGING = 3.0


class Audience:
    """Cameras, and all that comes of them."""

    def __init__(self, *sources: VideoSource, patience: Patience) -> None:
        self.captures: list[Capture] = []
        self.notices: list[Notice] = []
        self.held_up = threading.Event()
        self.held_up.set()
        clock = ArrivalClock()
        self._cameras = Cameras(
            sources,
            deliver=self._take,
            notify=self.notices.append,
            stamp=clock.stamp,
            patience=patience,
        )

    @property
    def tally(self) -> Tally:
        ((_, tally),) = self._cameras.tallies()
        return tally

    def wait_for(self, number: int, what: str = "pictures") -> list[Capture]:
        """The next so many pictures."""
        before = len(self.captures)
        eventually(lambda: len(self.captures) >= before + number, what)
        return self.captures[before : before + number]

    def start(self) -> None:
        self._cameras.start()

    def stop(self, timeout: float = HANGING + 10) -> None:
        self._cameras.stop(timeout)

    def _take(self, capture: Capture) -> None:
        assert self.held_up.wait(20)
        self.captures.append(capture)


def source(url: str, *, camera: str = "door", fps: float = 5.0) -> VideoSource:
    return VideoSource("hall", camera, parse_address(url), fps)


Look = Callable[..., Audience]


@pytest.fixture
def look() -> Iterator[Look]:
    with ExitStack() as stack:

        def look(*sources: VideoSource, **patience: Any) -> Audience:
            audience = Audience(*sources, patience=Patience(**{"backoff": SOON, **patience}))
            audience.start()
            stack.callback(audience.stop)
            return audience

        yield look


@pytest.fixture
def rtsp() -> Iterator[Callable[..., RtspCamera]]:
    with ExitStack() as stack:

        def rtsp(**options: Any) -> RtspCamera:
            camera = RtspCamera(**options)
            camera.start()
            stack.callback(camera.kill)
            return camera

        yield rtsp


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()[1]


Rtsp = Callable[..., RtspCamera]


def test_a_stream_gives_so_many_pictures_a_second_and_none_that_is_stale(
    rtsp: Rtsp, look: Look
) -> None:
    audience = look(source(rtsp().url, fps=2))
    pictures = audience.wait_for(6)
    assert audience.notices == [UP]
    numbers = [number_in(picture.payload) for picture in pictures]
    assert mean(b - a for a, b in pairwise(numbers)) == pytest.approx(500, rel=0.3)
    assert all(-0.1 < age(picture.payload, picture.arrival) < 2 for picture in pictures)
    assert audience.tally.grabbed > 20
    assert audience.tally.stale > 0  # what the stream held while it was recognised


def test_whoever_was_kept_from_reading_gets_nothing_that_waited_meanwhile(
    rtsp: Rtsp, look: Look
) -> None:
    audience = look(source(rtsp().url, fps=10))
    *_, last = audience.wait_for(3)
    stale = audience.tally.stale
    audience.held_up.clear()
    eventually(lambda: age(last.payload, time.time()) > 3, "three seconds")
    audience.held_up.set()
    audience.wait_for(10)
    _, *pictures = audience.captures[3:]
    assert all(age(picture.payload, picture.arrival) < 2 for picture in pictures)
    assert audience.tally.stale > stale
    numbers = [number_in(picture.payload) for picture in audience.captures]
    assert numbers == sorted(numbers)


def test_a_server_that_is_killed_is_waited_for(rtsp: Rtsp, look: Look) -> None:
    camera = rtsp()
    audience = look(source(camera.url))
    audience.wait_for(1)
    camera.kill()
    eventually(lambda: audience.notices == [UP, DOWN], "the loss")
    camera.start()
    eventually(lambda: audience.notices == [UP, DOWN, UP], "the return")
    audience.wait_for(2)


def test_a_server_that_falls_silent_is_left_and_asked_again(
    rtsp: Rtsp, look: Look, caplog: pytest.LogCaptureFixture
) -> None:
    camera = rtsp()
    audience = look(source(camera.url), silence=1.0, opening=2.0)
    audience.wait_for(1)
    camera.signal(signal.SIGSTOP)
    eventually(lambda: audience.notices == [UP, DOWN], "the loss")
    assert "hall/door: rtsp://127.0.0.1" in caplog.text
    assert "nothing came for 1 s" in caplog.text
    camera.signal(signal.SIGCONT)
    eventually(lambda: audience.notices == [UP, DOWN, UP], "the return")


def test_a_frozen_picture_is_given_out_no_more_until_it_moves(
    rtsp: Rtsp, look: Look, caplog: pytest.LogCaptureFixture
) -> None:
    camera = rtsp()
    audience = look(source(camera.url, fps=10), stillness=1.5)
    audience.wait_for(1)
    camera.command("freeze")
    eventually(lambda: audience.notices == [UP, DOWN], "the loss")
    frozen = len(audience.captures)
    clients = camera.clients
    eventually(lambda: camera.clients >= clients + 2, "further attempts")
    assert audience.notices == [UP, DOWN]
    assert len(audience.captures) == frozen
    assert caplog.text.count("nothing new in its pictures for 1.5 s") == 1
    camera.command("thaw")
    eventually(lambda: audience.notices == [UP, DOWN, UP], "the return")


@pytest.mark.parametrize("size", ["160 120", "640 480"])
def test_a_stream_that_changes_its_resolution_goes_on(rtsp: Rtsp, look: Look, size: str) -> None:
    camera = rtsp()
    audience = look(source(camera.url))
    audience.wait_for(2)
    camera.command(f"size {size}")
    audience.wait_for(8)
    numbers = [number_in(picture.payload) for picture in audience.captures]
    assert numbers == sorted(set(numbers))
    assert age(audience.captures[-1].payload, audience.captures[-1].arrival) < 2
    assert audience.notices == [UP]
    (anew,) = look(source(camera.url)).wait_for(1)
    assert header_size(anew.payload) == tuple(map(int, reversed(size.split())))


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_a_wrong_password_is_said_once_without_it_and_not_tried_again_at_once(
    rtsp: Rtsp, look: Look, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    camera = rtsp(guard=(method, "me", "right"))
    url = camera.url.replace("//", "//me:wr%40ng@")
    look(source(url), backoff=Backoff())
    eventually(lambda: caplog.records, "a word about it")
    (record,) = caplog.records
    where = f"hall/door: rtsp://127.0.0.1:{camera.port}"
    assert f"{where}: 401 Unauthorized: it refuses user or password" in record.getMessage()
    assert "wr" not in record.getMessage()
    tried = camera.clients
    time.sleep(1.5)  # nothing is to happen
    assert camera.clients == tried


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_with_the_right_password_it_opens(rtsp: Rtsp, look: Look, method: str) -> None:
    camera = rtsp(guard=(method, "me", "right"))
    look(source(camera.url.replace("//", "//me:right@"))).wait_for(1)


def test_cameras_that_do_not_answer_hold_up_no_other(
    rtsp: Rtsp, look: Look, silent_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    dead = [source(f"rtsp://127.0.0.1:{silent_port}/{n}", camera=f"dead{n}") for n in range(3)]
    audience = look(*dead, source(rtsp().url), opening=HANGING)
    audience.wait_for(1)
    assert {capture.camera for capture in audience.captures} == {"door"}
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]  # they still wait
    eventually(lambda: caplog.text.count("no answer") == len(dead), "a word about the dead")


def test_stopping_does_not_wait_for_a_camera_that_hangs(look: Look, silent_port: int) -> None:
    before = set(threading.enumerate())
    audience = look(source(f"rtsp://127.0.0.1:{silent_port}/x"), opening=HANGING)
    (thread,) = set(threading.enumerate()) - before
    audience.stop(0.2)
    assert thread.is_alive()
    eventually(lambda: not thread.is_alive(), "its end")


def test_a_file_is_played_once_at_its_own_pace(
    look: Look, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    audience = look(source(str(clip(tmp_path / "clip.mp4", pictures=20)), fps=5))
    eventually(lambda: audience.notices == [UP, DOWN], "its end")
    arrivals = [capture.arrival for capture in audience.captures]
    assert len(arrivals) == 10
    assert arrivals[-1] - arrivals[0] > 1.7
    assert "clip.mp4: played to its end" in caplog.text
    assert audience.tally.grabbed == 20


def test_a_file_without_movement_is_played_too(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "still.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 240))
    for _ in range(10):
        writer.write(noise(1))
    writer.release()
    audience = look(source(str(path), fps=10), stillness=0.3)
    eventually(lambda: audience.notices == [UP, DOWN], "its end")
    assert len(audience.captures) == 10


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/dev/video9", "/dev/video9: no such file or directory"),
        ("/no/such/file.mp4", "/no/such/file.mp4: no such file or directory"),
        (__file__, "there is no video in it"),
        ("rtsp://me:secret@127.0.0.1:{closed}/x?key=secret", "connection refused"),
        ("http://127.0.0.1:{closed}/secret", "connection refused"),
    ],
)
def test_what_is_not_there_is_said_once_and_tried_again(
    look: Look, caplog: pytest.LogCaptureFixture, url: str, reason: str
) -> None:
    closed = free_port()
    audience = look(source(url.format(closed=closed)), backoff=Backoff(0.05, 0.1))
    eventually(lambda: caplog.records, "a word about it")
    time.sleep(0.5)  # several attempts, of which nothing is to be said
    (record,) = caplog.records
    assert reason in record.getMessage()
    assert "secret" not in record.getMessage()
    assert audience.notices == []


def test_what_nobody_expected_is_told_without_the_secret_even_to_those_who_debug(
    look: Look, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "rtsp://me:secret@127.0.0.1/x"

    def fail(*_: object, **__: object) -> None:
        raise LookupError(url)

    monkeypatch.setattr("edge_fusion.io.cameras.view", fail)
    with caplog.at_level(logging.DEBUG, "edge_fusion.cameras"):
        look(source(url))
        eventually(lambda: len(caplog.records) >= 2, "a word about it")
    assert "LookupError('rtsp://127.0.0.1')" in caplog.text
    assert "in fail" in caplog.text
    assert "secret" not in caplog.text


class Web(BaseHTTPRequestHandler):
    """`/stream` sends one picture after the other, anything else a single one."""

    pictures = count()
    over = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path != "/stream":
            self._send_picture()
            return
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        with suppress(OSError):  # it hangs up on us
            while not self.over.wait(0.1):
                self.wfile.write(b"--next\r\n")
                self._send_picture()
                self.wfile.write(b"\r\n")

    def log_message(self, *_: object) -> None:
        pass

    def _send_picture(self) -> None:
        _, image = cv2.imencode(".jpg", noise(next(self.pictures)))
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(image.size))
        self.end_headers()
        self.wfile.write(image.tobytes())


@pytest.fixture
def web() -> Iterator[str]:
    Web.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Web.over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["stream", "picture.jpg"])
def test_http_gives_streams_and_single_pictures_asked_for_again_and_again(
    look: Look, web: str, path: str
) -> None:
    before = next(Web.pictures)
    audience = look(source(f"{web}/{path}", fps=5))
    pictures = audience.wait_for(5)
    assert audience.notices == [UP]
    assert len({picture.payload for picture in pictures}) == 5
    assert pictures[-1].arrival - pictures[0].arrival > 0.5
    assert next(Web.pictures) - before <= (7 if path == "picture.jpg" else 50)


def test_each_camera_is_tried_out_once(rtsp: Rtsp, silent_port: int, tmp_path: Path) -> None:
    urls = [rtsp().url, f"rtsp://127.0.0.1:{silent_port}/x", "/dev/video9", str(tmp_path)]
    sources = [source(url) for url in [*urls, str(clip(tmp_path / "clip.mp4"))]]
    assert faults(sources, Patience(opening=2.0, asking=0.5)) == [
        None,
        "no answer",
        "no such file or directory",
        "there is no video in it",
        None,
    ]


def test_a_look_at_a_video_tells_its_size_and_its_pace(tmp_path: Path) -> None:
    film = VideoSource("hall", "film", parse_address(str(clip(tmp_path / "film.mp4", 40))))
    missing = VideoSource("hall", "gone", parse_address(str(tmp_path / "gone.mp4")))
    seen, reason = looks([film, missing], 10.0, ArrivalClock().stamp)
    assert not isinstance(seen, str)
    assert (seen.width, seen.height) == (320, 240)
    assert seen.fps == pytest.approx(10.0)
    assert isinstance(reason, str)
