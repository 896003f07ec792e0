from __future__ import annotations

import numpy as np
import pytest

from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.simulator.episode import Episode, Setting, generate
from edge_fusion.simulator.room import FAST, RoomParameters
from edge_fusion.simulator.scene import Cover, Light, Obstruction
from edge_fusion.simulator.story import (
    FOREVER,
    Covering,
    Fire,
    Happening,
    Presence,
    Scenario,
    Steam,
    Story,
)

SMALL = (120, 160)
SETTING = Setting(RoomParameters(), 21.0, 0.002, Light(day=0.7))


def episode(*happenings: Happening, coverings: tuple[Covering, ...] = ()) -> Episode:
    return Episode(1, Story(happenings, coverings), SETTING, 120.0, frame_size=SMALL)


def labels(one: Episode, time: float) -> set[str]:
    return {label for label, holds in one.truth_at(time).items() if holds}


def test_nothing_happens_in_a_quiet_room() -> None:
    assert all(labels(episode(), t) == set() for t in range(0, 120, 10))


def test_a_fire_is_true_while_it_flames_and_its_smoke_stays_longer() -> None:
    burning = episode(Fire(10, 60, FAST, 60e3, soot_yield=0.06))
    assert labels(burning, 5) == set()
    assert labels(burning, 55) == {"fire", "smoke"}
    assert labels(burning, 90) == {"smoke"}


def test_a_smouldering_sofa_is_smoke_and_no_fire() -> None:
    assert labels(episode(Fire(110, 110, FAST, 1.0, smoulder=5, smoulder_soot=5e-5)), 90) == {
        "smoke"
    }


def test_a_kettle_is_steam_and_soon_gone() -> None:
    kettle = episode(Steam(10, 60, 1.5e-3))
    assert labels(kettle, 50) == {"steam"}
    assert labels(kettle, 119) == set()


def test_a_heater_warms_without_changing_the_picture_or_the_truth() -> None:
    cold, heated = episode(), episode(Presence(5, FOREVER, heater=3000.0))
    assert heated.air_at(TEMPERATURE, 100) > cold.air_at(TEMPERATURE, 100) + 1
    assert np.array_equal(heated.draw_at(100), cold.draw_at(100))
    assert labels(heated, 100) == set()


def test_steam_raises_humidity_and_a_smoulder_does_not() -> None:
    calm, steamy = episode(), episode(Steam(10, 110, 1.5e-3))
    smoky = episode(Fire(110, 110, FAST, 1.0, smoulder=5, smoulder_soot=2e-5))
    humidity = [one.air_at(HUMIDITY, 100) for one in (calm, steamy, smoky)]
    assert humidity[1] > humidity[0] + 3
    assert humidity[2] <= humidity[0]


def test_a_view_is_blocked_when_more_than_half_of_it_is_covered() -> None:
    for share, expected in ((0.4, set()), (0.9, {"camera_blocked"})):
        hand = Covering(5, 60, Obstruction(Cover.HAND, share))
        assert labels(episode(coverings=(hand,)), 30) == expected


def test_darkness_is_no_blocked_camera() -> None:
    dark = Setting(RoomParameters(), 21.0, 0.002, Light(0.0, 0.0))
    assert labels(Episode(1, Story(), dark, 60.0, frame_size=SMALL), 30) == set()


def test_a_lag_of_a_sensor_delays_the_warmth() -> None:
    burning = episode(Fire(10, 100, FAST, 60e3))
    now, later = (burning.air_at(TEMPERATURE, 60, lag) for lag in (0.0, 30.0))
    assert later < now
    assert burning.air_at(TEMPERATURE, 0, 30.0) == pytest.approx(burning.air_at(TEMPERATURE, 0))


def test_beyond_both_ends_the_room_stands_still() -> None:
    burning = episode(Fire(10, 100, FAST, 60e3))
    assert burning.state_at(-50) == burning.state_at(0)
    assert burning.state_at(1e6) == burning.state_at(120)


@pytest.mark.parametrize("scenario", Scenario)
def test_the_same_seed_gives_the_same_episode(scenario: Scenario) -> None:
    one, other = (generate(7, scenario, 60.0, frame_size=SMALL) for _ in range(2))
    assert one.state_at(40) == other.state_at(40)
    assert np.array_equal(one.draw_at(40), other.draw_at(40))


def test_without_a_scenario_one_is_drawn_from_the_seed() -> None:
    drawn = [generate(seed, None, 5.0, frame_size=SMALL).scenario for seed in range(40)]
    assert len(set(drawn)) > 6
    assert drawn[0] is generate(0, None, 5.0, frame_size=SMALL).scenario


def test_pictures_have_the_size_asked_for() -> None:
    assert generate(1, Scenario.QUIET, 5.0, frame_size=(96, 128)).draw_at(2).shape == (96, 128, 3)
