"""Mutated payloads on every subscribed topic: nothing breaks, all is counted, the good get through.

Counted how: a second decoder, in this process, takes the same messages and says how many readings,
frames and invalid things are in them. All the daemon's invalid ones must be counted under the same
reasons; and each of its readings and frames must be counted once as taken in, too late, or dropped
(as a duplicate or for want of room). Only a frame that is pushed out of its window counts twice: it
was taken in before.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from chaos.blaster import Blaster, user_properties
from chaos.poison import CONFIGURATION, SENSORS, Poison, mutated, poison
from chaos.pulse import MEGABYTE, Pulse, resident_peak
from chaos.traffic import PERSISTENT, Heard
from conftest import Broker, BrokerFactory
from paho.mqtt.client import topic_matches_sub
from running import Running, patiently

from edge_fusion import assembly
from edge_fusion.config import load
from edge_fusion.events import (
    ArrivalTime,
    Duplicate,
    Frame,
    Invalid,
    InvalidReason,
    Message,
    Reading,
    ShedReason,
)

PAYLOADS = int(os.environ.get("PAYLOADS", "12000"))
SEED = int(os.environ.get("SEED", "1"))
LOT = 400
MOST_MEMORY = 600 * MEGABYTE
"""Of a box of 1 GB: two pictures of all pixels that are allowed may be decoded at a time."""

RETAINED = 300
LYING = ("plain/hall/sht", "dt/hall/probe7/telemetry", "zigbee2mqtt/cellar/th1")
OTHERS_LOST = {ShedReason.MAILBOX_FULL, ShedReason.OUTBOX_FULL, ShedReason.REFUSED_BY_BROKER}
"""Drops that are none of an event."""


class Oracle:
    """What is in the messages that the broker passes on, by a decoder of its own."""

    def __init__(self, configuration: Path) -> None:
        settings = load(configuration, {})
        self._decoder = assembly.decoder(settings)
        self._filters = [
            subscription.filter
            for subscription in (
                *assembly.sensor_subscriptions(settings),
                *assembly.camera_subscriptions(settings),
            )
        ]
        self.events = self.messages = 0
        self.invalid: Counter[InvalidReason] = Counter()

    def hear(self, one: Poison, *, retained: bool = False) -> None:
        if not any(topic_matches_sub(each, one.topic) for each in self._filters):
            return
        self.messages += 1
        arrival = ArrivalTime(time.time())
        message = Message(one.topic, one.payload, arrival, retained, dict(one.properties), one.qos)
        for decoded in self._decoder.decode(message):
            match decoded:
                case Reading() | Frame() | Duplicate():
                    self.events += 1
                case Invalid(reason=reason):
                    self.invalid[reason] += 1
                case _:
                    pass


class Sender:
    """Sends poison on two connections, MQTT 5 and 3.1.1, and in each lot some good readings."""

    def __init__(self, broker: Broker, oracle: Oracle) -> None:
        self._five = Blaster(broker.port, "five", v5=True)
        self._four = Blaster(broker.port, "four")
        self._oracle = oracle
        self.good: list[float] = []

    def send(self, one: Poison) -> None:
        """By the one that can; what comes in order must all come by one."""
        five = bool(one.properties) or one.ordered or len(one.payload) % 2
        packed = user_properties(one.properties)
        (self._five if five else self._four).publish(
            one.topic, one.payload, one.qos, properties=packed
        )
        self._oracle.hear(one)

    def send_good(self) -> None:
        value = 20.0 + len(self.good) % 16_384 / 1024
        self.good.append(value)
        payload = json.dumps({"t": value, "at": round(time.time(), 6)}).encode()
        self.send(Poison("good/house/probe", payload, 1))

    def finish(self) -> None:
        self._five.finish()
        self._four.finish()

    def close(self) -> None:
        self._five.close()
        self._four.close()


def lying(count: int) -> list[Poison]:
    """Messages that lie with the broker when the daemon comes, each on a topic of its own."""
    chance, kept = random.Random(SEED), []
    for number in range(count):
        seed = dict(SENSORS)[LYING[number % len(LYING)]]
        topic = LYING[number % len(LYING)].replace("/hall/", f"/kept-{number % 7}/")
        payload = mutated(seed, chance) if chance.random() < 0.7 else seed
        topic = topic.replace("sht", f"sht-{number}").replace("probe7", f"probe-{number}")
        if payload:
            kept.append(Poison(topic.replace("th1", f"th-{number}"), payload, number % 2))
    return kept


@pytest.mark.timeout(120 + PAYLOADS // 100)
def test_poison_breaks_nothing_and_is_counted(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    broker = broker_factory(persistent=True, extra=PERSISTENT, verbose=False)
    listener = broker.collect("edge_fusion/house/window")
    retained = lying(RETAINED)
    for one in retained:
        listener.publish(one.topic, one.payload, qos=one.qos, retain=True)
    daemon = Running(tmp_path, broker.port, configuration=CONFIGURATION)
    oracle = Oracle(daemon.path)
    for one in retained:
        oracle.hear(one, retained=True)
    sender = Sender(broker, oracle)
    try:
        patiently(daemon.ready, "readiness")
        began = time.monotonic()
        with Pulse(daemon) as pulse:
            for number, one in enumerate(poison(PAYLOADS, SEED)):
                sender.send(one)
                if number % 10 == 0:
                    sender.send_good()
                if number % LOT == LOT - 1:
                    sender.finish()
                    patiently(lambda: through(daemon) >= len(sender.good), "a lot's end", 60)
            sender.finish()
            patiently(lambda: counted(daemon) >= oracle.events, "all counted", 60)
            patiently(lambda: published(Heard.of(listener)) >= len(sender.good), "all published")
        check(daemon, oracle, pulse, Heard.of(listener), sender.good)
        print(
            f"\n{PAYLOADS} mutated payloads in {time.monotonic() - began:.0f} s: {oracle.events} "
            f"events and {sum(oracle.invalid.values())} invalid, all counted; "
            f"{len(sender.good)} good readings all in their windows; /healthz took "
            f"{pulse.slowest * 1000:.0f} ms at most; "
            f"{resident_peak(daemon.process.pid) / MEGABYTE:.0f} MB"
        )
    finally:
        daemon.process.kill()
        daemon.process.wait()
        sender.close()


def check(daemon: Running, oracle: Oracle, pulse: Pulse, heard: Heard, good: list[float]) -> None:
    assert daemon.process.poll() is None
    log = daemon.log.read_text(errors="replace")
    assert not re.findall(r"Traceback|callback failed|the pipeline ended", log), log[-4000:]
    assert pulse.failures == []
    assert counted(daemon) == oracle.events
    # Only the one who decodes pixels, for a window, sees that a picture is damaged.
    for reason in set(InvalidReason) - {InvalidReason.UNDECODABLE_IMAGE}:
        found = daemon.metric("invalid_total", reason=reason.value)
        assert (reason, found) == (reason, oracle.invalid[reason])
    assert published(heard) == len(good)
    total = sum(
        window["readings"]["temperature"]["mean"] * window["readings"]["temperature"]["count"]
        for window in heard.windows.values()
    )
    assert total == pytest.approx(sum(good), abs=1e-4 * len(good))  # means are rounded
    assert daemon.metric("dropped_total", reason="mailbox_full") == 0
    assert resident_peak(daemon.process.pid) < MOST_MEMORY


def published(heard: Heard) -> int:
    """How many readings are in the windows of the good house."""
    return sum(window["readings"]["temperature"]["count"] for window in heard.windows.values())


def through(daemon: Running) -> float:
    return daemon.metric("readings_total", site="house")


def counted(daemon: Running) -> float:
    """Events of which it is known what became of them, each once."""
    dropped = daemon.metric("dropped_total")
    for reason in (*OTHERS_LOST, ShedReason.MAX_FRAMES):
        dropped -= daemon.metric("dropped_total", reason=reason.value)
    names = ("readings_total", "frames_total", "late_total")
    unnamed = sum(
        daemon.metric("unnamed_total", kind=each) for each in ("reading", "frame", "late")
    )
    return dropped + unnamed + sum(daemon.metric(name) for name in names)
