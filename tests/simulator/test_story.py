from __future__ import annotations

from math import e

import numpy as np
import pytest

from edge_fusion.simulator.room import FAST, SLOW, Drivers
from edge_fusion.simulator.scene import CLEAR, Cover, Obstruction
from edge_fusion.simulator.story import (
    DEMO,
    FOREVER,
    QUENCHED,
    Covering,
    Fire,
    Presence,
    Scenario,
    Steam,
    Story,
    draw_story,
)

DURATION = 180.0
BURNING = {Scenario.FLAMING_FIRE, Scenario.FIRE_WITH_STEAM, Scenario.BLOCKED_DURING_FIRE}
STEAMING = {Scenario.COOKING_STEAM, Scenario.SHOWER_STEAM, Scenario.FIRE_WITH_STEAM}
BLOCKED = {Scenario.CAMERA_BLOCKED, Scenario.BLOCKED_DURING_FIRE}


def course(story: Story) -> list[Drivers]:
    return [story.drivers(float(second)) for second in range(int(DURATION))]


def test_what_happens_at_once_adds_up() -> None:
    story = Story((Presence(0, 10, people=2), Presence(5, 15, heater=800.0), Steam(0, 20, 1e-3)))
    assert story.drivers(2.0).people == story.drivers(7.0).people == 2
    assert story.drivers(7.0).heater == story.drivers(12.0).heater == 800.0
    assert story.drivers(12.0).people == 0
    assert story.drivers(12.0).steam > 0


def test_a_happening_ends_with_the_instant_of_its_end() -> None:
    presence = Presence(5, 10, people=1)
    assert [presence.at(t).people for t in (4.9, 5.0, 9.9, 10.0)] == [0, 1, 1, 0]


def test_a_kettle_takes_its_time_to_steam() -> None:
    kettle = Steam(10, 100, 1e-3, rise=6.0)
    assert kettle.at(10).steam == 0
    assert kettle.at(16).steam == pytest.approx(1e-3 * (1 - 1 / e))
    assert kettle.at(99).steam == pytest.approx(1e-3, rel=1e-3)


def test_a_fire_follows_t_squared_and_dies_when_it_is_put_out() -> None:
    fire = Fire(10, 40, FAST, peak=1e6)
    assert fire.at(9).fire == 0
    assert fire.at(30).fire == pytest.approx(FAST * 20**2)
    assert fire.at(40 + QUENCHED).fire == pytest.approx(FAST * 30**2 / e)
    assert fire.at(200).fire == 0


def test_a_smouldering_fire_smokes_without_a_flame() -> None:
    fire = Fire(60, 60, SLOW, 1.0, smoulder=10, smoulder_soot=5e-5)
    before, during = fire.at(9), fire.at(50)
    assert before == Drivers()
    assert during.fire == 0
    assert during.soot > 4e-5
    assert 0 < during.heater < 5e3


def test_the_cover_that_hides_most_is_seen() -> None:
    little, much = Obstruction(Cover.STICKER, 0.2), Obstruction(Cover.HAND, 0.9)
    story = Story((), (Covering(0, 20, little), Covering(5, 10, much)))
    assert [story.obstruction(t) for t in (2, 7, 12, 30)] == [little, much, little, CLEAR]


def test_a_hand_needs_a_moment_to_arrive() -> None:
    hand = Covering(5, 10, Obstruction(Cover.HAND, 0.9))
    assert 0 < hand.at(5.0).share < hand.at(5.3).share < hand.at(5.8).share == 0.9


@pytest.mark.parametrize("scenario", Scenario)
@pytest.mark.parametrize("seed", range(5))
def test_a_scenario_holds_its_hazards_and_no_others(scenario: Scenario, seed: int) -> None:
    story = draw_story(scenario, DURATION, np.random.default_rng(seed))
    drivers = course(story)
    shares = [story.obstruction(float(second)).share for second in range(int(DURATION))]
    assert (max(d.fire for d in drivers) > 1e3) == (scenario in BURNING)
    assert any(d.steam > 0 for d in drivers) == (scenario in STEAMING)
    assert (max(shares) > 0.5) == (scenario in BLOCKED)


def test_a_candle_burns_but_is_no_fire() -> None:
    story = draw_story(Scenario.CANDLE, DURATION, np.random.default_rng(1))
    assert all(0 < d.fire < 5e3 for d in course(story))


def test_the_same_seed_tells_the_same_story() -> None:
    stories = [draw_story(Scenario.FLAMING_FIRE, DURATION, np.random.default_rng(4)) for _ in "ab"]
    assert stories[0] == stories[1]


def test_in_the_demo_every_site_has_a_story_that_comes_and_goes() -> None:
    kettle, fire, hand = DEMO["kitchen"], DEMO["living-room"], DEMO["hall"]
    assert [kettle.drivers(t).steam > 0 for t in (0, 15, 45)] == [False, True, False]
    assert [fire.drivers(t).fire > 5e3 for t in (0, 25, 45)] == [False, True, False]
    assert [hand.obstruction(t).share > 0.5 for t in (0, 20, 45)] == [False, True, False]
    assert FOREVER not in {covering.end for covering in hand.coverings}
