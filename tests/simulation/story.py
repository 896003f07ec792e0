"""A ledger that says in words what it hears: what happened in one seed, for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from simulation.ledger import Ledger

from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    Input,
    Message,
    Outcome,
    Pane,
    Publication,
    Reading,
)


class Story(Ledger):
    """Prints each thing as it happens, with the time by `now`."""

    def __init__(self) -> None:
        super().__init__()
        self.now: Callable[[], float] = lambda: 0.0

    @contextmanager
    def with_log(self) -> Iterator[None]:
        """What the box logs meanwhile is part of it."""
        log, lines = logging.getLogger("edge_fusion"), logging.Handler()
        lines.emit = lambda record: self.tell("log", record.getMessage())  # type: ignore[method-assign]
        log.addHandler(lines)
        try:
            yield
        finally:
            log.removeHandler(lines)

    def tell(self, who: str, what: str) -> None:
        print(f"{self.now():9.3f}  {who:<10} {what}")

    def tap(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        super().tap(inputs, until)
        for item in inputs:
            if isinstance(item, CatchUp):
                self.tell("time", f"stands still as of {_clock(item.since)}")
            elif isinstance(item, CaughtUp):
                self.tell("time", "goes on")

    def observe(self, outcome: Outcome) -> None:
        super().observe(outcome)
        if isinstance(outcome, Pane):
            return
        reading = getattr(outcome, "event", outcome)
        if isinstance(reading, Reading):
            value = f"{reading.quantity} {reading.value:.6f} of {reading.device}"
            what = "reading" if outcome is reading else type(outcome).__name__
            self.tell("box", f"{what}: {value} at {_clock(reading.time)}")
        else:
            self.tell("box", type(outcome).__name__)

    def told(self, token: int | None, publication: Publication, *, starting: bool) -> None:
        super().told(token, publication, starting=starting)
        number = "turned away" if token is None else f"number {token}"
        self.tell("box", f"has to publish, {number}: {in_words(publication)}")

    def kept(self) -> None:
        self.tell("store", f"keeps {len(self._pending)} things")
        super().kept()

    def gone(self) -> None:
        self.tell("box", f"is gone, and {len(self._pending)} things that were not kept")
        super().gone()

    def acknowledge(self, message: Message) -> None:
        super().acknowledge(message)
        self.tell("box", f"acknowledges {message.topic} of {_clock(message.arrival)}")

    def hear(self, token: int, publication: Publication) -> None:
        super().hear(token, publication)
        self.tell("broker", f"gets number {token}: {in_words(publication)}")


def in_words(publication: Publication) -> str:
    """A publication in some words."""
    kind = publication.topic.split("/", 1)[1]
    if publication.content_type != "application/json":
        return kind
    said = json.loads(publication.payload)
    if kind.endswith("/window"):
        counts = ", ".join(f"{each['count']} {name}" for name, each in said["readings"].items())
        span = f"{said['start'][14:23]} to {said['end'][14:23]}"
        return f"{kind} {span} revision {said['revision']}, by {said['closed_by']}: {counts}"
    if "sequence" in said:
        change = f"{said['state']} {str(said['id'])[:8]} #{said['sequence']}"
        return f"{kind} {said['label']} {change} of {said['updated_at'][14:23]}"
    return kind


def _clock(moment: float) -> str:
    return f"{moment - 1_800_000_000.0:.3f}"
