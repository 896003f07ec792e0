"""Quality control: what is odd about a reading that is used all the same.

Two tests of the QARTOD manual for temperature (U.S. IOOS 2015, doi:10.7289/V5V40SD4), here for
temperature and humidity:

- rate of change: a reading is further from the last one than any sensor can move (STEP). What
  comes back from there to where it was before is none: a spike is one fault, not two.
- flat line: a value repeats for far longer than this very sensor ever made it repeat (STUCK). How
  long that is can't be the same for all: a coarse sensor, or one that reports on change, repeats
  for hours in a quiet room, a fine one never twice. So each is held against its own past: one
  that used to move and does no longer is suspicious, one that never moved much is not.

Time is event time; what is older than the last reading says nothing. Memory is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_fusion.events import HUMIDITY, TEMPERATURE, Doubt, EventTime, Reading


@dataclass(frozen=True, slots=True)
class Mobility:
    """How a quantity moves, in its canonical unit.

    rate: per second, at most; margin: what a coarse sensor may jump besides; ceiling: at which a
    sensor is saturated and may well stand still.
    """

    rate: float
    margin: float
    ceiling: float = float("inf")


MOBILITY: Final[Mapping[str, Mobility]] = {
    TEMPERATURE: Mobility(rate=5.0, margin=2.0),
    HUMIDITY: Mobility(rate=20.0, margin=5.0, ceiling=100.0),
}
"""After a step of the air a sensor moves by 1/τ of it in the first second. By their data sheets, in
a stream of air and without a housing, τ (63 %) of humidity is 8 s (SHT3x) or 4 to 6 s (SHT4x), of
temperature 2 s at least: so these rates are air that is 10 K hotter, or wet instead of dry, from
one second to the next. Next to fires the steepest second of 17 hours had 1.8 °C and 6.9 %RH
(S. Blattmann, "Smoke Detection Dataset"). Only a bare BME280 in a jet of steam, τ = 1 s, may be
quicker. The margins are two steps of a DHT11, and its tolerance."""

COARSEST_CLOCK: Final = 1.0
"""Seconds. Many devices write their time in whole ones."""

MANY_CHANGES: Final = 100
"""So often a sensor must have changed before it is known what is usual for it."""

LIVELY: Final = 0.1
"""Share of its readings that must have been changes for a standstill to mean anything. An office at
one reading a minute has 0.15 where it is rounded to 0.1 °C, and 0.03 where to 0.5 °C (L. Candanedo,
V. Feldheim, "Occupancy Detection")."""

SHORTEST_RUN: Final = 30
SHORTEST_SPAN: Final = 600.0
"""A value must come so often, and for so many seconds, to be stuck."""

LONGER: Final = 5.0
"""So many times longer than ever before, by count and by duration, is a run that is stuck.

With these numbers nothing is taken for stuck in the 73,000 readings of either quantity in the two
datasets above, and twice in 7,244 variants of them: rounded to 0.01 to 1, thinned out to every 5th
or 10th, begun at other places, or sent on change only, the other value repeated with it."""


class QualityControl:
    """Checks readings in the order in which they come.

    Remembers the temperature and the humidity of `max_devices` devices; above that it forgets the
    one it heard longest ago.
    """

    def __init__(self, max_devices: int = 4096) -> None:
        self._room = max_devices * len(MOBILITY)
        self._pasts: OrderedDict[tuple[str, str, str], _Past] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pasts)

    def check(self, reading: Reading) -> Doubt | None:
        """What is odd about `reading`: STEP, STUCK (said once, as it becomes so), or nothing."""
        key = reading.site, reading.device, reading.quantity
        past = self._pasts.get(key)
        if past is None:
            self._begin(key, reading)
            return None
        self._pasts.move_to_end(key)
        return past.add(reading.value, reading.time)

    def stuck(self) -> dict[tuple[str, str], bool]:
        """Whether any quantity of each device, by site and name, is stuck now."""
        found: dict[tuple[str, str], bool] = {}
        for (site, device, _), past in self._pasts.items():
            found[site, device] = past.stuck or found.get((site, device), False)
        return found

    def _begin(self, key: tuple[str, str, str], reading: Reading) -> None:
        mobility = MOBILITY.get(reading.quantity)
        if mobility is None:
            return
        self._pasts[key] = _Past(mobility, reading.value, reading.time)
        if len(self._pasts) > self._room:
            self._pasts.popitem(last=False)


class _Past:
    """What was seen of one quantity of one device. A run is readings of one value in a row."""

    __slots__ = (
        "_before", "_begun", "_changes", "_earlier", "_longest_run", "_longest_span",
        "_mobility", "_run", "_time", "_value", "stuck",
    )  # fmt: skip

    def __init__(self, mobility: Mobility, value: float, time: EventTime) -> None:
        self.stuck = False
        self._mobility = mobility
        self._value = value
        self._time = time
        self._before: tuple[float, EventTime] | None = None
        """The last reading before a step, until it is clear whether that was a spike."""
        self._begun = time
        self._run = 1
        self._earlier = 0
        """Readings before this run."""
        self._changes = 0
        self._longest_run = 1
        self._longest_span = 0.0

    def add(self, value: float, time: EventTime) -> Doubt | None:
        if time <= self._time:
            return None
        if value == self._value:
            self._time = time
            self._run += 1
            if self._run < SHORTEST_RUN or self.stuck or not self._is_flat():
                return None
            # Of what follows nothing is learned, or a fault that comes again would be usual.
            self._learn()
            self.stuck = True
            return Doubt.STUCK
        doubt = Doubt.STEP if self._is_step(value, time) else None
        if self.stuck:
            self.stuck = False
        else:
            if self._run > 1:
                self._learn()
            self._earlier += self._run
        self._changes += 1
        self._run = 1
        self._value = value
        self._begun = self._time = time
        return doubt

    def _is_step(self, value: float, time: EventTime) -> bool:
        if self._is_reached(value, time, self._value, self._time):
            self._before = None
            return False
        if self._before is None:
            self._before = self._value, self._time
        elif self._is_reached(value, time, *self._before):
            self._before = None
            return False
        return True

    def _is_reached(
        self, value: float, time: EventTime, start: float, start_time: EventTime
    ) -> bool:
        elapsed = max(time - start_time, COARSEST_CLOCK)
        return abs(value - start) <= self._mobility.margin + self._mobility.rate * elapsed

    def _is_flat(self) -> bool:
        span = self._time - self._begun
        return (
            span >= SHORTEST_SPAN
            and span >= LONGER * self._longest_span
            and self._run >= LONGER * self._longest_run
            and self._changes >= max(MANY_CHANGES, LIVELY * self._earlier)
            and self._value < self._mobility.ceiling
        )

    def _learn(self) -> None:
        self._longest_run = max(self._longest_run, self._run)
        self._longest_span = max(self._longest_span, self._time - self._begun)
