"""What devices of each format send, and the section that comes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from traffic import Loaded, heard

from edge_fusion.codecs.decoder import SensorSource
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.recognition.generalise import Section, generalise
from edge_fusion.recognition.recognise import recognise
from edge_fusion.recognition.sections import write_sections


class Case(NamedTuple):
    """Messages, and of their section the format, the pattern and what was heard."""

    format: str
    published: list[tuple[str, Any]]
    pattern: str
    summary: str


def rpc(device: str) -> tuple[str, Any]:
    params = {
        "ts": 1680962879.62,
        "humidity:0": {"id": 0, "rh": 42.2},
        "temperature:0": {"id": 0, "tC": 19.8, "tF": 67.6},
        "sys": {"time": None, "unixtime": None, "uptime": 3},
    }
    frame = {"src": device, "dst": f"{device}/events", "method": "NotifyFullStatus"}
    return f"{device}/events/rpc", {**frame, "params": params}


SENML = [
    {"bn": "urn:dev:ow:10e2073a:", "bt": 1320067464, "n": "humidity", "u": "%RH", "v": 21.2},
    {"n": "temperature", "u": "Cel", "v": 23.1, "t": 10},
]
CHIRPSTACK = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {"deviceName": "Test device", "devEui": "0101010101010101"},
    "fPort": 1,
    "data": "qg==",
    "object": {"temperature": 21.5, "humidity": 40.0},
}
TTN = {
    "end_device_ids": {"device_id": "dev1", "dev_eui": "0004A30B001C0530"},
    "received_at": "2026-02-12T15:15:46.012345678Z",
    "uplink_message": {
        "f_port": 1,
        "decoded_payload": {"temperature": 1.0, "humidity": 64},
        "received_at": "2026-02-12T15:15:45.801Z",
    },
}
RUUVI = {
    "gw_mac": "AA:CC:EE:00:11:22",
    "rssi": -70,
    "ts": 1612358929,
    "data": "0201061BFF99040517037758C5C703FCFF30FFF89416B7958AE375CF374E23",
}
EDGEX = {
    "apiVersion": "v3",
    "payload": {
        "event": {
            "deviceName": "cellar",
            "profileName": "climate",
            "sourceName": "Temperature",
            "origin": 1755009250244477420,
            "readings": [
                {
                    "resourceName": "Temperature",
                    "origin": 1755009250244470000,
                    "valueType": "Float32",
                    "value": "2.150000e+01",
                }
            ],
        }
    },
    "contentType": "application/json",
}
NBIRTH = bytes.fromhex(
    "08eaf2f5a8a02b12120a05626453657118eaf2f5a8a02b2004580012210a144e6f646520436f6e74726f6c2f"
    "5265626972746818eaf2f5a8a02b200b700012250a13436c696d6174652f54656d7065726174757265100118"
    "eaf2f5a8a02b2009650000ac411800"
)
NDATA = bytes.fromhex("088af9f5a8a02b120e100118f4f8f5a8a02b659a99ad411801")

CASES = [
    Case(
        "zigbee2mqtt",
        [
            ("zigbee2mqtt/th1", {"temperature": 27.34, "humidity": 44.72, "linkquality": 120}),
            ("zigbee2mqtt/door", {"contact": True}),
            ("zigbee2mqtt/th1/availability", {"state": "online"}),
            ("zigbee2mqtt/bridge/state", {"state": "online"}),
        ],
        "zigbee2mqtt/{device}",
        "1 message of 1 device, temperature 27.3 °C, humidity 44.7 %",
    ),
    Case(
        "zigbee2mqtt",
        [("zigbee2mqtt/cellar/th1", {"temperature": 27.34, "humidity": None})],
        "zigbee2mqtt/{site}/{device}",
        "1 message of 1 device, temperature 27.3 °C",
    ),
    Case(
        "zigbee2mqtt",
        [("zigbee2mqtt/th1/temperature", "27.34")],
        "zigbee2mqtt/{device}/temperature",
        "1 message of 1 device, temperature 27.3 °C",
    ),
    Case(
        "tasmota",
        [
            (
                "tele/cellar/SENSOR",
                {
                    "Time": "2026-11-23T18:06:22",
                    "BME280": {"Temperature": 71.1, "Humidity": 58.0, "Pressure": 1013.2},
                    "TempUnit": "F",
                },
            ),
            ("tele/cellar/LWT", "Online"),
        ],
        "tele/{device}/SENSOR",
        "1 message of 1 device, temperature 21.7 °C, humidity 58.0 %",
    ),
    Case(
        "esphome",
        [
            ("livingroom/sensor/bme280_temperature/state", "21.34"),
            ("livingroom/sensor/bme280_humidity/state", "48"),
            ("livingroom/sensor/uptime/state", "1234"),
            ("livingroom/status", "online"),
        ],
        "{device}/sensor/+/state",
        "2 messages of 1 device, temperature 21.3 °C, humidity 48.0 %",
    ),
    Case(
        "shelly",
        [rpc("shellyplusht-b8d61a8b17cc"), ("shellyplusht-b8d61a8b17cc/online", "true")],
        "{device}/events/rpc",
        "1 message of 1 device, temperature 19.8 °C, humidity 42.2 %",
    ),
    Case(
        "shelly",
        [("shellyplusht-b8d61a8b17cc/status/temperature:0", {"id": 0, "tC": 19.8, "tF": 67.6})],
        "{device}/status/+",
        "1 message of 1 device, temperature 19.8 °C",
    ),
    Case(
        "shelly",
        [
            ("shellies/shellyht-6F3A2B/sensor/temperature", "22.6"),
            ("shellies/shellyht-6F3A2B/sensor/battery", "97"),
        ],
        "shellies/{device}/sensor/+",
        "1 message of 1 device, temperature 22.6 °C",
    ),
    Case(
        "senml",
        [("site/pack", SENML)],
        "site/pack",
        "1 message of 1 device, temperature 23.1 °C, humidity 21.2 %",
    ),
    Case(
        "ttn",
        [("v3/app1@ttn/devices/dev1/up", TTN)],
        "v3/+/devices/{device}/up",
        "1 message of 1 device, temperature 1.0 °C, humidity 64.0 %",
    ),
    Case(
        "chirpstack",
        [("application/17c82e96-be03/device/0101010101010101/event/up", CHIRPSTACK)],
        "application/+/device/+/event/up",
        "1 message of 1 device, temperature 21.5 °C, humidity 40.0 %",
    ),
    Case(
        "theengs",
        [
            (
                "home/TheengsGateway/BTtoMQTT/F35285AABBCC",
                {"id": "F3:52:85:AA:BB:CC", "tempc": 24.1, "tempf": 75.38, "hum": 104.7},
            ),
            ("home/OpenMQTTGateway/BTtoMQTT/4C33A6603C79", {"hum": "52.6", "tempc": "19.2"}),
        ],
        "home/+/BTtoMQTT/{device}",
        "2 messages of 2 devices, temperature 19.2 °C, humidity 52.6 %",
    ),
    Case(
        "ruuvi",
        [("ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23", RUUVI)],
        "ruuvi/+/+",
        "1 message of 1 device, temperature 29.5 °C, humidity 76.4 %",
    ),
    Case(
        "sparkplug",
        [("spBv1.0/Plant/NBIRTH/box1", NBIRTH), ("spBv1.0/Plant/NDATA/box1", NDATA)],
        "spBv1.0/{site}/#",
        "2 messages of 1 device, temperature 21.7 °C",
    ),
    Case(
        "sparkplug",
        [("spBv1.0/Plant/NDATA/box1", NDATA)],
        "spBv1.0/{site}/#",
        "1 message, no reading among them yet",
    ),
    Case(
        "homeassistant",
        [
            ("homeassistant/sensor/kitchen_temperature/state", "70.7"),
            ("homeassistant/sensor/kitchen_temperature/unit_of_measurement", '"°F"'),
            ("homeassistant/sensor/kitchen_humidity/state", "48"),
            ("homeassistant/sensor/kitchen_humidity/unit_of_measurement", '"%"'),
            ("homeassistant/sensor/uptime/state", "1234"),
            ("homeassistant/status", "online"),
        ],
        "homeassistant/sensor/#",
        "2 messages of 1 device, temperature 21.5 °C, humidity 48.0 %",
    ),
    Case(
        "edgex",
        [("edgex/events/device/device-mqtt/climate/cellar/Temperature", EDGEX)],
        "edgex/events/device/#",
        "1 message of 1 device, temperature 21.5 °C",
    ),
    Case(
        "homie",
        [
            ("homie/5/cellar/climate/temperature", "21.5"),
            ("homie/5/cellar/$state", "ready"),
        ],
        "homie/#",
        "1 message of 1 device, temperature 21.5 °C",
    ),
]


def sections(case: Case) -> tuple[list[Section], str]:
    listened = heard(*case.published)
    found = generalise(recognise(listened))
    return found, write_sections(found, listened)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.pattern)
def test_devices_are_known_by_what_they_send(case: Case, loaded: Loaded) -> None:
    (section,), text = sections(case)
    assert loaded(text) == [section.source]
    assert isinstance(section.source, SensorSource)
    assert (section.source.format, section.source.pattern.text) == (case.format, case.pattern)
    assert text.splitlines()[0] == f"# {case.summary}"
    assert "too, where nothing" not in text


def test_every_format_is_known() -> None:
    assert {case.format for case in CASES} == SENSOR_FORMATS.keys() - {"json", "plain"}


def test_what_better_topics_say_too_needs_no_section() -> None:
    status = ("shelly1/status/temperature:0", {"id": 0, "tC": 19.8, "tF": 67.6})
    found, text = sections(Case("shelly", [rpc("shelly1"), status], "", ""))
    assert [one.says_nothing_new for one in found] == [False, True]
    assert text.count("[[sensors]]") == 1
    assert text.endswith(
        "\n# 1 message of 1 device, temperature 19.8 °C: on {device}/status/+, said above already\n"
    )


def test_payloads_that_no_other_format_has_are_known_on_any_topic() -> None:
    for name, payload in (("senml", SENML), ("ttn", TTN), ("chirpstack", CHIRPSTACK)):
        (section,), _ = sections(Case(name, [("my/bridge/out", payload)], "", ""))
        assert isinstance(section.source, SensorSource)
        assert (section.source.format, section.source.device) == (name, None)
