"""AlertBook: the alerts of all sites, on one time line.

It reads no clock: `take` brings a scored pane, `wake` says when something is due, `advance` lets
time pass. Every timer runs at the instant at which it is due, so the alerts depend on the panes
alone, never on when the caller got round to them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from edge_fusion.alerts.archive import pack, unpack
from edge_fusion.alerts.lifecycle import LONG_AGO, Lifecycle, Track, abandoned
from edge_fusion.alerts.rules import Rule
from edge_fusion.events import Alert, AlertChange, ArrivalTime, Scores


class AlertBook:
    """The state of every label of every site.

    `rules` by label; `of_sites`: of the sites that have others, all rules of each; `quantities` are
    the model's; `silent_after` seconds without a score of a label count as a low one; a firing
    alert is published again where its score has moved by more than `update_epsilon`.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule],
        *,
        model_sha256: str,
        quantities: Sequence[str],
        silent_after: float,
        update_epsilon: float = 0.05,
        of_sites: Mapping[str, Mapping[str, Rule]] = MappingProxyType({}),
    ) -> None:
        def lifecycles(each: Mapping[str, Rule]) -> dict[str, Lifecycle]:
            terms = model_sha256, tuple(quantities), silent_after, update_epsilon
            return {label: Lifecycle(rule, *terms) for label, rule in each.items()}

        self._usual = lifecycles(rules)
        self._of_sites = {site: lifecycles(each) for site, each in of_sites.items()}
        self._tracks: dict[tuple[str, str], Track] = {}
        self._unsaved: set[tuple[str, str]] = set()
        self._held = False
        self._released = LONG_AGO
        # Entries go stale when a track's timer moves or runs; they are dropped when they come up.
        self._due: list[tuple[ArrivalTime, str, str]] = []

    def take(self, scores: Scores) -> list[AlertChange]:
        """Take a scored pane, after everything that was due before it at any site."""
        site, at = scores.pane.site, scores.pane.fired_at
        changes = self.advance(at)
        changes += [
            life.announce(site, at)
            for label, life in self._at(site).items()
            if (site, label) not in self._tracks
        ]
        for label, life in self._at(site).items():
            track, change = life.hear(self._track(site, label), scores)
            changes += self._keep(label, track, change)
        return changes

    def amend(self, alert: Alert) -> None:
        """Keep an alert that fires as it was published: with what its inputs contributed."""
        track = self._tracks[alert.site, alert.label]
        now = track.alert
        if now is not None and (now.id, now.sequence) == (alert.id, alert.sequence):
            self._keep(alert.label, replace(track, alert=alert), None)

    def wake(self) -> ArrivalTime | None:
        """When the next timer of any site is due, or None."""
        if self._held:
            return None
        while self._due and self._stale(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def advance(self, now: ArrivalTime) -> list[AlertChange]:
        """Run every timer due at `now` or before, in the order in which they were due."""
        changes: list[AlertChange] = []
        while (due := self.wake()) is not None and due <= now:
            _, site, label = self._due[0]
            life, track = self._at(site)[label], self._tracks[site, label]
            track, change = life.elapse(track, self._released)
            changes += self._keep(label, track, change)
        return changes

    def hold(self) -> None:
        """Run no timers until `release`: what happened meanwhile is still to be heard."""
        self._held = True

    def release(self, now: ArrivalTime) -> list[AlertChange]:
        """Let time go on: timers that were due before run now."""
        self._held, self._released = False, now
        return self.advance(now)

    def forget(self, site: str) -> bool:
        """Let go of a site whose alerts are over, as all are of a site that is long silent.

        False, and nothing done, while one fires: it is still to be resolved.
        """
        own = [(site, label) for label in self._at(site) if (site, label) in self._tracks]
        if any(self._tracks[key].alert is not None for key in own):
            return False
        for key in own:
            del self._tracks[key]
            self._unsaved.discard(key)
        return True

    def unsaved(self) -> list[tuple[str, str, bytes]]:
        """Site, label and state of each track that changed since this was last asked."""
        changed, self._unsaved = sorted(self._unsaved), set()
        return [(site, label, pack(self._tracks[site, label])) for site, label in changed]

    def unsave(self) -> None:
        """Have `unsaved` give every track next time."""
        self._unsaved = set(self._tracks)

    def restore(self, label: str, state: bytes, now: ArrivalTime) -> list[AlertChange]:
        """Take up a track again, as `unsaved` gave it; for a new book only.

        Returns what consumers are to hear of it: its alert as it stands, or that it is over if
        there is no rule for `label` there any more. Raises SnapshotError.
        """
        track = unpack(state)
        life = self._at(track.site).get(label)
        if life is None:
            return [] if track.alert is None else [abandoned(track.alert, now)]
        self._keep(label, track, None)
        self._unsaved.discard((track.site, label))
        return [] if track.alert is None else [AlertChange(track.alert, lifecycle=False)]

    def firing(self) -> list[Alert]:
        """What fires now, each as it was last published."""
        return [track.alert for track in self._tracks.values() if track.alert is not None]

    def alert(self, site: str, label: str) -> Alert | None:
        """The alert of a label that fires, as it was last published."""
        track = self._tracks.get((site, label))
        return None if track is None else track.alert

    def labels(self, site: str) -> list[str]:
        """What may alert at a site."""
        return list(self._at(site))

    def would_change(self, scores: Scores) -> bool:
        """Whether this pane, its timers apart, would make an alert fire or resolve."""
        return any(change.lifecycle for change in self._foresee(scores))

    def _foresee(self, scores: Scores) -> Iterator[AlertChange]:
        for label, life in self._at(scores.pane.site).items():
            track = self._track(scores.pane.site, label)
            while not self._held and self._is_due(life, track, scores.pane.fired_at):
                track, _ = life.elapse(track, self._released)
            _, change = life.hear(track, scores)
            if change is not None:
                yield change

    def _at(self, site: str) -> Mapping[str, Lifecycle]:
        return self._of_sites.get(site, self._usual)

    @staticmethod
    def _is_due(life: Lifecycle, track: Track, now: ArrivalTime) -> bool:
        due = life.due(track)
        return due is not None and due <= now

    def _track(self, site: str, label: str) -> Track:
        return self._tracks.get((site, label)) or Track(site)

    def _keep(self, label: str, track: Track, change: AlertChange | None) -> list[AlertChange]:
        life, key = self._at(track.site)[label], (track.site, label)
        due = life.due(track)
        if due is not None and (key not in self._tracks or due != life.due(self._tracks[key])):
            heapq.heappush(self._due, (due, *key))
        if track != self._tracks.get(key):
            self._unsaved.add(key)
        self._tracks[key] = track
        return [] if change is None else [change]

    def _stale(self, due: ArrivalTime, site: str, label: str) -> bool:
        track = self._tracks.get((site, label))
        return track is None or self._at(site)[label].due(track) != due
