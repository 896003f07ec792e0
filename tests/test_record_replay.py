"""Recording and replaying as users do it: processes, a real broker, a model of one's own."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, eventually
from paho.mqtt.client import MQTTMessage
from running import CONFIGURATION, Running
from test_daemon import jpeg

from edge_fusion.io.recording import RecordingReader

# Windows of a second, and devices that date what they send: lateness can be made in a moment.
LIVELY = CONFIGURATION.replace(
    "[windows]", 'publish_late = true\n[windows]\nsize = "1s"\nallowed_lateness = "1s"'
).replace('temperature = "t"', 'temperature = "t"\ntime = "at"')

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, broker: Broker) -> Iterator[Start]:
    running: list[Running] = []

    def run(*arguments: object) -> Running:
        running.append(Running(tmp_path, broker.port, *arguments, configuration=LIVELY))
        eventually(running[-1].ready, "readiness")
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def edge_fusion(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_fusion", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


class Home:
    """Two sites with a probe and a camera each, and what the daemon says of them."""

    def __init__(self, broker: Broker) -> None:
        self._said = broker.collect("edge_fusion/#", "homeassistant/#")
        self._devices = broker.collect()

    def read(self, temperature: float, *, ago: float = 0.0, site: str = "hall") -> None:
        reading = {"t": temperature, "air": {"co2": 500.5}, "at": time.time() - ago}
        self._devices.publish(f"home/{site}/probe", json.dumps(reading).encode())

    def go_on(self, temperature: float) -> None:
        """A moment of ordinary life."""
        self.read(temperature)
        self.read(19.0, site="attic")
        for site in ("hall", "attic"):
            self._devices.publish(f"cams/{site}/ceiling", jpeg(90), qos=0)

    def until(self, condition: Callable[[], object], what: str, temperature: float = 19.0) -> None:
        def heard() -> object:
            self.go_on(temperature)
            return condition()

        eventually(heard, what)

    def payloads(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self._said.payloads(topic)]

    def states(self) -> list[str]:
        return [event["state"] for event in self.payloads("edge_fusion/hall/event")]

    def revisions(self) -> list[dict[str, Any]]:
        return [one for one in self.payloads("edge_fusion/hall/window") if one["revision"]]

    def everything(self) -> list[tuple[str, Any]]:
        """Topics and payloads of sites in order, once the daemon has taken its leave."""
        box = "edge_fusion/box/box-1/"
        eventually(lambda: b"offline" in self._said.payloads(f"{box}status"), "a farewell")
        of_sites = (one for one in self._said.messages if not one.topic.startswith(box))
        return [(one.topic, content(one)) for one in of_sites]

    def live_through_it_all(self) -> None:
        """An alert that fires and resolves, a revision, and a reading that is too late."""
        self.until(lambda: self.states() == ["firing"], "an alert", 39.0)

        def send_late() -> object:
            self.go_on(19.0)
            self.read(39.0, ago=1.7)
            return self.revisions()

        eventually(send_late, "a revision")
        self.until(lambda: self.states()[-1] == "resolved", "its end")
        self.read(39.0, ago=4.5)
        self.until(lambda: self.payloads("edge_fusion/hall/late"), "a word of what is too late")


def content(message: MQTTMessage) -> Any:
    payload = bytes(message.payload)
    return payload if "/snapshot/" in message.topic else json.loads(payload)


def replayed(path: Path) -> list[tuple[str, Any]]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [
        (
            line["topic"],
            line["payload"] if "payload" in line else base64.b64decode(line["payload_base64"]),
        )
        for line in lines
    ]


@pytest.fixture
def home(broker: Broker) -> Home:
    return Home(broker)


def test_a_replay_says_what_the_live_run_said_word_for_word(
    home: Home, start: Start, tmp_path: Path
) -> None:
    directory, out = tmp_path / "recording", tmp_path / "out.jsonl"
    daemon = start("--record", directory)
    home.live_through_it_all()
    assert daemon.stop() == 0
    live = home.everything()
    done = edge_fusion("replay", "-c", daemon.path, directory, "--out", out)
    assert done.returncode == 0
    assert replayed(out) == live
    kinds = {topic.split("/")[2] for topic, _ in live if topic.startswith("edge_fusion/")}
    assert kinds == {"window", "alert", "event", "snapshot", "late"}
    fired, *_, summary = done.stdout.splitlines()
    assert " hall hot firing score " in fired
    states = home.states()
    assert f"{states.count('firing')} alerts fired, {states.count('resolved')} resolved" in summary
    assert "times faster than real time" in summary


@contextmanager
def recording(config: Path, directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "edge_fusion", "record", "-c", str(config), str(directory)]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def recorded(directory: Path) -> int:
    """How many events a recording that may still grow holds by now."""
    path = directory / "events.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_record_listens_beside_the_daemon_and_ends_cleanly(
    home: Home, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    directory = tmp_path / "recording"
    daemon = start()
    with recording(daemon.path, directory) as process:
        home.until(lambda: recorded(directory) > 40, "some events")
        process.send_signal(number)
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 0
    assert daemon.metric("mqtt_reconnects_total") == 0
    reader = RecordingReader(directory)
    events = list(reader)
    assert reader.cut_off is None
    assert (reader.about.box, reader.about.program) == ("box-1", "edge-fusion 0.1.0")
    frames = sum(hasattr(event, "image") for event in events)
    assert f"{len(events) - frames} readings, {frames} frames, " in said.splitlines()[-1]
    assert "2 sites, 0 invalid" in said.splitlines()[-1]
    done = edge_fusion("replay", "-c", daemon.path, directory)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(f"{len(events)} events, ")


def test_record_counts_what_is_no_event_and_ends_by_itself(
    broker: Broker, home: Home, start: Start, tmp_path: Path
) -> None:
    config, directory = start().path, tmp_path / "recording"
    with recording(config, directory, "--max-bytes", "20kB") as process:

        def feed() -> object:
            broker.publish("home/hall/probe", b"{")
            home.go_on(20.0)
            return process.poll() is not None

        eventually(feed, "an end")
        said, _ = process.communicate(timeout=15)
        assert process.returncode == 0
    assert "syntax)" in said
    assert said.splitlines()[-1].endswith(", full")
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    assert size <= 20_000
    done = edge_fusion("record", "-c", config, tmp_path / "short", "--duration", "0.1")
    assert (done.returncode, RecordingReader(tmp_path / "short").cut_off) == (0, None)
    assert done.stdout.startswith(f"{tmp_path}/short: 0 readings, 0 frames, ")


def test_trouble_with_the_disk_ends_the_recording_and_not_the_daemon(
    home: Home, start: Start, tmp_path: Path
) -> None:
    directory = tmp_path / "recording"
    daemon = start("--record", directory)
    (directory / "frames").touch()  # where a directory should be
    home.until(lambda: home.states() == ["firing"], "an alert all the same", 39.0)
    assert daemon.log.read_text().count("the recording stops, the daemon goes on") == 1
    assert daemon.metric("recording_lost_total") > 0
    assert daemon.stop() == 0
    assert not any(hasattr(event, "image") for event in RecordingReader(directory))


def test_what_a_killed_daemon_recorded_can_be_replayed(
    home: Home, start: Start, tmp_path: Path
) -> None:
    directory = tmp_path / "recording"
    daemon = start("--record", directory)
    home.until(lambda: home.states() == ["firing"], "an alert", 39.0)
    daemon.process.kill()
    daemon.process.wait()
    done = edge_fusion("replay", "-c", daemon.path, directory, "--out", "-")
    assert done.returncode == 0
    assert "was cut off" in done.stderr
    assert "hall hot firing" in done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (fired,) = [one["payload"] for one in events if one["topic"] == "edge_fusion/hall/event"]
    assert fired == home.payloads("edge_fusion/hall/event")[0]


def test_a_directory_that_holds_something_is_not_recorded_into(
    home: Home, start: Start, tmp_path: Path
) -> None:
    daemon = start()
    assert daemon.stop() == 0
    config = daemon.path
    for arguments, code in ((["run", "--record"], 78), (["record"], 1)):
        done = edge_fusion(arguments[0], "-c", config, *arguments[1:], tmp_path)
        assert done.returncode == code
        assert done.stderr == f"{tmp_path} is not empty: name another\n"


def test_a_bad_recording_exits_with_1_and_one_line(start: Start, tmp_path: Path) -> None:
    config = start().path
    done = edge_fusion("replay", "-c", config, tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path}/recording.json: No such file or directory: expected a recording\n"
    )
    assert done.stdout == ""
