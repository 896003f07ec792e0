from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.events import ArrivalTime, Invalid, Message

NOW = ArrivalTime(1.8e9)
ALL_KEYS = (
    SensorKeys(),
    SensorKeys({"temperature": "temperature", "humidity": "a.0"}, zone=ZoneInfo("Europe/Berlin")),
    SensorKeys(time="time", quantity="temperature"),
)


class Language(NamedTuple):
    """Topics of a format, and a document of which its payloads are variations."""

    topics: Sequence[str]
    document: Any


ANY = Language(
    ["a/temperature"], {"temperature": 21.4, "time": "2026-11-23T17:06:22Z", "a": [52.1]}
)
LANGUAGES = {
    "zigbee2mqtt": Language(
        ["z/a", "z/a/b", "z/a/temperature", "z/a/availability", "z/bridge/state", "z/a/set", "z"],
        {"temperature": 21.4, "humidity": 52.1, "last_seen": 1795453582000, "state": "offline"},
    ),
    "tasmota": Language(
        ["tele/a/SENSOR", "stat/a/STATUS8", "tele/a/LWT", "SENSOR"],
        {
            "StatusSNS": {"Time": "2026-10-25T02:30:00", "DHT11": {"Temperature": 21.4}},
            "Time": "2026-10-25T02:30:00",
            "Epoch": 1795453582,
            "DS18B20-1": {"Temperature": 21.4, "Humidity": None},
            "ANALOG": {"Temperature1": 21.4},
            "ZbReceived": {"0x329F": {"Humidity": 69.45}},
            "TempUnit": "F",
        },
    ),
    "shelly": Language(
        [
            "a/events/rpc",
            "a/status/temperature:0",
            "a/online",
            "s/a/sensor/temperature",
            "events/rpc",
        ],
        {
            "src": "a",
            "params": {
                "ts": 1763892000.15,
                "temperature:0": {"tC": 21.5, "tF": 70.7},
                "humidity:100": {"rh": 48.9},
            },
            "tF": 70.7,
            "rh": 48.9,
        },
    ),
    "esphome": Language(
        ["a/sensor/x_temperature/state", "a/sensor/uptime/state", "a/status", "sensor/x/state"],
        21.4,
    ),
}

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["21.4", "70.7 F", "nan", "offline", "soon"]),
)
SHAPES = st.recursive(
    ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


def variations(document: Any) -> st.SearchStrategy[Any]:
    """The document with members left out and, here and there, anything in place of others."""
    if isinstance(document, dict):
        members = {key: mostly(variations(value)) for key, value in document.items()}
        return st.fixed_dictionaries({}, optional=members)
    if isinstance(document, list):
        return st.tuples(*(mostly(variations(value)) for value in document)).map(list)
    return st.just(document)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, SHAPES)


def messages(language: Language) -> st.SearchStrategy[Message]:
    documents = mostly(variations(language.document)).map(json.dumps)
    payloads = st.one_of(documents, documents, ATOMS.map(str)).map(
        lambda text: text.encode("utf-8", "replace")
    )
    topics = st.sampled_from(language.topics)
    return st.builds(Message, topics, payloads, st.just(NOW)) | st.builds(
        Message, topics | st.text(), payloads | st.binary(), st.just(NOW)
    )


def test_the_table_names_what_a_configuration_may_ask_for() -> None:
    assert {"json", "plain", "zigbee2mqtt", "tasmota", "shelly", "esphome"} <= set(SENSOR_FORMATS)


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(data=st.data())
def test_no_dialect_raises_for_any_payload(name: str, data: st.DataObject) -> None:
    decode = SENSOR_FORMATS[name].make()
    for message in data.draw(st.lists(messages(LANGUAGES.get(name, ANY)), max_size=3)):
        for keys in ALL_KEYS:
            for finding in decode(message, keys):
                check(finding)


def check(finding: Finding) -> None:
    match finding:
        case Sample():
            assert math.isfinite(finding.value)
            assert finding.time is None or math.isfinite(finding.time)
            assert isinstance(finding.device, str | None)
            assert isinstance(finding.part, str | None)
        case Gone(device=device):
            assert isinstance(device, str | None)
        case Invalid(detail=detail):
            assert len(detail) <= 120
            assert detail.isprintable()


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(topic=st.text() | st.lists(st.sampled_from(["a", "+", "{device}", "#"])).map("/".join))
def test_an_availability_topic_is_another_topic_or_none(name: str, topic: str) -> None:
    assert SENSOR_FORMATS[name].availability(topic) != topic
