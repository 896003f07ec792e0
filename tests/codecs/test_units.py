from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.units import (
    HumidityUnit,
    TemperatureUnit,
    Unit,
    canonical,
    clipped,
    stated_unit,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE, InvalidReason

UNITS: list[Unit | None] = [None, *TemperatureUnit, *HumidityUnit]


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "expected"),
    [
        (TEMPERATURE, 21.5, TemperatureUnit.CELSIUS, 21.5),
        (TEMPERATURE, 70.7, TemperatureUnit.FAHRENHEIT, 21.5),
        (TEMPERATURE, 294.65, TemperatureUnit.KELVIN, 21.5),
        (TEMPERATURE, 21.5, TemperatureUnit.AUTO, 21.5),
        (TEMPERATURE, 21.5, None, 21.5),
        (HUMIDITY, 48.2, HumidityUnit.PERCENT, 48.2),
        (HUMIDITY, 0.482, HumidityUnit.FRACTION, 48.2),
        (HUMIDITY, 0.482, HumidityUnit.AUTO, 48.2),
        (HUMIDITY, 48.2, HumidityUnit.AUTO, 48.2),
        (HUMIDITY, 0.482, HumidityUnit.PERCENT, 0.482),
        (HUMIDITY, 104.7, HumidityUnit.PERCENT, 104.7),
        (HUMIDITY, 1.03, HumidityUnit.FRACTION, 103.0),
        ("co2", 415.0, None, 415.0),
    ],
)
def test_values_become_canonical(
    quantity: str, value: float, unit: Unit | None, expected: float
) -> None:
    assert canonical(quantity, value, unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("quantity", "value", "unit"),
    [
        (TEMPERATURE, -90.1, TemperatureUnit.CELSIUS),
        (TEMPERATURE, 150.1, TemperatureUnit.CELSIUS),
        (TEMPERATURE, 21.5, TemperatureUnit.KELVIN),
        (HUMIDITY, -0.1, HumidityUnit.PERCENT),
        (HUMIDITY, 105.1, HumidityUnit.PERCENT),
        (HUMIDITY, 48.2, HumidityUnit.FRACTION),
    ],
)
def test_what_no_sensor_measures_is_out_of_range(quantity: str, value: float, unit: Unit) -> None:
    assert canonical(quantity, value, unit) is InvalidReason.OUT_OF_RANGE


@given(st.sampled_from([TEMPERATURE, HUMIDITY, "co2"]), st.floats(), st.sampled_from(UNITS))
def test_the_outcome_is_a_plausible_number_or_a_reason(
    quantity: str, value: float, unit: Unit | None
) -> None:
    result = canonical(quantity, value, unit)
    if isinstance(result, InvalidReason):
        return
    assert math.isfinite(result)
    assert quantity != TEMPERATURE or -90 <= result <= 150
    assert quantity != HUMIDITY or 0 <= result <= 105
    assert quantity != HUMIDITY or 0 <= clipped(quantity, result) <= 100


def test_only_humidity_above_100_is_clipped() -> None:
    assert clipped(HUMIDITY, 104.7) == 100.0
    assert clipped(HUMIDITY, 99.9) == 99.9
    assert clipped(TEMPERATURE, 104.7) == 104.7
    assert clipped("co2", 415.0) == 415.0


def test_units_are_known_by_their_usual_spellings() -> None:
    assert stated_unit(TEMPERATURE, " °F ") is TemperatureUnit.FAHRENHEIT
    assert stated_unit(TEMPERATURE, "degF") is TemperatureUnit.FAHRENHEIT
    assert stated_unit(TEMPERATURE, "Deg C") is TemperatureUnit.CELSIUS
    assert stated_unit(HUMIDITY, "%RH") is HumidityUnit.PERCENT
    assert stated_unit(TEMPERATURE, "%") is None
    assert stated_unit("co2", "ppm") is None
