"""DeviceWatch: one alert a site for all that is wrong with its devices and cameras.

Nothing is judged but at *looks*, at instants on a grid of arrival time that the inputs alone
decide: so it depends on nothing else, and of one site there is no more than one change a look,
however devices come and go. While the broker is away, or hands out what it held back, nobody looks,
and silence counts from when all was there again: that we heard nothing says nothing then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from uuid import uuid5

from edge_fusion.alerts.archive import pack_ward, unpack_ward
from edge_fusion.alerts.lifecycle import NAMESPACE, abandoned
from edge_fusion.alerts.rules import Rule
from edge_fusion.alerts.ward import View, Ward
from edge_fusion.events import (
    DEVICE,
    Alert,
    AlertChange,
    ArrivalTime,
    DeviceTrouble,
    EventTime,
    Offline,
    Scores,
    Severity,
    Sighting,
    Trouble,
)

DARK = 10 / 255
"""Mean brightness of a picture, 0 to 1, below which nothing can be seen in it. A covered lens gives
noise of a few steps of 255, a room by moonlight not much more."""

GRACE = 300.0
"""Seconds for which a device that says that it is offline may just be starting anew, or asleep."""

BLOCKED = "camera_blocked"
"""The label by which a model says that a lens is covered."""


@dataclass(frozen=True, slots=True)
class DeviceRule:
    """When devices of a site are in trouble; seconds, and 0 for never.

    stale_sensor, stale_camera: silence that is trouble; stale_of: for single ones, by name.
    dark_after: of pictures in which nothing can be seen. blocked: by which the score of `BLOCKED`
    is judged, camera by camera; None: the model has no such label. keep_firing: after the last
    trouble has gone.
    """

    severity: Severity
    keep_firing: float
    stale_sensor: float
    stale_camera: float
    dark_after: float
    stale_of: Mapping[str, float] = field(default_factory=dict)
    blocked: Rule | None = None

    def patience(self, seen: Sighting) -> float:
        """How long this one may be silent."""
        usual = self.stale_camera if seen.camera else self.stale_sensor
        return self.stale_of.get(seen.device, usual)


class DeviceWatch:
    """The devices of all sites, looked at every `every` seconds.

    `rule` holds at sites that are not in `of_sites`; None: devices do not alert there.
    """

    def __init__(
        self,
        rule: DeviceRule | None,
        *,
        model_sha256: str,
        every: float,
        of_sites: Mapping[str, DeviceRule | None] = MappingProxyType({}),
    ) -> None:
        self._usual = rule
        self._of_sites = dict(of_sites)
        self._sha256 = model_sha256
        self._every = every
        self._is_wanted = any(each is not None for each in (rule, *of_sites.values()))
        self._wards: dict[str, Ward] = {}
        self._unsaved: set[str] = set()
        self._next: ArrivalTime | None = None
        self.deaf_since: ArrivalTime | None = None
        """Since when nothing can be heard, if so."""

    def rule(self, site: str) -> DeviceRule | None:
        return self._of_sites.get(site, self._usual)

    def alert(self, site: str) -> Alert | None:
        """The alert of a site, if it fires, as it was last published."""
        ward = self._wards.get(site)
        return None if ward is None else ward.alert

    def offline(self, notice: Offline) -> None:
        """A device of a site that is known was reported dead."""
        if self.rule(notice.site) is not None:
            ward = self._ward(notice.site)
            self._keep(replace(ward, offline={**ward.offline, notice.device: notice.arrival}))

    def see(self, scores: Scores) -> None:
        """Take note of what can be seen in the pictures of a pane."""
        pane, rule = scores.pane, self.rule(scores.pane.site)
        if rule is None or pane.index:
            return
        ward = self._ward(pane.site)
        views = dict(ward.views)
        for row in scores.rows:
            if row.camera is not None and row.frames:
                view = views.get(row.camera, View())
                view = view.darkened(row.brightness, DARK, pane.fired_at)
                if rule.blocked is not None and BLOCKED in row.scores:
                    view = view.covered(row.scores[BLOCKED], rule.blocked, pane.fired_at)
                views[row.camera] = view
        # Most cameras are fine, and of these there is nothing to keep.
        kept = {camera: view for camera, view in views.items() if view != View()}
        if kept != ward.views:
            self._keep(replace(ward, views=kept))

    def next_look(self, now: ArrivalTime) -> ArrivalTime | None:
        """When `look` is due, if time has come to `now`; None while there is nothing to see."""
        if self._next is None:
            self._next = self._after(now)
        return self.wake()

    def wake(self) -> ArrivalTime | None:
        """When the next look is due, or None."""
        return self._next if self._is_wanted and self.deaf_since is None else None

    def look(self, now: ArrivalTime, sightings: Iterable[Sighting]) -> list[AlertChange]:
        """Judge all devices as they are at `now`; `sightings` are in order of site."""
        self._next = self._after(now)
        changes: list[AlertChange] = []
        seen = {site: [*each] for site, each in groupby(sightings, key=attrgetter("site"))}
        for site in sorted(seen.keys() | {s for s, w in self._wards.items() if w.alert}):
            rule = self.rule(site)
            if rule is None:
                continue
            ward = self._ward(site)
            if not ward.announced:
                changes.append(AlertChange(_nothing_yet(site, rule, now), lifecycle=False))
                ward = replace(ward, announced=True)
            changes += self._judge(ward, rule, seen.get(site, []), now)
        return changes

    def go_deaf(self, since: ArrivalTime) -> None:
        """Nothing can be heard since then, until `release`: nobody looks."""
        self.deaf_since = since if self.deaf_since is None else min(since, self.deaf_since)

    def release(self, now: ArrivalTime, sites: Iterable[str]) -> None:
        """All that was held back is there: looks go on, and at `sites` silence counts from here.

        In an outage shorter than it is from look to look little is lost, and silence goes on.
        """
        lasted = float("inf") if self.deaf_since is None else now - self.deaf_since
        if lasted >= self._every:
            for site in sites:
                if self.rule(site) is not None:
                    self._keep(replace(self._ward(site), counts_from=now))
        self.deaf_since, self._next = None, self._after(now)

    def go_on_with(self, deaf_since: ArrivalTime | None, now: ArrivalTime) -> None:
        """Take over at `now` from a watch that has been deaf since then."""
        self.deaf_since, self._next = deaf_since, self._after(now)

    def forget(self, site: str) -> bool:
        """Let go of a site; False, and nothing done, while its alert fires."""
        if self.alert(site) is not None:
            return False
        self._wards.pop(site, None)
        self._unsaved.discard(site)
        return True

    def unsaved(self) -> list[tuple[str, str, bytes]]:
        """Site, label and state of each site that changed since this was last asked."""
        changed, self._unsaved = sorted(self._unsaved), set()
        return [(site, DEVICE, pack_ward(self._wards[site])) for site in changed]

    def unsave(self) -> None:
        """Have `unsaved` give every site next time."""
        self._unsaved = set(self._wards)

    def restore(self, state: bytes, now: ArrivalTime) -> list[AlertChange]:
        """Take up a site again, as `unsaved` gave it; for a new watch only.

        Returns what consumers are to hear of it. Raises SnapshotError.
        """
        ward = unpack_ward(state)
        if self.rule(ward.site) is None:
            return [] if ward.alert is None else [abandoned(ward.alert, now)]
        self._wards[ward.site] = ward
        return [] if ward.alert is None else [AlertChange(ward.alert, lifecycle=False)]

    def firing(self) -> list[Alert]:
        """What fires now, each as it was last published."""
        return [ward.alert for ward in self._wards.values() if ward.alert is not None]

    def _after(self, now: ArrivalTime) -> ArrivalTime:
        return ArrivalTime((now // self._every + 1) * self._every)

    def _ward(self, site: str) -> Ward:
        return self._wards.get(site) or Ward(site)

    def _keep(self, ward: Ward) -> None:
        if ward != self._wards.get(ward.site):
            self._wards[ward.site] = ward
            self._unsaved.add(ward.site)

    def _judge(
        self, ward: Ward, rule: DeviceRule, seen: list[Sighting], now: ArrivalTime
    ) -> list[AlertChange]:
        ward = ward.without_the_gone(seen)
        found = [self._trouble(ward, rule, each, now) for each in seen]
        known = (each for each in found if each is not None)
        troubles = tuple(sorted(known, key=attrgetter("device", "camera")))
        ward, change = self._follow(ward, rule, ward.since(troubles), now)
        self._keep(ward)
        return [] if change is None else [change]

    def _trouble(
        self, ward: Ward, rule: DeviceRule, seen: Sighting, now: ArrivalTime
    ) -> DeviceTrouble | None:
        """The worst that is wrong with a device, or None."""
        view = ward.views.get(seen.device, View()) if seen.camera else View()
        patience, dark = rule.patience(seen), view.dark_since
        since = seen.heard if ward.counts_from is None else max(seen.heard, ward.counts_from)
        offline = ward.offline.get(seen.device)
        trouble: tuple[Trouble, ArrivalTime] | None = None
        if offline is not None and now - offline >= min(patience or GRACE, GRACE):
            trouble = Trouble.OFFLINE, offline
        elif patience and (ward.knows_silent(seen) or now - since >= patience):
            trouble = Trouble.SILENT, seen.heard
        elif view.blocked_since is not None:
            trouble = Trouble.BLOCKED, view.blocked_since
        elif dark is not None and rule.dark_after and now - dark >= rule.dark_after:
            trouble = Trouble.DARK, dark
        elif seen.clock_off:
            trouble = Trouble.CLOCK, now
        return None if trouble is None else DeviceTrouble(seen.device, seen.camera, *trouble)

    def _follow(
        self, ward: Ward, rule: DeviceRule, troubles: tuple[DeviceTrouble, ...], now: ArrivalTime
    ) -> tuple[Ward, AlertChange | None]:
        """Fire with the first trouble, tell of every other set of them, resolve without any."""
        alert = ward.alert
        if alert is None:
            if not troubles:
                return ward, None
            alert = self._fire(ward.site, rule, troubles, now)
            return replace(ward, alert=alert), AlertChange(alert)
        if troubles:
            ward = replace(ward, clear_since=None)
            if troubles == alert.devices:
                return ward, None
            alert = _next(alert, now, troubles)
            return replace(ward, alert=alert), AlertChange(alert, lifecycle=False, news=True)
        since = now if ward.clear_since is None else ward.clear_since
        if now - since < rule.keep_firing:
            return replace(ward, clear_since=since), None
        over = replace(_next(alert, now), firing=False, score=0.0, ended_at=now)
        return replace(ward, alert=None, clear_since=None), AlertChange(over)

    def _fire(
        self, site: str, rule: DeviceRule, troubles: tuple[DeviceTrouble, ...], now: ArrivalTime
    ) -> Alert:
        name = f"{site}|{DEVICE}|{round(now * 1000)}|{self._sha256}"
        return replace(
            _nothing_yet(site, rule, now),
            id=str(uuid5(NAMESPACE, name)),
            sequence=1,
            firing=True,
            score=1.0,
            started_at=EventTime(min(each.since for each in troubles)),
            devices=troubles,
        )


def _nothing_yet(site: str, rule: DeviceRule, now: ArrivalTime) -> Alert:
    return Alert(
        id=None,
        sequence=0,
        site=site,
        label=DEVICE,
        firing=False,
        severity=rule.severity,
        threshold=1.0,
        score=0.0,
        started_at=None,
        updated_at=now,
        ended_at=None,
        evidence=None,
    )


def _next(alert: Alert, now: ArrivalTime, devices: tuple[DeviceTrouble, ...] = ()) -> Alert:
    return replace(alert, sequence=alert.sequence + 1, updated_at=now, devices=devices)
