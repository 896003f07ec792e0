"""The demo as a newcomer starts it; with either broker."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_fusion.demo.broker import BrokerKind, EmbeddedBroker
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import BrokerSettings, Connection, ProtocolChoice
from edge_fusion.mailbox import Connected, Notice


@pytest.mark.parametrize("kind", list(BrokerKind))
def test_either_broker_takes_clients_and_ends(kind: BrokerKind, tmp_path: Path) -> None:
    connected = threading.Event()

    def hear(notice: Notice) -> None:
        if isinstance(notice, Connected):
            connected.set()

    with EmbeddedBroker(tmp_path, kind) as broker:
        connection = Connection(
            "test",
            BrokerSettings(broker.host, broker.port, ProtocolChoice.V311, "test"),
            deliver=lambda _delivery, _qos: None,
            notify=hear,
            stamp=ArrivalClock().stamp,
        )
        connection.start()
        assert connected.wait(15)
        connection.stop(2.0)
    with pytest.raises(ConnectionRefusedError):
        _connect(broker)


def _connect(broker: EmbeddedBroker) -> None:
    import socket  # noqa: PLC0415

    socket.create_connection((broker.host, broker.port), timeout=1).close()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", list(BrokerKind))
def test_an_alert_fires_and_resolves_within_a_minute(kind: BrokerKind) -> None:
    code = (
        "import sys; from edge_fusion.demo import run_demo; "
        "from edge_fusion.demo.broker import BrokerKind; "
        f"sys.exit(run_demo(60, broker=BrokerKind.{kind.name}))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " firing " in done.stdout
    assert " resolved " in done.stdout


def test_a_demo_too_short_for_an_alert_fails_and_says_so() -> None:
    command = [sys.executable, "-m", "edge_fusion", "demo", "--duration", "4"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no alert fired within the time given" in done.stderr
