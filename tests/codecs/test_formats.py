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
from edge_fusion.codecs.topics import TopicPattern
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
    "senml": Language(
        ["a/senml"],
        [
            {"bver": 10, "bn": "urn:dev:ow:1:", "bt": 1795428000, "bu": "Cel", "bv": 20, "v": 1.4},
            {"n": "humidity", "u": "/", "v": 0.4, "t": -5, "s": 1, "ut": 60},
            {"bt": 0, "n": "temp", "u": "K", "v": 294.65, "t": -5, "x_": 1},
            {"n": "label", "vs": "Machine Room", "vb": True, "vd": "aGkgCg"},
        ],
    ),
    "ttn": Language(
        ["v3/a@ttn/devices/b/up", "v3/a@ttn/devices/b/join"],
        {
            "end_device_ids": {"device_id": "b"},
            "received_at": "2026-02-12T15:15:46.012345678Z",
            "uplink_message": {
                "session_key_id": "AXBSH1Pk6Z0G166",
                "f_cnt": 1,
                "frm_payload": "gkHe",
                "decoded_payload": {
                    "TempC_SHT": 21.4,
                    "air": {"humidity": {"value": 48, "unit": "%"}},
                    "temperature_1": "21.4",
                    "temperature_2": 22,
                    "1": [{"RH": 48}],
                },
                "normalized_payload": [{"air": {"temperature": 21.4, "relativeHumidity": 48}}],
                "received_at": "2026-02-12T15:15:45.801Z",
            },
        },
    ),
    "chirpstack": Language(
        ["application/a/device/b/event/up", "application/a/device/b/event/status", "a"],
        {
            "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
            "time": "2022-07-18T09:34:15.775023242+00:00",
            "deviceInfo": {"deviceName": "b", "devEui": "0101010101010101"},
            "deviceName": "b",
            "data": "qg==",
            "object": {"temperatureSensor": {"1": 21.5, "2": 22}, "humidity": 48},
            "objectJSON": '{"temperature":21.5}',
            "rxInfo": [{"time": None, "gwTime": "2022-07-18T09:34:15Z"}],
        },
    ),
    "theengs": Language(
        ["home/a/BTtoMQTT/A4C1380A0B0C", "home/a/SYStoMQTT", "home/a/RTL_433toMQTT/b/1/182"],
        {
            "id": "A4:C1:38:0A:0B:0C",
            "mac": "A4:C1:38:0A:0B:0C",
            "type": "THB",
            "model": "b",
            "channel": 1,
            "tempc": "21.4",
            "tempf": 70.5,
            "hum": 104.7,
            "temperature_C": 21.4,
        },
    ),
    "ruuvi": Language(
        ["ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23", "ruuvi/AA:CC:EE:00:11:22/gw_status"],
        {
            "ts": "1653668027",
            "data": "0201061BFF99040512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
            "temperature": 29.455,
            "humidity": 76.38,
            "measurementSequenceNumber": 205,
            "id": "E3:75:CF:37:4E:23",
        },
    ),
    "homie": Language(
        [
            *(f"h/a/n/temperature{level}" for level in ("", "/$unit", "/$datatype", "/set")),
            *(f"h/5/a{level}" for level in ("/n/temperature", "/$description", "/$state")),
            *("h/a/n/$properties", "h/a/$state", "h/$broadcast/alert", "$state", "h"),
        ],
        {
            "nodes": {
                "n": {
                    "properties": {
                        "temperature": {"unit": "°F", "datatype": "float", "settable": False},
                        "x": {"name": "Humidity"},
                    }
                }
            },
            "root": "a",
        },
    ),
    "homeassistant": Language(
        [
            *(f"h/sensor/a_temperature/{each}" for each in ("state", "unit_of_measurement")),
            *("h/sensor/b/device_class", "h/sensor/b/state", "h/device/c/config", "sensor/b/state"),
        ],
        "temperature",
    ),
    "edgex": Language(
        ["edgex/events/device/s/p/a%20b/Temperature", "x"],
        {
            "payload": {
                "event": {
                    "deviceName": "a",
                    "sourceName": "Temperature",
                    "origin": 1755009250244477420,
                    "readings": [
                        {
                            "resourceName": "InsideTemperature",
                            "origin": 1755009250244470000,
                            "valueType": "Float32",
                            "value": "2.150000e+01",
                            "units": "F",
                        }
                    ],
                }
            }
        },
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
    assert {"senml", "ttn", "chirpstack", "theengs", "ruuvi"} <= set(SENSOR_FORMATS)
    assert set(LANGUAGES) | {"json", "plain", "sparkplug"} <= set(SENSOR_FORMATS)


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
            assert isinstance(finding.identity, str | None)
            assert 0 <= finding.age <= NOW
        case Gone(device=device):
            assert isinstance(device, str | None)
        case Invalid(detail=detail):
            assert len(detail) <= 120
            assert detail.isprintable()


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(topic=st.text() | st.lists(st.sampled_from(["a", "+", "{device}", "#"])).map("/".join))
def test_an_availability_topic_is_another_topic_or_none(name: str, topic: str) -> None:
    assert SENSOR_FORMATS[name].availability(topic) != topic


@pytest.mark.parametrize("name", SENSOR_FORMATS)
def test_usual_topics_are_patterns_of_sensors(name: str) -> None:
    for text in SENSOR_FORMATS[name].usual_topics:
        assert set(TopicPattern.parse(text).names) <= {"site", "device"}
