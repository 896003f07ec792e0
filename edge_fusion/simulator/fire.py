"""What burns: heat, smoke and water vapour over time, and the flame that is seen of it.

A flaming fire grows with the square of time (NFPA 72 annex B, NFPA 92; SFPE Handbook ch. 26),
Q = alpha t², up to a cap; it dies down exponentially when it is put out or its fuel is spent.
Before it may smoulder: little heat, much light-grey smoke. The burning rate is Q over the heat
of combustion; smoke is what blocks light: yield times burning rate times the specific extinction
area of soot, 8700 m²/kg (Mulholland & Croarkin 2000, Fire and Materials 24, 227) for flaming and
4400 m²/kg (Seader & Einhorn 1977) for smouldering. Yields: SFPE Handbook app. 3 (Tewarson).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import exp

FLAMING_EXTINCTION = 8700.0
SMOULDERING_EXTINCTION = 4400.0
"""m² per kg of smoke particles."""
SMOULDERING_YIELD = 0.1
"""kg of smoke per kg of fuel: between cotton (0.05) and flexible foam (0.12 and more)."""
SMOULDERING_HEAT = 5000.0
"""kJ per kg: combustion is poor, most of the fuel leaves as smoke and gas."""
FIRE_VISIBLE = 5.0
"""kW from which on flames are called a fire: a burning sheet of paper, fifty candles."""
CANDLE = 0.08
"""kW."""


class Growth(Enum):
    """alpha in kW/s² of the growth classes: 1055 kW after 600, 300, 150 and 75 s."""

    SLOW = 0.0029
    MEDIUM = 0.0117
    FAST = 0.0469
    ULTRA_FAST = 0.1876


@dataclass(frozen=True, slots=True)
class Fuel:
    """Heat of combustion in kJ/kg, kg soot and kg water per kg burnt, radiated share of heat."""

    heat: float
    soot: float
    water: float
    radiative: float = 0.33


PAPER = Fuel(heat=13_000.0, soot=0.012, water=0.45)
WOOD = Fuel(heat=13_000.0, soot=0.015, water=0.5)
TEXTILE = Fuel(heat=16_000.0, soot=0.03, water=0.45)
FOAM = Fuel(heat=17_000.0, soot=0.13, water=0.5, radiative=0.4)
PLASTIC = Fuel(heat=27_000.0, soot=0.06, water=0.6, radiative=0.4)
FUELS = (PAPER, WOOD, TEXTILE, FOAM, PLASTIC)


@dataclass(frozen=True, slots=True)
class Burning:
    """What a fire gives off now.

    heat_release of flames and embers in kW, of which flames; smoke in m² of blocked light per
    second; water in kg/s; the radiated share of the heat.
    """

    heat_release: float = 0.0
    flames: float = 0.0
    smoke: float = 0.0
    water: float = 0.0
    radiative: float = 0.33

    @property
    def is_fire(self) -> bool:
        return self.flames > FIRE_VISIBLE


@dataclass(frozen=True, slots=True)
class Fire:
    """How something burns.

    growth in kW/s² (0: it never flames); cap in kW; energy of the fuel in kJ; decay in seconds;
    smouldering in kg/s of fuel, for `smoulders` seconds before the flames (and on, at 0 growth).
    """

    growth: float = Growth.FAST.value
    cap: float = 60.0
    energy: float = 20_000.0
    decay: float = 8.0
    fuel: Fuel = WOOD
    smouldering: float = 0.0
    smoulders: float = 0.0

    def burning(self, age: float, put_out: float | None = None) -> Burning:
        """What it gives off at `age` seconds, having been put out at that of `put_out`."""
        if age < 0:
            return Burning()
        flames = self._flames(age, put_out)
        embers = self._embers(age, put_out)
        burnt = flames / self.fuel.heat
        return Burning(
            heat_release=flames + embers * SMOULDERING_HEAT,
            flames=flames,
            smoke=FLAMING_EXTINCTION * self.fuel.soot * burnt
            + SMOULDERING_EXTINCTION * SMOULDERING_YIELD * embers,
            water=self.fuel.water * (burnt + 0.3 * embers),
            radiative=self.fuel.radiative,
        )

    def _flames(self, age: float, put_out: float | None) -> float:
        """kW. Beyond its end what had been reached decays."""
        end = min(self.spent, float("inf") if put_out is None else put_out)
        growing = max(0.0, min(age, end) - self.smoulders)
        reached = min(self.cap, self.growth * growing**2)
        return reached * exp(-max(0.0, age - end) / self.decay)

    def _embers(self, age: float, put_out: float | None) -> float:
        """kg/s. Comes over ten seconds, ends with the flames or, more slowly, put out."""
        coming = self.smouldering * (1 - exp(-age / 10))
        flaming = max(0.0, age - self.smoulders) if self.growth > 0 else 0.0
        dying = max(0.0, age - put_out) / 2 if put_out is not None else 0.0
        return coming * exp(-(flaming + dying) / self.decay)

    @property
    def spent(self) -> float:
        """Age at which the fuel is used up: the integral of the heat release is `energy`."""
        if self.growth <= 0:
            return float("inf")
        rise = (self.cap / self.growth) ** 0.5
        while_rising = self.growth * rise**3 / 3
        if self.energy <= while_rising:
            return self.smoulders + float((3 * self.energy / self.growth) ** (1 / 3))
        return self.smoulders + rise + (self.energy - while_rising) / self.cap


def flame_size(heat_release: float) -> tuple[float, float]:
    """Height and base diameter of a flame in m at kW.

    Heskestad (SFPE Handbook ch. 13): L = 0.235 Q^0.4 - 1.02 D, over a base that burns with
    500 kW/m²; small ones are no lower than twice their base.
    """
    if heat_release <= 0:
        return 0.0, 0.0
    diameter = (4 * heat_release / (3.1416 * 500)) ** 0.5
    height = 0.235 * heat_release**0.4 - 1.02 * diameter
    return max(height, 2 * diameter), diameter


def puffing(diameter: float) -> float:
    """Hz at which a flame flickers: 1.5 / sqrt(D) (Cetegen & Ahmed 1993, Combust. Flame 93)."""
    return 1.5 / max(diameter, 0.01) ** 0.5
