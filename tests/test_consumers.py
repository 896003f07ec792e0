"""What consumers get, as mosquitto_sub prints it: the daemon, a real broker, both protocols."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from conftest import Broker, eventually
from discovery_schema import DISCOVERY_SCHEMA
from listening import MosquittoSub
from running import CONFIGURATION, Running
from test_daemon import COLD, HOT, jpeg

from edge_fusion.codecs.alert import alert_schema, window_schema

LIVELY = CONFIGURATION.replace("[windows]", '[windows]\nsize = "1s"')
EVENT, ALERT = "edge_fusion/kitchen/event", "edge_fusion/kitchen/alert/hot"
SNAPSHOT, WINDOW = "edge_fusion/kitchen/snapshot/hot", "edge_fusion/kitchen/window"
STATUS = "edge_fusion/box/box-1/status"
DISCOVERY = "homeassistant/device/edge_fusion_kitchen/config"
EVERYTHING = ("edge_fusion/#", "homeassistant/device/#")

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, broker: Broker) -> Iterator[Start]:
    running: list[Running] = []

    def run(more: str = "", **options: Any) -> Running:
        running.append(Running(tmp_path, broker.port, configuration=LIVELY + more, **options))
        eventually(running[-1].ready, "readiness")
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def live(broker: Broker, payload: bytes, until: Callable[[], object]) -> None:
    """A sensor and a camera in the kitchen, until something has come of it."""
    devices = broker.collect()

    def step() -> object:
        devices.publish("home/kitchen/probe", payload)
        devices.publish("cams/kitchen/ceiling", jpeg(), qos=0)
        time.sleep(0.1)
        return until()

    eventually(step, "what was to come of it")


def fire_and_resolve(broker: Broker, listener: MosquittoSub) -> None:
    live(broker, HOT, lambda: listener.on(EVENT))
    live(broker, COLD, lambda: len(listener.on(EVENT)) == 2)


def read(message: dict[str, Any]) -> Any:
    return json.loads(message["payload"])


def test_under_mqtt_5_each_payload_says_what_it_is(broker: Broker, start: Start) -> None:
    with MosquittoSub(broker, *EVERYTHING) as listener:
        start(mqtt='protocol = "5"')
        fire_and_resolve(broker, listener)
    kinds = {
        topic: {message["properties"].get("content-type") for message in listener.on(topic)}
        for topic in (EVENT, ALERT, WINDOW, DISCOVERY, SNAPSHOT, STATUS)
    }
    as_json = {"application/json"}
    assert kinds == {
        **dict.fromkeys((EVENT, ALERT, WINDOW, DISCOVERY), as_json),
        SNAPSHOT: {"image/jpeg"},
        STATUS: {"text/plain"},
    }
    expiries = {m["properties"]["message-expiry-interval"] for m in listener.on(SNAPSHOT)}
    assert expiries == {86_400}
    fired, resolved = listener.on(EVENT)
    event = read(fired)
    assert fired["properties"]["message-expiry-interval"] == 3600
    assert fired["properties"]["user-properties"] == {
        "specversion": "1.0",
        "id": f"{event['id']}-1",
        "source": "/edge_fusion/box-1/kitchen",
        "type": "io.edge_fusion.alert.firing",
        "time": event["updated_at"],
        "subject": "hot",
    }
    assert resolved["properties"]["user-properties"]["type"] == "io.edge_fusion.alert.resolved"
    about = listener.on(SNAPSHOT)[0]["properties"]["user-properties"]
    assert about["id"] == f"{event['id']}-1-snapshot"
    assert listener.on(WINDOW)[0]["properties"]["user-properties"]["specversion"] == "1.0"


def test_under_mqtt_3_1_1_the_same_json_comes_without(broker: Broker, start: Start) -> None:
    with (
        MosquittoSub(broker, *EVERYTHING) as listener,
        MosquittoSub(broker, *EVERYTHING, protocol="mqttv311") as old,
    ):
        start(mqtt='protocol = "3.1.1"')
        fire_and_resolve(broker, listener)
        eventually(lambda: len(old.on(EVENT)) == 2)
    ours = [message for message in listener.messages if "ready" not in message["topic"]]
    assert [message for message in ours if message["properties"]] == []
    assert old.on(EVENT)[0]["payload"] == listener.on(EVENT)[0]["payload"]
    for message in (*listener.on(EVENT), *listener.on(ALERT)):
        jsonschema.validate(read(message), alert_schema())
    for message in listener.on(WINDOW):
        jsonschema.validate(read(message), window_schema())
    told = read(listener.on(DISCOVERY)[0])
    jsonschema.validate(told, DISCOVERY_SCHEMA)
    assert {key for key in told["cmps"] if key.endswith(("_hot", "_device"))} == {
        "alert_hot", "score_hot", "snapshot_hot", "alert_device",
    }  # fmt: skip


def test_who_acts_on_an_event_finds_the_picture_that_it_names(broker: Broker, start: Start) -> None:
    with MosquittoSub(broker, "edge_fusion/kitchen/#") as listener:
        start()
        live(broker, HOT, lambda: listener.on(EVENT))
    event = listener.on(EVENT)[0]
    at = listener.messages.index(event)
    before = [message["topic"] for message in listener.messages[at - 2 : at]]
    assert before == [SNAPSHOT, ALERT]
    assert read(event)["snapshot"] == SNAPSHOT
    with MosquittoSub(broker, read(event)["snapshot"]) as later:
        eventually(lambda: later.on(SNAPSHOT))
    [found] = later.on(SNAPSHOT)
    assert found["retain"] == 1
    assert len(found["payload"]) <= 200_000
    picture = cv2.imdecode(np.frombuffer(found["payload"], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1] == 640
    assert picture.shape[0] > 480


def test_a_picture_that_is_not_to_be_kept_is_gone_once_the_alert_is_over(
    broker: Broker, start: Start
) -> None:
    with MosquittoSub(broker, "edge_fusion/kitchen/#") as listener:
        start("[snapshots]\nkeep = false\n")
        fire_and_resolve(broker, listener)
        eventually(lambda: listener.on(SNAPSHOT)[-1]["payload"] == b"", "the clearing")
    assert read(listener.on(EVENT)[0])["snapshot"] == SNAPSHOT
    assert read(listener.on(EVENT)[1])["snapshot"] is None
    with MosquittoSub(broker, "edge_fusion/kitchen/#") as later:
        eventually(lambda: later.on(ALERT))
    assert read(later.on(ALERT)[0])["state"] == "resolved"
    assert later.on(SNAPSHOT) == []


def test_home_assistant_is_told_again_when_either_of_the_two_has_started(
    broker: Broker, start: Start
) -> None:
    with MosquittoSub(broker, "homeassistant/device/#", WINDOW) as listener:
        daemon = start()
        live(broker, COLD, lambda: listener.on(DISCOVERY) and listener.on(WINDOW))
        for word in (b"offline", b"online"):
            broker.publish("homeassistant/status", word, qos=0)
        eventually(lambda: len(listener.on(DISCOVERY)) == 2, "the second discovery")
        assert daemon.metric("invalid_total") == 0
        assert daemon.stop() == 0
        daemon.start()
        eventually(lambda: len(listener.on(DISCOVERY)) == 3, "the third discovery")
    assert len({message["payload"] for message in listener.on(DISCOVERY)}) == 1
    jsonschema.validate(read(listener.on(DISCOVERY)[0]), DISCOVERY_SCHEMA)
