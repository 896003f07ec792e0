"""The daemon with cameras that it looks at: a real RTSP server, a file, and one that hangs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Broker, eventually
from filming import RtspCamera, clip
from running import CONFIGURATION, Running

from edge_fusion.events import Frame
from edge_fusion.io.recording import RecordingReader

LOOKING = CONFIGURATION.replace("[windows]", '[windows]\nsize = "1s"')
CAMERA = '[[cameras]]\nurl = "{url}"\nsite = "kitchen"\ncamera = "{name}"\nfps = 5.0\n'


def configuration(**urls: str) -> str:
    cameras = (CAMERA.format(url=url, name=name) for name, url in urls.items())
    return LOOKING.replace("[[alerts]]", "".join(cameras) + "[[alerts]]")


@pytest.fixture
def rtsp() -> Iterator[RtspCamera]:
    camera = RtspCamera(guard=("basic", "me", "secret"))
    camera.start()
    yield camera
    camera.kill()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()[1]


def test_pictures_of_a_camera_reach_the_model_and_its_death_stops_nothing(
    broker: Broker, rtsp: RtspCamera, silent_port: int, tmp_path: Path
) -> None:
    windows = broker.collect("edge_fusion/kitchen/window")
    daemon = Running(
        tmp_path,
        broker.port,
        configuration=configuration(
            ceiling=rtsp.url.replace("//", "//me:secret@"),
            hanging=f"rtsp://me:secret@127.0.0.1:{silent_port}/x",
        ),
    )
    try:
        eventually(daemon.ready, "readiness")

        def up(camera: str) -> float:
            return daemon.metric("camera_up", site="kitchen", camera=camera)

        eventually(lambda: windows.messages, "a window")
        (row,) = json.loads(windows.payloads()[0])["rows"]
        assert (row["camera"], row["frames"]) == ("ceiling", 1)
        assert 0 < row["scores"]["bright"] < 1
        assert (up("ceiling"), up("hanging")) == (1, 0)
        rtsp.kill()
        eventually(lambda: up("ceiling") == 0, "its end in the metrics")
        assert daemon.page("/readyz")[0] == 200
        rtsp.start()
        eventually(lambda: up("ceiling") == 1, "its return")
        assert daemon.metric("camera_reconnects_total", camera="ceiling") == 1
        assert daemon.metric("camera_grabbed_total", camera="ceiling") > 0
        assert daemon.stop() == 0  # although one hangs
    finally:
        daemon.process.kill()
        daemon.process.wait()
    assert "kitchen/ceiling: rtsp://127.0.0.1" in daemon.log.read_text()
    assert "secret" not in daemon.log.read_text()


def test_what_a_file_shows_is_recorded(broker: Broker, tmp_path: Path) -> None:
    config = tmp_path / "edge-fusion.toml"
    film = clip(tmp_path / "film.mp4", pictures=15)
    config.write_text(configuration(film=film.name).format(port=broker.port, web=0, mqtt=""))
    command = [sys.executable, "-m", "edge_fusion", "record", "-c", config, tmp_path / "recorded"]
    subprocess.run([*map(str, command), "--duration", "4"], check=True, capture_output=True)
    frames = list(RecordingReader(tmp_path / "recorded"))
    assert len(frames) == 8
    assert all(isinstance(frame, Frame) and frame.camera == "film" for frame in frames)


def test_cameras_that_a_reload_leaves_go_on_counting_and_the_others_are_shown_no_more(
    broker: Broker, tmp_path: Path
) -> None:
    film, other = (clip(tmp_path / name, pictures=80) for name in ("film.mp4", "other.mp4"))
    daemon = Running(
        tmp_path, broker.port, configuration=configuration(film=film.name, other=other.name)
    )

    def grabbed(camera: str) -> float:
        return daemon.metric("camera_grabbed_total", camera=camera)

    try:
        eventually(lambda: grabbed("film") > 20 and grabbed("other") > 0, "pictures of both")
        text = daemon.path.read_text()
        daemon.path.write_text(text.replace(CAMERA.format(url=other.name, name="other"), ""))
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: "reloaded" in daemon.log.read_text(), "the reload")
        before = grabbed("film")
        eventually(lambda: grabbed("film") > before, "further pictures")
        assert b'camera_up{camera="other"' not in daemon.page("/metrics")[1]
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        daemon.process.wait()
