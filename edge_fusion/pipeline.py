"""The pipeline: one batch of the mailbox through decode, align, model, alerts and out; then kept.

`turn` is the whole story, `feed` all of it but the decoding; nothing else changes state. It knows
the world only through the small protocols below and through the arrival time it is given, and one
thread calls it.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from edge_fusion.absence import Absence
from edge_fusion.complaints import Complaints, complaint
from edge_fusion.departures import Departures
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    CatchUp,
    CaughtUp,
    Change,
    CutOff,
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
    Shed,
    ShedReason,
    Silence,
    SilenceChange,
    Silenced,
    Suspect,
    TimeSource,
    TooLate,
)
from edge_fusion.keeping import Keeper, NothingKept
from edge_fusion.kept import Remembered
from edge_fusion.mailbox import Batch
from edge_fusion.quality import QualityControl
from edge_fusion.revisions import Revisions
from edge_fusion.scoring import Scored
from edge_fusion.stages import Stages

log = logging.getLogger("edge_fusion.pipeline")


class Observer(Protocol):
    """Where every outcome is counted once (io/metrics.py)."""

    def observe(self, outcome: Outcome) -> None: ...
    def scored(self, scores: Scores) -> None: ...
    def alert_changed(self, change: AlertChange) -> None: ...


Tap = Callable[[Sequence[Input], ArrivalTime], None]
"""Gets decoded inputs in order of arrival, and up to when time is let pass after them."""


class Pipeline:
    """Owns all state between two turns.

    `publish` takes what is to go out, in order. `tap` hears all that is fed, before it is.
    `absence` tells backlogs from what is live; `quality` what is odd about readings; `departures`
    which sites are gone.
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
        departures: Departures | None = None,
    ) -> None:
        self._stages = stages
        self._keeper = keeper or NothingKept()
        self._absence = absence or Absence("", "", "")
        self._quality = QualityControl() if quality is None else quality
        self._departures = departures or Departures()
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
            self._stages.book.hold(remembered.held_since)
        outcomes, changes = self._keeper.remember(remembered, now)
        self._introduce()
        self._announce_all(changes)
        self._settle_all(outcomes, now)
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
        self._forget(batch.until)
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
        for begun in self._absence.repeated():
            stages.sites.feed([begun])
            stages.book.hold(begun.since)
        self._keeper.replace(stages.sites, stages.book)
        self._announce_all(changes)
        self._introduce()
        self._settle_all(outcomes, now)

    @property
    def silences(self) -> tuple[Silenced, ...]:
        """All that is silenced, in order of site and label."""
        return self._stages.book.silences()

    @property
    def firing(self) -> list[Alert]:
        """What fires to consumers, each as it was last published."""
        return self._stages.book.firing()

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
        for flowing, group in groupby(inputs, key=_is_event):
            if flowing:
                self._take(list(group), until)
            else:
                for item in group:
                    self._obey(item, until)
        self._pass(until, until)

    def _take(self, inputs: Sequence[Input], now: ArrivalTime) -> None:
        """Feed inputs, and in between look at the devices where that is due."""
        first_arrival, last_arrival = inputs[0].arrival, inputs[-1].arrival
        next_look = self._stages.book.next_look
        while (due := next_look(first_arrival)) is not None and due <= last_arrival:
            first = bisect_left(inputs, due, key=_arrival)
            self._settle_all(self._stages.sites.feed(inputs[:first]), now)
            self._look(due, now)
            inputs = inputs[first:]
        self._settle_all(self._stages.sites.feed(inputs), now)

    def _obey(self, item: Input, now: ArrivalTime) -> None:
        """Take what is no event: it says how time goes on, or what is to be thought of alerts."""
        book = self._stages.book
        match item:
            case CatchUp(arrival=arrival, since=since):
                self._look_until(arrival, now)
                self._run_alerts(arrival)
                book.hold(since)
                self._take([item], now)
                self._keeper.checkpoint()
            case CaughtUp(arrival=arrival):
                self._take([item], now)
                known = [site.site for site in self._stages.sites]
                self._announce_all(book.release(arrival, known))
                self._keeper.checkpoint()
            case CutOff(arrival=arrival):
                self._look_until(arrival, now)
                book.lose_contact(arrival)
            case Silence(arrival=arrival):
                self._pass(arrival, now)
                if not book.has_room_for(item):
                    self._settle(Shed(None, ShedReason.MAX_SITES), now)
                self._announce_all(book.silence(item))
            case _:
                self._take([item], now)
                if isinstance(item, Offline) and item.site in self._stages.sites:
                    book.offline(item)

    def _pass(self, until: ArrivalTime, now: ArrivalTime) -> None:
        """Let time pass to `until`."""
        self._look_until(until, now)
        self._settle_all(self._stages.sites.advance(until), now)
        self._run_alerts(until)

    def _look_until(self, until: ArrivalTime, now: ArrivalTime) -> None:
        while (due := self._stages.book.next_look(until)) is not None and due <= until:
            self._look(due, now)

    def _look(self, due: ArrivalTime, now: ArrivalTime) -> None:
        """Look at the devices as they are at `due`, everything that was due before having run."""
        self._settle_all(self._stages.sites.advance(due), now)
        self._run_alerts(due)
        self._announce_all(self._stages.book.look(due, self._stages.sites.sightings()))

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
            if message.topic == self._absence.barrier_topic or self._answer(message):
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
                case Frame() | Offline() | Silence():
                    inputs.append(decoded)
                case Publication():
                    self._publish(decoded)
                case _:
                    self._settle(decoded, now)

    def _introduce(self) -> None:
        """Tell of all sites: labels or versions may have changed."""
        for site in self._stages.sites:
            self._send(self._stages.announcer.introduce(site.site))

    def _answer(self, message: Message) -> bool:
        """Whether a message came from those who act on alerts; what they ask for is sent."""
        answer = self._stages.announcer.hear(message)
        self._send(answer or ())
        return answer is not None

    def _doubted(self, reading: Reading) -> Reading:
        """What may have waited in the broker for long is known for that: its clock may be right."""
        dated = reading.time_source is TimeSource.DEVICE
        if dated and self._absence.is_behind(reading.arrival):
            return replace(reading, time_source=TimeSource.HELD_BACK)
        return reading

    def _forget(self, now: ArrivalTime) -> None:
        """Sites that were let go of are let go of everywhere, once none of their alerts fires."""
        stages, departures = self._stages, self._departures
        before = departures.due(now, listening=self._absence.listening)
        if before is not None:
            stages.sites.let_go(before)
        departures.note(stages.sites.forgotten())
        for site in departures.parting(each.site for each in stages.sites):
            if stages.book.forget(site):
                departures.seen_off(site)
                self._send(stages.announcer.forget(site))
                self._keeper.forget(site)

    def _decode_again(self, message: Message, now: ArrivalTime) -> None:
        """Count what had been taken before its acknowledgement was lost."""
        for decoded in self._stages.decoder.decode(message):
            if isinstance(decoded, Reading | Frame):
                self._settle(Duplicate(decoded), now)

    def _run_alerts(self, until: ArrivalTime) -> None:
        """Let the timers of the alerts run, before anything is said of what came after."""
        self._announce_all(self._stages.book.advance(until))

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
            match change:
                case AlertChange():
                    self._announce(self._explain(change, scored))
                case _:
                    self._announce(change)

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

    def _announce_all(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._announce(change)

    def _announce(self, change: Change) -> None:
        match change:
            case AlertChange():
                self._observer.alert_changed(change)
                self._send(self._stages.announcer.change(change))
            case SilenceChange():
                self._send(self._stages.announcer.silenced(change))

    def _send(self, publications: Sequence[Publication]) -> None:
        for publication in publications:
            self._publish(publication)

    def _settle_all(self, outcomes: Iterable[Outcome], now: ArrivalTime) -> None:
        for outcome in outcomes:
            self._settle(outcome, now)

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


def _is_event(item: Input) -> bool:
    return isinstance(item, Reading | Frame)


_arrival = attrgetter("arrival")
