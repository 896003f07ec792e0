"""Three lines of configuration, and what a device then publishes becomes readings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge_fusion import assembly
from edge_fusion.codecs.decoder import Decoded
from edge_fusion.config import Settings
from edge_fusion.events import (
    ArrivalTime,
    EventTime,
    Invalid,
    Message,
    Offline,
    Reading,
    Suspect,
    TimeSource,
)

Read = Callable[..., Settings]

NOW = ArrivalTime(1795453590.0)

RPC = (
    '{"src":"shellyplusht-b8d61a8b17cc","method":"NotifyFullStatus","params":{"ts":1795453582.5,'
    '"humidity:0":{"id":0,"rh":42.2},"temperature:0":{"id":0,"tC":19.8,"tF":67.6}}}'
)
BME280 = (
    '{"Time":"2026-11-23T18:06:22","BME280":{"Temperature":70.0,"Humidity":58.0},"TempUnit":"F"}'
)
STATE = '{"humidity":44.72,"temperature":27.34,"last_seen":"2026-11-23T17:06:22.500Z"}'
DEVICES = {
    "zigbee2mqtt": (
        'topic = "zigbee2mqtt/{site}/{device}"\nformat = "zigbee2mqtt"',
        {"zigbee2mqtt/cellar/th1": STATE},
        ["cellar/th1 temperature 27.34", "cellar/th1 humidity 44.72"],
    ),
    "zigbee2mqtt, whatever the devices are called": (
        'topic = "zigbee2mqtt/#"\nformat = "zigbee2mqtt"',
        {
            "zigbee2mqtt/bridge/state": '{"state":"online"}',
            "zigbee2mqtt/Käse/keller 1": STATE,
            "zigbee2mqtt/lamp": '{"state":"ON"}',
            "zigbee2mqtt/lamp/set": '{"state":"ON"}',
            "zigbee2mqtt/Käse/keller 1/availability": '{"state":"offline"}',
        },
        [
            "default/K_se.keller_1 temperature 27.34",
            "default/K_se.keller_1 humidity 44.72",
            "default/K_se.keller_1 gone",
        ],
    ),
    "tasmota": (
        'topic = "tele/{device}/SENSOR"\nformat = "tasmota"\ntimezone = "Europe/Berlin"',
        {"tele/cellar/SENSOR": BME280},
        ["default/cellar temperature 21.11", "default/cellar humidity 58.0"],
    ),
    "tasmota, all of it": (
        'topic = "tele/#"\nformat = "tasmota"\ntimezone = "Europe/Berlin"',
        {
            "tele/cellar/LWT": "Online",
            "tele/cellar/STATE": '{"Time":"2026-11-23T18:06:22","Uptime":"0T01:00:00"}',
            "tele/cellar/SENSOR": BME280,
        },
        ["default/cellar temperature 21.11", "default/cellar humidity 58.0"],
    ),
    "shelly": (
        'topic = "{device}/events/rpc"\nformat = "shelly"\nsite = "cellar"',
        {"ht/events/rpc": RPC},
        ["cellar/ht humidity 42.2", "cellar/ht temperature 19.8"],
    ),
    "shelly, named by itself": (
        'topic = "+/events/rpc"\nformat = "shelly"',
        {"shellyplusht-b8d61a8b17cc/events/rpc": RPC},
        [
            "default/shellyplusht-b8d61a8b17cc humidity 42.2",
            "default/shellyplusht-b8d61a8b17cc temperature 19.8",
        ],
    ),
    "shelly of the first generation": (
        'topic = "shellies/{device}/sensor/+"\nformat = "shelly"',
        {
            "shellies/shellyht-6F3A2B/sensor/temperature": "22.6",
            "shellies/shellyht-6F3A2B/sensor/battery": "97",
        },
        ["default/shellyht-6F3A2B temperature 22.6"],
    ),
    "esphome": (
        'topic = "{device}/sensor/+/state"\nformat = "esphome"\nsite = "home"',
        {
            "livingroom/sensor/bme280_temperature/state": "21.34",
            "livingroom/sensor/bme280_humidity/state": "nan",
            "livingroom/sensor/wifi_signal/state": "-61",
        },
        ["home/livingroom.bme280 temperature 21.34"],
    ),
}


def shown(decoded: Decoded) -> str:
    match decoded:
        case Reading(site=site, device=device, quantity=quantity, value=value):
            return f"{site}/{device} {quantity} {round(value, 2)}"
        case Offline(site=site, device=device):
            return f"{site}/{device} gone"
        case _:
            return repr(decoded)


def decode(read: Read, lines: str, messages: dict[str, str]) -> list[Decoded]:
    decoder = assembly.decoder(read(f"[[sensors]]\n{lines}"))
    return [
        decoded
        for topic, payload in messages.items()
        for decoded in decoder.decode(Message(topic, payload.encode(), NOW))
    ]


@pytest.mark.parametrize("name", DEVICES)
def test_three_lines_are_enough(read: Read, name: str) -> None:
    lines, messages, expected = DEVICES[name]
    assert len(lines.splitlines()) <= 3
    assert [shown(decoded) for decoded in decode(read, lines, messages)] == expected


@pytest.mark.parametrize("name", ["zigbee2mqtt", "tasmota", "shelly"])
def test_a_device_that_knows_the_time_dates_its_readings(read: Read, name: str) -> None:
    lines, messages, _ = DEVICES[name]
    for decoded in decode(read, lines, messages):
        assert isinstance(decoded, Reading)
        assert decoded.time_source is TimeSource.DEVICE
        assert decoded.time == pytest.approx(1795453582.25, abs=0.3)


def test_tasmota_without_a_zone_counts_as_it_arrives_and_that_is_said(read: Read) -> None:
    found = decode(
        read, 'topic = "tele/{device}/SENSOR"\nformat = "tasmota"', {"tele/cellar/SENSOR": BME280}
    )
    readings = [decoded for decoded in found if isinstance(decoded, Reading)]
    suspects = [decoded.reading for decoded in found if isinstance(decoded, Suspect)]
    assert readings == suspects
    assert [reading.time for reading in readings] == [EventTime(NOW)] * 2


def test_an_esphome_sensor_of_any_name_measures_what_the_configuration_says(read: Read) -> None:
    lines = 'topic = "{device}/sensor/probe/state"\nformat = "esphome"\nquantity = "temperature"'
    [reading] = decode(read, lines, {"freezer/sensor/probe/state": "-18.5"})
    assert shown(reading) == "default/freezer.probe temperature -18.5"


def test_the_name_of_an_esphome_node_does_not_say_what_its_sensors_measure(read: Read) -> None:
    lines = 'topic = "house_humidity/sensor/+/state"\nformat = "esphome"'
    [reading] = decode(read, lines, {"house_humidity/sensor/temperature/state": "21.34"})
    assert shown(reading) == "default/house_humidity temperature 21.34"


def test_a_zigbee2mqtt_device_may_have_its_values_elsewhere(read: Read) -> None:
    lines = 'topic = "z/{device}"\nformat = "zigbee2mqtt"\ntemperature = "temperature_l1"'
    [reading] = decode(read, lines, {"z/freezer": '{"temperature":20,"temperature_l1":-18.5}'})
    assert shown(reading) == "default/freezer temperature -18.5"


def test_what_is_wrong_is_said_of_the_device_it_came_from(read: Read) -> None:
    lines, _, _ = DEVICES["tasmota"]
    [found] = decode(read, lines, {"tele/cellar/SENSOR": '{"Time":'})
    assert isinstance(found, Invalid)
    assert (found.site, found.source) == ("default", "cellar")
