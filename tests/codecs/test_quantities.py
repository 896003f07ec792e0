from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.quantities import named_quantity, parts, quantity_of, without_quantity
from edge_fusion.events import HUMIDITY, TEMPERATURE

NAMES = {
    # name: quantity, what it says beside it
    "temperature": (TEMPERATURE, ""),
    "Temperature": (TEMPERATURE, ""),
    "kitchen_temperature": (TEMPERATURE, "kitchen"),
    "kitchen_temperature_2": (TEMPERATURE, "kitchen_2"),
    "temperature_kitchen": (TEMPERATURE, "kitchen"),
    "bme280_temperature": (TEMPERATURE, "bme280"),
    "InsideTemperature": (TEMPERATURE, "Inside"),
    "airTemp": (TEMPERATURE, "air"),
    "RoomTEMP": (TEMPERATURE, "Room"),
    "Temp1": (TEMPERATURE, "1"),
    "ambient-temp": (TEMPERATURE, "ambient"),
    "wohnzimmer_temperatur": (TEMPERATURE, "wohnzimmer"),
    "Raumtemperatur": (TEMPERATURE, "Raumtemperatur"),
    "humidity_rh": (HUMIDITY, ""),
    "relative_humidity": (HUMIDITY, ""),
    "RelativeHumidity": (HUMIDITY, ""),
    "kitchen_relative_humidity": (HUMIDITY, "kitchen"),
    "RH": (HUMIDITY, ""),
    "Luftfeuchtigkeit": (HUMIDITY, "Luftfeuchtigkeit"),
    "temp_humidity_1_temperature": (TEMPERATURE, "temp_humidity_1"),
    "temp_humidity_1_humidity": (HUMIDITY, "temp_humidity_1"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_which_quantity_and_of_what(name: str) -> None:
    assert (named_quantity(name), without_quantity(name)) == NAMES[name]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pressure",
        "template",
        "attempts",
        "Temperature Setpoint",
        "Temperature Set Point",
        "temperature-set-point",
        "Temperature_SP",
        "target_temperature",
        "targettemperature",
        "TemperatureLimits",
        "TemperatureHighLimit",
        "Temperature Alarm",
        "Temperature Unit",
        "humidity_sensor_battery",
        "dew_point_temperature",
        "absolute_humidity",
        "cpu_temperature",
        "color-temperature",
        "max_temperature",
        "temperature" * 100,
    ],
)
def test_what_only_has_to_do_with_a_measurement_is_none(name: str) -> None:
    assert named_quantity(name) is None


def test_a_configured_name_is_taken_exactly_and_then_no_other_is() -> None:
    paths = {TEMPERATURE: "Inputs/AI 3", "co2": "Air/CO2"}
    assert quantity_of("Inputs/AI 3", paths) == TEMPERATURE
    assert quantity_of("Air/CO2", paths) == "co2"
    assert quantity_of("Air/Temperature", paths) is None
    assert quantity_of("Air/Temperature", {}) == TEMPERATURE


def test_only_the_last_level_of_a_name_says_what_it_is() -> None:
    assert quantity_of("Temperature/Battery", {}) is None
    assert quantity_of("Battery Room/Temperature", {}) == TEMPERATURE


@pytest.mark.parametrize("above", ["Setpoints", "Zone1/Alarms", "HighLimit", "Config/Zone1"])
def test_what_lies_among_set_points_and_alarms_is_none(above: str) -> None:
    assert quantity_of(f"{above}/Temperature", {}) is None


def test_a_device_with_one_value_of_each_quantity_has_no_parts() -> None:
    assert parts({"Climate/Temperature": TEMPERATURE, "Climate/Humidity": HUMIDITY}) == {
        "Climate/Temperature": None,
        "Climate/Humidity": None,
    }


def test_the_parts_of_a_device_are_what_its_names_say_beside_the_quantity() -> None:
    assert parts(
        {
            "Zone1/Temperature": TEMPERATURE,
            "Zone1/Humidity": HUMIDITY,
            "Zone2/Temperature": TEMPERATURE,
            "Inputs/temperature_in": TEMPERATURE,
            "Temperature": TEMPERATURE,
        }
    ) == {
        "Zone1/Temperature": "Zone1",
        "Zone1/Humidity": "Zone1",
        "Zone2/Temperature": "Zone2",
        "Inputs/temperature_in": "Inputs/in",
        "Temperature": None,
    }


def test_names_that_say_the_same_beside_the_quantity_stand_for_themselves() -> None:
    assert parts({"A/Temp": TEMPERATURE, "A/Temperature": TEMPERATURE}) == {
        "A/Temp": "A/Temp",
        "A/Temperature": "A/Temperature",
    }


@given(
    st.dictionaries(st.text("abTe/_1") | st.sampled_from(list(NAMES)), st.sampled_from("TH")),
)
def test_no_two_values_of_one_quantity_share_a_part(quantities: dict[str, str]) -> None:
    found = parts(quantities)
    assert found.keys() == quantities.keys()
    claimed = [(quantities[name], part) for name, part in found.items()]
    assert len(set(claimed)) == len(claimed)
