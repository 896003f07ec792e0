"""A ventilated room as one volume of air: its heat, moisture, smoke and visible steam.

All that a camera sees and a sensor feels of a simulated room follows from one `RoomState`, so
that cause and effect agree between the two. The air is taken as well mixed; what is local (the
plume over a kettle, a sensor near the fire) is left to `scene` and `sensors`.

Balances, by explicit steps (stable up to about a second):

    air      C dT/dt  = people + heating + (1 - chi) Q_fire + steam - hA (T - T_wall) - m cp (T - T_out)
    walls    C_w dT_w/dt = hA (T - T_wall) + chi Q_fire - UA (T_wall - T_out)
    vapour   M dw/dt  = people + moisture + fire + (1 - phi) steam + evaporation - m (w - w_out)
    droplets dD/dt    = phi steam + condensation - evaporation - (air changes + settling) D
    smoke    dK/dt    = S / V - (air changes + deposition) K

Sources: ASHRAE Handbook Fundamentals (2017), ch. 18 for people (table 1: seated, very light
work, 70 W sensible and 45 W latent) and ch. 1 for moist air; SFPE Handbook (5th ed.) ch. 24 for
smoke as extinction coefficient; Alduchov & Eskridge (1996), J. Appl. Meteorol. 35, 601, for the
Magnus formula.
"""  # noqa: E501 - an equation is one line

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import exp

from edge_fusion.simulator.fire import Burning

PRESSURE = 101_325.0
"""Pa."""
AIR_DENSITY = 1.2
"""kg/m³, at 20 °C."""
AIR_HEAT = 1006.0
"""J/(kg K), specific heat of air."""
VAPOUR_HEAT = 1860.0
"""J/(kg K), specific heat of water vapour."""
EVAPORATION_HEAT = 2.45e6
"""J/kg, at room temperature."""
PERSON_HEAT = 70.0
"""W, sensible."""
PERSON_MOISTURE = 45.0 / EVAPORATION_HEAT
"""kg/s: 66 g/h."""

VISIBLE_SHARE = 0.5
"""Of the steam of boiling water, what condenses to droplets at once in cooler air."""
DROPLET_EXTINCTION = 300.0
"""m²/kg: 3 Q / (4 rho r), with Q = 2 and r = 5 µm."""
EVAPORATION_RATE = 0.35
"""1/s in bone-dry air; in proportion to 1 - RH. A kettle's plume is gone some seconds after."""
SETTLING_RATE = 1 / 180
"""1/s, droplets that meet a surface."""
PLUME_AREA = 0.5
"""m², over which a camera sees most droplets of a small source."""

SMOKE_VISIBLE = 0.05
"""1/m. A fifth of the contrast is lost over 4.5 m; obscuration alarms act at about as much."""
STEAM_VISIBLE = 0.12
"""Optical depth across the plume, or across the room: a tenth of the contrast behind is lost."""
VIEW_DEPTH = 4.0
"""m, a typical line of sight in a room."""


@dataclass(frozen=True, slots=True)
class RoomParameters:
    """What does not change: geometry, walls, ventilation, weather.

    volume in m³; air_capacity and wall_capacity in J/K (the air with what warms as fast, and
    the first centimetres of the walls); air_to_wall and wall_to_outdoors in W/K; air_changes
    per hour with the window shut; outdoor temperature in °C and relative humidity in %;
    deposition of smoke on surfaces in 1/s.
    """

    volume: float = 40.0
    air_capacity: float = 40.0 * AIR_DENSITY * AIR_HEAT * 1.2
    wall_capacity: float = 1.6e6
    air_to_wall: float = 600.0
    wall_to_outdoors: float = 40.0
    air_changes: float = 0.5
    outdoor_temperature: float = 8.0
    outdoor_humidity: float = 75.0
    deposition: float = 2e-4

    @property
    def outdoor_humidity_ratio(self) -> float:
        return humidity_ratio(self.outdoor_temperature, self.outdoor_humidity)

    @property
    def air_mass(self) -> float:
        """kg."""
        return self.volume * AIR_DENSITY


@dataclass(frozen=True, slots=True)
class RoomState:
    """The air at one instant.

    temperature and wall_temperature in °C; humidity_ratio in kg vapour per kg dry air;
    extinction of the smoke in 1/m; mist, kg of visible droplets afloat in the whole room.
    """

    temperature: float
    wall_temperature: float
    humidity_ratio: float
    extinction: float = 0.0
    mist: float = 0.0

    @property
    def relative_humidity(self) -> float:
        """Percent, 0 to 100."""
        return relative_humidity(self.temperature, self.humidity_ratio)

    @property
    def smoke_is_visible(self) -> bool:
        return self.extinction > SMOKE_VISIBLE

    def steam_is_visible(self, volume: float) -> bool:
        """Whether the droplets dim what is behind them, as a plume or as fog in all the room."""
        return max(self.plume_depth, self.fog(volume) * VIEW_DEPTH) > STEAM_VISIBLE

    @property
    def plume_depth(self) -> float:
        """Optical depth of the droplets, were they all in one plume of `PLUME_AREA`."""
        return DROPLET_EXTINCTION * self.mist / PLUME_AREA

    def fog(self, volume: float) -> float:
        """Extinction coefficient in 1/m, were the droplets spread over the room."""
        return DROPLET_EXTINCTION * self.mist / volume


@dataclass(frozen=True, slots=True)
class Drivers:
    """What acts on the air.

    people present; heating in W (negative: cooling); steam of boiling water and other moisture
    in kg/s; window_air_changes per hour, on top of the room's own; what burns.
    """

    people: float = 0.0
    heating: float = 0.0
    steam: float = 0.0
    moisture: float = 0.0
    window_air_changes: float = 0.0
    burning: Burning = field(default_factory=Burning)


def saturation_pressure(temperature: float) -> float:
    """Pa over water at °C: Magnus form with the coefficients of Alduchov & Eskridge (1996)."""
    return 610.94 * exp(17.625 * temperature / (temperature + 243.04))


def humidity_ratio(temperature: float, relative: float) -> float:
    """kg/kg at °C and percent (ASHRAE Fundamentals ch. 1, eq. 20); boiling is not modelled."""
    vapour = min(relative / 100 * saturation_pressure(temperature), 0.9 * PRESSURE)
    return 0.621945 * vapour / (PRESSURE - vapour)


def relative_humidity(temperature: float, ratio: float) -> float:
    """Percent, 0 to 100, at °C and kg/kg: the inverse of `humidity_ratio`."""
    vapour = PRESSURE * ratio / (0.621945 + ratio)
    return min(100.0, max(0.0, 100 * vapour / saturation_pressure(temperature)))


def holding(parameters: RoomParameters, temperature: float, humidity: float) -> Drivers:
    """The heating and moisture that hold an empty room at °C and percent for ever."""
    air = _ventilation(parameters, 0.0)
    walls = 1 / (1 / parameters.air_to_wall + 1 / parameters.wall_to_outdoors)
    excess = humidity_ratio(temperature, humidity) - parameters.outdoor_humidity_ratio
    return Drivers(
        heating=(walls + air * AIR_HEAT) * (temperature - parameters.outdoor_temperature),
        moisture=air * excess,
    )


def at_rest(parameters: RoomParameters, temperature: float, humidity: float) -> RoomState:
    """The state that `holding` keeps: the walls between indoor and outdoor temperature."""
    inside, outside = parameters.air_to_wall, parameters.wall_to_outdoors
    wall = (inside * temperature + outside * parameters.outdoor_temperature) / (inside + outside)
    return RoomState(temperature, wall, humidity_ratio(temperature, humidity))


def step(parameters: RoomParameters, state: RoomState, drivers: Drivers, dt: float) -> RoomState:
    """The state `dt` seconds later (at most about 1)."""
    evaporation = _evaporation(state)
    return _condense(
        parameters,
        replace(
            state,
            temperature=state.temperature
            + dt * _heat(parameters, state, drivers, evaporation) / parameters.air_capacity,
            wall_temperature=state.wall_temperature
            + dt * _wall_heat(parameters, state, drivers) / parameters.wall_capacity,
            humidity_ratio=max(
                0.0,
                state.humidity_ratio
                + dt * _vapour(parameters, state, drivers, evaporation) / parameters.air_mass,
            ),
            extinction=max(0.0, state.extinction + dt * _smoke(parameters, state, drivers)),
            mist=max(0.0, state.mist + dt * _droplets(parameters, state, drivers, evaporation)),
        ),
    )


def _air_changes(parameters: RoomParameters, drivers: Drivers) -> float:
    """1/s."""
    return (parameters.air_changes + drivers.window_air_changes) / 3600


def _ventilation(parameters: RoomParameters, window: float) -> float:
    """kg/s of outdoor air."""
    return (parameters.air_changes + window) / 3600 * parameters.air_mass


def _heat(
    parameters: RoomParameters, state: RoomState, drivers: Drivers, evaporation: float
) -> float:
    """W into the air."""
    air = _ventilation(parameters, drivers.window_air_changes)
    fire = 1000 * drivers.burning.heat_release * (1 - drivers.burning.radiative)
    warm_steam = drivers.steam * VAPOUR_HEAT * (100 - state.temperature)
    latent = EVAPORATION_HEAT * (VISIBLE_SHARE * drivers.steam - evaporation)
    return (
        drivers.people * PERSON_HEAT
        + drivers.heating
        + fire
        + warm_steam
        + latent
        - parameters.air_to_wall * (state.temperature - state.wall_temperature)
        - air * AIR_HEAT * (state.temperature - parameters.outdoor_temperature)
    )


def _wall_heat(parameters: RoomParameters, state: RoomState, drivers: Drivers) -> float:
    """W into the walls."""
    return (
        parameters.air_to_wall * (state.temperature - state.wall_temperature)
        + 1000 * drivers.burning.heat_release * drivers.burning.radiative
        - parameters.wall_to_outdoors * (state.wall_temperature - parameters.outdoor_temperature)
    )


def _vapour(
    parameters: RoomParameters, state: RoomState, drivers: Drivers, evaporation: float
) -> float:
    """kg/s of vapour into the air."""
    air = _ventilation(parameters, drivers.window_air_changes)
    return (
        drivers.people * PERSON_MOISTURE
        + drivers.moisture
        + drivers.burning.water
        + (1 - VISIBLE_SHARE) * drivers.steam
        + evaporation
        - air * (state.humidity_ratio - parameters.outdoor_humidity_ratio)
    )


def _evaporation(state: RoomState) -> float:
    """kg/s of droplets that become vapour: fast in dry air, not at all in saturated air."""
    return EVAPORATION_RATE * (1 - state.relative_humidity / 100) * state.mist


def _droplets(
    parameters: RoomParameters, state: RoomState, drivers: Drivers, evaporation: float
) -> float:
    """kg/s of droplets."""
    lost = (_air_changes(parameters, drivers) + SETTLING_RATE) * state.mist
    return VISIBLE_SHARE * drivers.steam - evaporation - lost


def _smoke(parameters: RoomParameters, state: RoomState, drivers: Drivers) -> float:
    """1/m per second."""
    lost = _air_changes(parameters, drivers) + parameters.deposition
    return drivers.burning.smoke / parameters.volume - lost * state.extinction


def _condense(parameters: RoomParameters, state: RoomState) -> RoomState:
    """What is above saturation becomes droplets; their heat stays with what they settle on."""
    excess = state.humidity_ratio - humidity_ratio(state.temperature, 100.0)
    if excess <= 0:
        return state
    return replace(
        state,
        humidity_ratio=state.humidity_ratio - excess,
        mist=state.mist + excess * parameters.air_mass,
    )
