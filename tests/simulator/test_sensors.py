from __future__ import annotations

from math import e

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.simulator.sensors import Sensor, SensorModel, draw_sensor, lagged


def sensor(model: SensorModel, temperature: float = 20.0, humidity: float = 50.0) -> Sensor:
    return Sensor(model, temperature, humidity, np.random.default_rng(1))


def test_after_tau_63_percent_of_a_step_has_come_through() -> None:
    slow = sensor(SensorModel(tau_temperature=20.0, tau_humidity=12.0))
    slow.feel(30.0, 50.0, 20.0)
    assert slow.felt[0] == pytest.approx(20 + 10 * (1 - 1 / e))


def test_humidity_has_a_lag_of_its_own() -> None:
    slow = sensor(SensorModel(tau_temperature=20.0, tau_humidity=12.0))
    slow.feel(20.0, 60.0, 12.0)
    assert slow.felt == pytest.approx((20.0, 50 + 10 * (1 - 1 / e)))


@given(st.floats(-20, 60), st.floats(-20, 60), st.floats(1, 60), st.integers(1, 20))
def test_many_small_steps_lag_as_one_large_one(
    before: float, air: float, tau: float, parts: int
) -> None:
    felt = before
    for _ in range(parts):
        felt = lagged(felt, air, tau, 10.0 / parts)
    assert felt == pytest.approx(lagged(before, air, tau, 10.0), abs=1e-6)


def test_a_sensor_in_a_corner_feels_a_part_of_the_change() -> None:
    corner = sensor(SensorModel(exposure=0.5))
    corner.feel(30.0, 70.0, 1e6)
    assert corner.felt == pytest.approx((25.0, 60.0))


@given(st.floats(-20, 60), st.floats(0, 100), st.integers(0, 1000))
def test_readings_come_in_tenths_and_humidity_within_bounds(
    temperature: float, humidity: float, seed: int
) -> None:
    model = draw_sensor(np.random.default_rng(seed))
    values = sensor(model, temperature, humidity).read()
    assert all(round(value, 1) == value for value in values)
    assert 0 <= values[1] <= 100


def test_offsets_are_constant_and_noise_averages_out() -> None:
    off = sensor(SensorModel(offset_temperature=1.5, offset_humidity=-4.0))
    mean = np.mean([off.read() for _ in range(500)], axis=0)
    assert mean == pytest.approx((21.5, 46.0), abs=0.05)


def test_the_same_seed_gives_the_same_readings() -> None:
    one, other = sensor(SensorModel()), sensor(SensorModel())
    assert [one.read() for _ in range(5)] == [other.read() for _ in range(5)]
