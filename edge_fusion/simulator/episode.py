"""Episodes: one room, one story, seen by a camera and felt by sensors, with the truth beside it.

Everything is drawn from the seed: the room's size, air changes and outdoor weather, hour and
lamps, the camera and what it looks at, and the story. Cause and effect agree between picture and
sensors because both come from the same states of the same room.

The truth, at an instant:

* fire            heat release of flames above 5 kW (a candle gives 0.1 kW);
* smoke           extinction coefficient above 0.05 1/m, which a person sees as haze across a
                  room, whether or not the camera can see anything;
* steam           extinction of condensed droplets above 0.004 1/m on the room's average: a
                  kettle's plume that can be seen;
* camera_blocked  more than half of the view covered. Darkness is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.simulator.room import RoomParameters, RoomState, at_rest, step
from edge_fusion.simulator.scene import Light, Picture, Scene, daylight
from edge_fusion.simulator.sensors import lagged
from edge_fusion.simulator.story import Scenario, Story, draw_story

STEP = 0.5
FLAMES, HAZE, PLUME, HALF = 5e3, 0.05, 0.004, 0.5
SETTLING = 600.0


@dataclass(frozen=True, slots=True)
class Setting:
    """The room and the light that a story happens in."""

    room: RoomParameters
    temperature: float
    moisture_gain: float
    light: Light


class Episode:
    """One story in one room. All instants are seconds from its beginning."""

    def __init__(
        self,
        seed: int,
        story: Story,
        setting: Setting,
        duration: float,
        *,
        scenario: Scenario | None = None,
        frame_size: tuple[int, int] = (480, 640),
    ) -> None:
        self.seed = seed
        self.scenario = scenario
        self.duration = duration
        self._story = story
        self._light = setting.light
        self._states = _course(story, setting, duration)
        height, width = frame_size
        self._scene = Scene(seed, width, height)
        self._felt: dict[tuple[str, float], list[float]] = {}

    def state_at(self, time: float) -> RoomState:
        """The room at an instant; before the beginning and after the end it stands still."""
        return self._states[self._place(time)]

    def draw_at(self, time: float) -> Picture:
        """What the camera sees: uint8 [H, W, 3] RGB."""
        return self._scene.draw(
            self.state_at(time), time, self._light, self._story.obstruction(time)
        )

    def air_at(self, quantity: str, time: float, lag: float = 0.0) -> float:
        """°C or %RH of the air, through a first-order lag of `lag` seconds."""
        if lag == 0.0:
            return _air(self.state_at(time), quantity)
        key = (quantity, lag)
        if key not in self._felt:
            self._felt[key] = self._through(quantity, lag)
        return self._felt[key][self._place(time)]

    def truth_at(self, time: float) -> dict[str, bool]:
        """Which labels hold at an instant, by the definitions above."""
        state = self.state_at(time)
        return {
            "fire": state.drivers.fire > FLAMES,
            "smoke": state.smoke_extinction > HAZE,
            "steam": state.steam_extinction > PLUME,
            "camera_blocked": self._story.obstruction(time).share > HALF,
        }

    def _place(self, time: float) -> int:
        return min(len(self._states) - 1, max(0, int(time / STEP)))

    def _through(self, quantity: str, lag: float) -> list[float]:
        felt = [_air(self._states[0], quantity)]
        for state in self._states[1:]:
            felt.append(lagged(felt[-1], _air(state, quantity), lag, STEP))
        return felt


def generate(
    seed: int,
    scenario: Scenario | None = None,
    duration: float = 180.0,
    *,
    frame_size: tuple[int, int] = (480, 640),
) -> Episode:
    """An episode at random; the same arguments give the same one. None: any scenario."""
    rng = np.random.default_rng([seed, 1])
    if scenario is None:
        scenario = list(Scenario)[int(rng.integers(len(Scenario)))]
    setting = draw_setting(rng)
    story = draw_story(scenario, duration, rng)
    return Episode(seed, story, setting, duration, scenario=scenario, frame_size=frame_size)


def draw_setting(rng: np.random.Generator) -> Setting:
    """A room, its weather and its light at random; one in four is dark."""
    volume = float(np.exp(rng.uniform(np.log(18), np.log(120))))
    room = RoomParameters(
        volume=volume,
        wall_conductance=float(rng.uniform(18, 35)) * volume ** (2 / 3),
        outer_conductance=float(rng.uniform(1.5, 5)) * volume ** (2 / 3),
        wall_capacity=float(rng.uniform(4e4, 1.2e5)) * volume,
        air_changes=float(np.exp(rng.uniform(np.log(0.3), np.log(4)))),
        outdoor_temperature=float(rng.uniform(-8, 32)),
        outdoor_humidity=float(rng.uniform(45, 95)),
    )
    inside = float(rng.uniform(16, 25))
    hour = float(rng.uniform(0, 24))
    lamp_on = rng.random() < (0.25 if 8 < hour < 18 else 0.55)
    lamp = float(rng.uniform(0.25, 0.8)) if lamp_on else 0.0
    light = Light(daylight(hour) * float(rng.uniform(0.3, 1.1)), lamp)
    return Setting(
        room, max(inside, room.outdoor_temperature - 4), float(rng.uniform(0.0005, 0.004)), light
    )


def _course(story: Story, setting: Setting, duration: float) -> list[RoomState]:
    """The states of the room, `STEP` apart, after it has settled with what goes on at first."""
    room = setting.room
    state = at_rest(room, setting.temperature, setting.moisture_gain)
    settled = replace(story.drivers(0.0), fire=0.0, soot=0.0, steam=0.0)
    for _ in range(int(SETTLING)):
        state = step(room, state, settled, 1.0)
    states = [state]
    for index in range(int(duration / STEP) + 1):
        state = step(room, state, story.drivers(index * STEP), STEP)
        states.append(state)
    return states[1:]


def _air(state: RoomState, quantity: str) -> float:
    return {TEMPERATURE: state.temperature, HUMIDITY: state.relative_humidity}[quantity]
