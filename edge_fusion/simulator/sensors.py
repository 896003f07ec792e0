"""SensorModel: what a cheap sensor says of the air round it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

RESOLUTION = 0.1


@dataclass(frozen=True, slots=True)
class SensorModel:
    """A sensor's faults: first-order lags (s), offsets, noise (1 sigma).

    `exposure` is how much of the room's change from rest reaches it (1: all of it).
    """

    tau_temperature: float = 20.0
    tau_humidity: float = 12.0
    offset_temperature: float = 0.0
    offset_humidity: float = 0.0
    noise_temperature: float = 0.04
    noise_humidity: float = 0.15
    exposure: float = 1.0


def lagged(before: float, air: float, tau: float, dt: float) -> float:
    """A first-order lag: after `tau` seconds 63 % of a step has come through."""
    return air + (before - air) * math.exp(-dt / tau)


class Sensor:
    """One sensor in one room. `feel` lets time pass, `read` gives what it would send."""

    def __init__(
        self, model: SensorModel, temperature: float, humidity: float, rng: np.random.Generator
    ) -> None:
        self._model = model
        self._rest = (temperature, humidity)
        self._felt = (temperature, humidity)
        self._rng = rng

    @property
    def felt(self) -> tuple[float, float]:
        """Temperature and relative humidity as the sensor feels them, before noise and offset."""
        return self._felt

    def feel(self, temperature: float, humidity: float, dt: float) -> None:
        """`dt` seconds in air of °C and %RH."""
        share, (rest_t, rest_h) = self._model.exposure, self._rest
        near_t = rest_t + share * (temperature - rest_t)
        near_h = rest_h + share * (humidity - rest_h)
        self._felt = (
            lagged(self._felt[0], near_t, self._model.tau_temperature, dt),
            lagged(self._felt[1], near_h, self._model.tau_humidity, dt),
        )

    def read(self) -> tuple[float, float]:
        """°C and %RH with offset, noise and resolution."""
        model, rng = self._model, self._rng
        temperature = self._felt[0] + model.offset_temperature
        humidity = self._felt[1] + model.offset_humidity
        temperature += float(rng.normal(0, model.noise_temperature))
        humidity += float(rng.normal(0, model.noise_humidity))
        return _rounded(temperature), min(100.0, max(0.0, _rounded(humidity)))


def _rounded(value: float) -> float:
    return round(round(value / RESOLUTION) * RESOLUTION, 1)


def draw_sensor(rng: np.random.Generator) -> SensorModel:
    """A sensor at random, from quick ones in the open to slow ones in a box behind a shelf."""
    slow = float(np.exp(rng.uniform(np.log(5.0), np.log(60.0))))
    return SensorModel(
        tau_temperature=slow,
        tau_humidity=slow * float(rng.uniform(0.4, 1.2)),
        offset_temperature=float(rng.normal(0, 0.4)),
        offset_humidity=float(rng.normal(0, 2.0)),
        noise_temperature=float(rng.uniform(0.02, 0.1)),
        noise_humidity=float(rng.uniform(0.05, 0.4)),
        exposure=float(rng.uniform(0.5, 1.3)),
    )
