"""A long time with devices that come and go: what the daemon takes of the machine does not grow."""

from __future__ import annotations

import gc
import json
import math
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny_model
from chaos.pulse import MEGABYTE, resident
from chaos.traffic import PERSISTENT, Heard, Ledger, picture, readings_in
from conftest import Broker, BrokerFactory
from running import Running, patiently

from edge_fusion import assembly
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Delivery, Message, Publication
from edge_fusion.io.metrics import Metrics
from edge_fusion.keeper import Keeper
from edge_fusion.mailbox import Batch
from edge_fusion.pipeline import Pipeline
from edge_fusion.receipts import Receipts

HOURS = float(os.environ.get("SOAK_HOURS", "0.6"))
SPEED = float(os.environ.get("SOAK_SPEED", "60"))
DAYS = int(os.environ.get("SOAK_DAYS", "6"))
SAMPLES = 20
WARM = 8
"""Samples that belong to the warm-up."""

SIZE = 10.0
SITES = 4
PRESENT = 10
"""Devices of a site at a time."""

EVER = 25
"""Devices of a site that come and go."""

STAY = 1200.0
"""Seconds after which some of them are others."""

READ_EVERY, LOOK_EVERY = 10.0, 5.0

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[windows]
size = "10s"
max_out_of_orderness = "10s"
max_wait = "60s"
allowed_lateness = "1200s"
revision_epsilon = 0.0
max_skew = "1200s"
idle_timeout = "120s"
[store]
path = "state.db"
{store}
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
time = "at"
availability = "home/{{site}}/{{device}}/availability"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
keep_firing = "60s"
[limits]
max_frames = 8
[web]
listen = "127.0.0.1:{web}"
"""


FEW = (
    CONFIGURATION.format(port=1883, web=8337, mqtt="", store='durability = "crash"')
    .replace('size = "10s"', 'size = "120s"')
    .replace("[limits]", "[limits]\nmax_sites = 8\nmax_devices = 300")
)
"""The same with room for few."""


class FastBox(Running):
    """A daemon whose time goes faster, from `began` on."""

    began = 0.0

    def command(self) -> list[str]:
        self.began = time.time()
        program = Path(__file__).with_name("fast_clock.py")
        return [*super().command()[:1], str(program), str(self.began), str(SPEED)]

    def now(self) -> float:
        return self.began + (time.time() - self.began) * SPEED


class Street:
    """Sites whose devices come and go, in the time of a box."""

    def __init__(self, broker: Broker, box: FastBox) -> None:
        self.ledger = Ledger()
        self._box = box
        self._client = broker.collect()._client
        self._picture = picture()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._random = random.Random(1)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _live(self) -> None:
        turn, began = 0, self._box.now()
        before: set[tuple[str, str]] = set()
        steps = int(READ_EVERY / LOOK_EVERY)
        while not self._stop.is_set():
            time.sleep(max(0.0, (began + turn * LOOK_EVERY - self._box.now()) / SPEED))
            now = self._box.now()
            for site in range(SITES):
                if site:  # one site has no camera
                    self._client.publish(f"cams/site-{site}/eye", self._picture, 0)
            present = self._present(now - began)
            for site_name, device in sorted(before - present):
                self._client.publish(f"home/{site_name}/{device}/availability", b"offline", 1)
            for number, (site_name, device) in enumerate(sorted(present)):
                if number % steps == turn % steps:
                    self._read(site_name, device)
            before = present
            turn += 1

    def _present(self, passed: float) -> set[tuple[str, str]]:
        shift = int(passed / STAY * PRESENT / 2)
        return {
            (f"site-{site}", f"probe-{(shift + number) % EVER}")
            for site in range(SITES)
            for number in range(PRESENT)
        }

    def _read(self, site: str, device: str) -> None:
        at = round(self._box.now(), 6)
        hot = at % 3600 < 120 + 60 * int(site[-1])
        value = (39.0 if hot else 20.0) + self._random.random() / 10
        payload = json.dumps({"t": value, "at": at}).encode()
        self._client.publish(f"home/{site}/{device}", payload, 1)
        self.ledger.counts[site, math.floor(at / SIZE) * SIZE] += 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What a daemon takes of the machine, after some simulated hours."""

    hours: float
    memory: int
    threads: int
    files: int
    database: int

    @classmethod
    def of(cls, box: FastBox) -> Sample:
        process = Path(f"/proc/{box.process.pid}")
        return cls(
            (box.now() - box.began) / 3600,
            resident(box.process.pid),
            least(process / "task"),
            least(process / "fd"),
            sum(file.stat().st_size for file in box.path.parent.glob("state.db*")),
        )

    def __str__(self) -> str:
        return (
            f"{self.hours:6.2f} h {self.memory / MEGABYTE:7.1f} MB {self.threads:3} threads "
            f"{self.files:3} files {self.database / MEGABYTE:6.2f} MB on disk"
        )


@pytest.mark.timeout(120 + 1.2 * HOURS * 3600 / SPEED)
def test_a_long_run_takes_no_more_than_a_short_one(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    broker = broker_factory(persistent=True, extra=PERSISTENT, verbose=False)
    listener = broker.collect("edge_fusion/+/window")
    box = FastBox(tmp_path, broker.port, configuration=CONFIGURATION)
    street = Street(broker, box)
    samples: list[Sample] = []
    try:
        patiently(box.ready, "readiness")
        street.start()
        for _ in range(SAMPLES):
            time.sleep(HOURS * 3600 / SPEED / SAMPLES)
            box.page("/metrics")
            samples.append(Sample.of(box))
        street.stop()
        print("", *samples, sep="\n")
        patiently(lambda: not unlike(street.ledger, Heard.of(listener)), "all windows as sent", 60)
        print(
            f"{HOURS} h at {SPEED} times: {sum(street.ledger.counts.values())} readings in "
            f"{len(street.ledger.counts)} windows, all as sent"
        )
        warm, end = samples[WARM:-4], samples[-4:]
        assert min(each.memory for each in end) <= 1.1 * samples[WARM].memory
        for measure, factor in (("threads", 1.0), ("files", 1.0), ("database", 1.1)):
            most = max(getattr(each, measure) for each in warm)
            assert max(getattr(each, measure) for each in end) <= factor * most, measure
        assert box.metric("late_total") == 0
    finally:
        street.stop()
        box.process.kill()
        box.process.wait()


def least(folder: Path) -> int:
    """How many entries a folder of /proc has when no page is being served."""
    counts = []
    for _ in range(5):
        counts.append(len(list(folder.iterdir())))
        time.sleep(0.02)
    return min(counts)


class Cellar:
    """The line of a daemon without a network, in a time of its own: hours pass in seconds.

    Its broker takes at once what is published.
    """

    def __init__(self, directory: Path) -> None:
        tiny_model.write(directory / "model.onnx")
        path = directory / "edge-fusion.toml"
        path.write_text(FEW)
        settings = load(path, {})
        model = assembly.configured_model(settings.model)
        self.store = assembly.store(settings)
        self.store.open()
        self._outbox = assembly.outbox(settings, self.store)
        self.stages = assembly.stages(
            settings, model, model, lambda frames, _: [None] * len(frames)
        )
        self.published = 0
        keeper = Keeper(
            self.store,
            self.stages.sites,
            self.stages.book,
            self._outbox,
            Receipts("readings"),
            trouble=self._complain,
            observe=lambda _: None,
        )
        self.metrics = Metrics("test", max_sites=8, max_devices=60)
        self._pipeline = Pipeline(
            self.stages, self.metrics, self._publish, revision_epsilon=0.05, keeper=keeper
        )

    def turn(self, messages: list[Message], now: float) -> None:
        deliveries = tuple(Delivery(message, lambda: None) for message in messages)
        self._pipeline.turn(Batch(deliveries, (), (), ArrivalTime(now)))
        while given := self._outbox.next(100):
            for token, _ in given:
                self._outbox.settled(token)

    def kept(self) -> set[str]:
        """The sites of which anything is kept."""
        self.store.close()
        remembered = self.store.open()
        journal = {entry.site for entry in remembered.journal}
        return journal | set(remembered.snapshots) | {track.site for track in remembered.tracks}

    def _publish(self, publication: Publication) -> None:
        self.published += 1
        assert self._outbox.add(publication)

    def _complain(self, why: str | None) -> None:
        assert why is None


@pytest.mark.timeout(60 + 30 * DAYS)
def test_sites_and_devices_that_are_ever_others_take_no_more(tmp_path: Path) -> None:
    """Each day has sites of its own, each hour devices; who is gone is forgotten a day later."""
    line, chance, origin = Cellar(tmp_path), random.Random(1), 1_800_000_000.0
    sizes, disks, began = [], [], time.monotonic()
    for hour in range(24 * DAYS):
        for minute in range(60):
            now = origin + 3600.0 * hour + 60.0 * minute
            line.turn(list(_readings(hour, now, chance)), now + 1.0)
        if hour % 24 == 23:
            gc.collect()
            sizes.append(sys.getallocatedblocks())
            disks.append(sum(file.stat().st_size for file in tmp_path.glob("state.db*")))
    took = time.monotonic() - began
    print(f"\n{DAYS} days in {took:.0f} s: {DAYS * 86400 / took:.0f} times as fast as they pass")
    for day, (size, disk) in enumerate(zip(sizes, disks, strict=True), 1):
        print(f"day {day}: {size} objects {disk / MEGABYTE:6.2f} MB on disk")
    sites = {site.site for site in line.stages.sites}
    assert len(sites) <= 8
    assert line.kept() <= sites
    assert sizes[-1] <= 1.1 * max(sizes[2:4])
    assert disks[-1] <= 1.05 * max(disks[2:4])
    line.store.close()


def _readings(hour: int, now: float, chance: random.Random) -> Iterator[Message]:
    """In each hour two devices of each of three sites; every ninth of them is hot."""
    for site in range(3):
        for device in range(2):
            value = 39.0 if hour % 9 == site else 20.0
            payload = json.dumps({"t": value + chance.random(), "at": now}).encode()
            topic = f"home/day-{hour // 24}-{site}/hour-{hour}-{device}"
            yield Message(topic, payload, ArrivalTime(now + device / 10), qos=1)


def unlike(ledger: Ledger, heard: Heard) -> list[tuple[str, float]]:
    """The windows that are not as they were sent."""
    return [
        key
        for key, count in ledger.counts.items()
        if key not in heard.windows or readings_in(heard.windows[key]) != count
    ]
