"""The daemon as its users run it: `edge-fusion run`, a real broker, a model of one's own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import dynamic_security
import jsonschema
import numpy as np
import pytest
import tiny_model
from conftest import Broker, BrokerFactory, Collector, eventually
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from running import CONFIGURATION, Running

from edge_fusion.codecs.alert import alert_schema, window_schema

HOT = json.dumps({"t": 39.0, "air": {"co2": 800}}).encode()
COLD = json.dumps({"t": 19.0, "air": {"co2": 800}}).encode()


def jpeg(brightness: int = 128) -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((480, 640, 3), brightness, np.uint8))
    assert ok
    return data.tobytes()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def run(broker_port: int, *, wait: bool = True, **options: Any) -> Running:
        one = Running(tmp_path, broker_port, **options)
        running.append(one)
        if wait:
            eventually(one.ready, "readiness")
        return one

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def events(listener: Collector, topic: str) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in listener.payloads(topic)]


def test_readings_and_pictures_become_an_alert_that_fires_and_resolves(
    broker: Broker, start: Start
) -> None:
    listener = broker.collect("edge_fusion/#", "homeassistant/#")
    daemon = start(broker.port)
    devices = broker.collect()

    def send(payload: bytes, until: Callable[[], object]) -> None:
        def step() -> object:
            devices.publish("home/kitchen/probe", payload)
            devices.publish("cams/kitchen/ceiling", jpeg(), qos=0)
            return until()

        eventually(step)

    topic = "edge_fusion/kitchen/event"
    send(HOT, lambda: events(listener, topic))
    send(COLD, lambda: len(events(listener, topic)) == 2)
    fired, resolved = events(listener, topic)
    assert (fired["state"], fired["label"], fired["camera"]) == ("firing", "hot", "ceiling")
    assert (resolved["state"], resolved["id"]) == ("resolved", fired["id"])
    assert resolved["sequence"] > fired["sequence"]
    assert fired["contributions"]["temperature"] == pytest.approx(fired["score"], abs=1e-3)
    assert fired["readings"]["temperature"]["last"] == 39.0
    assert fired["box"] == "box-1"
    for payload in (fired, resolved):
        jsonschema.validate(payload, alert_schema())
    windows = events(listener, "edge_fusion/kitchen/window")
    assert windows
    for payload in windows:
        jsonschema.validate(payload, window_schema())
    assert windows[0]["rows"][0]["scores"]["bright"] == pytest.approx(128 / 255, abs=0.01)
    assert daemon.metric("alerts_total", site="kitchen", label="hot", state="firing") == 1
    assert daemon.metric("alert_latency_seconds_count") == 1
    assert daemon.stop() == 0


def test_snapshot_alert_and_event_come_in_this_order(broker: Broker, start: Start) -> None:
    listener = broker.collect("edge_fusion/#")
    start(broker.port)
    devices = broker.collect()

    def fire() -> object:
        devices.publish("home/kitchen/probe", HOT)
        devices.publish("cams/kitchen/ceiling", jpeg(), qos=0)
        return listener.payloads("edge_fusion/kitchen/event")

    eventually(fire)
    topics = [message.topic.removeprefix("edge_fusion/kitchen/") for message in listener.messages]
    first = topics.index("event")
    assert topics[first - 2 : first + 1] == ["snapshot/hot", "alert/hot", "event"]
    snapshot = listener.payloads("edge_fusion/kitchen/snapshot/hot")[0]
    picture = cv2.imdecode(np.frombuffer(snapshot, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    announced = events(listener, "edge_fusion/kitchen/alert/hot")[0]
    assert (announced["state"], announced["id"]) == ("resolved", None)


BAD: dict[str, tuple[str, bytes, str]] = {
    "invalid JSON": ("home/kitchen/probe", b'{"t": 21', "syntax"),
    "a missing field": ("home/kitchen/probe", b'{"x": 1}', "missing_field"),
    "a field that is no number": ("home/kitchen/probe", b'{"t": "warm"}', "not_a_number"),
    "NaN": ("home/kitchen/probe", b'{"t": NaN}', "not_a_number"),
    "a value out of range": ("home/kitchen/probe", b'{"t": 1000}', "out_of_range"),
    "a plain value out of range": ("plain/kitchen/temperature", b"-300", "out_of_range"),
    "a bad site name": ("home/k\xc3\xbcche/probe", HOT, "name"),
    "20 MB": ("home/kitchen/probe", b"9" * 20_000_000, "too_large"),
    "a 20 MB picture": ("cams/kitchen/ceiling", jpeg() + bytes(20_000_000), "too_large"),
    "an empty picture": ("cams/kitchen/ceiling", b"", "empty"),
    "no picture": ("cams/kitchen/ceiling", b"GIF89a", "not_an_image"),
    "a truncated picture": ("cams/kitchen/ceiling", jpeg()[:-800], "undecodable_image"),
    "a picture without its header": ("cams/kitchen/ceiling", jpeg()[:30], "undecodable_image"),
    "65,535 x 65,535 pixels": (
        "cams/kitchen/ceiling",
        jpeg().replace(bytes([0xFF, 0xC0, 0, 17, 8, 1, 0xE0, 2, 0x80]),
                       bytes([0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF, 0xFF, 0xFF])),
        "too_many_pixels",
    ),
    "base64 of no picture": (
        "cams/kitchen/ceiling", base64.b64encode(b"GIF89a" * 9), "not_an_image"
    ),
}  # fmt: skip


def test_bad_input_is_counted_and_left_behind(broker: Broker, start: Start) -> None:
    listener = broker.collect("edge_fusion/#")
    daemon = start(broker.port)
    devices = broker.collect()
    expected: dict[str, int] = {}
    for topic, payload, reason in BAD.values():
        devices.publish(topic, payload)
        expected[reason] = expected.get(reason, 0) + 1

    def counted() -> dict[str, float]:
        return {reason: daemon.metric("invalid_total", reason=reason) for reason in expected}

    eventually(lambda: counted() == expected, f"{expected}")

    def fire() -> object:
        devices.publish("home/kitchen/probe", HOT)
        return listener.payloads("edge_fusion/kitchen/event")

    eventually(fire, "an alert after all that")
    assert "syntax" in daemon.log.read_text()
    assert "Traceback" not in daemon.log.read_text()
    assert daemon.stop() == 0


def test_a_model_that_fails_at_run_time_ends_it_with_1_so_that_it_is_started_again(
    broker: Broker, start: Start
) -> None:
    daemon = start(broker.port, fails_on_pictures=True)
    broker.publish("cams/kitchen/ceiling", jpeg())
    assert daemon.process.wait(20) == 1
    assert "inference failed" in daemon.log.read_text()
    assert "Traceback" not in daemon.log.read_text()


def test_a_missing_broker_is_waited_for(broker_factory: BrokerFactory, start: Start) -> None:
    broker = broker_factory()
    broker.stop()
    daemon = start(broker.port, wait=False)
    eventually(lambda: daemon.page("/healthz")[0] == 200, "health without a broker")
    assert daemon.page("/readyz")[0] == 503
    eventually(lambda: "refused" in daemon.log.read_text(), "a word about it")
    broker.start()
    eventually(daemon.ready, "readiness once the broker is there")
    assert daemon.stop() == 0


def test_what_the_broker_denies_is_said_in_readiness_and_metrics(
    broker_factory: BrokerFactory, tmp_path: Path, start: Start
) -> None:
    """It may read readings and no pictures, and publish, but not for Home Assistant."""
    topics = ("home/#", "plain/#", "edge_fusion/#")
    rules = [
        (kind, topic) for kind in ("subscribePattern", "publishClientSend") for topic in topics
    ]
    extra = dynamic_security.settings(tmp_path / "rules.json", ("box", "right"), rules)
    broker = broker_factory(extra=extra)
    daemon = start(broker.port, wait=False, mqtt='username = "box"\npassword = "right"')
    name = "mqtt_subscriptions_refused"
    eventually(lambda: daemon.metric(name, connection="frames") == 1, "the refusal")
    status, body = daemon.page("/readyz")
    said = json.loads(body)
    assert (status, said["mqtt"]) == (503, {"readings": True, "frames": True})
    assert list(said["refused_subscriptions"]) == ["cams/+/+"]
    broker.user = ("box", "right")
    broker.publish("home/kitchen/probe", HOT)
    reason = "refused_by_broker"
    eventually(lambda: daemon.metric("dropped_total", reason=reason) == 1, "discovery refused")
    assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert log.count("no subscription to 'cams/+/+': Not authorized; does the ACL") == 1
    assert log.count("not published on 'homeassistant/device/edge_fusion_kitchen/config'") == 1


def test_status_says_online_and_offline_and_the_will_speaks_for_the_killed(
    broker: Broker, start: Start
) -> None:
    listener = broker.collect("edge_fusion/box/box-1/status")
    start(broker.port).stop()
    eventually(lambda: listener.payloads() == [b"online", b"offline"], "a farewell")
    start(broker.port).process.kill()
    eventually(lambda: listener.payloads()[2:] == [b"online", b"offline"], "the will")


def test_readings_sent_while_the_daemon_was_away_are_taken(broker: Broker, start: Start) -> None:
    """The persistent session of the readings connection."""
    start(broker.port).stop()
    broker.publish("home/kitchen/probe", HOT)
    daemon = start(broker.port)
    eventually(lambda: daemon.metric("readings_total", site="kitchen") == 2, "the queued reading")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_both_protocols_work(broker: Broker, start: Start, protocol: str) -> None:
    listener = broker.collect("edge_fusion/#")
    start(broker.port, mqtt=f'protocol = "{protocol}"')
    devices = broker.collect()

    def fire() -> object:
        devices.publish("plain/attic/temperature", b"39.5")
        return listener.payloads("edge_fusion/attic/event")

    eventually(fire, "an alert")
    (message, *_) = [m for m in listener.messages if m.topic == "edge_fusion/attic/event"]
    properties = dict(getattr(message.properties, "UserProperty", []))
    assert ("specversion" in properties) == (protocol == "5")


PATIENT = """
[mqtt]
port = {port}
{mqtt}
[windows]
max_skew = "60s"
max_wait = "60s"
idle_timeout = "60s"
[store]
path = "state.db"
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
time = "at"
availability = "home/{{site}}/{{device}}/availability"
[web]
listen = "127.0.0.1:{web}"
"""


def test_a_device_whose_will_says_it_is_gone_is_waited_for_no_longer(
    broker: Broker, start: Start
) -> None:
    windows = broker.collect("edge_fusion/hall/window")
    daemon = start(broker.port, configuration=PATIENT)
    living, dying = broker.collect(), Mortal(broker.port, "home/hall/b/availability")
    now = time.time()
    dying.publish("home/hall/b", json.dumps({"t": 20, "at": now}).encode())
    living.publish("home/hall/a", json.dumps({"t": 20, "at": now}).encode())
    living.publish("home/hall/a", json.dumps({"t": 20, "at": now + 20}).encode())
    eventually(lambda: daemon.metric("readings_total", site="hall") == 3, "three readings")
    assert daemon.metric("windows_total") == 0
    dying.die()
    eventually(windows.payloads, "the window that only the dead device held open")
    assert events(windows, "edge_fusion/hall/window")[0]["closed_by"] == "watermark"
    eventually(lambda: daemon.metric("devices_idle", site="hall") == 1, "an idle device")
    assert daemon.metric("invalid_total") == 0


class Mortal:
    """A device that leaves a retained `offline` on its availability topic when it dies."""

    def __init__(self, port: int, availability: str) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.will_set(availability, b"offline", qos=1, retain=True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.publish(availability, b"online", retain=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(15)

    def die(self) -> None:
        """Fall silent without a farewell, as by a flat battery."""
        self._client.loop_stop()
        self._client._sock_close()
        self._client._reset_sockets()


def run_with(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text)
    command = [sys.executable, "-m", "edge_fusion", "run", "-c", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_bad_configuration_ends_with_78_and_one_line(tmp_path: Path) -> None:
    text = CONFIGURATION.format(port=1, web=1, mqtt='prefixx = "a"')
    done = run_with(tmp_path / "edge-fusion.toml", text)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert "edge-fusion.toml" in line
    assert 'did you mean "prefix"' in line


def test_a_bad_model_ends_with_78_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    text = CONFIGURATION.format(port=1, web=1, mqtt="")
    done = run_with(tmp_path / "edge-fusion.toml", text)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert "not a usable ONNX file" in line


def test_a_model_of_another_digest_ends_with_78_and_one_line(tmp_path: Path) -> None:
    tiny_model.write(tmp_path / "model.onnx")
    text = CONFIGURATION.format(port=1, web=1, mqtt="")
    nobody = "0" * 64
    text = text.replace('"model.onnx"', f'"model.onnx"\nsha256 = "{nobody}"')
    done = run_with(tmp_path / "edge-fusion.toml", text)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert "model.onnx: sha256 is " in line
    assert line.endswith(f": expected {nobody}")


def test_a_web_port_open_to_other_machines_without_a_token_ends_with_78(tmp_path: Path) -> None:
    tiny_model.write(tmp_path / "model.onnx")
    text = CONFIGURATION.format(port=1, web=1, mqtt="").replace("127.0.0.1:1", "0.0.0.0:1")
    done = run_with(tmp_path / "edge-fusion.toml", text)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert 'edge-fusion.toml: web.listen is "0.0.0.0:1", which other machines can reach' in line


def test_with_a_token_the_metrics_are_for_those_who_show_it(broker: Broker, start: Start) -> None:
    token = "0123456789abcdef"
    text = CONFIGURATION.replace("127.0.0.1:{web}", "0.0.0.0:{web}") + f'token = "{token}"\n'
    daemon = start(broker.port, wait=False, configuration=text)
    eventually(lambda: daemon.page("/healthz")[0] == 200, "health, which is for all")
    assert daemon.page("/metrics")[0] == daemon.page("/readyz")[0] == daemon.page("/")[0] == 401
    status, body = daemon.page("/metrics", token)
    assert status == 200
    assert b"edge_fusion_build_info" in body


def test_an_alert_for_a_label_the_model_lacks_ends_with_78(tmp_path: Path) -> None:
    tiny_model.write(tmp_path / "model.onnx")
    text = CONFIGURATION.format(port=1, web=1, mqtt="").replace('"hot"', '"smoke"')
    done = run_with(tmp_path / "edge-fusion.toml", text)
    assert done.returncode == 78
    assert 'alerts[0].label is "smoke": expected a label of greenhouse: hot, bright' in done.stderr
