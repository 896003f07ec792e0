from __future__ import annotations

import pytest

from edge_fusion.simulator.live import PERIOD, LiveRoom, demo_room, random_room
from edge_fusion.simulator.story import DEMO, Scenario


def test_a_room_keeps_its_time_and_never_goes_back() -> None:
    room = demo_room("kitchen")
    room.advance(20.0)
    state = room.state
    room.advance(10.0)
    assert room.state is state


def test_before_its_beginning_a_room_settles_with_no_hazard() -> None:
    room = demo_room("living-room")
    room.advance(0.0)
    truth = room.truth()
    assert truth["fire_kw"] == truth["smoke_per_m"] == truth["steam_per_m"] == 0.0


def test_the_kettle_of_the_demo_steams_and_dries() -> None:
    steam = [_at(demo_room("kitchen"), t)["steam_per_m"] for t in (2, 24, 58)]
    assert steam[1] > 0.004 > max(steam[0], steam[2])


def test_the_basket_of_the_demo_burns_and_is_put_out_within_45_seconds() -> None:
    heat = [_at(demo_room("living-room"), t)["fire_kw"] for t in (2, 28, 45)]
    assert heat[1] > 5 > max(heat[0], heat[2])


def test_the_story_of_the_demo_is_told_again() -> None:
    assert _at(demo_room("living-room"), PERIOD + 28)["fire_kw"] > 5


@pytest.mark.parametrize("site", DEMO)
def test_the_same_room_is_the_same_every_time(site: str) -> None:
    assert _at(demo_room(site), 25.0) == _at(demo_room(site), 25.0)


def test_a_random_room_follows_its_scenario() -> None:
    assert _at(random_room(3, Scenario.QUIET), 200.0)["fire_kw"] == 0.0
    assert _at(random_room(3, None), 30.0) == _at(random_room(3, None), 30.0)


def _at(room: LiveRoom, time: float) -> dict[str, float]:
    room.advance(time)
    return room.truth()
