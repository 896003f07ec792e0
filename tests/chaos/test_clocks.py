"""Clocks that are stepped, and a box that sleeps: no window is lost or doubled, no alert is said
twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from chaos.traffic import CONFIGURATION, PERSISTENT, Heard, House, as_sent, check_alerts
from conftest import Broker, BrokerFactory, Collector
from running import Running, patiently

HOUR = 3600.0


class Box(Running):
    """A daemon on clocks that `step` moves: the wall clock, and the clock since boot."""

    def command(self) -> list[str]:
        self._steps = self.path.with_name("steps")
        self.step(0.0, 0.0)
        program = Path(__file__).with_name("stepped_clock.py")
        return [*super().command()[:1], str(program), str(self._steps)]

    def step(self, wall: float, boot: float) -> None:
        fresh = self._steps.with_suffix(".new")
        fresh.write_text(f"{wall} {boot}")
        fresh.replace(self._steps)


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(persistent=True, extra=PERSISTENT)


@pytest.fixture
def box(tmp_path: Path, broker: Broker) -> Iterator[Box]:
    running = Box(tmp_path, broker.port, configuration=CONFIGURATION)
    patiently(running.ready, "readiness")
    yield running
    running.process.send_signal(signal.SIGCONT)
    running.process.kill()
    running.process.wait()


def listen(broker: Broker) -> Collector:
    return broker.collect("edge_fusion/+/window", "edge_fusion/+/event")


def test_a_wall_clock_that_is_stepped_by_an_hour_changes_nothing(broker: Broker, box: Box) -> None:
    listener, house = listen(broker), House(broker)
    house.start()
    for wall in (HOUR, -HOUR, 0.0):
        time.sleep(2.5)
        box.step(wall, 0.0)
    house.cool_off()
    house.stop()
    as_sent(house.ledger, listener)
    patiently(lambda: box.metric("alert_active") == 0, "the end of all alerts")
    heard = Heard.of(listener)
    alerts = check_alerts(heard)
    print(
        f"\na wall clock stepped by an hour, three times: {as_sent_in_words(house)}; "
        f"{alerts} alerts"
    )
    assert heard.windows.keys() == house.ledger.counts.keys()
    assert alerts == heard_episodes(house)
    assert box.metric("clock_quarantined_total") == 0


def test_a_box_that_slept_for_ten_minutes_goes_on(broker: Broker, box: Box) -> None:
    listener, slept = listen(broker), 0.0
    house = House(broker, clock=lambda: time.time() + slept)
    house.start()
    time.sleep(3.0)
    box.process.send_signal(signal.SIGSTOP)
    time.sleep(1.0)
    slept = 600.0
    box.step(slept, slept)
    time.sleep(4.0)
    box.process.send_signal(signal.SIGCONT)
    house.cool_off()
    house.stop()
    as_sent(house.ledger, listener)
    patiently(lambda: box.metric("alert_active") == 0, "the end of all alerts")
    heard = Heard.of(listener)
    alerts = check_alerts(heard)
    print(f"\na box that slept for ten minutes: {as_sent_in_words(house)}; {alerts} alerts")
    assert heard.windows.keys() == house.ledger.counts.keys()
    assert alerts <= heard_episodes(house) + len(house.sites)
    assert box.metric("late_total") == 0


def as_sent_in_words(house: House) -> str:
    counts = house.ledger.counts
    return f"{sum(counts.values())} readings in {len(counts)} windows, all as sent"


def heard_episodes(house: House) -> int:
    """How often sites were hot, and so how many alerts there are to be."""
    hot: dict[str, list[float]] = {}
    for (site, start), count in sorted(house.ledger.counts.items()):
        if house.ledger.sums[site, start] / count > 34.0:
            hot.setdefault(site, []).append(start)
    return sum(
        1 + sum(later - earlier > 2.0 for earlier, later in pairwise(starts))
        for starts in hot.values()
    )
