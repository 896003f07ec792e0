"""The site round an episode: which devices there are, when they speak and what gets lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events import HUMIDITY, TEMPERATURE, ArrivalTime, EventTime, Frame, Reading
from edge_fusion.simulator.sensors import SensorModel, draw_sensor

Air = Callable[[str, float, float], float]
"""The air through a lag: quantity, seconds since the episode began, lag in s -> canonical value."""

SITE = "room"
CAMERA = "camera"
_QUANTITIES = (TEMPERATURE, HUMIDITY)
_SIZES = ((240, 320), (360, 480), (480, 640))


@dataclass(frozen=True, slots=True)
class Sensor:
    """One device: how it feels the air (`model`), and when it speaks of it.

    It looks every `period` seconds. A battery sensor then speaks only if a value moved by
    `on_change` (per quantity), or after `heartbeat` seconds of silence. A share `loss` of its
    messages gets lost.
    """

    device: str
    quantities: tuple[str, ...]
    model: SensorModel
    period: float
    on_change: Mapping[str, float] | None
    heartbeat: float
    loss: float


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that sends a JPEG of `quality`, `size` = (H, W), every `period` seconds.

    A share `loss` of its frames gets lost.
    """

    size: tuple[int, int]
    period: float
    quality: int
    loss: float


@dataclass(frozen=True, slots=True)
class Site:
    """The devices of one room; either kind may be missing, but not both."""

    sensors: tuple[Sensor, ...]
    camera: Camera | None


def draw_site(rng: np.random.Generator) -> Site:
    """A site at random: about one in twelve has no camera, one in twelve no sensor."""
    fate = rng.random()
    camera = None if fate < 1 / 12 else _draw_camera(rng)
    count = 0 if fate > 11 / 12 else int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    return Site(tuple(_draw_sensor(rng, f"sensor{i}") for i in range(count)), camera)


def _draw_camera(rng: np.random.Generator) -> Camera:
    return Camera(
        size=_SIZES[int(rng.choice(len(_SIZES), p=[0.3, 0.3, 0.4]))],
        period=_log_uniform(rng, 0.4, 12.0),
        quality=int(rng.integers(40, 96)),
        loss=float(rng.choice([0.0, 0.05, 0.3], p=[0.5, 0.35, 0.15])),
    )


def _draw_sensor(rng: np.random.Generator, device: str) -> Sensor:
    battery = rng.random() < 0.3
    both = rng.random() < 0.85
    return Sensor(
        device=device,
        quantities=_QUANTITIES if both else (str(rng.choice(_QUANTITIES)),),
        model=draw_sensor(rng),
        period=_log_uniform(rng, 5.0 if battery else 0.5, 60.0),
        on_change=_steps(rng) if battery else None,
        heartbeat=_log_uniform(rng, 120.0, 1200.0),
        loss=float(rng.choice([0.0, 0.02, 0.2], p=[0.5, 0.35, 0.15])),
    )


def _steps(rng: np.random.Generator) -> dict[str, float]:
    return {TEMPERATURE: float(rng.uniform(0.1, 0.5)), HUMIDITY: float(rng.uniform(0.5, 2.0))}


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def readings(
    sensor: Sensor, air: Air, origin: float, duration: float, rng: np.random.Generator
) -> list[Reading]:
    """What the sensor says from before the episode to its end; `origin` is its event time 0.

    A sensor has lived before the episode began: a battery sensor's last report may be many
    minutes old, of an air that was as at the beginning.
    """
    lead = sensor.heartbeat if sensor.on_change else sensor.period
    spoken: dict[str, tuple[float, float]] = {}
    said: list[Reading] = []
    for time in instants(sensor.period, lead, duration, rng):
        values = {q: _measured(sensor, air, q, max(time, 0.0), rng) for q in sensor.quantities}
        if not _speaks(sensor, spoken, values, time):
            continue
        spoken = {quantity: (time, value) for quantity, value in values.items()}
        if rng.random() >= sensor.loss:
            said += [
                _reading(sensor.device, q, value, origin + time) for q, value in values.items()
            ]
    return said


def instants(
    period: float, lead: float, duration: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Times about `period` apart, jittered by a tenth, from about -`lead` to `duration`."""
    count = int((lead + duration) / period) + 2
    regular = -lead + period * (rng.random() + np.arange(count))
    times = regular + rng.normal(0, 0.05 * period, count)
    return np.asarray(np.sort(times[times < duration]))


def frame_times(
    camera: Camera, origin: float, duration: float, rng: np.random.Generator
) -> list[Frame]:
    """The camera's frames, as yet without pictures: only those that are chosen get drawn."""
    times = instants(camera.period, 0.0, duration, rng)
    kept = times[(times >= 0) & (rng.random(len(times)) >= camera.loss)]
    return [Frame(SITE, CAMERA, b"", *_at(origin + float(time))) for time in kept]


def _measured(
    sensor: Sensor, air: Air, quantity: str, time: float, rng: np.random.Generator
) -> float:
    model = sensor.model
    warmth = quantity == TEMPERATURE
    lag = model.tau_temperature if warmth else model.tau_humidity
    noise = model.noise_temperature if warmth else model.noise_humidity
    rest = air(quantity, 0.0, lag)
    felt = rest + model.exposure * (air(quantity, time, lag) - rest)
    felt += model.offset_temperature if warmth else model.offset_humidity
    low, high = (-60.0, 125.0) if warmth else (0.0, 100.0)
    return round(min(high, max(low, felt + float(rng.normal(0, noise)))), 1)


def _speaks(
    sensor: Sensor,
    spoken: dict[str, tuple[float, float]],
    values: dict[str, float],
    time: float,
) -> bool:
    if sensor.on_change is None or not spoken:
        return True
    if any(time - before >= sensor.heartbeat for before, _ in spoken.values()):
        return True
    return any(abs(values[q] - old) >= sensor.on_change[q] for q, (_, old) in spoken.items())


def _reading(device: str, quantity: str, value: float, time: float) -> Reading:
    return Reading(SITE, device, quantity, value, *_at(time))


def _at(time: float) -> tuple[EventTime, ArrivalTime]:
    return EventTime(time), ArrivalTime(time)


def carried(said: Sequence[Reading], start: float, carry: float) -> tuple[Reading, ...]:
    """Per device and quantity the last reading before `start` that is younger than `carry`."""
    last: dict[tuple[str, str], Reading] = {}
    for reading in said:
        if start - carry < reading.time < start:
            last[reading.device, reading.quantity] = reading
    return tuple(last.values())
