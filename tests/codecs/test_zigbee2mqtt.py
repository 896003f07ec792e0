from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.codecs.zigbee2mqtt import decode_zigbee2mqtt, zigbee2mqtt_availability
from edge_fusion.events import ArrivalTime, Doubt, EventTime, Invalid, InvalidReason, Message

TH1 = "zigbee2mqtt/cellar/th1"
LAST_SEEN = EventTime(1795453582.0)
DEFAULTS = SensorKeys()


def decode(topic: str, payload: str, keys: SensorKeys = DEFAULTS) -> list[Finding]:
    return list(decode_zigbee2mqtt(Message(topic, payload.encode(), ArrivalTime(1.8e9)), keys))


def reasons(found: list[Finding]) -> list[InvalidReason]:
    return [finding.reason for finding in found if isinstance(finding, Invalid)]


def test_a_state_is_read_and_dated_by_last_seen_without_being_told_where() -> None:
    time = EventTime(1795453582.123)
    assert decode(
        TH1,
        '{"battery":91,"humidity":44.72,"temperature":27.34,"linkquality":120,'
        '"last_seen":"2026-11-23T17:06:22.123Z"}',
    ) == [
        Sample("temperature", 27.34, time, "cellar/th1"),
        Sample("humidity", 44.72, time, "cellar/th1"),
    ]


def test_without_last_seen_which_is_off_by_default_arrival_counts() -> None:
    [sample] = decode("zigbee2mqtt/th1", '{"battery":97,"temperature":21.63,"voltage":3000}')
    assert sample == Sample("temperature", 21.63, None, "th1")


@pytest.mark.parametrize(
    "last_seen",
    [
        '"2026-11-23T17:06:22.000Z"',
        '"2026-11-23T18:06:22+01:00"',
        "1795453582000",
        '"1795453582000"',
    ],
)
def test_last_seen_is_read_in_every_format_it_can_be_set_to(last_seen: str) -> None:
    [sample] = decode(TH1, f'{{"temperature":21.5,"last_seen":{last_seen}}}')
    assert sample == Sample("temperature", 21.5, LAST_SEEN, "cellar/th1")


def test_a_last_seen_of_null_says_nothing() -> None:
    [sample] = decode(TH1, '{"temperature":21.5,"last_seen":null}')
    assert sample == Sample("temperature", 21.5, None, "cellar/th1")


def test_a_local_last_seen_needs_a_zone() -> None:
    payload = '{"temperature":21.5,"last_seen":"2026-11-23T18:06:22"}'
    berlin = SensorKeys(zone=ZoneInfo("Europe/Berlin"))
    assert decode(TH1, payload, berlin) == [
        Sample("temperature", 21.5, LAST_SEEN, "cellar/th1"),
    ]
    assert decode(TH1, payload) == [
        Sample("temperature", 21.5, None, "cellar/th1", doubt=Doubt.NO_ZONE)
    ]


def test_a_null_value_is_no_reading() -> None:
    assert decode(TH1, '{"temperature":null,"humidity":null}') == []
    assert decode(TH1, '{"temperature":null,"humidity":52.11}') == [
        Sample("humidity", 52.11, None, "cellar/th1")
    ]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/lamp", '{"state":"ON","brightness":254,"color_temp":370}'),
        ("zigbee2mqtt/remote", '{"action":"single","battery":100,"last_seen":"soon"}'),
        ("zigbee2mqtt/plug", '{"power":3.2,"device_temperature":41}'),
        ("zigbee2mqtt/lamp", "{}"),
        ("zigbee2mqtt/removed", ""),
    ],
)
def test_other_devices_give_no_reading_and_are_not_invalid(topic: str, payload: str) -> None:
    assert decode(topic, payload) == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/bridge/state", '{"state":"offline"}'),
        ("zigbee2mqtt/bridge/state", "offline"),
        ("zigbee2mqtt/bridge/devices", '[{"friendly_name":"th1","definition":null}]'),
        ("zigbee2mqtt/bridge/logging", '{"level":"info","message":"MQTT publish"}'),
        ("zigbee2mqtt/bridge/th1", '{"temperature":21.5}'),
        ("zigbee2mqtt/cellar/th1/set", '{"temperature":21.5}'),
        ("zigbee2mqtt/cellar/th1/get", '{"temperature":""}'),
        ("zigbee2mqtt/cellar/th1/set/temperature", "21.5"),
        ("zigbee2mqtt/cellar/th1/availability", "online"),
        ("zigbee2mqtt/cellar/th1/availability", '{"state":"online"}'),
        ("zigbee2mqtt/cellar/th1/availability", "?"),
    ],
)
def test_what_is_not_said_by_a_device_is_no_reading(topic: str, payload: str) -> None:
    assert decode(topic, payload) == []


@pytest.mark.parametrize("payload", ["offline", '{"state":"offline"}'])
def test_a_device_that_is_offline_is_gone_under_its_name(payload: str) -> None:
    assert decode("zigbee2mqtt/a/b/availability", payload) == [Gone("a/b")]


def test_a_device_may_have_any_name() -> None:
    for name in ("availability", "temperature", "bridge", "a/b/c"):
        [sample] = decode(f"zigbee2mqtt/{name}", '{"temperature":21.5}')
        assert sample == Sample("temperature", 21.5, None, name)
    assert decode("th1", '{"temperature":21.5}') == [Sample("temperature", 21.5)]


def test_an_attribute_on_a_topic_of_its_own_is_a_bare_value() -> None:
    assert decode("zigbee2mqtt/cellar/th1/temperature", "21.63") == [
        Sample("temperature", 21.63, None, "cellar/th1")
    ]
    assert decode("zigbee2mqtt/th1/humidity", "52.11") == [Sample("humidity", 52.11, None, "th1")]
    for nothing in ("", "null"):
        assert decode("zigbee2mqtt/th1/humidity", nothing) == []
    for topic, payload in (("linkquality", "120"), ("state", "ON"), ("last_seen", "2026")):
        assert decode(f"zigbee2mqtt/th1/{topic}", payload) == []


def test_paths_of_ones_own_replace_the_usual_ones() -> None:
    keys = SensorKeys({"temperature": "temperature_l1", "co2": "co2"}, time="seen")
    payload = '{"temperature":21.5,"temperature_l1":4.2,"co2":415,"seen":1795453582}'
    assert decode("zigbee2mqtt/freezer", payload, keys) == [
        Sample("temperature", 4.2, LAST_SEEN, "freezer"),
        Sample("co2", 415.0, LAST_SEEN, "freezer"),
    ]
    assert decode("zigbee2mqtt/freezer/temperature_l1", "4.2", keys) == [
        Sample("temperature", 4.2, None, "freezer")
    ]
    assert decode("zigbee2mqtt/freezer/temperature", "21.5", keys) == []


def test_a_configured_unit_is_converted() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    [sample] = decode(TH1, '{"temperature":"70.7"}', keys)
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('{"temperature":21.', [InvalidReason.SYNTAX]),
        ('{"temperature":true}', [InvalidReason.NOT_A_NUMBER]),
        ('{"temperature":850,"humidity":52}', [InvalidReason.OUT_OF_RANGE]),
        ('{"temperature":21.5,"last_seen":"soon"}', [InvalidReason.TIME]),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    payload: str, expected: list[InvalidReason]
) -> None:
    assert reasons(decode(TH1, payload)) == expected


@pytest.mark.parametrize(
    ("topic", "availability"),
    [
        ("zigbee2mqtt/{site}/{device}", "zigbee2mqtt/{site}/{device}/availability"),
        ("zigbee2mqtt/cellar/th1", "zigbee2mqtt/cellar/th1/availability"),
        ("zigbee2mqtt/{device}/temperature", "zigbee2mqtt/{device}/availability"),
        ("zigbee2mqtt/#", None),
        ("zigbee2mqtt/{site}/#", None),
    ],
)
def test_availability_stands_one_level_below_the_device(
    topic: str, availability: str | None
) -> None:
    assert zigbee2mqtt_availability(topic) == availability
