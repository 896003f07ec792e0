"""What a daemon knows outlives it: alerts go on, and nothing is said twice or forgotten."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, BrokerFactory, Collector, eventually
from running import CONFIGURATION, Running

# Windows of a second that wait for nothing: a test of restarts need not wait for them.
BRISK = CONFIGURATION.replace("[windows]", '[windows]\nsize = "1s"\nidle_timeout = "2s"')

HOT = json.dumps({"t": 39.0}).encode()
COLD = json.dumps({"t": 19.0}).encode()

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def run(port: int, configuration: str = BRISK) -> Running:
        running.append(Running(tmp_path, port, configuration=configuration))
        eventually(running[-1].ready, "readiness")
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def events(listener: Collector, topic: str = "edge_fusion/hall/event") -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in listener.payloads(topic)]


def keep_sending(devices: Collector, payload: bytes, until: Callable[[], object]) -> None:
    def step() -> object:
        devices.publish("home/hall/probe", payload)
        return until()

    eventually(step)


def kill(daemon: Running) -> None:
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()


@pytest.mark.parametrize("end", [Running.stop, kill])
def test_an_alert_goes_on_over_a_restart(
    broker: Broker, start: Start, end: Callable[[Running], object]
) -> None:
    listener, devices = broker.collect("edge_fusion/hall/#"), broker.collect()
    daemon = start(broker.port)
    keep_sending(devices, HOT, lambda: events(listener))
    end(daemon)
    start(broker.port)
    windows = len(events(listener, "edge_fusion/hall/window"))
    keep_sending(
        devices, HOT, lambda: len(events(listener, "edge_fusion/hall/window")) > windows + 1
    )
    assert [event["state"] for event in events(listener)] == ["firing"]
    keep_sending(devices, COLD, lambda: len(events(listener)) > 1)
    fired, resolved = events(listener)
    assert resolved["state"] == "resolved"
    assert resolved["id"] == fired["id"]
    assert resolved["sequence"] > fired["sequence"]
    assert resolved["started_at"] == fired["started_at"]
    announced = [one for one in events(listener, "edge_fusion/hall/alert/hot") if one["id"] is None]
    assert len(announced) == 1


def test_what_could_not_be_published_is_after_a_restart(
    broker_factory: BrokerFactory, start: Start
) -> None:
    broker = broker_factory(persistent=True)
    listener, devices = broker.collect("edge_fusion/hall/event"), broker.collect()
    daemon = start(broker.port)
    keep_sending(devices, HOT, lambda: events(listener))
    devices.publish("home/hall/probe", COLD)
    broker.stop()
    eventually(lambda: daemon.metric("alerts_total", state="resolved"), "the end of the alert")
    kill(daemon)
    broker.start()
    late = broker.collect("edge_fusion/hall/event")
    start(broker.port)
    eventually(lambda: events(late), "the end of the alert")
    assert [event["state"] for event in events(late)] == ["resolved"]
    assert events(late)[0]["id"] == events(listener)[0]["id"]


def test_what_the_broker_held_while_it_was_away_is_not_late(broker: Broker, start: Start) -> None:
    strict = BRISK.replace('size = "1s"', 'size = "1s"\nallowed_lateness = "0s"').replace(
        'temperature = "t"', 'temperature = "t"\ntime = "at"'
    )
    listener, devices = broker.collect("edge_fusion/hall/window"), broker.collect()
    sent = 0

    def send() -> None:
        nonlocal sent
        sent += 1
        devices.publish("home/hall/probe", json.dumps({"t": 20.0, "at": time.time()}).encode())

    daemon = start(broker.port, strict)
    send()
    eventually(lambda: daemon.metric("readings_total") == 1, "the first reading")
    kill(daemon)
    for _ in range(30):
        send()
        time.sleep(0.1)
    again = start(broker.port, strict)
    send()

    def counted() -> int:
        newest = {one["start"]: one for one in events(listener, "edge_fusion/hall/window")}
        return sum(one["readings"]["temperature"]["count"] for one in newest.values())

    eventually(lambda: counted() == sent, "all readings in windows")
    assert again.metric("late_total") == 0
    assert again.metric("catching_up") == 0
