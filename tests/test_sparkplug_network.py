"""An edge node of Sparkplug B on a real broker, and those who come when its BIRTH is long past."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, eventually
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from running import CONFIGURATION, Running
from sparkplug import FLOAT, birth, death, metric, payload
from test_record_replay import recorded, recording

from edge_fusion.codecs.sparkplug.payload_pb2 import Payload
from edge_fusion.events import Reading
from edge_fusion.io.recording import RecordingReader

SPARKPLUG = CONFIGURATION.replace("[windows]", '[windows]\nsize = "1s"').replace(
    "[[cameras]]", '[[sensors]]\ntopic = "spBv1.0/{{site}}/#"\nformat = "sparkplug"\n[[cameras]]'
)


class Edge:
    """An edge node with one sensor, which it names at its birth and never again."""

    def __init__(self, port: int) -> None:
        self.rebirths = 0
        self._seq = 0
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.will_set("spBv1.0/Plant/NDEATH/box1", death(), qos=1)
        self._client.on_message = self._on_command
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("spBv1.0/Plant/NCMD/box1")
        self._client.loop_start()
        self._be_born()

    def measure(self, temperature: float = 21.5) -> None:
        self._seq = (self._seq + 1) % 256
        data = metric(alias=7, value=temperature, ms=round(time.time() * 1000))
        self._publish("NDATA", payload(data, seq=self._seq))

    def vanish(self) -> None:
        """Cut the connection without a word, so that the will speaks."""
        self._client.loop_stop()
        self._client._reset_sockets()

    def _be_born(self) -> None:
        self._seq = 0
        now = round(time.time() * 1000)
        sensor = metric("Climate/Temperature", 21.5, alias=7, ms=now, type_=FLOAT, unit="Celsius")
        self._publish("NBIRTH", birth(sensor, ms=now))

    def _on_command(self, _client: Client, _: Any, message: MQTTMessage) -> None:
        (command,) = Payload.FromString(message.payload).metrics
        assert (command.name, command.boolean_value) == ("Node Control/Rebirth", True)
        self.rebirths += 1
        self._be_born()

    def _publish(self, type_: str, data: bytes) -> None:
        self._client.publish(f"spBv1.0/Plant/{type_}/box1", data)


@pytest.fixture
def edge(broker: Broker) -> Iterator[Edge]:
    one = Edge(broker.port)
    yield one
    one.vanish()


@pytest.fixture
def daemon(broker: Broker, edge: Edge, tmp_path: Path) -> Iterator[Running]:
    one = Running(tmp_path, broker.port, configuration=SPARKPLUG)
    eventually(one.ready, "readiness")
    yield one
    one.process.kill()
    one.process.wait()


def test_the_daemon_asks_for_the_birth_it_missed_and_heeds_the_death(
    broker: Broker, edge: Edge, daemon: Running
) -> None:
    said = broker.collect("edge_fusion/Plant/window")

    def measured() -> object:
        edge.measure()
        return said.payloads()

    eventually(measured, "a window")
    assert edge.rebirths == 1
    assert daemon.metric("invalid_total", reason="unknown_alias") >= 1
    assert daemon.metric("temperature_celsius", site="Plant") == 21.5
    assert daemon.metric("devices_idle", site="Plant") == 0
    edge.vanish()
    eventually(lambda: daemon.metric("devices_idle", site="Plant") == 1, "a word of its death")


def test_a_recording_that_begins_late_asks_too(broker: Broker, edge: Edge, tmp_path: Path) -> None:
    (tmp_path / "recording.toml").write_text(
        f'[mqtt]\nport = {broker.port}\n[[sensors]]\ntopic = "spBv1.0/{{site}}/#"\n'
        'format = "sparkplug"\n'
    )
    directory = tmp_path / "recording"
    with recording(tmp_path / "recording.toml", directory) as process:

        def written() -> object:
            edge.measure()
            return recorded(directory) > 5

        eventually(written, "some readings")
        process.terminate()
        process.communicate(timeout=15)
    assert edge.rebirths == 1
    readings = [event for event in RecordingReader(directory) if isinstance(event, Reading)]
    assert {(one.site, one.device, one.value) for one in readings} == {("Plant", "box1", 21.5)}
