"""SIGHUP: another configuration takes over, and nothing is lost between."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_model
from conftest import Broker, BrokerFactory, eventually
from running import Running
from test_restart import BRISK, HOT, events, keep_sending

Start = Callable[..., Running]


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    """One that queues all that the daemon is too slow for; by default 1,000 messages are."""
    return broker_factory(extra=("max_queued_messages 100000", "max_inflight_messages 200"))


@pytest.fixture
def daemon(tmp_path: Path, broker: Broker) -> Iterator[Running]:
    running = Running(tmp_path, broker.port, configuration=BRISK)
    eventually(running.ready, "readiness")
    yield running
    running.process.kill()
    running.process.wait()


def reload(daemon: Running, change: Callable[[str], str] = str) -> str:
    """Have the daemon read its configuration again; returns what it said of it."""
    daemon.path.write_text(change(daemon.path.read_text()))
    said = len(daemon.log.read_text())
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in daemon.log.read_text()[said:], "the reload")
    return daemon.log.read_text()[said:]


def test_a_firing_alert_goes_on_under_other_rules(broker: Broker, daemon: Running) -> None:
    listener, devices = broker.collect("edge_fusion/hall/event"), broker.collect()
    keep_sending(devices, HOT, lambda: events(listener))
    reload(daemon, lambda text: text.replace("threshold = 0.6", "threshold = 0.99\nclear = 0.98"))
    keep_sending(devices, HOT, lambda: len(events(listener)) == 2)
    fired, resolved = events(listener)
    assert (resolved["state"], resolved["id"]) == ("resolved", fired["id"])
    assert daemon.metric("config_last_reload_successful") == 1


def test_no_reading_is_lost_while_it_reloads(broker: Broker, daemon: Running) -> None:
    devices = broker.collect()
    stop, sent = threading.Event(), 0

    def send() -> None:
        nonlocal sent
        while not stop.is_set():
            devices.publish("home/hall/probe", json.dumps({"t": 20.0 + sent / 1e3}).encode())
            sent += 1

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(5):
        reload(daemon)
    stop.set()
    sender.join()
    eventually(lambda: daemon.metric("readings_total") == sent, "all readings")
    assert sent > 0


def test_other_topics_are_heard_from_then_on(broker: Broker, daemon: Running) -> None:
    devices = broker.collect()
    added = '\n[[sensors]]\ntopic = "new/{site}/{device}"\n'
    reload(daemon, lambda text: text.replace("home/", "other/") + added)
    devices.publish("home/hall/probe", HOT)
    devices.publish("other/hall/probe", HOT)
    devices.publish("new/hall/probe", b'{"temperature": 20.0}')
    eventually(lambda: daemon.metric("readings_total") == 2, "two readings")
    assert daemon.metric("invalid_total") == 0


def test_windows_of_another_size_take_what_is_open_along(broker: Broker, daemon: Running) -> None:
    listener, devices = broker.collect("edge_fusion/hall/window"), broker.collect()
    reload(daemon, lambda text: text.replace('size = "1s"', 'size = "1h"'))
    for number in range(5):
        devices.publish("home/hall/probe", json.dumps({"t": 20.0 + number}).encode())
    eventually(lambda: daemon.metric("readings_total") == 5, "five readings")
    reload(daemon, lambda text: text.replace('size = "1h"', 'size = "2s"'))

    def readings() -> int:
        windows = events(listener, "edge_fusion/hall/window")
        return sum(window["readings"]["temperature"]["count"] for window in windows)

    eventually(lambda: readings() == 5, "a window with all five")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("threshold = 0.6", "threshold = 6"), "alerts[0].threshold"),
        (lambda text: text.replace("model.onnx", "none.onnx"), "none.onnx"),
        (lambda text: text + "[", "not reloaded"),
    ],
)
def test_what_cannot_be_used_changes_nothing(
    broker: Broker, daemon: Running, change: Callable[[str], str], said: str
) -> None:
    assert said in reload(daemon, change)
    assert daemon.metric("config_last_reload_successful") == 0
    devices = broker.collect()
    devices.publish("home/hall/probe", HOT)
    eventually(lambda: daemon.metric("readings_total") == 1, "a reading")


def test_a_model_that_breaks_the_contract_is_refused_and_the_old_one_goes_on(
    broker: Broker, daemon: Running, tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    assert "not reloaded" in reload(daemon)
    listener, devices = broker.collect("edge_fusion/hall/event"), broker.collect()
    keep_sending(devices, HOT, lambda: events(listener))
    tiny_model.write(tmp_path / "model.onnx")
    assert "reloaded: model" in reload(daemon)


def test_what_needs_a_restart_is_said(daemon: Running) -> None:
    text = reload(daemon, lambda text: text.replace('box = "box-1"', 'box = "box-2"'))
    assert "[mqtt] changed: that takes effect at the next start" in text
    assert "reloaded: model" in text
