"""Quiet and trouble, as a daemon tells them to consumers that know nothing of us."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from conftest import Broker, eventually
from consumer import Consumer, publish
from running import CONFIGURATION, Running, patiently

HOT = json.dumps({"t": 39.0}).encode()
COLD = json.dumps({"t": 19.0}).encode()
WATCHFUL = """
[[alerts]]
label = "device"
keep_firing = "0s"
stale_after_of = { door = "2s", lodger = "5s" }
"""
Listen = Callable[..., Consumer]


@pytest.fixture
def listen(broker: Broker) -> Iterator[Listen]:
    made: list[Consumer] = []

    def subscribe(*filters: str) -> Consumer:
        made.append(Consumer(broker.port, *filters))
        return made[-1]

    yield subscribe
    for one in made:
        one.close()


@pytest.fixture
def daemon(broker: Broker, tmp_path: Path) -> Iterator[Running]:
    text = CONFIGURATION + WATCHFUL.replace("{", "{{").replace("}", "}}")
    one = Running(tmp_path, broker.port, configuration=text)
    try:
        eventually(one.ready, "readiness")
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def test_people_get_quiet_until_they_want_no_more_of_it(
    broker: Broker, daemon: Running, listen: Listen
) -> None:
    consumer = listen("edge_fusion/#")
    devices = broker.collect()
    event, alert = "edge_fusion/kitchen/event", "edge_fusion/kitchen/alert/hot"

    def states() -> list[tuple[str, int]]:
        return [(e["state"], e["sequence"]) for e in consumer.got(event) if e["label"] == "hot"]

    def heat(until: Callable[[], object]) -> None:
        def step() -> object:
            devices.publish("home/kitchen/probe", HOT)
            return until()

        patiently(step, "what heat brings about")

    heat(lambda: ("firing", 1) in states())
    publish(broker.port, "edge_fusion/kitchen/silence", '{"label": "hot", "for": "1h"}')
    heat(lambda: states()[-1][0] == "resolved")
    assert consumer.got(alert)[-1]["state"] == "resolved"  # before the event
    eventually(lambda: consumer.got("edge_fusion/kitchen/silenced"), "what is silenced")
    (silenced,) = consumer.got("edge_fusion/kitchen/silenced")
    assert [each["label"] for each in silenced["silenced"]] == ["hot"]
    eventually(lambda: daemon.metric("alert_silenced", site="kitchen", label="hot") == 1)
    assert daemon.metric("alert_active", site="kitchen", label="hot") == 0

    # It is quiet over a restart, though it goes on being hot.
    windows = len(consumer.got("edge_fusion/kitchen/window"))
    assert daemon.stop() == 0
    daemon.start()
    eventually(daemon.ready, "readiness")
    heat(lambda: len(consumer.got("edge_fusion/kitchen/window")) > windows + 4)
    assert states()[-1][0] == "resolved"
    eventually(lambda: daemon.metric("alert_silenced", site="kitchen", label="hot") == 1)
    late = listen("edge_fusion/kitchen/silenced")
    eventually(lambda: late.got("edge_fusion/kitchen/silenced", retained=True) == [silenced])

    publish(broker.port, "edge_fusion/kitchen/silence", '{"label": "hot", "for": "0s"}')
    heat(lambda: states()[-1][0] == "firing")
    sequences = [sequence for _, sequence in states()]
    assert sequences == sorted(set(sequences))
    eventually(lambda: consumer.got("edge_fusion/kitchen/silenced")[-1]["silenced"] == [])
    eventually(lambda: daemon.metric("alert_silenced", site="kitchen", label="hot") == 0)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("1h", "syntax"),
        ('{"label": "cold", "for": "1h"}', "out_of_range"),
        ('{"label": "hot"}', "missing_field"),
    ],
)
def test_what_says_nothing_of_quiet_is_counted(
    broker: Broker, daemon: Running, payload: str, reason: str
) -> None:
    publish(broker.port, "edge_fusion/kitchen/silence", payload)
    eventually(lambda: daemon.metric("invalid_total", reason=reason) == 1, "a count")
    assert daemon.metric("alert_silenced") == 0


def test_a_sensor_that_is_not_heard_of_any_more_is_named_until_it_is_back(
    broker: Broker, daemon: Running, listen: Listen
) -> None:
    consumer = listen("edge_fusion/#")
    topic, event = "edge_fusion/kitchen/alert/device", "edge_fusion/kitchen/event"
    broker.publish("home/kitchen/door", COLD)
    broker.publish("home/kitchen/probe", COLD)
    patiently(lambda: consumer.got(event), "an alert")
    (fired,) = consumer.got(event)
    assert (fired["label"], fired["state"], fired["score"]) == ("device", "firing", 1.0)
    (door,) = fired["devices"]
    assert (door["device"], door["kind"], door["trouble"]) == ("door", "sensor", "silent")
    assert fired["started_at"] == door["since"] < fired["updated_at"]
    assert fired["window"] is None
    announced, current = consumer.got(topic)
    assert (announced["id"], announced["state"], announced["devices"]) == (None, "resolved", [])
    assert current == fired

    # A daemon that was away itself blames nobody, nor forgets who was gone before.
    daemon.process.kill()
    daemon.process.wait()
    daemon.start()
    eventually(daemon.ready, "readiness")
    devices = broker.collect()

    def back() -> object:
        devices.publish("home/kitchen/door", COLD)
        return consumer.got(event)[-1]["state"] == "resolved"

    patiently(back, "its end")
    *repeated, resolved = consumer.got(event)
    assert all(each == fired for each in repeated)
    assert (resolved["state"], resolved["id"]) == ("resolved", fired["id"])
    assert resolved["devices"] == []
    assert resolved["sequence"] == 2


@contextmanager
def talking(broker: Broker, topic: str) -> Iterator[None]:
    """A device that speaks five times a second, as long as there is somebody to talk to."""
    device, over = broker.collect(), threading.Event()

    def talk() -> None:
        while not over.wait(0.2):
            with suppress(RuntimeError):  # not connected
                device.publish(topic, COLD, qos=0)

    thread = threading.Thread(target=talk)
    thread.start()
    yield
    over.set()
    thread.join()


def test_after_an_outage_of_the_broker_nobody_is_blamed(
    broker: Broker, daemon: Running, listen: Listen
) -> None:
    """Longer than a lodger may be silent."""
    with talking(broker, "home/kitchen/lodger"):
        eventually(lambda: daemon.metric("readings_total", site="kitchen") > 0, "a reading")
        broker.stop()
        left = time.monotonic()
        eventually(lambda: daemon.metric("mqtt_connected", connection="readings") == 0)
        patiently(lambda: time.monotonic() > left + 6, "an outage long enough")
        broker.start()
        consumer = listen("edge_fusion/#")
        eventually(daemon.ready, "readiness")
        before = daemon.metric("windows_total", site="kitchen")
        patiently(lambda: daemon.metric("windows_total", site="kitchen") > before, "a window")
        blamed = [e for e in consumer.got("edge_fusion/kitchen/event") if e["label"] == "device"]
        assert not blamed
