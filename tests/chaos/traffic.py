"""A house full of devices that keep book of all they send, and of all they hear of it."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from conftest import Broker, Collector
from running import Running, patiently

SIZE = 1.0
HOT, COLD = 39.0, 20.0
HOT_SECONDS, CYCLE = 4.0, 14.0
"""Each site is hot for a while, and then long enough cold for its alert to resolve."""

COOL_SECONDS = 4.0
"""Of cold readings, after which no alert fires."""

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
keepalive = "2s"
{mqtt}
[windows]
size = "1s"
max_out_of_orderness = "200ms"
max_wait = "500ms"
idle_timeout = "5s"
allowed_lateness = "30s"
revision_epsilon = 0.0
[store]
path = "state.db"
{store}
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
time = "at"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
keep_firing = "2s"
[web]
listen = "127.0.0.1:{web}"
[homeassistant]
discovery = false
"""

PERSISTENT = (
    "max_queued_messages 100000",
    "max_inflight_messages 200",
    "autosave_interval 1",
    "max_queued_bytes 0",
)
"""How a broker must be set up to lose nothing (deploy/mosquitto)."""


@dataclass
class Ledger:
    """What was sent: how many readings in each window, and when each site was hot."""

    counts: Counter[tuple[str, float]] = field(default_factory=Counter)
    sums: defaultdict[tuple[str, float], float] = field(default_factory=lambda: defaultdict(float))
    frames: int = 0


class House:
    """Sends `rate` dated readings a second at QoS 1, and some `frames` at QoS 0, until `stop`."""

    def __init__(
        self,
        broker: Broker,
        *,
        sites: int = 4,
        devices: int = 10,
        rate: float = 200,
        frames: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ledger = Ledger()
        self.sites = [f"site-{number}" for number in range(sites)]
        self.began = clock()
        self._clock = clock
        self._devices = [f"probe-{number}" for number in range(devices)]
        self._rate = rate
        self._films = frames
        self._client = broker.collect()
        self._cool = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._picture = picture()
        self._random = random.Random(1)

    def start(self) -> None:
        self._thread.start()

    def cool_off(self) -> None:
        """Be cold everywhere, until every alert has resolved by that."""
        self._cool = True
        time.sleep(COOL_SECONDS)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def temperature(self, site: str, at: float) -> float:
        phase = (at - self.began + self.sites.index(site)) % CYCLE
        return HOT if phase < HOT_SECONDS and not self._cool else COLD

    def _live(self) -> None:
        number, began = 0, time.monotonic()
        while not self._stop.is_set():
            due = began + number / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
            site = self.sites[number % len(self.sites)]
            device = self._devices[number // len(self.sites) % len(self._devices)]
            self._read(site, device)
            if self._films and number % 25 == 0:
                self._client._client.publish(f"cams/{site}/eye", self._picture, 0)
                self.ledger.frames += 1
            number += 1

    def _read(self, site: str, device: str) -> None:
        at = round(self._clock(), 6)
        value = self.temperature(site, at) + self._random.random() / 10
        payload = json.dumps({"t": value, "at": at}).encode()
        self._client._client.publish(f"home/{site}/{device}", payload, 1)
        window = math.floor(at / SIZE) * SIZE
        self.ledger.counts[site, window] += 1
        self.ledger.sums[site, window] += value


def picture() -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))
    assert ok
    return data.tobytes()


@dataclass
class Heard:
    """What consumers heard, from the messages of a collector."""

    windows: dict[tuple[str, float], dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0

    @classmethod
    def of(cls, collector: Collector) -> Heard:
        heard = cls()
        seen: dict[tuple[str, int], bytes] = {}
        for message in list(collector.messages):
            if message.topic.endswith("/window"):
                heard._window(json.loads(message.payload))
            elif message.topic.endswith("/event"):
                event = json.loads(message.payload)
                key = (event["id"], event["sequence"])
                heard.duplicates += key in seen
                assert seen.setdefault(key, bytes(message.payload)) == message.payload
                heard.events.append(event)
        return heard

    def _window(self, window: dict[str, Any]) -> None:
        key = (window["site"], _seconds(window["start"]))
        newest = self.windows.get(key)
        if newest is None or newest["revision"] <= window["revision"]:
            self.windows[key] = window


def readings_in(window: dict[str, Any]) -> int:
    """How many readings a window holds; frames alone make one too."""
    return int(window["readings"].get("temperature", {"count": 0})["count"])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def missing(ledger: Ledger, heard: Heard) -> list[str]:
    """In words, every window that is not as it was sent."""
    wrong = []
    for (site, start), count in sorted(ledger.counts.items()):
        window = heard.windows.get((site, start))
        found = readings_in(window) if window else 0
        if found != count:
            wrong.append(f"{site} at {start}: {count} sent, {found} published")
    return wrong


def as_sent(ledger: Ledger, listener: Collector, seconds: float = 60.0) -> None:
    """Wait until all windows have been published as they were sent."""
    deadline = time.monotonic() + seconds
    while wrong := missing(ledger, Heard.of(listener)):
        assert time.monotonic() < deadline, "\n".join(wrong[:20])
        time.sleep(0.2)


WHOLE = ["firing", "resolved"]


def check_alerts(heard: Heard, *, some_lost: bool = False) -> int:
    """Each firing is resolved once, in order, or half of that is lost; how many there were."""
    states: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in heard.events:
        entry = (event["sequence"], event["state"])
        if entry not in states[event["id"]]:
            states[event["id"]].append(entry)
    for entries in states.values():
        assert entries == sorted(entries)
        found = [state for _, state in entries]
        assert found == WHOLE or (some_lost and found in (WHOLE[:1], WHOLE[1:]))
    return len(states)


def all_is_well(daemon: Running, listener: Collector, house: House) -> Heard:
    """Wait until all that was sent has been published."""
    as_sent(house.ledger, listener)
    patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox")
    assert daemon.metric("late_total") == 0
    return Heard.of(listener)
