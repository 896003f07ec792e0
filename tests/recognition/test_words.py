from __future__ import annotations

import pytest

from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.recognition.words import (
    Named,
    is_generic,
    names_unit,
    quantity_in,
    time_rank,
    without_quantity,
)

C, F, K = TemperatureUnit.CELSIUS, TemperatureUnit.FAHRENHEIT, TemperatureUnit.KELVIN


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("temperature", Named(TEMPERATURE)),
        ("Temperature", Named(TEMPERATURE)),
        ("TEMPERATURE", Named(TEMPERATURE)),
        ("temp", Named(TEMPERATURE)),
        ("tC", Named(TEMPERATURE, C)),
        ("tF", Named(TEMPERATURE, F)),
        ("tempc", Named(TEMPERATURE, C)),
        ("temp_f", Named(TEMPERATURE, F)),
        ("temperatureK", Named(TEMPERATURE, K)),
        ("TempC_SHT", Named(TEMPERATURE, C, extra=1)),
        ("bme280_temperature", Named(TEMPERATURE, extra=2)),
        ("room-temp", Named(TEMPERATURE, extra=1)),
        ("Temperatur", Named(TEMPERATURE)),
        ("température", Named(TEMPERATURE)),
        ("humidity", Named(HUMIDITY)),
        ("rh", Named(HUMIDITY)),
        ("Hum_SHT", Named(HUMIDITY, extra=1)),
        ("relativeHumidity", Named(HUMIDITY, extra=1)),
        ("Luftfeuchte", Named(HUMIDITY)),
        ("t", Named(TEMPERATURE, vague=True)),
        ("h", Named(HUMIDITY, vague=True)),
    ],
)
def test_devices_call_the_two_quantities_by_many_names(name: str, named: Named) -> None:
    assert quantity_in(name) == named


@pytest.mark.parametrize(
    "name",
    [
        "target_temperature",
        "occupied_heating_setpoint",
        "temperature_calibration",
        "cpu_temp",
        "device_temperature",
        "dew_point_temperature",
        "soil_humidity",
        "max_temp",
        "temperature_unit",
        "template",
        "human",
        "theta",
        "battery",
        "",
        "温度",
    ],
)
def test_settings_statistics_and_other_things_are_neither(name: str) -> None:
    assert quantity_in(name) is None


@pytest.mark.parametrize("name", ["unit", "units", "TempUnit", "temperature_unit", "uom"])
def test_a_key_beside_the_value_may_name_its_unit(name: str) -> None:
    assert names_unit(name)


@pytest.mark.parametrize("name", ["PressureUnit", "unity", "temperature"])
def test_units_of_other_things_are_not_those_of_temperatures(name: str) -> None:
    assert not names_unit(name)


def test_the_time_of_the_measurement_comes_before_any_other() -> None:
    names = ["t", "last_seen", "measuredAt", "timestamp", "Time", "uptime"]
    ranked = {name: rank for name in names if (rank := time_rank(name)) is not None}
    assert sorted(ranked, key=lambda name: ranked[name]) == [
        "measuredAt",
        "Time",
        "timestamp",
        "last_seen",
        "t",
    ]


def test_levels_of_topics_may_say_nothing_or_only_the_quantity() -> None:
    assert [level for level in ("sensors", "kitchen", "SENSOR", "th1") if is_generic(level)] == [
        "sensors",
        "SENSOR",
    ]
    assert without_quantity("bme280_humidity") == "bme280"
    assert without_quantity("temperature") == ""
    assert without_quantity("living-room") == "living_room"
