"""The sample broker configuration, by starting mosquitto on it, as Debian does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import end, eventually, free_port
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from running import Running

FOLDER = Path(__file__).parents[2] / "deploy" / "mosquitto"
SAMPLE, ACL = FOLDER / "edge-fusion.conf", FOLDER / "edge-fusion.acl"
USERS = ("edge-fusion", "sensors", "homeassistant")
MORE_THAN_BY_DEFAULT = 1100
"""Messages: for a client that is away mosquitto queues 1,000, unless it is told otherwise."""

ALLOWED, DENIED = 0, 135
# As shipped by Debian 12, with the paths of a test.
MAIN = """\
pid_file {folder}/mosquitto.pid

persistence true
persistence_location {folder}/

log_dest file {folder}/mosquitto.log

include_dir {folder}/conf.d
"""
DAEMON = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
publish_late = true
[windows]
max_out_of_orderness = "200ms"
max_wait = "300ms"
[store]
path = "state.db"
[model]
path = "model.onnx"
[[sensors]]
topic = "zigbee2mqtt/{{site}}/{{device}}"
[[cameras]]
topic = "cameras/{{site}}/{{camera}}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
[web]
listen = "127.0.0.1:{web}"
"""


@dataclass(frozen=True)
class Sample:
    """A mosquitto that runs on the sample; every user's password is his name backwards."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def user(self, name: str, *filters: str) -> User:
        return User(self.port, name, name[::-1], filters)


class User:
    """An MQTT 5 client that knows what the broker says of each publication."""

    def __init__(self, port: int, name: str, password: str, filters: tuple[str, ...]) -> None:
        self.verdict = ""
        self.topics: list[str] = []
        self._codes: dict[int, int] = {}
        self._subscribed: list[int] = []
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.username_pw_set(name, password)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_message = lambda *given: self.topics.append(given[2].topic)
        self._client.on_subscribe = lambda *given: self._subscribed.append(given[2])
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        eventually(lambda: self.verdict, "an answer")
        for one in filters:
            self._client.subscribe(one, 1)
        eventually(lambda: len(self._subscribed) == len(filters), "subscriptions")

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> int:
        """The broker's reason code: 0, or 135 where it is denied."""
        mid = self.send(topic, payload, retain=retain)
        eventually(lambda: mid in self._codes, "an acknowledgement")
        return self._codes[mid]

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish without waiting; returns the packet id."""
        return int(self._client.publish(topic, payload, 1, retain).mid)

    @property
    def acknowledged(self) -> int:
        return len(self._codes)

    def close(self) -> None:
        end(self._client)

    def _on_connect(self, *given: Any) -> None:
        self.verdict = str(given[3])

    def _on_publish(self, *given: Any) -> None:
        self._codes[given[2]] = given[3].value


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Sample]:
    port, folder = free_port(), tmp_path / "mosquitto"
    (folder / "conf.d").mkdir(parents=True)
    passwords = folder / "edge-fusion.passwd"
    passwords.touch()
    for name in (*USERS, "tester"):
        make = ["mosquitto_passwd", "-b", str(passwords), name, name[::-1]]
        subprocess.run(make, check=True, capture_output=True)
    rules = folder / "edge-fusion.acl"
    rules.write_text(f"{ACL.read_text()}\nuser tester\ntopic readwrite #\n")
    text = SAMPLE.read_text()
    for there, here in (
        ("listener 1883\n", f"listener {port} 127.0.0.1\n"),
        ("password_file /etc/mosquitto/edge-fusion.passwd", f"password_file {passwords}"),
        ("acl_file /etc/mosquitto/edge-fusion.acl", f"acl_file {rules}"),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "conf.d" / "edge-fusion.conf").write_text(text)
    path = folder / "mosquitto.conf"
    path.write_text(MAIN.format(folder=folder) + ("user root\n" if os.geteuid() == 0 else ""))
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(path)])
    try:
        eventually(lambda: "running" in log(folder), "the broker's start")
        yield Sample(port, folder, process)
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(10)


def log(folder: Path) -> str:
    path = folder / "mosquitto.log"
    return path.read_text() if path.exists() else ""


@pytest.fixture
def users(sample: Sample) -> Iterator[dict[str, User]]:
    """Each of the sample's users, subscribed to everything, and one who may do all."""
    made = {name: sample.user(name, "#") for name in (*USERS, "tester")}
    yield made
    for one in made.values():
        one.close()


def test_it_wants_a_password(sample: Sample) -> None:
    wrong = User(sample.port, "sensors", "wrong", ())
    right = sample.user("sensors")
    assert (wrong.verdict, right.verdict) == ("Not authorized", "Success")
    wrong.close()
    right.close()


@pytest.mark.parametrize(
    ("topic", "writers"),
    [
        ("zigbee2mqtt/kitchen/th1", {"sensors"}),
        ("zigbee2mqtt/kitchen/th1/availability", {"sensors"}),
        ("zigbee2mqtt/bridge/state", {"sensors"}),
        ("cameras/kitchen/ceiling", {"sensors"}),
        ("spBv1.0/home/NDATA/gateway", {"sensors"}),
        ("spBv1.0/home/NCMD/gateway", {"edge-fusion", "sensors"}),
        ("edge_fusion/box/box-1/status", {"edge-fusion"}),
        ("edge_fusion/box/box-1/barrier", {"edge-fusion"}),
        ("edge_fusion/kitchen/alert/smoke", {"edge-fusion"}),
        ("edge_fusion/kitchen/event", {"edge-fusion"}),
        ("edge_fusion/kitchen/window", {"edge-fusion"}),
        ("edge_fusion/kitchen/snapshot/smoke", {"edge-fusion"}),
        ("edge_fusion/kitchen/late", {"edge-fusion"}),
        ("edge_fusion/kitchen/silenced", {"edge-fusion"}),
        ("edge_fusion/kitchen/silence", {"edge-fusion", "homeassistant"}),
        ("homeassistant/device/edge_fusion_kitchen/config", {"edge-fusion"}),
        ("homeassistant/switch/door/config", set[str]()),
        ("homeassistant/status", {"homeassistant"}),
        ("elsewhere", set[str]()),
    ],
)
def test_each_topic_is_written_by_those_whose_it_is(
    users: dict[str, User], topic: str, writers: set[str]
) -> None:
    codes = {name: users[name].publish(topic) for name in USERS}
    assert codes == {name: ALLOWED if name in writers else DENIED for name in USERS}


@pytest.mark.parametrize(
    ("topic", "readers"),
    [
        ("zigbee2mqtt/kitchen/th1", {"edge-fusion"}),
        ("cameras/kitchen/ceiling", {"edge-fusion"}),
        ("spBv1.0/home/NDATA/gateway", {"edge-fusion"}),
        ("spBv1.0/home/NCMD/gateway", {"edge-fusion", "sensors"}),
        ("edge_fusion/box/box-1/barrier", {"edge-fusion", "homeassistant"}),
        ("edge_fusion/kitchen/event", {"homeassistant"}),
        ("edge_fusion/kitchen/silence", {"edge-fusion", "homeassistant"}),
        ("edge_fusion/kitchen/silenced", {"homeassistant"}),
        ("edge_fusion/kitchen/snapshot/smoke", {"homeassistant"}),
        ("homeassistant/device/edge_fusion_kitchen/config", {"homeassistant"}),
        ("homeassistant/status", {"edge-fusion", "homeassistant"}),
        ("elsewhere", set[str]()),
    ],
)
def test_each_topic_is_read_by_those_who_need_it(
    users: dict[str, User], topic: str, readers: set[str]
) -> None:
    """All may subscribe to everything: mosquitto just delivers less. What comes last is for all."""
    users["tester"].publish(topic)
    last = {"zigbee2mqtt/end", "spBv1.0/a/NCMD/end", "homeassistant/end"}
    for one in last:
        users["tester"].publish(one)
    eventually(lambda: all(last & set(users[name].topics) for name in USERS), "the last message")
    got = {name for name in USERS if topic in users[name].topics}
    assert got == readers


def test_the_daemon_can_do_all_that_it_needs_and_the_others_cannot_play_it(
    sample: Sample, users: dict[str, User], tmp_path: Path
) -> None:
    secret = tmp_path / "mqtt.password"
    secret.write_text("edge-fusion"[::-1])
    mqtt = f'username = "edge-fusion"\npassword_file = "{secret}"'
    daemon = Running(tmp_path, sample.port, configuration=DAEMON, mqtt=mqtt)
    try:
        eventually(daemon.ready, "readiness")
        home = users["homeassistant"]

        def fire() -> bool:
            assert users["sensors"].publish("zigbee2mqtt/kitchen/th1", b'{"temperature": 39}') == 0
            return "edge_fusion/kitchen/event" in home.topics

        eventually(fire, "an alert")
        assert users["sensors"].publish("edge_fusion/kitchen/event") == DENIED
        assert home.publish("zigbee2mqtt/kitchen/th1", b'{"temperature": 39}') == DENIED
        assert home.publish("edge_fusion/kitchen/silence", b'{"for": "1h"}') == ALLOWED
        eventually(lambda: "edge_fusion/kitchen/silenced" in home.topics, "an answer")
        assert "homeassistant/device/edge_fusion_kitchen/config" in home.topics
        assert "edge_fusion/box/box-1/status" in home.topics
        assert daemon.metric("dropped_total", reason="refused_by_broker") == 0
        check = [sys.executable, "-m", "edge_fusion", "check", "-c", str(daemon.path)]
        assert subprocess.run(check, check=False, capture_output=True).returncode == 0
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        daemon.process.wait()


def test_a_daemon_that_is_away_misses_nothing_that_was_sent(
    sample: Sample, users: dict[str, User], tmp_path: Path
) -> None:
    secret = tmp_path / "mqtt.password"
    secret.write_text("edge-fusion"[::-1])
    mqtt = f'username = "edge-fusion"\npassword_file = "{secret}"'
    daemon = Running(tmp_path, sample.port, configuration=DAEMON, mqtt=mqtt)
    try:
        eventually(daemon.ready, "readiness")
        daemon.process.kill()
        daemon.process.wait()
        sensor = users["sensors"]
        for number in range(MORE_THAN_BY_DEFAULT):
            payload = b'{"temperature": %.2f}' % (20 + number / 100)
            sensor.send("zigbee2mqtt/kitchen/th1", payload)
        eventually(lambda: sensor.acknowledged == MORE_THAN_BY_DEFAULT, "the broker's word")
        daemon.start()
        eventually(
            lambda: daemon.metric("readings_total") == MORE_THAN_BY_DEFAULT, "all that was sent"
        )
    finally:
        daemon.process.kill()
        daemon.process.wait()


def test_what_is_retained_outlives_a_power_cut_within_seconds(
    sample: Sample, users: dict[str, User]
) -> None:
    """By default mosquitto writes its memory down every half hour."""
    users["edge-fusion"].publish("edge_fusion/kitchen/alert/smoke", b"firing", retain=True)
    kept = sample.folder / "mosquitto.db"
    eventually(lambda: kept.exists() and b"alert/smoke" in kept.read_bytes(), "a write to disk")
