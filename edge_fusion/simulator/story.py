"""Stories: what happens in a room over time, as values; at any instant they give the drivers.

A story is a list of happenings, each with a beginning and an end; what acts on the room at an
instant is their sum. `draw_story` makes one at random for a scenario, `DEMO` holds those of the
demo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from edge_fusion.simulator.room import (
    FAST,
    HEAT_OF_COMBUSTION,
    MEDIUM,
    SLOW,
    ULTRA_FAST,
    Drivers,
    t_squared,
)
from edge_fusion.simulator.scene import CLEAR, Cover, Obstruction

QUENCHED = 3.0
"""Seconds in which a fire that is put out falls to 37 %."""
SMOULDER_HEAT = 5e7
"""J per kg of soot: a few kilowatts for a sofa that smoulders thickly (SFPE Handbook, ch. 19)."""
FOREVER = math.inf


class Scenario(Enum):
    """Kinds of stories: hazards, and what looks or feels like one but is none."""

    QUIET = "quiet"
    PEOPLE = "people"
    HEATER = "heater"
    CANDLE = "candle"
    WINDOW_OPEN = "window_open"
    COOKING_STEAM = "cooking_steam"
    SHOWER_STEAM = "shower_steam"
    FLAMING_FIRE = "flaming_fire"
    SMOULDERING_FIRE = "smouldering_fire"
    FIRE_WITH_STEAM = "fire_with_steam"
    CAMERA_BLOCKED = "camera_blocked"
    BLOCKED_DURING_FIRE = "blocked_during_fire"
    PARTLY_COVERED = "partly_covered"


@dataclass(frozen=True, slots=True)
class Presence:
    """People, a heater or an open window, from `start` to `end` (s)."""

    start: float
    end: float
    people: int = 0
    heater: float = 0.0
    air_changes: float = 0.0

    def at(self, time: float) -> Drivers:
        on = self.start <= time < self.end
        return (
            Drivers(self.people, self.heater, extra_air_changes=self.air_changes)
            if on
            else Drivers()
        )


@dataclass(frozen=True, slots=True)
class Steam:
    """A kettle or shower that gives up to `rate` kg/s, after half a minute's or so heating up."""

    start: float
    end: float
    rate: float
    rise: float = 6.0

    def at(self, time: float) -> Drivers:
        if not self.start <= time < self.end:
            return Drivers()
        return Drivers(steam=self.rate * (1 - math.exp(-(time - self.start) / self.rise)))


@dataclass(frozen=True, slots=True)
class Fire:
    """A t-squared fire of `growth` W/s2 up to `peak` W from `start`, put out at `end`.

    Before it flames it may smoulder from `smoulder` on, with `smoulder_soot` kg/s: much smoke,
    little heat. `soot_yield` is kg of soot per kg burnt (SFPE Handbook: wood 0.015, foam 0.13).
    """

    start: float
    end: float
    growth: float
    peak: float
    soot_yield: float = 0.06
    smoulder: float = FOREVER
    smoulder_soot: float = 0.0

    def at(self, time: float) -> Drivers:
        heat = t_squared(self.growth, min(time, self.end) - self.start, self.peak)
        soot = self.soot_yield * heat / HEAT_OF_COMBUSTION
        glow = 0.0
        if self.smoulder <= min(time, self.end):
            grown = 1 - math.exp(-(min(time, self.end) - self.smoulder) / 15)
            soot += self.smoulder_soot * grown
            glow = SMOULDER_HEAT * self.smoulder_soot * grown
        fading = math.exp(-max(0.0, time - self.end) / QUENCHED)
        # Embers warm the room as a heater does: they show no flame.
        return Drivers(
            heater=glow * fading,
            fire=heat * fading if heat * fading > 10 else 0.0,
            soot=soot * fading,
        )


@dataclass(frozen=True, slots=True)
class Covering:
    """Something over the lens from `start` to `end`, there within a second."""

    start: float
    end: float
    obstruction: Obstruction

    def at(self, time: float) -> Obstruction:
        if not self.start <= time < self.end:
            return CLEAR
        arrived = min(1.0, (time - self.start + 0.2) / 0.8)
        return replace(self.obstruction, share=self.obstruction.share * arrived)


Happening = Presence | Steam | Fire


@dataclass(frozen=True, slots=True)
class Story:
    """All that happens."""

    happenings: tuple[Happening, ...] = ()
    coverings: tuple[Covering, ...] = ()

    def drivers(self, time: float) -> Drivers:
        parts = [happening.at(time) for happening in self.happenings]
        return Drivers(
            people=sum(part.people for part in parts),
            heater=sum(part.heater for part in parts),
            steam=sum(part.steam for part in parts),
            fire=sum(part.fire for part in parts),
            soot=sum(part.soot for part in parts),
            extra_air_changes=sum(part.extra_air_changes for part in parts),
        )

    def obstruction(self, time: float) -> Obstruction:
        covers = (covering.at(time) for covering in self.coverings)
        return max(covers, key=lambda cover: cover.share, default=CLEAR)


DEMO: dict[str, Story] = {
    "kitchen": Story(
        (Presence(0, FOREVER, people=1), Steam(4, 24, 2.5e-3, 3), Presence(26, 50, air_changes=12))
    ),
    "living-room": Story(
        (
            Presence(0, FOREVER, people=2),
            Fire(8, 27, ULTRA_FAST, 70e3, soot_yield=0.05, smoulder=5, smoulder_soot=4e-5),
            Presence(28, FOREVER, air_changes=150),
        )
    ),
    "hall": Story((), (Covering(12, 26, Obstruction(Cover.HAND, 0.97)),)),
}
"""The demo: a kettle, a paper basket that burns and is put out, a hand on the lens."""


def draw_story(scenario: Scenario, duration: float, rng: np.random.Generator) -> Story:
    """A story of a scenario, with people or a heater by chance in any of them."""
    happenings: list[Happening] = []
    start = float(rng.uniform(0.05, 0.45)) * duration
    end = min(duration * 1.2, start + float(rng.uniform(0.25, 0.8)) * duration)
    if rng.random() < 0.4 or scenario is Scenario.PEOPLE:
        happenings.append(Presence(0, FOREVER, people=int(rng.integers(1, 5))))
    if rng.random() < 0.15 or scenario is Scenario.HEATER:
        heater_start = float(rng.uniform(-300, 0.3 * duration))
        happenings.append(Presence(heater_start, FOREVER, heater=float(rng.uniform(600, 4000))))
    if scenario is Scenario.WINDOW_OPEN or rng.random() < 0.06:
        happenings.append(Presence(start, end, air_changes=float(rng.uniform(3, 20))))
    happenings += _hazards(scenario, start, end, rng)
    return Story(tuple(happenings), _coverings(scenario, start, end, rng))


def _hazards(
    scenario: Scenario, start: float, end: float, rng: np.random.Generator
) -> list[Happening]:
    hazards: list[Happening] = []
    match scenario:
        case Scenario.COOKING_STEAM:
            hazards = [Steam(start, end, float(rng.uniform(0.5e-3, 1.6e-3)))]
        case Scenario.SHOWER_STEAM:
            hazards = [Steam(start, end, float(rng.uniform(2e-3, 7e-3)), rise=20.0)]
        case Scenario.FLAMING_FIRE | Scenario.BLOCKED_DURING_FIRE:
            hazards = [_flaming(start, end, rng)]
        case Scenario.SMOULDERING_FIRE:
            hazards = [_smouldering(start, end, rng)]
        case Scenario.FIRE_WITH_STEAM:
            steam = Steam(start * 0.5, end, float(rng.uniform(0.5e-3, 4e-3)))
            hazards = [_flaming(start, end, rng), steam]
        case Scenario.CANDLE:
            hazards = [Fire(-100, FOREVER, 1e3, float(rng.uniform(40, 200)), 0.001)]
        case _:
            pass
    return hazards


def _flaming(start: float, end: float, rng: np.random.Generator) -> Fire:
    growth = float(rng.choice([SLOW, MEDIUM, FAST, ULTRA_FAST], p=[0.1, 0.3, 0.35, 0.25]))
    smoulders = rng.random() < 0.5
    return Fire(
        start,
        end,
        growth,
        peak=float(np.exp(rng.uniform(np.log(15e3), np.log(200e3)))),
        soot_yield=float(np.exp(rng.uniform(np.log(0.01), np.log(0.13)))),
        smoulder=start - float(rng.uniform(5, 40)) if smoulders else FOREVER,
        smoulder_soot=float(rng.uniform(1e-5, 8e-5)),
    )


def _smouldering(start: float, end: float, rng: np.random.Generator) -> Fire:
    soot = float(np.exp(rng.uniform(np.log(1e-5), np.log(1.2e-4))))
    return Fire(end, end, SLOW, 1.0, smoulder=start, smoulder_soot=soot)


def _coverings(
    scenario: Scenario, start: float, end: float, rng: np.random.Generator
) -> tuple[Covering, ...]:
    cover = Cover(str(rng.choice([c.value for c in Cover if c is not Cover.NONE])))
    if scenario in {Scenario.CAMERA_BLOCKED, Scenario.BLOCKED_DURING_FIRE}:
        return (Covering(start, end, Obstruction(cover, float(rng.uniform(0.62, 1.0)))),)
    if scenario is Scenario.PARTLY_COVERED:
        return (Covering(start, end, Obstruction(cover, float(rng.uniform(0.1, 0.4)))),)
    return ()
