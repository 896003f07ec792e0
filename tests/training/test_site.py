from __future__ import annotations

import numpy as np
import pytest

from edge_fusion.events import HUMIDITY, TEMPERATURE, ArrivalTime, EventTime, Reading
from edge_fusion.simulator.sensors import SensorModel
from edge_fusion.training.site import (
    Camera,
    Sensor,
    carried,
    draw_site,
    frame_times,
    instants,
    readings,
)

ORIGIN = 1_000_000.0


EXACT = SensorModel(offset_temperature=0.5, noise_temperature=0.0, noise_humidity=0.0)


def steady(quantity: str, time: float, lag: float) -> float:
    return 20.0 if quantity == TEMPERATURE else 50.0


def heating(quantity: str, time: float, lag: float) -> float:
    return 20.0 + time / 10 if quantity == TEMPERATURE else 50.0


def sensor(period: float, on_change: dict[str, float] | None = None, loss: float = 0.0) -> Sensor:
    return Sensor("s", (TEMPERATURE, HUMIDITY), EXACT, period, on_change, 600.0, loss)


def test_the_same_seed_draws_the_same_site() -> None:
    assert draw_site(np.random.default_rng(4)) == draw_site(np.random.default_rng(4))


def test_no_site_is_without_any_device_but_some_lack_a_kind() -> None:
    sites = [draw_site(np.random.default_rng(seed)) for seed in range(300)]
    assert all(site.sensors or site.camera for site in sites)
    assert any(site.camera is None for site in sites)
    assert any(not site.sensors for site in sites)


def test_rhythms_span_half_a_second_to_a_minute() -> None:
    sites = [draw_site(np.random.default_rng(seed)) for seed in range(300)]
    periods = [s.period for site in sites for s in site.sensors]
    assert 0.5 <= min(periods) < 1.0
    assert 40.0 < max(periods) <= 60.0


def test_instants_are_in_order_and_end_with_the_episode() -> None:
    times = instants(2.0, 10.0, 100.0, np.random.default_rng(0))
    assert (np.diff(times) >= 0).all()
    assert times[-1] < 100.0
    assert 50 <= len(times) <= 56


def test_a_sensor_on_mains_speaks_at_its_period_with_its_offset() -> None:
    said = readings(sensor(2.0), steady, ORIGIN, 100.0, np.random.default_rng(0))
    warm = [r for r in said if r.quantity == TEMPERATURE]
    assert {r.value for r in warm} == {20.5}
    assert 48 <= len(warm) <= 53


def test_a_battery_sensor_is_silent_while_nothing_changes() -> None:
    quiet = sensor(10.0, on_change={TEMPERATURE: 0.2, HUMIDITY: 1.0})
    said = readings(quiet, steady, ORIGIN, 300.0, np.random.default_rng(0))
    # Its first word before the episode, and at most one heartbeat in it.
    assert 1 <= len([r for r in said if r.quantity == HUMIDITY]) <= 2


def test_a_battery_sensor_speaks_when_the_air_changes() -> None:
    quiet = sensor(10.0, on_change={TEMPERATURE: 0.2, HUMIDITY: 1.0})
    said = readings(quiet, heating, ORIGIN, 300.0, np.random.default_rng(0))
    assert len([r for r in said if r.quantity == TEMPERATURE and r.time > ORIGIN]) >= 28


def test_lost_messages_are_missing() -> None:
    every = readings(sensor(1.0), steady, ORIGIN, 500.0, np.random.default_rng(0))
    some = readings(sensor(1.0, loss=0.2), steady, ORIGIN, 500.0, np.random.default_rng(0))
    assert len(some) / len(every) == pytest.approx(0.8, abs=0.06)


def test_frames_lie_within_the_episode() -> None:
    frames = frame_times(Camera((240, 320), 1.0, 80, 0.0), ORIGIN, 60.0, np.random.default_rng(0))
    assert all(ORIGIN <= frame.time < ORIGIN + 60.0 for frame in frames)
    assert 57 <= len(frames) <= 61


def test_what_is_carried_is_the_last_value_before_the_window_if_young_enough() -> None:
    def at(time: float, value: float, device: str) -> Reading:
        return Reading("room", device, TEMPERATURE, value, EventTime(time), ArrivalTime(time))

    said = [at(0, 1.0, "old"), at(50, 2.0, "a"), at(60, 3.0, "a"), at(100, 4.0, "a")]
    assert carried(said, start=100.0, carry=90.0) == (said[2],)
