"""A broker that is restarted or killed while devices send: what came of it all."""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.traffic import (
    CONFIGURATION,
    PERSISTENT,
    SIZE,
    Heard,
    House,
    Ledger,
    as_sent,
    check_alerts,
    missing,
    readings_in,
)
from conftest import Broker, BrokerFactory, Collector
from running import Running, patiently

from edge_fusion.events import Reading
from edge_fusion.io.recording import RecordingReader

RESTARTS = int(os.environ.get("RESTARTS", "2"))
"""In order, and as many by force."""

PAUSES = (1.0, 3.0, 11.0)
"""Seconds between two: the daemon waits longer each time, unless it was connected for 10."""

SEED = int(os.environ.get("SEED", "1"))

AUTOSAVE = 4.0
"""Seconds for which a killed broker may not have written what it had: `autosave_interval 1`, and
mosquitto looks at its clock no oftener than that."""

# Devices are late when the broker was away, for they were cut off too: every revision counts.


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(persistent=True, extra=PERSISTENT)


@pytest.fixture
def daemon(broker: Broker, tmp_path: Path) -> Iterator[Running]:
    recording = tmp_path / "recording"
    running = Running(tmp_path, broker.port, "--record", recording, configuration=CONFIGURATION)
    patiently(running.ready, "readiness")
    yield running
    running.process.kill()
    running.process.wait()


def listen(broker: Broker) -> Collector:
    return broker.collect("edge_fusion/+/window", "edge_fusion/+/event", client_id="listener")


def restart_often(broker: Broker, daemon: Running, *, kill: bool) -> list[tuple[float, float]]:
    """Restart the broker RESTARTS times; returns when it went and was back."""
    chance = random.Random(SEED)
    gone = []
    for number in range(RESTARTS):
        time.sleep(PAUSES[number % len(PAUSES)] + chance.random())
        went = time.time()
        broker.stop(kill=kill)
        time.sleep(chance.uniform(0.0, 1.0))
        broker.start()
        patiently(daemon.ready, "the daemon's return to the broker", 90)
        gone.append((went, time.time()))
    return gone


@pytest.mark.timeout(90 + 30 * RESTARTS)
def test_a_broker_that_is_restarted_costs_nothing(broker: Broker, daemon: Running) -> None:
    listener, house = listen(broker), House(broker)
    house.start()
    try:
        restart_often(broker, daemon, kill=False)
        house.cool_off()
    finally:
        house.stop()
    as_sent(house.ledger, listener)
    patiently(lambda: daemon.metric("alert_active") == 0, "the end of all alerts")
    patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox")
    heard = Heard.of(listener)
    alerts = check_alerts(heard)
    print(
        f"\n{RESTARTS} restarts of the broker: {sum(house.ledger.counts.values())} readings in "
        f"{len(house.ledger.counts)} windows, all published as sent; {alerts} alerts fired and "
        f"resolved, {heard.duplicates} of their changes came twice"
    )
    assert heard.windows.keys() == house.ledger.counts.keys()
    assert alerts
    assert daemon.metric("late_total") == 0
    assert daemon.metric("mqtt_reconnects_total") >= RESTARTS


@pytest.mark.timeout(90 + 30 * RESTARTS)
def test_a_broker_that_is_killed_loses_only_what_it_had_not_saved(
    broker: Broker, daemon: Running
) -> None:
    """What a killed broker acknowledged since it last saved, to devices or to the daemon, is lost
    with it, and nobody sends that again. All else is as sent, and whatever the daemon was given
    (its recording tells) is in its windows."""
    listener, house = listen(broker), House(broker)
    house.start()
    try:
        gone = restart_often(broker, daemon, kill=True)
        house.cool_off()
    finally:
        house.stop()

    def excused(start: float) -> bool:
        return any(went - AUTOSAVE - SIZE <= start <= back for went, back in gone)

    def sent_but_missing() -> list[str]:
        counts = {key: n for key, n in house.ledger.counts.items() if not excused(key[1])}
        return missing(Ledger(Counter(counts)), Heard.of(listener))

    patiently(lambda: not sent_but_missing(), "all windows that no kill touched, as sent", 60)
    patiently(lambda: daemon.metric("alert_active") == 0, "the end of all alerts")
    patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox")
    fired = daemon.metric("alerts_total", state="firing")
    assert daemon.stop() == 0
    heard, given = Heard.of(listener), given_to(daemon)
    wrong = {
        key: (given[key], readings_in(window))
        for key, window in heard.windows.items()
        if given[key] != readings_in(window)
    }
    lost = sum(house.ledger.counts.values()) - sum(given.values())
    print(
        f"\n{RESTARTS} kills of the broker: {sum(house.ledger.counts.values())} readings in "
        f"{len(house.ledger.counts)} windows; the broker lost {lost} readings, and "
        f"{len(given.keys() - heard.windows.keys())} windows and {len(wrong)} last revisions of "
        f"windows; {heard.duplicates} changes of alerts came twice"
    )
    assert not given - house.ledger.counts
    assert all(excused(start) for _, start in house.ledger.counts - given)
    assert all(excused(start) for _, start in given.keys() - heard.windows.keys())
    assert all(excused(start) for _, start in wrong)
    assert 0 < check_alerts(heard, some_lost=True) <= fired


def given_to(daemon: Running) -> Counter[tuple[str, float]]:
    """How many different readings the daemon got, by site and window."""
    read = {
        (item.site, item.device, item.time)
        for item in RecordingReader(daemon.path.with_name("recording"))
        if isinstance(item, Reading)
    }
    return Counter((site, math.floor(at / SIZE) * SIZE) for site, _, at in read)
