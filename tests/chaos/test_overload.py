"""Ten times what the box can bear: memory stays bounded, nothing is lost unseen, and it recovers.

The order in which the daemon gives way: frames first, the oldest of a camera, before any is decoded
(`mailbox_full`, `max_frames`); then readings wait in the broker, which sends no more than its
receive maximum; and what the broker has no room for is lost there, which it counts itself. Rows of
several windows are never put into one batch of the model: a score depends on its pane alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import pytest
from chaos.blaster import Blaster
from chaos.flood import CLIMATE, DEVICES, NO_TIME, QUANTITIES, SITES, readings
from chaos.pulse import MEGABYTE, Pulse, resident, resident_peak
from conftest import Broker, BrokerFactory, Collector
from running import Running, patiently

ALONE = "OVERLOAD_SECONDS" in os.environ
"""Whether this is the long run, on a machine that does nothing else: only there can be told how
much there is time for."""

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "8"))
BURST = 200 * DEVICES
TIMES = 10
WANTED = 1.1 * TIMES
"""What the publishers are asked for, who have to share the machine too."""

MAX_SKEW = 3.0
HEARTBEAT = 1.5
"""Seconds, in which all that the metrics show is renewed."""

MOST_SECONDS = 10.0
"""After the end until windows come as late as before."""

PUBLISHERS = 3
FRAMES_A_SECOND = 80.0
QUEUE_SECONDS = 4.0
"""What the broker holds back for us, in time: what is to be read after the end. Longer than
`max_skew`, so that what waits is not to be taken for a device whose clock is slow."""

FRAMES_SHED = ("mailbox_full", "max_frames")
MAX_FRAMES, MAX_READINGS, WINDOWS_HELD = 8, 10_000, 8
FRAME_BYTES, READING_BYTES = 250_000, 500
FRAME_BACKLOG = 64_000_000
"""What waits in the mailbox, and as much again may be in the batch that is being worked on."""

BOUND = (
    2 * FRAME_BACKLOG
    + SITES * WINDOWS_HELD * (MAX_FRAMES * FRAME_BYTES + MAX_READINGS * READING_BYTES)
    + 32 * MEGABYTE
)
"""Bytes above those of a daemon at ordinary work; the last term is what the allocator keeps."""

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[windows]
size = "1s"
max_out_of_orderness = "200ms"
max_wait = "500ms"
allowed_lateness = "5s"
max_skew = "3s"
[store]
path = "state.db"
{store}
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
humidity = "h"
quantities = {{ pressure = "p", co2 = "co2" }}
time = "at"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[limits]
max_frames = 8
max_readings = 10000
[web]
listen = "127.0.0.1:{web}"
[homeassistant]
discovery = false
"""


class Probe:
    """A device that sends five times a second, and how late the windows of its site come."""

    def __init__(self, broker: Broker) -> None:
        self.sent = 0
        self._listener = broker.collect("edge_fusion/probe/window")
        self._blaster = Blaster(broker.port, "probe")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._blaster.close()

    def latencies(self) -> list[tuple[float, float]]:
        """For each window its end, and how long after it it was published first."""
        skew = time.time() - time.monotonic()
        found: dict[float, float] = {}
        for message in list(self._listener.messages):
            window = json.loads(message.payload)
            found.setdefault(_seconds(window["end"]), message.timestamp + skew)
        return [(end, heard - end) for end, heard in sorted(found.items())]

    def _live(self) -> None:
        while not self._stop.wait(0.2):
            climate = CLIMATE.replace(NO_TIME, b"%.6f" % time.time())
            self._blaster.publish("home/probe/probe", climate, 1)
            self._blaster.finish()
            self.sent += 1


@dataclass(frozen=True, slots=True)
class Flood:
    """What some processes sent, and for how long."""

    sent: int
    seconds: float


Processes = list[subprocess.Popen[bytes]]


def settings(queue: int) -> tuple[str, ...]:
    """How a broker is set up that holds back so many messages."""
    return (
        f"max_queued_messages {queue}",
        "max_inflight_messages 200",
        "max_queued_bytes 0",
        "sys_interval 1",
    )


def flood(broker: Broker, kind: str, rate: float, processes: int) -> Processes:
    program = str(Path(__file__).with_name("flood.py"))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    share = str(rate / processes)
    commands = [
        [sys.executable, program, kind, str(broker.port), f"{kind}-{number}", share, str(SECONDS)]
        for number in range(processes)
    ]
    return [subprocess.Popen(each, stdout=subprocess.PIPE, env=environment) for each in commands]


def result(processes: Processes, timeout: float) -> Flood:
    outputs = [process.communicate(timeout=timeout)[0].split() for process in processes]
    return Flood(sum(int(sent) for sent, _ in outputs), max(float(took) for _, took in outputs))


@contextmanager
def ended(processes: Processes) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def bearable(broker: Broker, daemon: Running) -> float:
    """Messages a second that the daemon takes, when it has nothing else to do."""
    blaster = Blaster(broker.port, "burst", window=600)
    began = time.monotonic()
    for _ in zip(range(BURST // DEVICES), readings(blaster, "burst"), strict=False):
        pass
    blaster.finish()
    patiently(lambda: taken(daemon) >= BURST, "the end of the burst", 120)
    rate = BURST / (time.monotonic() - began)
    blaster.close()
    return rate


@pytest.mark.timeout(180 + 6 * SECONDS)
def test_ten_times_too_much(broker_factory: BrokerFactory, tmp_path: Path) -> None:
    broker = broker_factory(persistent=True, extra=settings(BURST), verbose=False)
    statistics = broker.collect("$SYS/broker/publish/messages/dropped")
    echoes = broker.collect("edge_fusion/box/box-1/barrier")
    daemon = Running(tmp_path, broker.port, configuration=CONFIGURATION)
    try:
        patiently(daemon.ready, "readiness")
        rate = bearable(broker, daemon)
        broker._extra = settings(int(QUEUE_SECONDS * rate))
        broker.restart()
        patiently(daemon.ready, "the daemon's return to the broker")
        time.sleep(HEARTBEAT)
        patiently(lambda: daemon.metric("catching_up") == 0, "the end of what comes again")
        before = taken(daemon)
        ordinary = resident(daemon.process.pid)
        with Pulse(daemon) as pulse, Probe(broker) as probe:
            time.sleep(4.0)
            normal = max(late for _, late in probe.latencies())
            too_many = flood(broker, "readings", WANTED * rate, PUBLISHERS)
            pictures = flood(broker, "frames", FRAMES_A_SECOND, 1)
            with ended([*too_many, *pictures]):
                flooded, frames = result(too_many, 3 * SECONDS + 30), result(pictures, 60)
            over, meanwhile = time.time(), (taken(daemon) - before) / flooded.seconds
            offset = max_offset(daemon)
            patiently(lambda: recovered(probe, over, normal) is not None, "normal latency", 60)
            back = recovered(probe, over, normal) or 0.0
        sent = flooded.sent + frames.sent + probe.sent

        def accounted() -> float:
            return taken(daemon) - before + dropped(statistics)

        patiently(lambda: accounted() >= sent, "all accounted for", 30)
        offered, peak = flooded.sent / flooded.seconds, resident_peak(daemon.process.pid)
        print(
            f"\nbears {rate:.0f} messages/s of {QUANTITIES} readings; offered {offered:.0f}/s, "
            f"{offered / rate:.1f} times that, and {frames.sent / frames.seconds:.0f} frames/s "
            f"for {flooded.seconds:.0f} s; took {meanwhile:.0f}/s meanwhile\n"
            f"sent {sent}: {accounts(daemon)}, lost in the broker {dropped(statistics):.0f}\n"
            f"memory {ordinary / MEGABYTE:.0f} MB before, {peak / MEGABYTE:.0f} MB at most, bound "
            f"{(ordinary + BOUND) / MEGABYTE:.0f} MB; /healthz {len(pulse.answers)} times, "
            f"{pulse.slowest * 1000:.0f} ms at most\nwindow latency {normal:.2f} s before, normal "
            f"again {back:.1f} s after the end; clock offset {offset:.1f} s"
        )
        assert offered >= TIMES * min(rate, meanwhile) or not ALONE
        # The broker drops some of the daemon's echoes (lag.py) too.
        assert 0 <= accounted() - sent <= len(echoes.messages)
        assert pulse.failures == []
        assert peak <= ordinary + BOUND
        assert back <= MOST_SECONDS or not ALONE
        assert offset <= MAX_SKEW  # all clocks are right, however long readings waited
        assert sum(daemon.metric("dropped_total", reason=reason) for reason in FRAMES_SHED)
    finally:
        daemon.process.kill()
        daemon.process.wait()


def taken(daemon: Running) -> float:
    """Messages of which the daemon knows what became of them, each once."""
    of_frames = sum(daemon.metric("dropped_total", reason=reason) for reason in FRAMES_SHED)
    readings = sum(map(daemon.metric, ("readings_total", "late_total", "dropped_total")))
    # Frames shed for `max_frames` had been taken in before.
    frames = daemon.metric("frames_total") + daemon.metric("dropped_total", reason="mailbox_full")
    return (readings - of_frames) / QUANTITIES + frames


def max_offset(daemon: Running) -> float:
    text = daemon.page("/metrics")[1].decode().splitlines()
    values = [float(line.split()[-1]) for line in text if "device_clock_offset_seconds{" in line]
    return max(values, default=0.0)


def accounts(daemon: Running) -> str:
    """What became of the readings and frames that the daemon got."""
    names = ("readings_total", "frames_total", "late_total")
    found = {name: daemon.metric(name) for name in names}
    for reason in ("duplicate", "max_readings", *FRAMES_SHED):
        found[reason] = daemon.metric("dropped_total", reason=reason)
    return ", ".join(f"{name} {count:.0f}" for name, count in found.items())


def dropped(statistics: Collector) -> float:
    """What the broker says it had no room for."""
    payloads = statistics.payloads()
    return float(payloads[-1]) if payloads else 0.0


def recovered(probe: Probe, over: float, normal: float) -> float | None:
    """Seconds after `over` from which on three windows in a row came as late as they used to."""
    after = [(end, late) for end, late in probe.latencies() if end + late > over]
    limit = normal + 0.5
    for first in range(len(after) - 2):
        if all(late <= limit for _, late in after[first : first + 3]):
            end, late = after[first]
            return max(0.0, end + late - over)
    return None


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
