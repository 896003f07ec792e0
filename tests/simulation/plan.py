"""What one seed comes to: a configuration, devices, and what is to go wrong, and how often.

Each seed has only some of the troubles, so that none hides another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from random import Random

MAX_SKEW = 60.0


class Trouble(Enum):
    """What goes wrong from outside, each time at a random moment."""

    CRASH = "crash"
    STOP = "stop"
    CUT = "cut"
    BROKER = "broker"
    DISK_FULL = "disk full"
    DAMAGE = "damage"
    UNREADABLE = "unreadable"
    RELOAD = "reload"
    CLOCK = "clock"
    STALL = "stall"


GENTLE = (Trouble.CRASH, Trouble.STOP, Trouble.CUT)
"""Troubles after which the broker still has all that it held back."""


class Kind(Enum):
    """How a device speaks."""

    DATED = "dated"
    UNDATED = "undated"
    ZIGBEE = "zigbee"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the configuration of the box says. Times in seconds, as in its keys."""

    size: float
    every: float
    slack: float
    lateness: float
    idle: float
    wait: float
    threshold: float
    for_windows: int
    keep_firing: float
    labels: tuple[str, ...]
    max_readings: int
    max_outbox: int
    max_sites: int
    max_devices: int

    @property
    def silent_after(self) -> float:
        """As assembly.book has it."""
        return self.size + self.every + self.wait + self.idle

    @property
    def stale_after(self) -> float:
        """Silence of a device that is trouble."""
        return 2 * self.idle


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """One device: what it is, and how badly it behaves.

    period, delay: seconds; delay is the largest, so it reorders. skew: how far its clock is ahead.
    twice, burst, silent: chances that a message is sent twice, that it begins to hoard messages,
    and that it begins to be silent.
    """

    name: str
    site: str
    kind: Kind
    qos: int
    period: float
    delay: float
    skew: float
    twice: float
    burst: float
    silent: float
    joins: float
    leaves: float

    @property
    def states_time(self) -> bool:
        """Whether its messages say when, by a clock that is sound."""
        return self.kind in {Kind.DATED, Kind.ZIGBEE} and abs(self.skew) < MAX_SKEW

    @property
    def is_prompt(self) -> bool:
        """Whether all that it sends, it sends at once, by a clock that is right."""
        tidy = self.delay == self.skew == self.twice == self.burst == 0.0
        return tidy and self.kind is Kind.DATED and self.qos == 1


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a seed decides beforehand. `troubles`: mean seconds between two of a kind;
    `silences`: between two commands to be silent, 0 for none.
    """

    seed: int
    lasts: float
    configuration: Configuration
    devices: tuple[DevicePlan, ...]
    troubles: Mapping[Trouble, float]
    silences: float
    queued: int
    snapshot_after: int
    in_memory: int
    max_batch: int


SITES = ("hall", "attic")


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    chance = Random(f"plan {seed}")
    lasts = chance.uniform(30.0, 80.0)
    return Plan(
        seed=seed,
        lasts=lasts,
        configuration=_configuration(chance),
        devices=tuple(_device(chance, number, lasts) for number in range(chance.randint(2, 5))),
        troubles=_troubles(chance),
        silences=Random(f"silences {seed}").choice([0.0, 0.0, 12.0, 30.0]),
        queued=chance.choice([1000, 1000, 12]),
        snapshot_after=chance.choice([1000, 7, 25]),
        in_memory=chance.choice([256, 3]),
        max_batch=chance.choice([512, 3]),
    )


def changed(configuration: Configuration, chance: Random, *, windows: bool) -> Configuration:
    """Another configuration to go on with; `windows`: even windows of another size."""
    other = replace(
        configuration,
        lateness=chance.choice([configuration.lateness, 30.0]),
        threshold=chance.choice([0.5, 0.6, 0.7]),
        for_windows=chance.randint(1, 2),
        keep_firing=chance.choice([0.0, 6.0]),
        labels=chance.choice([("hot", "damp"), ("hot",), ("damp",)]),
    )
    if windows:
        size, every = chance.choice(HOPS)
        other = replace(other, size=size, every=every)
    return other


HOPS = ((4.0, 4.0), (10.0, 10.0), (6.0, 2.0))


def _configuration(chance: Random) -> Configuration:
    size, every = chance.choice(HOPS)
    return Configuration(
        size=size,
        every=every,
        slack=chance.choice([0.0, 1.0, 3.0]),
        lateness=chance.choice([0.0, 5.0, 30.0]),
        idle=chance.choice([5.0, 12.0]),
        wait=chance.choice([0.5, 2.0, 5.0]),
        threshold=0.6,
        for_windows=chance.randint(1, 3),
        keep_firing=chance.choice([0.0, 5.0, 20.0]),
        labels=("hot", "damp"),
        max_readings=chance.choice([1000, 1000, 12]),
        max_outbox=chance.choice([10_000, 10_000, 40]),
        max_sites=chance.choice([8, 8, 1]),
        max_devices=chance.choice([16, 16, 2]),
    )


def _device(chance: Random, number: int, lasts: float) -> DevicePlan:
    if chance.random() < 0.2:
        return _tidy_device(chance, number, lasts)
    kind = chance.choice([Kind.DATED, Kind.DATED, Kind.UNDATED, Kind.ZIGBEE, Kind.CAMERA])
    joins = chance.choice([0.0, 0.0, chance.uniform(0.0, lasts / 2)])
    return DevicePlan(
        name=f"{kind.value}-{number}",
        site="cellar" if kind is Kind.ZIGBEE else chance.choice(SITES),
        kind=kind,
        qos=chance.choice([1, 1, 1, 0]),
        period=chance.choice([0.7, 1.5, 3.0]),
        delay=chance.choice([0.0, 0.2, 2.0, 8.0]),
        skew=chance.choice([0.0, 0.0, -1.5, 1.5, 3000.0, -40000.0]),
        twice=chance.choice([0.0, 0.1]),
        burst=chance.choice([0.0, 0.05]),
        silent=chance.choice([0.0, 0.03]),
        joins=joins,
        leaves=chance.choice([lasts, lasts, chance.uniform(joins, lasts)]),
    )


def _tidy_device(chance: Random, number: int, lasts: float) -> DevicePlan:
    """A device that does all that it should: what it sends must never be late."""
    return DevicePlan(
        name=f"tidy-{number}", site=chance.choice(SITES), kind=Kind.DATED, qos=1,
        period=chance.choice([0.7, 1.5, 3.0]), delay=0.0, skew=0.0, twice=0.0, burst=0.0,
        silent=0.0, joins=0.0, leaves=lasts,
    )  # fmt: skip


def _troubles(chance: Random) -> dict[Trouble, float]:
    """A few kinds for each seed; the crash, which all is about, for most."""
    if chance.random() < 0.15:
        return {trouble: chance.uniform(8.0, 40.0) for trouble in GENTLE}
    rare = {Trouble.DAMAGE, Trouble.UNREADABLE, Trouble.CLOCK}
    return {
        trouble: chance.uniform(8.0, 40.0)
        for trouble in Trouble
        if chance.random()
        < (0.85 if trouble is Trouble.CRASH else 0.08 if trouble in rare else 0.4)
    }
