"""The pipeline: one batch of the mailbox through decode, align, model, alerts and out; then kept.

`turn` is the whole story, `feed` all of it but the decoding; nothing else changes state. It knows
the world only through the small protocols below and through the arrival time it is given, and one
thread calls it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from edge_fusion.absence import Absence
from edge_fusion.align.sites import Sites
from edge_fusion.codecs.decoder import Decoder
from edge_fusion.complaints import Complaints, complaint
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    CatchUp,
    CaughtUp,
    Duplicate,
    Frame,
    Input,
    Message,
    Offline,
    Outcome,
    Pane,
    Publication,
    Quarantined,
    Reading,
    Scores,
    Suspect,
    TimeSource,
    TooLate,
)
from edge_fusion.keeper import Book as KeptBook
from edge_fusion.keeping import Keeper, NothingKept
from edge_fusion.kept import Remembered
from edge_fusion.mailbox import Batch
from edge_fusion.quality import QualityControl
from edge_fusion.revisions import Revisions
from edge_fusion.scoring import Scored, Scorer

log = logging.getLogger("edge_fusion.pipeline")


class Book(KeptBook, Protocol):
    """The alert lifecycle (alerts/book.py)."""

    def take(self, scores: Scores) -> list[AlertChange]: ...
    def amend(self, alert: Alert) -> None: ...
    def firing(self) -> list[Alert]: ...
    def would_change(self, scores: Scores) -> bool: ...
    def advance(self, now: ArrivalTime) -> list[AlertChange]: ...
    def wake(self) -> ArrivalTime | None: ...
    def forget(self, site: str) -> bool: ...
    def hold(self) -> None: ...
    def release(self, now: ArrivalTime) -> list[AlertChange]: ...


class Announcer(Protocol):
    """Values -> publications, in the order in which they go out (announcer.py)."""

    def forget(self, site: str) -> None: ...
    def introduce(self, site: str) -> list[Publication]: ...
    def change(self, change: AlertChange) -> list[Publication]: ...
    def window(self, scores: Scores) -> list[Publication]: ...
    def late(self, outcome: TooLate) -> list[Publication]: ...


class Observer(Protocol):
    """Where every outcome is counted once (io/metrics.py)."""

    def observe(self, outcome: Outcome) -> None: ...
    def scored(self, scores: Scores) -> None: ...
    def alert_changed(self, change: AlertChange) -> None: ...


Tap = Callable[[Sequence[Input], ArrivalTime], None]
"""Gets decoded inputs in order of arrival, and up to when time is let pass after them."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The parts of the line, in order."""

    decoder: Decoder
    sites: Sites
    scorer: Scorer
    book: Book
    announcer: Announcer


class Pipeline:
    """Owns all state between two turns.

    `publish` takes what is to go out, in order. `tap` hears all that is fed, before it is.
    `absence` tells backlogs from what is live; `quality` what is odd about readings.
    """

    def __init__(
        self,
        stages: Stages,
        observer: Observer,
        publish: Callable[[Publication], None],
        *,
        revision_epsilon: float,
        tap: Tap | None = None,
        keeper: Keeper | None = None,
        absence: Absence | None = None,
        quality: QualityControl | None = None,
    ) -> None:
        self._stages = stages
        self._keeper = keeper or NothingKept()
        self._absence = absence or Absence("", "", "")
        self._quality = QualityControl() if quality is None else quality
        self._observer = observer
        self._publish = publish
        self._tap = tap
        self._revisions = Revisions(revision_epsilon)
        self._complaints = Complaints()

    def wake(self) -> ArrivalTime | None:
        """When `turn` is due even if nothing comes."""
        wakes = (self._stages.sites.wake(), self._stages.book.wake(), self._absence.wake())
        return min((wake for wake in wakes if wake is not None), default=None)

    def restore(self, remembered: Remembered, now: ArrivalTime) -> None:
        """Go on where the program was when it last kept something; before the first turn."""
        if remembered.held_since is not None:
            self._stages.book.hold()
        outcomes, changes = self._keeper.remember(remembered, now)
        for change in changes:
            self._announce(change)
        for outcome in outcomes:
            self._settle(outcome, now)
        if remembered.until is not None:
            moments = (remembered.until, remembered.held_since, remembered.away_since)
            since = min(moment for moment in moments if moment is not None)
            self.feed(self._absence.resume(since, now), remembered.until)

    def turn(self, batch: Batch) -> None:
        """Take one batch to its end. Raises ModelError when the model fails at run time."""
        for shed in batch.shed:
            self._settle(shed, batch.until)
        inputs = self._inputs(batch)
        self._keeper.note(inputs)
        self.feed(inputs, batch.until)
        self._forget()
        self._keeper.away(self._absence.away_since)
        withheld = self._keeper.keep(batch.deliveries, batch.until)
        if withheld is not None:
            self._absence.withheld(withheld)

    def go_on_with(
        self,
        stages: Stages,
        outcomes: Sequence[Outcome],
        changes: Sequence[AlertChange],
        now: ArrivalTime,
    ) -> None:
        """Others take over from the stages so far, having carried over what those knew.

        `outcomes` and `changes` came about on the way.
        """
        self._stages = stages
        if self._absence.catching_up:
            stages.sites.feed(self._absence.repeated())
            stages.book.hold()
        self._keeper.replace(stages.sites, stages.book)
        for change in changes:
            self._announce(change)
        for site in stages.sites:
            self._send(stages.announcer.introduce(site.site))
        for outcome in outcomes:
            self._settle(outcome, now)

    def stop(self, now: ArrivalTime) -> None:
        """Let time pass to the end, and keep the whole state, for a quick start."""
        self.feed((), now)
        self._keeper.stop(now)

    def feed(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        """Take inputs in order of arrival, then let time pass to `until`.

        What comes of each is taken to its end before what comes of the next, so that what is
        published, and in which order, depends on the inputs alone, never on how they were cut
        into batches. Raises ModelError.
        """
        if self._tap is not None:
            self._tap(inputs, until)
        for flowing, group in groupby(inputs, key=_lets_time_flow):
            if flowing:
                self._take(list(group), until)
            else:
                self._stop_or_go(list(group), until)
        for outcome in self._stages.sites.advance(until):
            self._settle(outcome, until)
        self._run_alerts(until)

    def _take(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        for outcome in self._stages.sites.feed(inputs):
            self._settle(outcome, until)

    def _stop_or_go(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        """Have time stand still while a backlog comes in, or go on after it."""
        for item in inputs:
            if isinstance(item, CatchUp):
                self._run_alerts(item.arrival)
                self._stages.book.hold()
            self._take([item], until)
            if isinstance(item, CaughtUp):
                for change in self._stages.book.release(item.arrival):
                    self._announce(change)
        self._keeper.checkpoint()

    def _inputs(self, batch: Batch) -> list[Input]:
        """What a batch brings, in order of arrival, and where a backlog begins and ends in it."""
        first = batch.deliveries[0].message.arrival if batch.deliveries else batch.until
        inputs = self._absence.turn(batch.until)
        for notice in batch.notices:
            self._keeper.hear(notice)
            inputs += self._absence.hear(notice, first)
        for delivery in batch.deliveries:
            message = delivery.message
            inputs += self._absence.take(message)
            if message.topic == self._absence.barrier_topic:
                continue
            if self._keeper.take(delivery):
                self._decode(message, inputs, batch.until)
            else:
                self._decode_again(message, batch.until)
        return inputs + self._absence.advance(batch.until)

    def _decode(self, message: Message, inputs: list[Input], now: ArrivalTime) -> None:
        for decoded in self._stages.decoder.decode(message):
            match decoded:
                case Reading():
                    inputs.append(self._doubted(decoded))
                case Frame() | Offline():
                    inputs.append(decoded)
                case Publication():
                    self._publish(decoded)
                case _:
                    self._settle(decoded, now)

    def _doubted(self, reading: Reading) -> Reading:
        """What may have waited in the broker for long is known for that: its clock may be right."""
        dated = reading.time_source is TimeSource.DEVICE
        if dated and self._absence.is_behind(reading.arrival):
            return replace(reading, time_source=TimeSource.HELD_BACK)
        return reading

    def _forget(self) -> None:
        """Sites that were let go of are let go of everywhere, unless an alert still fires."""
        for site in self._stages.sites.forgotten():
            if self._stages.book.forget(site):
                self._stages.announcer.forget(site)
                self._keeper.forget(site)

    def _decode_again(self, message: Message, now: ArrivalTime) -> None:
        """Count what had been taken before its acknowledgement was lost."""
        for decoded in self._stages.decoder.decode(message):
            if isinstance(decoded, Reading | Frame):
                self._settle(Duplicate(decoded), now)

    def _run_alerts(self, until: ArrivalTime) -> None:
        """Let the timers of the alerts run, before anything is said of what came after."""
        for change in self._stages.book.advance(until):
            self._announce(change)

    def _judge(self, pane: Pane) -> None:
        """What a pane means: a window to publish, alerts that change."""
        self._run_alerts(pane.fired_at)
        scored = self._stages.scorer.score(pane)
        scores = scored.scores
        for invalid in scored.undecodable:
            self._settle(invalid, pane.fired_at)
        if not scores.rows:
            return
        matters = pane.index == 0 or self._stages.book.would_change(scores)
        if self._revisions.moved(scores) or matters:
            self._send(self._stages.announcer.window(scores))
            self._observer.scored(scores)
        for change in self._stages.book.take(scores):
            self._announce(self._explain(change, scored))

    def _explain(self, change: AlertChange, scored: Scored) -> AlertChange:
        """Add to an alert how much each input contributed, if it rests on this pane."""
        evidence, inputs, pane = change.alert.evidence, scored.inputs, scored.scores.pane
        if evidence is None or inputs is None or not change.alert.firing:
            return change
        if (change.alert.site, evidence.window) != (pane.site, pane.window):
            return change
        cameras = [row.camera for row in scored.scores.rows]
        why = self._stages.scorer.contributions(
            inputs, cameras.index(evidence.camera), change.alert.label
        )
        alert = replace(change.alert, evidence=replace(evidence, contributions=why))
        self._stages.book.amend(alert)
        return replace(change, alert=alert)

    def _announce(self, change: AlertChange) -> None:
        self._observer.alert_changed(change)
        self._send(self._stages.announcer.change(change))

    def _send(self, publications: Sequence[Publication]) -> None:
        for publication in publications:
            self._publish(publication)

    def _settle(self, outcome: Outcome, now: ArrivalTime) -> None:
        """Count an outcome, do what it asks for, and say it where somebody would want to know."""
        self._observer.observe(outcome)
        match outcome:
            case (Reading() as reading) | Quarantined(event=Reading() as reading):
                doubt = self._quality.check(reading)
                if doubt is not None:
                    self._settle(Suspect(reading, doubt), now)
            case Pane():
                self._judge(outcome)
            case TooLate(event=event):
                self._run_alerts(event.arrival)
                self._send(self._stages.announcer.late(outcome))
                self._complain(outcome, now)
            case _:
                self._complain(outcome, now)

    def _complain(self, outcome: Outcome, now: ArrivalTime) -> None:
        found = complaint(outcome)
        if found is None:
            return
        count = self._complaints.due(found.source, now)
        if count is not None:
            more = f" ({count} since the last such line)" if count > 1 else ""
            log.warning("%s: %s%s", found.source, found.text, more, extra=found.about)


def _lets_time_flow(item: Input) -> bool:
    return not isinstance(item, CatchUp | CaughtUp)
