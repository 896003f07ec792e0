"""The life of one label at one site: a value that a pane or a timer turns into the next value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from edge_fusion.alerts.evidence import gather, top_row
from edge_fusion.alerts.rules import TRANSITIONS, Rule
from edge_fusion.events import (
    Alert,
    AlertChange,
    AlertState,
    ArrivalTime,
    EventTime,
    Evidence,
    Pane,
    Scores,
    Signal,
    Window,
)

NAMESPACE = UUID("6f2a4c0e-1d57-5b93-9a4e-8c1f7f0b2d61")
"""Of the UUIDv5 ids of alerts. Never to change: consumers tell alerts apart by them."""


LONG_AGO = ArrivalTime(float("-inf"))


@dataclass(frozen=True, slots=True)
class Run:
    """High windows in a row: how many, and where the first began."""

    length: int = 0
    start: EventTime | None = None

    def then(self, window: Window) -> Run:
        return Run(self.length + 1, window.start if self.start is None else self.start)


NO_RUN = Run()


@dataclass(frozen=True, slots=True)
class Track:
    """Where one label of one site stands, with all that decides where it goes next.

    `run` counts up to and with the `newest` window, `before` up to it and without, so that a
    revision can take its place. `spent` is the last window that was high while firing: having
    alerted once, it cannot alert again. `low_since` is when the keep_firing timer began.
    `alert` is what was last published of the firing in progress, `evidence` what it rests on now.
    """

    site: str
    state: AlertState = AlertState.INACTIVE
    newest: Window | None = None
    before: Run = NO_RUN
    run: Run = NO_RUN
    spent: Window | None = None
    heard_at: ArrivalTime | None = None
    low_since: ArrivalTime | None = None
    alert: Alert | None = None
    evidence: Evidence | None = None

    def ignores(self, pane: Pane) -> bool:
        """Whether the pane revises a window that can no longer matter."""
        if self.newest is None or pane.window.end > self.newest.end:
            return False
        if pane.window != self.newest:
            return True
        return self.state is not AlertState.FIRING and pane.window == self.spent


Step = tuple[Track, AlertChange | None]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The terms by which one label is judged at every site; `silent_after` is in seconds."""

    rule: Rule
    model_sha256: str
    quantities: tuple[str, ...]
    silent_after: float
    update_epsilon: float

    def announce(self, site: str, at: ArrivalTime) -> AlertChange:
        """That nothing has fired yet, for consumers who would else be left without a state."""
        rule = self.rule
        return AlertChange(
            Alert(
                id=None,
                sequence=0,
                site=site,
                label=rule.label,
                firing=False,
                severity=rule.severity,
                threshold=rule.threshold,
                score=0.0,
                started_at=None,
                updated_at=at,
                ended_at=None,
                evidence=None,
            ),
            lifecycle=False,
        )

    def due(self, track: Track) -> ArrivalTime | None:
        """When the next timer of the track runs out, or None."""
        if track.state is AlertState.INACTIVE:
            return None
        if track.low_since is not None:
            return ArrivalTime(track.low_since + self.rule.keep_firing)
        assert track.heard_at is not None
        return ArrivalTime(track.heard_at + self.silent_after)

    def elapse(self, track: Track, not_before: ArrivalTime = LONG_AGO) -> Step:
        """Run the track's next timer, at the instant at which it is due or `not_before`."""
        due = self.due(track)
        assert due is not None
        at = max(due, not_before)
        if track.low_since is not None:
            return self._resolve(track, at)
        # The site has fallen silent, which says LOW.
        state = TRANSITIONS[track.state, Signal.LOW]
        low_since = at if state is AlertState.FIRING else None
        return replace(track, state=state, before=NO_RUN, run=NO_RUN, low_since=low_since), None

    def hear(self, track: Track, scores: Scores) -> Step:
        """Take a scored pane, all timers due before it having been run."""
        pane, row = scores.pane, top_row(scores, self.rule.label)
        if row is None or track.ignores(pane):
            return track, None
        revised = pane.window == track.newest
        before = track.before if revised else track.run
        score = row.scores[self.rule.label]
        run = before.then(pane.window) if score >= self.rule.threshold else NO_RUN
        signal = self.rule.signal(score, run.length)
        heard = replace(
            track,
            state=TRANSITIONS[track.state, signal],
            newest=pane.window,
            before=before,
            run=run,
            heard_at=pane.fired_at,
        )
        if heard.state is not AlertState.FIRING:
            return heard, None
        return self._firing(self._timed(heard, signal, pane, revised=revised), scores)

    def _timed(self, track: Track, signal: Signal, pane: Pane, *, revised: bool) -> Track:
        if signal is not Signal.LOW:
            high = signal is not Signal.BETWEEN
            return replace(track, low_since=None, spent=pane.window if high else track.spent)
        # A revision takes no firing back: whether it is over, the next window says.
        if revised or track.low_since is not None:
            return track
        return replace(track, low_since=pane.fired_at)

    def _firing(self, track: Track, scores: Scores) -> Step:
        at = scores.pane.fired_at
        evidence = gather(scores, self.rule.label, self.quantities)
        track = replace(track, evidence=evidence)
        if track.alert is None:
            alert = self._fire(track, evidence, at)
            return replace(track, alert=alert), AlertChange(alert)
        due = self.due(track)
        if due is not None and due <= at:
            return self.elapse(track)
        if abs(evidence.score - track.alert.score) <= self.update_epsilon:
            return track, None
        alert = self._next(track, track.alert, at)
        return replace(track, alert=alert), AlertChange(alert, lifecycle=False)

    def _fire(self, track: Track, evidence: Evidence, at: ArrivalTime) -> Alert:
        rule, start = self.rule, track.run.start
        assert start is not None
        name = f"{track.site}|{rule.label}|{round(start * 1000)}|{self.model_sha256}"
        return Alert(
            id=str(uuid5(NAMESPACE, name)),
            sequence=1,
            site=track.site,
            label=rule.label,
            firing=True,
            severity=rule.severity,
            threshold=rule.threshold,
            score=evidence.score,
            started_at=start,
            updated_at=at,
            ended_at=None,
            evidence=evidence,
        )

    def _resolve(self, track: Track, at: ArrivalTime) -> Step:
        assert track.alert is not None
        alert = replace(self._next(track, track.alert, at), firing=False, ended_at=at)
        over = Track(
            track.site,
            state=TRANSITIONS[track.state, Signal.EXPIRED],
            newest=track.newest,
            spent=track.spent,
            heard_at=track.heard_at,
        )
        return over, AlertChange(alert)

    def _next(self, track: Track, alert: Alert, at: ArrivalTime) -> Alert:
        assert track.evidence is not None
        return replace(
            alert,
            sequence=alert.sequence + 1,
            score=track.evidence.score,
            updated_at=at,
            evidence=track.evidence,
        )


def abandoned(alert: Alert, now: ArrivalTime) -> AlertChange:
    """The end of an alert whose rule is gone."""
    over = replace(
        alert, sequence=alert.sequence + 1, firing=False, updated_at=now, ended_at=now, devices=()
    )
    return AlertChange(over)
