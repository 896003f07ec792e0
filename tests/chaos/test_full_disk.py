"""A disk that is full: the work goes on, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos.traffic import COLD, CONFIGURATION, HOT, PERSISTENT, House, all_is_well, check_alerts
from conftest import Broker, BrokerFactory, Collector, eventually
from disks import fill, small_file_system
from running import Running, patiently

FULL_SECONDS = float(os.environ.get("FULL_SECONDS", "5"))
ROOM = "16m"

TROUBLE = "nothing can be kept, the work goes on in memory"
MENDED = "the store works again"
ANEW = "begun anew, the old file is now"


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(persistent=True, extra=PERSISTENT)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "small", ROOM) as place:
        yield place


Start = Callable[[], Running]


@pytest.fixture
def start(broker: Broker, tmp_path: Path, disk: Path) -> Iterator[Start]:
    running: list[Running] = []
    text = CONFIGURATION.replace('path = "state.db"', f'path = "{disk}/state.db"')

    def run() -> Running:
        running.append(Running(tmp_path, broker.port, configuration=text))
        patiently(running[-1].ready, "readiness")
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def listen(broker: Broker) -> Collector:
    return broker.collect("edge_fusion/+/window", "edge_fusion/+/event")


def acknowledged(broker: Broker) -> int:
    """How many readings the daemon has told the broker to forget."""
    return broker.log().count("Received PUBACK from edge-fusion-")


@pytest.mark.timeout(120 + 3 * FULL_SECONDS)
def test_a_full_disk_stops_no_alert_and_loses_no_reading(
    broker: Broker, disk: Path, start: Start
) -> None:
    """Without frames at QoS 0, which no broker holds back: a site's windows go by those then, and
    what is held back longer than `allowed_lateness` is late, and counted."""
    daemon, listener = start(), listen(broker)
    house = House(broker, frames=False)
    attic = broker.collect("edge_fusion/attic/event")

    def report(value: float) -> None:
        reading = json.dumps({"t": value, "at": time.time()}).encode()
        attic.publish("home/attic/probe", reading, qos=0)
        time.sleep(0.2)

    def states() -> list[str]:
        return [json.loads(payload)["state"] for payload in dict.fromkeys(attic.payloads())]

    def sees(expected: list[str], value: float) -> bool:
        report(value)
        return states() == expected

    house.start()
    try:
        time.sleep(3.0)
        filler, began = fill(disk), time.monotonic()
        patiently(lambda: daemon.metric("store_failing") == 1, "trouble in the metrics")
        status, page = daemon.page("/readyz")
        assert (status, "disk" in json.loads(page)["store"]) == (503, True)
        assert daemon.page("/healthz")[0] == 200
        time.sleep(1.0)
        kept = acknowledged(broker)
        eventually(lambda: sees(["firing"], HOT), "an alert that nothing keeps")
        patiently(lambda: sees(["firing", "resolved"], COLD), "its end")
        time.sleep(max(0.0, began + FULL_SECONDS - time.monotonic()))
        assert acknowledged(broker) == kept
        assert daemon.metric("store_failing") == 1
        filler.unlink()
        freed = time.monotonic()
        patiently(lambda: daemon.metric("store_failing") == 0, "recovery", 60)
        recovered = time.monotonic() - freed
        house.cool_off()
    finally:
        house.stop()
    patiently(lambda: daemon.metric("alert_active") == 0, "the end of all alerts")
    heard = all_is_well(daemon, listener, house)
    log = daemon.log.read_text()
    print(
        f"\na full disk for {freed - began:.0f} s: recovered {recovered:.1f} s after there was "
        f"room; {sum(house.ledger.counts.values())} readings in {len(house.ledger.counts)} "
        f"windows, all as sent; {check_alerts(heard)} alerts, {heard.duplicates} changes twice"
    )
    assert log.count(TROUBLE) == log.count(MENDED) == 1
    assert daemon.ready()


def test_a_daemon_that_is_killed_and_started_on_a_full_disk_goes_on(
    broker: Broker, disk: Path, start: Start
) -> None:
    daemon, listener, house = start(), listen(broker), House(broker, frames=False)
    house.start()
    try:
        time.sleep(2.0)
        filler = fill(disk)
        patiently(lambda: daemon.metric("store_failing") == 1, "trouble in the metrics")
        for _ in range(2):
            daemon.process.kill()
            daemon.process.wait()
            daemon.start()
            patiently(lambda: daemon.metric("store_failing") == 1, "trouble after a start")
            patiently(lambda: daemon.metric("mqtt_connected") == 2, "a connection all the same")
        filler.unlink()
        patiently(daemon.ready, "recovery", 60)
    finally:
        house.stop()
    all_is_well(daemon, listener, house)
    assert daemon.log.read_text().count(ANEW) == 0
