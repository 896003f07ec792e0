"""AlertDesk: what consumers are told, which is what the book and the watch say but for silences.

The book has the alerts of the model's labels, the watch that of devices, on one time line.

What is silenced goes on being judged, and fires to nobody. An alert that fires when it is silenced
resolves for consumers; one that still fires when the silence ends, or began meanwhile, fires then,
under the id that it has. So to consumers an alert is firing or resolved as ever, and of its
changes the sequence only grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.devices import DeviceWatch
from edge_fusion.alerts.silences import ROW, Key, Silences
from edge_fusion.events import (
    DEVICE,
    Alert,
    AlertChange,
    ArrivalTime,
    Change,
    Offline,
    Scores,
    Sighting,
    Silence,
    SilenceChange,
    Silenced,
)


class AlertDesk:
    """All alerts of all sites; of no more than `max_sites` of them anything is silenced."""

    def __init__(self, book: AlertBook, watch: DeviceWatch, *, max_sites: int = 256) -> None:
        self._book = book
        self._watch = watch
        self._silences = Silences(max_sites)
        self._unsaved: set[str] = set()
        self._held = False

    def take(self, scores: Scores) -> list[Change]:
        """Take a scored pane, after everything that was due before it at any site."""
        self._watch.see(scores)
        return [*self.advance(scores.pane.fired_at), *self._told(self._book.take(scores))]

    def amend(self, alert: Alert) -> None:
        """Keep an alert that fires as it was published: with what its inputs contributed."""
        self._book.amend(self._silences.told((alert.site, alert.label)).parted(alert))

    def would_change(self, scores: Scores) -> bool:
        """Whether this pane, its timers apart, would make an alert fire or resolve."""
        return self._book.would_change(scores)

    def wake(self) -> ArrivalTime | None:
        """When something is due, a look at the devices included, or None."""
        due, look = self._due(), self._watch.wake()
        return due if look is None or (due is not None and due < look) else look

    def _due(self) -> ArrivalTime | None:
        """When the next timer is due."""
        if self._held:
            return None
        wakes = (self._book.wake(), self._silences.wake())
        return min((wake for wake in wakes if wake is not None), default=None)

    def advance(self, now: ArrivalTime) -> list[Change]:
        """Run every timer due at `now` or before, in the order in which they were due."""
        changes: list[Change] = []
        while (due := self._due()) is not None and due <= now:
            if over := self._silences.due(due):
                changes += self._end(over, due)
            else:
                changes += self._told(self._book.advance(due))
        return changes

    def next_look(self, now: ArrivalTime) -> ArrivalTime | None:
        """When to `look` at the devices, if time has come to `now`; None: not for now."""
        return self._watch.next_look(now)

    def look(self, now: ArrivalTime, sightings: Iterable[Sighting]) -> list[AlertChange]:
        """Judge all devices; everything due before must have been run."""
        return self._told(self._watch.look(now, sightings))

    def offline(self, notice: Offline) -> None:
        """A device of a site that is known was reported dead."""
        self._watch.offline(notice)

    def lose_contact(self, since: ArrivalTime) -> None:
        """Devices cannot be heard, until `release`."""
        self._watch.go_deaf(since)

    @property
    def deaf_since(self) -> ArrivalTime | None:
        """Since when devices cannot be heard, if so."""
        return self._watch.deaf_since

    def go_on_with(self, deaf_since: ArrivalTime | None, now: ArrivalTime) -> None:
        """Take over at `now` from a desk that has been deaf since then."""
        self._watch.go_on_with(deaf_since, now)

    def hold(self, since: ArrivalTime) -> None:
        """Run no timers until `release`: what happened `since` is still to be heard."""
        self._held = True
        self._book.hold()
        self._watch.go_deaf(since)

    def release(self, now: ArrivalTime, sites: Iterable[str] = ()) -> list[Change]:
        """Let time go on: timers that were due before run now. `sites` are those that are known."""
        self._watch.release(now, sites)
        if not self._held:
            return self.advance(now)
        self._held = False
        changes = self._end(self._silences.due(now), now)
        return [*changes, *self._told(self._book.release(now)), *self.advance(now)]

    def silence(self, command: Silence) -> list[Change]:
        """Begin or end a silence, everything due before it having been run.

        It begins to count when the word of it arrives. Nothing comes of one for which there is no
        room (`has_room_for`).
        """
        site, now = command.site, command.arrival
        labels = self.labels(site) if command.label is None else [command.label]
        keys = [(site, label) for label in labels]
        if command.seconds <= 0:
            return self._end([key for key in keys if self._silences.cover(key)], now)
        if not self.has_room_for(command):
            return []
        changes: list[Change] = []
        for key in keys:
            fires = None if self._silences.cover(key) else self._alert(key)
            self._silences.begin(key, ArrivalTime(now + command.seconds))
            if fires is not None:
                changes.append(self._tell(replace(fires, firing=False, ended_at=now), now))
        return [*changes, self._silenced(site, now)]

    def has_room_for(self, command: Silence) -> bool:
        """Whether it does not silence one site too many."""
        return command.seconds <= 0 or self._silences.has_room_for(command.site)

    def silences(self) -> tuple[Silenced, ...]:
        """All that is silenced, in order of site and label."""
        return self._silences.all()

    def forget(self, site: str) -> bool:
        """Let go of a site whose alerts are over; False, and nothing done, while one fires.

        What is silenced there stays so.
        """
        if self._alert((site, DEVICE)) is not None or not self._book.forget(site):
            return False
        self._watch.forget(site)
        self._unsaved |= {site} & self._silences.sites()
        return True

    def unsaved(self) -> list[tuple[str, str, bytes]]:
        """Site, label and state of each that changed since this was last asked.

        Silences stand under a label that is none, before the others of their site.
        """
        changed, self._unsaved = sorted(self._unsaved), set()
        rows = [(site, ROW, self._silences.pack(site)) for site in changed]
        return sorted([*rows, *self._book.unsaved(), *self._watch.unsaved()])

    def unsave(self) -> None:
        """Have `unsaved` give everything next time."""
        self._unsaved |= self._silences.sites()
        self._book.unsave()
        self._watch.unsave()

    def restore(self, label: str, state: bytes, now: ArrivalTime) -> list[AlertChange]:
        """Take up what `unsaved` gave, in its order; for a new desk only.

        Returns what consumers are to hear of it. Raises SnapshotError.
        """
        if label == ROW:
            self._silences.unpack(state)
            return []
        if label == DEVICE:
            return self._told(self._watch.restore(state, now))
        return self._told(self._book.restore(label, state, now))

    def firing(self) -> list[Alert]:
        """What fires to consumers now, each as it was last published."""
        alerts = (*self._book.firing(), *self._watch.firing())
        told = self._told(AlertChange(alert, lifecycle=False) for alert in alerts)
        return [change.alert for change in told]

    def labels(self, site: str) -> list[str]:
        """What may alert at a site."""
        devices = [] if self._watch.rule(site) is None else [DEVICE]
        return self._book.labels(site) + devices

    def _alert(self, key: Key) -> Alert | None:
        """What fires, told or not."""
        site, label = key
        return self._watch.alert(site) if label == DEVICE else self._book.alert(site, label)

    def _told(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """What consumers hear of changes, and as what."""
        told: list[AlertChange] = []
        for change in changes:
            alert = change.alert
            key = alert.site, alert.label
            if alert.id is None:
                told.append(change)
                continue
            if not self._silences.cover(key):
                told.append(replace(change, alert=self._silences.told(key).joined(alert)))
            if not alert.firing and self._silences.forget(key):
                self._unsaved.add(alert.site)
        return told

    def _tell(self, alert: Alert, now: ArrivalTime) -> AlertChange:
        """A change that is ours, and not the alert's own."""
        key = alert.site, alert.label
        self._silences.tell(key, now)
        return AlertChange(self._silences.told(key).joined(alert))

    def _end(self, keys: Sequence[Key], now: ArrivalTime) -> list[Change]:
        """End silences: what still fires fires now."""
        changes: list[Change] = []
        for key in keys:
            self._silences.end(key)
            if (fires := self._alert(key)) is not None:
                changes.append(self._tell(fires, now))
        return changes + [self._silenced(site, now) for site in sorted({site for site, _ in keys})]

    def _silenced(self, site: str, now: ArrivalTime) -> SilenceChange:
        self._unsaved.add(site)
        return SilenceChange(site, self._silences.of(site), now)
