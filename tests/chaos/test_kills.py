"""`kill -9` of the daemon at random moments, under load: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from chaos.traffic import CONFIGURATION, PERSISTENT, Heard, House, as_sent, check_alerts
from conftest import BrokerFactory
from running import Running, patiently

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(60 + 10 * KILLS)
def test_kill_9_at_random_moments_loses_nothing(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    broker = broker_factory(persistent=True, extra=PERSISTENT)
    listener = broker.collect("edge_fusion/+/window", "edge_fusion/+/event")
    house = House(broker)
    daemon = Running(tmp_path, broker.port, configuration=CONFIGURATION)
    patiently(daemon.ready, "readiness")
    house.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.0, 2.5))
            daemon.process.kill()
            daemon.process.wait()
            daemon.start()
            if chance.random() < 0.7:
                patiently(daemon.ready, "readiness")
        house.cool_off()
        house.stop()
        as_sent(house.ledger, listener)
        patiently(lambda: daemon.metric("alert_active") == 0, "the end of all alerts", 60)
        patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox", 60)
        heard = Heard.of(listener)
        alerts = check_alerts(heard)
        sent = sum(house.ledger.counts.values())
        print(
            f"\n{KILLS} kills: {sent} readings in {len(house.ledger.counts)} windows, all "
            f"published as sent; {alerts} alerts fired and resolved, {heard.duplicates} of their "
            f"changes came twice"
        )
        assert alerts
        assert daemon.metric("late_total") == 0
    finally:
        house.stop()
        daemon.process.kill()
        daemon.process.wait()
