from __future__ import annotations

import pytest

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.plain import decode_plain
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message


def decode(topic: str, payload: bytes, keys: SensorKeys) -> list[Sample | Invalid]:
    return decode_plain(Message(topic, payload, ArrivalTime(1.8e9)), keys)


@pytest.mark.parametrize(
    ("topic", "payload", "quantity", "value"),
    [
        ("livingroom/sensor/bme280_temperature/state", b"21.34", "temperature", 21.34),
        ("livingroom/sensor/bme280_humidity/state", b"48", "humidity", 48.0),
        ("shellies/shellyht-6F3A2B/sensor/temperature", b"22.6", "temperature", 22.6),
        ("homie/5/cellar/climate/temperature", b"21.5", "temperature", 21.5),
        ("homie/5/cellar/climate/temperature", b" 21.5\n\0", "temperature", 21.5),
        ("a/temperature", "21.4 °C".encode(), "temperature", 21.4),
        ("a/temperature", b"70.7 F", "temperature", 21.5),
        ("a/Humidity", b"104.7 %RH", "humidity", 104.7),
    ],
)
def test_the_topic_names_the_quantity_where_nothing_else_does(
    topic: str, payload: bytes, quantity: str, value: float
) -> None:
    [sample] = decode(topic, payload, SensorKeys())
    assert isinstance(sample, Sample)
    assert sample.quantity == quantity
    assert sample.value == pytest.approx(value)
    assert sample.time is None


def test_the_configuration_names_the_quantity_before_the_topic_does() -> None:
    keys = SensorKeys(quantity="co2")
    assert decode("a/temperature", b"415 ppm", keys) == [Sample("co2", 415.0)]


def test_a_stated_unit_wins_over_the_configured_one() -> None:
    keys = SensorKeys(
        units={"temperature": TemperatureUnit.FAHRENHEIT, "humidity": HumidityUnit.FRACTION}
    )
    assert decode("temperature", b"32", keys) == [Sample("temperature", 0.0)]
    assert decode("temperature", b"32 C", keys) == [Sample("temperature", 32.0)]
    assert decode("humidity", b"48%", keys) == [Sample("humidity", 48.0)]
    assert decode("humidity", b"0.5", keys) == [Sample("humidity", 50.0)]


@pytest.mark.parametrize(
    "payload", [b"", b" ", b"nan", b"NaN", b"None", b"unknown", b"unavailable"]
)
def test_a_device_without_a_value_gives_no_reading_and_no_error(payload: bytes) -> None:
    assert decode("livingroom/sensor/bme280_humidity/state", payload, SensorKeys()) == []


@pytest.mark.parametrize(
    ("quantity", "payload", "reason"),
    [
        ("temperature", b"warm", InvalidReason.NOT_A_NUMBER),
        ("temperature", b"21,4", InvalidReason.NOT_A_NUMBER),
        ("temperature", b"21.4 %", InvalidReason.NOT_A_NUMBER),
        ("temperature", b"inf", InvalidReason.NOT_A_NUMBER),
        ("temperature", b"true", InvalidReason.NOT_A_NUMBER),
        ("co2", b"12:30", InvalidReason.NOT_A_NUMBER),
        ("temperature", b"850", InvalidReason.OUT_OF_RANGE),
        ("temperature", b"\xff\xd8\xff", InvalidReason.SYNTAX),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    quantity: str, payload: bytes, reason: InvalidReason
) -> None:
    [found] = decode("t", payload, SensorKeys(quantity=quantity))
    assert isinstance(found, Invalid)
    assert found.reason is reason


def test_a_value_of_no_known_quantity_is_refused() -> None:
    [found] = decode("a/b", b"21.4", SensorKeys())
    assert isinstance(found, Invalid)
    assert found.reason is InvalidReason.MISSING_FIELD
