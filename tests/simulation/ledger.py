"""The ledger: what the box did, as far as its store has it, and what the world heard of it.

What a turn did is *pending* until the store has kept it, and struck out when the box dies first.
What the store lost begins another *epoch*: nothing that was before binds the box any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simulation.plan import Configuration

from edge_fusion.events import (
    AlertChange,
    ArrivalTime,
    CatchUp,
    CutOff,
    Input,
    Message,
    Outcome,
    Publication,
    Scores,
    Shed,
    ShedReason,
    Silence,
)


@dataclass(frozen=True, slots=True)
class Fed:
    """Inputs that were fed, and up to when time was let pass after them."""

    inputs: tuple[Input, ...]
    until: ArrivalTime


class Sent(NamedTuple):
    """What tells a publication from all others, and is the same if it is sent again."""

    token: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A publication, under its number in the outbox; None: it was turned away."""

    token: int | None
    publication: Publication
    restated: bool
    """Whether it only says again what was said before a restart."""

    @property
    def sent(self) -> Sent | None:
        if self.token is None:
            return None
        return Sent(self.token, self.publication.topic, self.publication.payload)


@dataclass(frozen=True, slots=True)
class Restarted:
    """The box died or was stopped and came back, with what its store had."""

    configuration: Configuration
    now: ArrivalTime


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Another configuration took over."""

    configuration: Configuration
    now: ArrivalTime
    backlog: tuple[CatchUp, ...]
    """The beginning of the backlog that was coming in then."""


Entry = Fed | Told | Restarted | Reloaded


@dataclass
class Epoch:
    """All that happened between two losses of the store."""

    begun_with: Configuration
    entries: list[Entry] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    kept: set[Sent] = field(default_factory=set)
    """What the store has, or had, to be published."""
    lost: int = 0
    """How many publications were counted as lost with a damaged store."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the broker got."""

    epoch: int
    sent: Sent


class Ledger:
    """Hears all that is fed, that comes of it, and that is published; an observer and a tap.

    It is told what happens in the world, too, for those that want to hear of it.
    """

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.heard: list[Heard] = []
        self.acknowledged: list[Message] = []
        self.sent: Counter[tuple[str, float]] = Counter()
        """How often devices sent each measurement."""
        self.dated: set[tuple[str, float]] = set()
        """Measurements whose stated time is sound, so that a second copy is known by it."""
        self.prompt: set[tuple[str, float]] = set()
        """Measurements that were sent at once, and that nothing but the broker held back."""
        self.broker_forgot = False
        """Whether a broker had to begin again from an older state, and sent what it had sent."""
        self._pending: list[Entry] = []
        self._pending_outcomes: list[Outcome] = []

    def tell(self, who: str, what: str) -> None:
        """Something happened that nobody judges."""

    # What the box does

    def tap(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        self._pending.append(Fed(tuple(inputs), until))

    def observe(self, outcome: Outcome) -> None:
        self._pending_outcomes.append(outcome)
        if isinstance(outcome, Shed) and outcome.reason is ShedReason.STORE_LOST:
            self.epochs[-1].lost += outcome.count

    def scored(self, scores: Scores) -> None: ...
    def alert_changed(self, change: AlertChange) -> None: ...

    def told(self, token: int | None, publication: Publication, *, starting: bool) -> None:
        # A window is published by a start only if windows have another size now, and may be as one
        # was by the size before the last.
        again = starting and not publication.topic.endswith("/window")
        said = again and any(
            isinstance(entry, Told) and _says_the_same(entry.publication, publication)
            for entry in self.epochs[-1].entries
        )
        self._pending.append(Told(token, publication, restated=said))

    def reloaded(self, reloaded: Reloaded) -> None:
        self._pending.append(reloaded)

    def kept(self) -> None:
        """The store has all there is up to now."""
        epoch = self.epochs[-1]
        epoch.entries += self._pending
        epoch.outcomes += self._pending_outcomes
        told = (entry.sent for entry in self._pending if isinstance(entry, Told))
        epoch.kept.update(sent for sent in told if sent is not None)
        self._pending.clear()
        self._pending_outcomes.clear()

    @property
    def totals(self) -> Counter[str]:
        """What it all came to."""
        told = [
            entry for epoch in self.epochs for entry in epoch.entries if isinstance(entry, Told)
        ]
        kinds = Counter(entry.publication.topic.split("/")[2] for entry in told)
        totals = {f"published: {kind}": count for kind, count in kinds.items()}
        fates = Counter(type(one).__name__ for epoch in self.epochs for one in epoch.outcomes)
        totals |= {f"outcome: {fate}": count for fate, count in fates.items()}
        return Counter(totals | {"messages acknowledged": len(self.acknowledged)})

    @property
    def all_is_kept(self) -> bool:
        return not self._pending

    def gone(self) -> None:
        """The box is gone: what was pending never was, although some of it may have been heard."""
        now, kept = len(self.epochs) - 1, self.epochs[-1].kept
        self.heard = [each for each in self.heard if each.epoch < now or each.sent in kept]
        self._pending.clear()
        self._pending_outcomes.clear()
        if now and not self.epochs[-1].entries:
            self.epochs.pop()  # its store was never written, so that of before is still there

    def started(self, configuration: Configuration, now: ArrivalTime, *, anew: bool) -> None:
        """The box is there again, or for the first time; `anew`: with nothing."""
        if anew or not self.epochs:
            self.epochs.append(Epoch(configuration))
        else:
            self._pending.append(Restarted(configuration, now))

    # What the world sees

    def acknowledge(self, message: Message) -> None:
        """The broker is told that it may forget a message: it must be kept."""
        fed = (item for e in self._pending if isinstance(e, Fed) for item in e.inputs)
        # To end a silence where there is none leaves nothing to be kept, nor does to be cut off.
        unkept = [item for item in fed if not (isinstance(item, Silence) and not item.seconds)]
        unkept = [item for item in unkept if not isinstance(item, CutOff)]
        assert not unkept, f"acknowledged before it was kept: {message}"
        self.acknowledged.append(message)

    def send(self, token: int, publication: Publication) -> None:
        """The box sends what it must have kept."""
        sent = Sent(token, publication.topic, publication.payload)
        assert sent in self.epochs[-1].kept, f"sent before it was kept: {sent}"

    def hear(self, token: int, publication: Publication) -> None:
        sent = Sent(token, publication.topic, publication.payload)
        self.heard.append(Heard(len(self.epochs) - 1, sent))


def _says_the_same(one: Publication, other: Publication) -> bool:
    return (one.topic, one.payload) == (other.topic, other.payload)
