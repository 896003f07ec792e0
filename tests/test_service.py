"""A daemon as a service: what a real one says on a real socket, as systemd would hear it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, BrokerFactory, eventually
from running import CONFIGURATION, Running
from test_daemon import HOT, jpeg
from test_restart import BRISK, keep_sending

Start = Callable[..., Running]


class Manager:
    """The ear of systemd: a datagram socket that keeps every word, a dictionary each."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.words: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0"))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while (word := self._socket.recv(65_536)) != b"over":
            pairs = (line.partition("=") for line in word.decode().split("\n"))
            self.words.append({key: value for key, _, value in pairs})

    def heard(self, key: str) -> list[str]:
        """Every value of a key so far."""
        return [word[key] for word in list(self.words) if key in word]

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(b"over", self.address.replace("@", "\0"))
        self._thread.join()
        self._socket.close()


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    abstract = f"@edge-fusion-test-{os.getpid()}-{time.monotonic_ns()}"
    ear = Manager(path if request.param == "a path" else abstract)
    yield ear
    ear.close()


def by_path(test: Callable[..., None]) -> Any:
    """For what has nothing to do with the kind of socket."""
    return pytest.mark.parametrize("manager", ["a path"], indirect=True)(test)


@pytest.fixture
def start(tmp_path: Path, manager: Manager) -> Iterator[Start]:
    running: list[Running] = []

    def run(port: int, *, watchdog: float | None = None, **options: Any) -> Running:
        environ = {"NOTIFY_SOCKET": manager.address}
        if watchdog is not None:
            environ["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        running.append(Running(tmp_path, port, environ=environ, **options))
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def test_a_service_says_when_it_is_ready_and_when_it_stops(
    broker: Broker, manager: Manager, start: Start
) -> None:
    daemon = start(broker.port)
    eventually(lambda: manager.heard("READY"), "READY")
    eventually(daemon.ready, "readiness")
    assert daemon.stop() == 0
    assert manager.heard("READY") == ["1"]
    assert manager.heard("STOPPING") == ["1"]
    assert [key for word in manager.words for key in word if key != "STATUS"] == [
        "READY",
        "STOPPING",
    ]


@by_path
def test_a_missing_broker_holds_nothing_back_and_is_named_in_the_status(
    broker_factory: BrokerFactory, manager: Manager, start: Start
) -> None:
    broker = broker_factory()
    broker.stop()
    start(broker.port)
    eventually(lambda: manager.heard("READY"), "READY")
    eventually(lambda: "connection refused" in manager.heard("STATUS")[-1], "the trouble")
    assert manager.heard("STATUS")[-1].startswith("mqtt ")
    assert f"localhost:{broker.port}: " in manager.heard("STATUS")[-1]
    broker.start()
    eventually(lambda: manager.heard("STATUS")[-1].startswith("0 sites, "), "no trouble any more")


@by_path
def test_the_status_has_sites_rate_and_alerts(
    broker: Broker, manager: Manager, start: Start
) -> None:
    start(broker.port, configuration=BRISK)
    devices = broker.collect()
    keep_sending(
        devices,
        HOT,
        lambda: manager.heard("STATUS")[-1:] and "1 alert firing" in manager.heard("STATUS")[-1],
    )
    sites, rate, alerts = manager.heard("STATUS")[-1].split(", ")
    assert (sites, alerts) == ("1 site", "1 alert firing")
    assert float(rate.removesuffix(" messages/s")) > 0


@by_path
def test_a_configuration_that_cannot_be_used_is_named_in_the_status(
    manager: Manager, start: Start
) -> None:
    daemon = start(1, configuration=CONFIGURATION.replace("[windows]", "[windows]\nsise = 1"))
    assert daemon.process.wait(20) == 78
    assert "windows.sise" in manager.heard("STATUS")[-1]
    assert manager.heard("READY") == []


@by_path
def test_an_idle_service_is_alive(
    broker_factory: BrokerFactory, manager: Manager, start: Start
) -> None:
    """With nothing to do, not even a broker, it says so well within the time it has."""
    broker = broker_factory()
    broker.stop()
    daemon = start(broker.port, watchdog=1.0)
    eventually(lambda: len(manager.heard("WATCHDOG")) > 8, "signs of life")
    assert daemon.page("/healthz")[0] == 200


@by_path
def test_a_busy_service_is_alive(broker: Broker, manager: Manager, start: Start) -> None:
    daemon = start(broker.port, watchdog=1.0, configuration=BRISK)
    devices = broker.collect()
    keep_sending(devices, HOT, lambda: len(manager.heard("WATCHDOG")) > 8)
    assert daemon.page("/healthz")[0] == 200


@by_path
def test_a_stuck_pipeline_is_not_alive_although_other_threads_are(
    broker: Broker, manager: Manager, start: Start
) -> None:
    daemon = start(broker.port, watchdog=1.0, configuration=BRISK, hangs_on_pictures=True)
    eventually(daemon.ready, "readiness")
    devices = broker.collect()

    def stuck() -> bool:
        devices.publish("cams/kitchen/ceiling", jpeg())
        return daemon.page("/healthz")[0] == 503

    eventually(stuck, "a pipeline that is stuck")
    last_signs = len(manager.heard("WATCHDOG"))
    health = json.loads(daemon.page("/healthz")[1])["seconds_since_last_turn"]
    eventually(
        lambda: json.loads(daemon.page("/healthz")[1])["seconds_since_last_turn"] > health + 1,
        "more of the same",
    )
    assert len(manager.heard("WATCHDOG")) == last_signs
    status, body = daemon.page("/readyz")
    assert status == 503
    assert "pipeline: stuck" in json.loads(body)["reasons"][0]
    # What systemd does about it; every thread then says where it was. Looking at threads that run
    # can end in a fault of its own: it is the end all the same.
    daemon.process.send_signal(signal.SIGABRT)
    assert daemon.process.wait(10) in {-signal.SIGABRT, -signal.SIGSEGV}
    assert "in infer" in daemon.log.read_text()


@by_path
def test_without_a_watchdog_nothing_is_said_of_life(
    broker: Broker, manager: Manager, start: Start
) -> None:
    daemon = start(broker.port)
    eventually(daemon.ready, "readiness")
    daemon.stop()
    assert manager.heard("WATCHDOG") == []


@by_path
def test_a_watchdog_of_another_process_is_none_of_its_business(
    broker: Broker, manager: Manager, tmp_path: Path
) -> None:
    environ = {
        "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"
    }  # fmt: skip
    daemon = Running(tmp_path, broker.port, environ=environ)
    try:
        eventually(daemon.ready, "readiness")
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        daemon.process.wait()
    assert manager.heard("READY") == ["1"]
    assert manager.heard("WATCHDOG") == []


def reload(daemon: Running, manager: Manager, change: Callable[[str], str]) -> list[dict[str, str]]:
    """What is said of a reload, from its beginning to its end."""
    before = len(manager.words)
    daemon.path.write_text(change(daemon.path.read_text()))
    daemon.process.send_signal(signal.SIGHUP)
    eventually(
        lambda: any("READY" in word for word in manager.words[before:]), "the end of the reload"
    )
    said = [word for word in manager.words[before:] if "READY" in word or "RELOADING" in word]
    assert [next(iter(word)) for word in said] == ["RELOADING", "READY"]
    return said


@by_path
def test_a_reload_begins_with_its_time_and_ends_with_ready(
    broker: Broker, manager: Manager, start: Start
) -> None:
    daemon = start(broker.port)
    eventually(daemon.ready, "readiness")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    began, ended = reload(daemon, manager, str)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(began["MONOTONIC_USEC"]) <= after
    assert ended["STATUS"] == "ready"


@by_path
def test_a_reload_that_is_refused_ends_too_and_the_status_says_why(
    broker: Broker, manager: Manager, start: Start
) -> None:
    daemon = start(broker.port)
    eventually(daemon.ready, "readiness")
    _, ended = reload(daemon, manager, lambda text: text.replace("keep_firing", "keep_fireing"))
    assert ended["STATUS"].startswith("not reloaded: ")
    assert "keep_fireing" in ended["STATUS"]
    status, body = daemon.page("/readyz")
    assert (status, json.loads(body)["reasons"]) == (200, [])
    assert "keep_fireing" in json.loads(body)["configuration"]
    _, ended = reload(daemon, manager, lambda text: text.replace("keep_fireing", "keep_firing"))
    assert ended["STATUS"] == "ready"
    assert json.loads(daemon.page("/readyz")[1])["configuration"] == "ok"


@by_path
def test_a_pipeline_that_ends_says_why(broker: Broker, manager: Manager, start: Start) -> None:
    daemon = start(broker.port, fails_on_pictures=True)
    eventually(daemon.ready, "readiness")
    broker.publish("cams/kitchen/ceiling", jpeg())
    assert daemon.process.wait(20) == 1
    assert "inference failed" in manager.words[-1]["STATUS"]
    assert manager.heard("STOPPING") == ["1"]


@by_path
def test_a_manager_that_is_gone_stops_nothing(
    broker: Broker, manager: Manager, tmp_path: Path
) -> None:
    daemon = Running(tmp_path, broker.port, environ={"NOTIFY_SOCKET": "/nowhere/notify"})
    try:
        eventually(daemon.ready, "readiness")
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        daemon.process.wait()
    assert daemon.log.read_text().count("systemd cannot be told") == 1


def reasons(daemon: Running) -> list[str]:
    return list(json.loads(daemon.page("/readyz")[1])["reasons"])


@by_path
def test_readiness_names_what_is_missing(
    broker_factory: BrokerFactory, manager: Manager, start: Start
) -> None:
    broker = broker_factory()
    daemon = start(broker.port)
    eventually(daemon.ready, "readiness")
    body = json.loads(daemon.page("/readyz")[1])
    assert body["ok"] is True
    assert body["reasons"] == []
    assert (body["store"], body["model"]["name"], body["model"]["provider"]) == (
        "ok", "greenhouse", "CPU"
    )  # fmt: skip
    broker.stop()
    eventually(lambda: not daemon.ready(), "the loss of the broker")
    broker_at = f"localhost:{broker.port}"
    gone = f"mqtt frames, readings: {broker_at}: connection refused; no broker listens there"
    eventually(lambda: reasons(daemon) == [gone], gone)
    assert daemon.page("/healthz")[0] == 200
