"""Physics of one ventilated room: a lumped balance of heat, moisture, smoke and visible steam.

The air is one well-mixed node, the walls another. With density rho, specific heat c_p, volume V
and air changes lambda (1/s):

* heat   rho c_p V dT/dt = Q_heater + n Q_person + chi_c Q_fire + Q_steam
                           - UA (T - T_wall) - rho c_p V lambda (T - T_out)
* walls  C_w dT_wall/dt  = UA (T - T_wall) - UA_w (T_wall - T_out)
* vapour rho V dw/dt     = n m_person + (1 - f) m_steam + evaporation + m_fire
                           - rho V lambda (w - w_out)
* soot   V dC/dt         = m_soot - (lambda + deposition) V C
* steam  V ds/dt         = f m_steam - lambda V s - k (1 - RH) V s
* oxygen rho V dY/dt     = rho V lambda (Y_air - Y) - Q_fire / 13.1 MJ/kg

Two-node zone balances as in ASHRAE Handbook of Fundamentals (2021), ch. 18; people's sensible
heat and moisture from its ch. 18 table 1 (seated, light work: 75 W, 50 g/h); convective share of
a fire's heat 0.7 and burning rate Q / heat of combustion from the SFPE Handbook (5th ed., ch.
13); extinction K = 8,700 m2/kg times soot concentration (Mulholland and Croarkin, Fire and
Materials 24, 2000); 13.1 MJ per kg of oxygen (Huggett, Fire and Materials 4, 1980), a fire dies
between 20 and 14 % of oxygen by mass; saturation pressure by the Magnus form of Alduchov and
Eskridge (J. Appl. Meteorol. 35, 1996). The share f of a kettle's steam that condenses to a
visible plume, and its evaporation k (faster in dry air), are chosen so that a plume is gone
within about ten seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

AIR_DENSITY = 1.2
AIR_HEAT = 1005.0
PRESSURE = 101_325.0
PERSON_HEAT = 75.0
PERSON_MOISTURE = 50e-3 / 3600
CONVECTIVE_SHARE = 0.7
HEAT_OF_COMBUSTION = 18e6
WATER_PER_FUEL = 0.5
STEAM_HEAT = 40e3
EXTINCTION_PER_SOOT = 8700.0
EXTINCTION_PER_DROPLET = 150.0
CONDENSED_SHARE = 0.35
EVAPORATION = 0.15
DEPOSITION = 1 / 1800
OXYGEN_IN_AIR = 0.232
OXYGEN_ENOUGH, OXYGEN_NEEDED = 0.20, 0.14
HEAT_PER_OXYGEN = 13.1e6
BOILING_SHARE = 0.9

SLOW, MEDIUM, FAST, ULTRA_FAST = 2.9, 11.7, 46.9, 187.6
"""Growth of a t-squared fire in W/s2 (NFPA 72, annex B)."""


@dataclass(frozen=True, slots=True)
class RoomParameters:
    """Volume m3, UA air to wall and wall to outside W/K, wall heat J/K, air changes 1/h."""

    volume: float = 50.0
    wall_conductance: float = 350.0
    outer_conductance: float = 40.0
    wall_capacity: float = 4e6
    air_changes: float = 0.6
    outdoor_temperature: float = 8.0
    outdoor_humidity: float = 75.0


@dataclass(frozen=True, slots=True)
class Drivers:
    """What acts on the room: people, watts, kg of steam and of soot per second, extra 1/h."""

    people: int = 0
    heater: float = 0.0
    steam: float = 0.0
    fire: float = 0.0
    soot: float = 0.0
    extra_air_changes: float = 0.0


@dataclass(frozen=True, slots=True)
class RoomState:
    """Air and wall °C; kg vapour per kg air; kg soot and droplets per m3; oxygen by mass.

    `drivers` are what acted in the last step, the fire as far as it had air to burn.
    """

    temperature: float
    wall: float
    vapour: float
    soot: float = 0.0
    droplets: float = 0.0
    oxygen: float = OXYGEN_IN_AIR
    drivers: Drivers = Drivers()

    @property
    def relative_humidity(self) -> float:
        """Percent, 0 to 100."""
        return relative_humidity(self.temperature, self.vapour)

    @property
    def smoke_extinction(self) -> float:
        """Extinction coefficient of the smoke, 1/m."""
        return EXTINCTION_PER_SOOT * self.soot

    @property
    def steam_extinction(self) -> float:
        """Extinction coefficient of the visible steam if it filled the room, 1/m."""
        return EXTINCTION_PER_DROPLET * self.droplets


def saturation_pressure(temperature: float) -> float:
    """Pa over water at a temperature in °C (Magnus form, Alduchov and Eskridge 1996)."""
    return 610.94 * math.exp(17.625 * temperature / (243.04 + temperature))


def vapour_of(temperature: float, humidity: float) -> float:
    """Humidity ratio (kg/kg) of air at °C and %RH."""
    # Towards boiling the air would be all vapour, and the ratio has a pole there.
    pressure = min(humidity / 100 * saturation_pressure(temperature), BOILING_SHARE * PRESSURE)
    return 0.622 * pressure / (PRESSURE - pressure)


def relative_humidity(temperature: float, vapour: float) -> float:
    """%RH, at most 100, of air at °C with a humidity ratio in kg/kg."""
    pressure = PRESSURE * vapour / (0.622 + vapour)
    return min(100.0, max(0.0, 100 * pressure / saturation_pressure(temperature)))


def at_rest(
    parameters: RoomParameters, temperature: float, moisture_gain: float = 0.001
) -> RoomState:
    """A room kept at `temperature` whose air is outdoor air plus what living in it adds (kg/kg)."""
    outdoor = vapour_of(parameters.outdoor_temperature, parameters.outdoor_humidity)
    return RoomState(temperature, temperature - 0.5, outdoor + moisture_gain)


def t_squared(growth: float, seconds: float, peak: float) -> float:
    """Heat release (W) of a fire `seconds` after ignition: growth * t^2 up to `peak` (NFPA 72)."""
    return min(peak, growth * max(0.0, seconds) ** 2)


def step(parameters: RoomParameters, state: RoomState, drivers: Drivers, dt: float) -> RoomState:
    """The room `dt` seconds on (explicit Euler; keep dt at or below 1 s)."""
    p = parameters
    air = AIR_DENSITY * p.volume
    drivers = _as_far_as_it_burns(drivers, state.oxygen)
    changes = (p.air_changes + drivers.extra_air_changes) / 3600
    difference = state.temperature - state.wall
    # Radiation and the draught along the walls grow with the difference.
    to_wall = p.wall_conductance * (1 + abs(difference) / 40) * difference
    gains = drivers.heater + drivers.people * PERSON_HEAT
    gains += CONVECTIVE_SHARE * drivers.fire + STEAM_HEAT * drivers.steam
    aired = air * AIR_HEAT * changes * (state.temperature - p.outdoor_temperature)
    outward = p.outer_conductance * (state.wall - p.outdoor_temperature)
    dryness = 1 - state.relative_humidity / 100
    evaporated = EVAPORATION * dryness * state.droplets
    outdoor = vapour_of(p.outdoor_temperature, p.outdoor_humidity)
    moisture = drivers.people * PERSON_MOISTURE + (1 - CONDENSED_SHARE) * drivers.steam
    moisture += WATER_PER_FUEL * drivers.fire / HEAT_OF_COMBUSTION + evaporated * p.volume
    vapour = state.vapour + dt * (moisture / air - changes * (state.vapour - outdoor))
    temperature = state.temperature + dt * (gains - to_wall - aired) / (air * AIR_HEAT)
    # What the air can't hold settles on the cold walls.
    vapour = min(vapour, vapour_of(temperature, 100.0))
    return replace(
        state,
        temperature=temperature,
        wall=state.wall + dt * (to_wall - outward) / p.wall_capacity,
        vapour=vapour,
        soot=state.soot + dt * (drivers.soot / p.volume - (changes + DEPOSITION) * state.soot),
        droplets=max(
            0.0,
            state.droplets
            + dt * (CONDENSED_SHARE * drivers.steam / p.volume - changes * state.droplets)
            - dt * evaporated,
        ),
        oxygen=state.oxygen
        + dt * changes * (OXYGEN_IN_AIR - state.oxygen)
        - dt * drivers.fire / HEAT_PER_OXYGEN / air,
        drivers=drivers,
    )


def _as_far_as_it_burns(drivers: Drivers, oxygen: float) -> Drivers:
    if oxygen >= OXYGEN_ENOUGH:
        return drivers
    share = max(0.0, (oxygen - OXYGEN_NEEDED) / (OXYGEN_ENOUGH - OXYGEN_NEEDED))
    return replace(drivers, fire=drivers.fire * share, soot=drivers.soot * share)
