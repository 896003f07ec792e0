"""A connection that is dead without a word: noticed, made anew, and nothing of it is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos.proxy import Proxy, Way
from chaos.traffic import CONFIGURATION, PERSISTENT, Heard, House, as_sent, check_alerts
from conftest import Broker, BrokerFactory
from running import Running, patiently

ALONE = "HALF_OPEN" in os.environ
"""Whether this is the long run, on a machine that does nothing else."""

ROUNDS = int(os.environ.get("HALF_OPEN", "1"))
KEEPALIVE = 4.0
PATIENCE = 1.5 * KEEPALIVE
CAREFUL = CONFIGURATION.replace('keepalive = "2s"', f'keepalive = "{KEEPALIVE:.0f}s"')


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(persistent=True, extra=PERSISTENT)


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    made = Proxy(broker.port)
    yield made
    made.close()


@pytest.fixture
def daemon(proxy: Proxy, tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path, proxy.port, configuration=CAREFUL)
    patiently(running.ready, "readiness")
    yield running
    running.process.kill()
    running.process.wait()


def seconds_until(condition: Callable[[], object], what: str) -> float:
    began = time.monotonic()
    patiently(condition, what)
    return time.monotonic() - began


@pytest.mark.timeout(60 + 40 * ROUNDS)
@pytest.mark.parametrize("way", [Way.BOTH, Way.TO_BROKER, Way.TO_CLIENT], ids=lambda way: way.name)
def test_a_connection_that_goes_nowhere_is_noticed_and_nothing_is_lost(
    broker: Broker, proxy: Proxy, daemon: Running, way: Way
) -> None:
    listener = broker.collect("edge_fusion/+/window", "edge_fusion/+/event")
    house = House(broker)
    house.start()
    noticed, resumed = [], []

    def is_lost() -> bool:
        return daemon.metric("mqtt_connected", connection="readings") == 0

    try:
        for number in range(1, ROUNDS + 1):
            time.sleep(2.0)
            assert proxy.freeze(way) >= 2
            noticed.append(seconds_until(is_lost, "the loss in the metrics"))
            resumed.append(seconds_until(daemon.ready, "a new connection"))
            patiently(
                lambda: daemon.metric("mqtt_reconnects_total") >= 2 * number,  # noqa: B023
                "both connections anew",
            )
        house.cool_off()
    finally:
        house.stop()
    as_sent(house.ledger, listener)
    patiently(lambda: daemon.metric("alert_active") == 0, "the end of all alerts")
    patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox")
    heard = Heard.of(listener)
    print(
        f"\n{way.name}: noticed after {', '.join(f'{t:.1f}' for t in noticed)} s, with a keepalive "
        f"of {KEEPALIVE:.0f} s; ready again {', '.join(f'{t:.1f}' for t in resumed)} s later; "
        f"{sum(house.ledger.counts.values())} readings in {len(house.ledger.counts)} windows, all "
        f"as sent; {check_alerts(heard)} alerts, {heard.duplicates} of their changes twice"
    )
    assert heard.windows.keys() == house.ledger.counts.keys()
    assert check_alerts(heard)
    assert max(noticed) <= PATIENCE or not ALONE
    assert f"mqtt readings: localhost:{proxy.port}: " in daemon.log.read_text()
    assert daemon.metric("late_total") == 0
