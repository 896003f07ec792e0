"""LiveRoom: a room that goes on for as long as somebody looks, its story told again and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.simulator.episode import SETTLING, STEP, Setting, draw_setting
from edge_fusion.simulator.room import RoomParameters, RoomState, at_rest, step
from edge_fusion.simulator.scene import Light, Picture, Scene
from edge_fusion.simulator.story import DEMO, Scenario, Story, draw_story

PERIOD = 60.0
"""Seconds after which the story of the demo begins again."""
LONG_PERIOD = 240.0


class LiveRoom:
    """One room in which time only goes forward. Instants are seconds from its beginning."""

    def __init__(
        self,
        seed: int,
        story: Story,
        setting: Setting,
        period: float,
        *,
        frame_size: tuple[int, int] = (480, 640),
    ) -> None:
        self._story = story
        self._setting = setting
        self._period = period
        self._scene = Scene(seed, frame_size[1], frame_size[0])
        self._time = -SETTLING
        self._state = at_rest(setting.room, setting.temperature, setting.moisture_gain)
        self._rest = replace(story.drivers(0.0), fire=0.0, soot=0.0, steam=0.0)

    @property
    def time(self) -> float:
        """How far it has come."""
        return self._time

    @property
    def state(self) -> RoomState:
        return self._state

    def advance(self, time: float) -> None:
        """Let time pass; before instant 0 the room settles with nobody doing harm."""
        while self._time < time:
            drivers = self._rest
            if self._time >= 0:
                drivers = self._story.drivers(self._time % self._period)
            self._state = step(self._setting.room, self._state, drivers, STEP)
            self._time += STEP

    def air(self) -> tuple[float, float]:
        """Temperature (°C) and relative humidity (%) now."""
        return self._state.temperature, self._state.relative_humidity

    def draw(self) -> Picture:
        """What the camera sees now: uint8 [H, W, 3] RGB."""
        cover = self._story.obstruction(self._time % self._period)
        return self._scene.draw(self._state, self._time, self._setting.light, cover)

    def truth(self) -> dict[str, float]:
        """What is going on, in the units of the physics, for people who look."""
        state = self._state
        return {
            TEMPERATURE: state.temperature,
            HUMIDITY: state.relative_humidity,
            "fire_kw": state.drivers.fire / 1000,
            "smoke_per_m": state.smoke_extinction,
            "steam_per_m": state.steam_extinction,
        }


def demo_room(site: str) -> LiveRoom:
    """One of the rooms of the demo, by name (a key of `DEMO`)."""
    room = RoomParameters(volume=38.0, outdoor_temperature=12.0, outdoor_humidity=70.0)
    setting = Setting(room, 21.0, 0.0012, Light(day=0.55, lamp=0.25))
    return LiveRoom(list(DEMO).index(site) + 40, DEMO[site], setting, PERIOD)


def random_room(seed: int, scenario: Scenario | None) -> LiveRoom:
    """A room and a story at random; None: any scenario."""
    rng = np.random.default_rng([seed, 2])
    if scenario is None:
        scenario = list(Scenario)[int(rng.integers(len(Scenario)))]
    setting = draw_setting(rng)
    return LiveRoom(seed, draw_story(scenario, LONG_PERIOD, rng), setting, LONG_PERIOD)
