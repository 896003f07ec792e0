from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_fusion.simulator.room import (
    AIR_DENSITY,
    AIR_HEAT,
    CONVECTIVE_SHARE,
    DEPOSITION,
    EXTINCTION_PER_SOOT,
    FAST,
    MEDIUM,
    SLOW,
    ULTRA_FAST,
    Drivers,
    RoomParameters,
    RoomState,
    at_rest,
    relative_humidity,
    saturation_pressure,
    step,
    t_squared,
    vapour_of,
)

ROOM = RoomParameters()
QUICK = RoomParameters(wall_capacity=5e4, air_changes=6.0)
SEALED = RoomParameters(air_changes=0.0, outer_conductance=0.0)


def after(
    parameters: RoomParameters, state: RoomState, drivers: Drivers, seconds: int, dt: float = 1.0
) -> RoomState:
    for _ in range(round(seconds / dt)):
        state = step(parameters, state, drivers, dt)
    return state


def heat_held(parameters: RoomParameters, state: RoomState) -> float:
    air = AIR_DENSITY * parameters.volume * AIR_HEAT
    return air * state.temperature + parameters.wall_capacity * state.wall


def water_held(parameters: RoomParameters, state: RoomState) -> float:
    return parameters.volume * (AIR_DENSITY * state.vapour + state.droplets)


def test_a_room_left_alone_becomes_as_the_air_outdoors() -> None:
    state = after(QUICK, at_rest(QUICK, 25.0, 0.004), Drivers(), 20_000)
    assert state.temperature == pytest.approx(QUICK.outdoor_temperature, abs=0.01)
    assert state.wall == pytest.approx(QUICK.outdoor_temperature, abs=0.01)
    assert state.relative_humidity == pytest.approx(QUICK.outdoor_humidity, abs=0.1)


def test_a_steady_heater_holds_what_walls_and_ventilation_lose() -> None:
    watts = 1500.0
    state = after(QUICK, at_rest(QUICK, 15.0), Drivers(heater=watts), 20_000)
    walls = 1 / (1 / QUICK.wall_conductance + 1 / QUICK.outer_conductance)
    aired = AIR_DENSITY * QUICK.volume * AIR_HEAT * QUICK.air_changes / 3600
    warmer = state.temperature - QUICK.outdoor_temperature
    assert warmer == pytest.approx(watts / (walls + aired), rel=1e-3)


def test_a_sealed_room_keeps_every_joule_of_its_heater() -> None:
    before = at_rest(SEALED, 20.0)
    held = heat_held(SEALED, after(SEALED, before, Drivers(heater=2000.0), 300, 0.5))
    assert held - heat_held(SEALED, before) == pytest.approx(2000.0 * 300, rel=1e-6)


def test_a_fire_warms_the_air_by_its_convective_share_only() -> None:
    before = at_rest(SEALED, 20.0)
    held = heat_held(SEALED, after(SEALED, before, Drivers(fire=50e3), 30, 0.5))
    gained = held - heat_held(SEALED, before)
    assert gained == pytest.approx(CONVECTIVE_SHARE * 50e3 * 30, rel=1e-6)


def test_a_sealed_room_keeps_every_gram_of_steam_as_vapour_or_droplets() -> None:
    before = at_rest(SEALED, 22.0)
    state = after(SEALED, before, Drivers(steam=1e-3), 60, 0.5)
    assert state.relative_humidity < 100
    assert water_held(SEALED, state) - water_held(SEALED, before) == pytest.approx(0.06, rel=1e-6)


def test_droplets_evaporate_once_the_steam_ends() -> None:
    foggy = after(ROOM, at_rest(ROOM, 21.0), Drivers(steam=1e-3), 30, 0.5)
    later = after(ROOM, foggy, Drivers(), 60, 0.5)
    assert later.droplets < 0.05 * foggy.droplets
    assert later.vapour > foggy.vapour


def test_smoke_settles_where_source_meets_ventilation_and_deposition() -> None:
    state = after(QUICK, at_rest(QUICK, 20.0), Drivers(soot=1e-5), 10_000)
    lost = QUICK.air_changes / 3600 + DEPOSITION
    expected = EXTINCTION_PER_SOOT * 1e-5 / (QUICK.volume * lost)
    assert state.smoke_extinction == pytest.approx(expected, rel=1e-3)


def test_an_open_window_clears_the_smoke_sooner() -> None:
    smoky = replace(at_rest(ROOM, 20.0), soot=1e-4)
    shut = after(ROOM, smoky, Drivers(), 120)
    open_ = after(ROOM, smoky, Drivers(extra_air_changes=30.0), 120)
    assert open_.soot < shut.soot < smoky.soot


def test_steam_raises_humidity_and_smoke_does_not() -> None:
    before = at_rest(ROOM, 21.0)
    steamy = after(ROOM, before, Drivers(steam=1e-3), 60, 0.5)
    smoky = after(ROOM, before, Drivers(soot=5e-5), 60, 0.5)
    calm = after(ROOM, before, Drivers(), 60, 0.5)
    assert steamy.relative_humidity > before.relative_humidity + 2
    assert smoky.relative_humidity == calm.relative_humidity
    assert smoky.smoke_extinction > 0.05
    assert steamy.smoke_extinction == 0.0


def test_warming_air_lowers_its_relative_humidity() -> None:
    before = at_rest(ROOM, 20.0)
    warm = after(ROOM, before, Drivers(heater=3000.0), 120)
    assert warm.temperature > before.temperature + 2
    assert warm.relative_humidity < before.relative_humidity


def test_people_bring_both_warmth_and_moisture() -> None:
    before = at_rest(ROOM, 20.0)
    alone = after(ROOM, before, Drivers(), 600)
    crowded = after(ROOM, before, Drivers(people=6), 600)
    assert crowded.temperature > alone.temperature
    assert crowded.vapour > alone.vapour


@pytest.mark.parametrize(
    ("growth", "seconds"), [(SLOW, 600), (MEDIUM, 300), (FAST, 150), (ULTRA_FAST, 75)]
)
def test_growth_classes_reach_1055_kilowatts_at_their_times(growth: float, seconds: float) -> None:
    assert t_squared(growth, seconds, 1e9) == pytest.approx(1055e3, rel=0.02)


def test_a_fire_grows_with_the_square_of_time_up_to_its_peak() -> None:
    assert t_squared(FAST, 20, 1e9) == pytest.approx(4 * t_squared(FAST, 10, 1e9))
    assert t_squared(FAST, 1000, 60e3) == 60e3
    assert t_squared(FAST, -1, 60e3) == 0.0


@pytest.mark.parametrize(("temperature", "pascals"), [(0, 611.2), (20, 2339), (30, 4247)])
def test_saturation_pressure_agrees_with_the_steam_tables(
    temperature: float, pascals: float
) -> None:
    assert saturation_pressure(temperature) == pytest.approx(pascals, rel=0.005)


@given(st.floats(-20, 50), st.floats(0.1, 100))
def test_humidity_survives_the_way_to_a_ratio_and_back(temperature: float, humid: float) -> None:
    back = relative_humidity(temperature, vapour_of(temperature, humid))
    assert back == pytest.approx(humid, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        Drivers,
        people=st.integers(0, 10),
        heater=st.floats(0, 5000),
        steam=st.floats(0, 7e-3),
        fire=st.floats(0, 30e3),
        soot=st.floats(0, 2e-4),
        extra_air_changes=st.floats(0, 150),
    ),
    st.floats(-10, 35),
    st.floats(0, 100),
)
def test_humidity_stays_within_bounds_and_nothing_goes_negative(
    drivers: Drivers, outdoors: float, humidity: float
) -> None:
    room = RoomParameters(outdoor_temperature=outdoors, outdoor_humidity=humidity)
    state = after(room, at_rest(room, 20.0), drivers, 60, 0.5)
    assert 0 <= state.relative_humidity <= 100
    assert min(state.vapour, state.soot, state.droplets) >= 0


def test_a_fire_that_boils_the_air_leaves_its_moisture_sensible() -> None:
    room = RoomParameters(volume=18.0)
    state = after(room, at_rest(room, 20.0), Drivers(fire=250e3), 20, 0.5)
    assert state.temperature > 100
    assert state.vapour > 0
    assert state.relative_humidity < 10


def test_a_fire_in_a_closed_room_dies_for_want_of_oxygen() -> None:
    room = RoomParameters(volume=30.0, air_changes=0.3)
    state = after(room, at_rest(room, 20.0), Drivers(fire=200e3), 600, 0.5)
    assert state.oxygen < 0.2
    assert state.drivers.fire < 20e3
