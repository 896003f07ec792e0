"""What a temperature and humidity sensor says of the air of a room."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from edge_fusion.simulator.room import RoomState, relative_humidity


@dataclass(frozen=True, slots=True)
class SensorParameters:
    """How a sensor differs from the air.

    tau: seconds to 63 % of a step (bare chips 5, in a case 60). temperature_offset in K,
    humidity_offset in %RH; the noises are standard deviations in the same units. exposure: how
    much of the air's warmth above the walls is felt, 1 for the mean of the room, more near the
    source or the ceiling, less in a corner. resolution of what is printed.
    """

    tau: float = 15.0
    temperature_offset: float = 0.0
    humidity_offset: float = 0.0
    temperature_noise: float = 0.03
    humidity_noise: float = 0.15
    exposure: float = 1.0
    resolution: float = 0.1


class SensorModel:
    """A sensor with the inertia of its case; `sample` carries it on in time."""

    def __init__(self, parameters: SensorParameters, seed: int) -> None:
        self._parameters = parameters
        self._rng = np.random.default_rng(seed)
        self._felt: tuple[float, float] | None = None

    def feel(self, state: RoomState, dt: float) -> tuple[float, float]:
        """°C and %RH inside the case `dt` seconds after the last call, without any error.

        The first call finds the sensor at rest in this air.
        """
        target = self._around(state)
        if self._felt is None:
            self._felt = target
        keep = exp(-dt / self._parameters.tau)
        temperature, humidity = (
            new + (old - new) * keep for old, new in zip(self._felt, target, strict=True)
        )
        self._felt = (temperature, humidity)
        return self._felt

    def sample(self, state: RoomState, dt: float) -> tuple[float, float]:
        """°C and %RH as printed, `dt` seconds after the last call."""
        temperature, humidity = self.feel(state, dt)
        return self.printed(temperature, humidity)

    def printed(self, temperature: float, humidity: float) -> tuple[float, float]:
        """Both values with offset, noise and resolution; humidity stays within 0 to 100."""
        own = self._parameters
        error_t, error_h = self._rng.normal(0.0, (own.temperature_noise, own.humidity_noise))
        wet = min(100.0, max(0.0, humidity + own.humidity_offset + error_h))
        return (
            _rounded(temperature + own.temperature_offset + error_t, own.resolution),
            _rounded(wet, own.resolution),
        )

    def _around(self, state: RoomState) -> tuple[float, float]:
        excess = state.temperature - state.wall_temperature
        temperature = state.wall_temperature + self._parameters.exposure * excess
        return temperature, relative_humidity(temperature, state.humidity_ratio)


def _rounded(value: float, resolution: float) -> float:
    return round(round(value / resolution) * resolution, 6)
