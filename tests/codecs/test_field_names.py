from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.field_names import field_name, is_elsewhere
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE


@pytest.mark.parametrize(
    "name",
    [
        *["temperature", "Temperature", "TEMPERATURE", "temp", "Temp", "TempC_SHT", "TempC1"],
        *["temperature_1", "airTemperature", "air_temperature", "ambient_temperature", "temp_SHT"],
        *["temperatureSensor", "SHT31_Temp", "BME280 temperature", "temperature_c", "TempF"],
    ],
)
def test_a_temperature_is_known_by_its_usual_names(name: str) -> None:
    found = field_name(name)
    assert found is not None
    assert found.quantity == TEMPERATURE


@pytest.mark.parametrize(
    "name",
    [
        *["humidity", "Humidity", "Hum_SHT", "hum", "humi", "RH", "rh", "relative_humidity_2"],
        *["relativeHumidity", "airHumidity", "humiditySensor", "humidity_percent", "Hum_SHT31"],
    ],
)
def test_a_humidity_is_known_by_its_usual_names(name: str) -> None:
    found = field_name(name)
    assert found is not None
    assert found.quantity == HUMIDITY


@pytest.mark.parametrize(
    "name",
    [
        *["soil_temperature", "temperature_board", "tempAlarm", "TempC_DS", "dewPoint", "Bat_V"],
        *["temperature_max", "humidityTarget", "temp_SOIL", "template", "contemporary", "hummus"],
        *["temperature_humidity", "t", "h", "", "1", "x" * 1000 + "temperature", "température"],
    ],
)
def test_what_is_not_of_the_room_is_not_taken_for_it(name: str) -> None:
    assert field_name(name) is None


def test_a_name_may_tell_the_unit_and_the_channel() -> None:
    fahrenheit, celsius, percent = map(field_name, ("temp_f", "TempC2", "humidity_pct"))
    assert fahrenheit is not None
    assert celsius is not None
    assert percent is not None
    assert fahrenheit.unit is TemperatureUnit.FAHRENHEIT
    assert (celsius.unit, celsius.channel) == (TemperatureUnit.CELSIUS, "2")
    assert percent.unit is HumidityUnit.PERCENT


def test_celsius_before_fahrenheit_the_air_before_nobody_and_short_before_long() -> None:
    names = ["temperature_f", "sensor_temperature", "temperature", "air_temperature"]
    found = sorted((name.rank, text) for text in names if (name := field_name(text)))
    assert [text for _, text in found] == list(reversed(names))


@pytest.mark.parametrize("name", ["soil", "waterProbe", "history", "x" * 1000])
def test_some_branches_are_of_something_else(name: str) -> None:
    assert is_elsewhere(name)
    assert not is_elsewhere("air")


@given(st.text())
def test_any_name_is_one_or_none(name: str) -> None:
    field_name(name)
    is_elsewhere(name)
