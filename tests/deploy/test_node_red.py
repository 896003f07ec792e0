"""The flow in deploy/node-red in a real Node-RED, fed by the daemon and by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, eventually, free_port
from running import CONFIGURATION, Running, patiently
from test_daemon import COLD, HOT

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.publications import alert_publications, site_gone
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    EventTime,
    Publication,
    Severity,
)

FLOW = Path(__file__).parents[2] / "deploy" / "node-red" / "edge-fusion.json"
# Where `make test` puts it, beside the Python that runs this.
PROGRAM = Path(sys.prefix) / "node-red" / "node_modules" / "node-red" / "red.js"
SETTINGS = """
module.exports = {
    uiHost: "127.0.0.1",
    httpAdminRoot: false,
    telemetry: { enabled: false },
    logging: { console: { level: "info" } },
};
"""
LIVELY = CONFIGURATION.replace("[windows]", '[windows]\nsize = "1s"')
CRITICAL = "node-red/critical/kitchen"
START = 1795428020.0
FIRED = Alert(
    id="5f0c", sequence=1, site="cellar", label="smoke", firing=True, severity=Severity.CRITICAL,
    threshold=0.5, score=0.93, started_at=EventTime(START), updated_at=ArrivalTime(START + 12),
    ended_at=None, evidence=None,
)  # fmt: skip
OVER = replace(
    FIRED, sequence=3, firing=False, updated_at=ArrivalTime(START + 60),
    ended_at=ArrivalTime(START + 60),
)  # fmt: skip


class NodeRed:
    """Node-RED with our flow, whose broker is the one given."""

    def __init__(self, directory: Path, broker: Broker) -> None:
        if not PROGRAM.exists():
            pytest.fail(f"there is no {PROGRAM}: make {sys.prefix}/node-red.done installs it")
        node = shutil.which("node")
        assert node is not None, "please install nodejs first"
        directory.mkdir()
        self._port = free_port()
        self._log = directory / "node-red.log"
        (directory / "settings.js").write_text(SETTINGS)
        (directory / "flow.json").write_text(json.dumps(flow_for(broker)))
        command = [node, str(PROGRAM), "--userDir", str(directory), "--port", str(self._port)]
        command += ["--settings", str(directory / "settings.js"), str(directory / "flow.json")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def now(self) -> dict[str, Any]:
        """What the flow answers to who asks; empty while it does not."""
        url = f"http://127.0.0.1:{self._port}/edge-fusion/alerts"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except (urllib.error.URLError, ConnectionError):
            return {}

    def firing(self) -> list[tuple[str, str]]:
        return sorted((alert["site"], alert["label"]) for alert in self.now().get("firing", []))

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(15)


def flow_for(broker: Broker) -> list[dict[str, Any]]:
    """What a user does in the editor: the broker's address is filled in, and no more."""
    nodes: list[dict[str, Any]] = json.loads(FLOW.read_text())
    for node in nodes:
        if node["type"] == "mqtt-broker":
            node["broker"], node["port"] = broker.host, str(broker.port)
    return nodes


@pytest.fixture
def node_red(tmp_path: Path, broker: Broker) -> Iterator[Callable[[], NodeRed]]:
    running: list[NodeRed] = []

    def run() -> NodeRed:
        running.append(NodeRed(tmp_path / "node-red", broker))
        patiently(running[-1].now, "the start of Node-RED")
        return running[-1]

    yield run
    for one in running:
        one.stop()


def publications(alert: Alert) -> list[Publication]:
    return alert_publications(
        AlertChange(alert), prefix="edge_fusion", box="b", model=ModelIdentity("m", "ab" * 32)
    )


def publish(broker: Broker, *what: Publication) -> None:
    for one in what:
        broker.publish(one.topic, one.payload, retain=one.retain)


def test_a_critical_alert_of_the_daemon_is_told_once_and_told_when_it_is_over(
    broker: Broker, tmp_path: Path, node_red: Callable[[], NodeRed]
) -> None:
    """It fires before Node-RED starts, which finds it retained."""
    listener = broker.collect("node-red/#", "edge_fusion/kitchen/event")
    devices = broker.collect()
    daemon = Running(tmp_path, broker.port, configuration=LIVELY)

    def send(payload: bytes, until: Callable[[], object]) -> None:
        def step() -> object:
            devices.publish("home/kitchen/probe", payload)
            time.sleep(0.1)
            return until()

        eventually(step, "what was to come of it")

    try:
        eventually(daemon.ready, "readiness")
        send(HOT, lambda: listener.payloads("edge_fusion/kitchen/event"))
        home = node_red()
        send(HOT, lambda: listener.payloads(CRITICAL))
        assert home.firing() == [("kitchen", "hot")]
        assert home.now()["boxes"] == {"box-1": "online"}
        send(COLD, lambda: len(listener.payloads(CRITICAL)) == 2)
        fires, over = (json.loads(payload) for payload in listener.payloads(CRITICAL))
        event = json.loads(listener.payloads("edge_fusion/kitchen/event")[0])
        assert (fires["state"], fires["id"]) == ("firing", event["id"])
        assert fires["text"] == f"hot in kitchen: score 0.95 since {event['started_at']}, 39 °C"
        assert (over["state"], over["id"]) == ("resolved", event["id"])
        assert over["text"].startswith("hot in kitchen is over since 20")
        assert home.firing() == []
        assert daemon.stop() == 0
        eventually(lambda: home.now()["boxes"] == {"box-1": "offline"}, "the farewell")
    finally:
        daemon.process.kill()
        daemon.process.wait()


def test_what_comes_twice_or_late_or_is_not_critical_changes_nothing(
    broker: Broker, node_red: Callable[[], NodeRed]
) -> None:
    told = broker.collect("node-red/#")
    home = node_red()

    def settle(marker: str) -> list[tuple[str, str]]:
        """All that was told, once a marker of our own has gone all the way behind it."""
        site = f"marker{marker}"
        publish(broker, *publications(replace(FIRED, id=marker, site=site)))
        publish(broker, *publications(replace(OVER, id=marker, site=site)))
        eventually(lambda: len(told.payloads(f"node-red/critical/{site}")) == 2, marker)
        payloads = told.payloads("node-red/critical/cellar")
        return [(found["id"], found["state"]) for found in map(json.loads, payloads)]

    publish(broker, *publications(FIRED))
    assert settle("a") == [("5f0c", "firing")]
    publish(broker, *publications(FIRED), *publications(replace(FIRED, sequence=2, score=0.8)))
    assert home.firing() == [("cellar", "smoke")]
    assert settle("b") == [("5f0c", "firing")]
    publish(broker, *publications(OVER), *publications(replace(FIRED, sequence=2)))
    assert settle("c") == [("5f0c", "firing"), ("5f0c", "resolved")]
    assert home.firing() == []
    publish(broker, *publications(replace(FIRED, severity=Severity.INFO, label="steam", id="9")))
    again = replace(FIRED, id="77aa", started_at=EventTime(START + 100))
    publish(broker, *publications(again))
    assert settle("d")[2:] == [("77aa", "firing")]
    assert home.firing() == [("cellar", "smoke"), ("cellar", "steam")]
    publish(broker, *site_gone("cellar", ["smoke", "steam"], prefix="edge_fusion", discovery=None))
    eventually(lambda: home.firing() == [], "the end of the site")
    assert settle("e")[3:] == []
    assert "error" not in home.log().lower()
