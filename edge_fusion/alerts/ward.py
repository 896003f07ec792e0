"""The devices of one site, as far as there is trouble: values, and the values that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from edge_fusion.alerts.rules import Rule
from edge_fusion.events import Alert, ArrivalTime, DeviceTrouble, Sighting, Trouble


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees: windows in a row that were high, and since when it is covered or dark.

    `first_high` is when the first of these windows came.
    """

    high: int = 0
    first_high: ArrivalTime | None = None
    blocked_since: ArrivalTime | None = None
    dark_since: ArrivalTime | None = None

    def darkened(self, brightness: float | None, dark: float, at: ArrivalTime) -> View:
        """After pictures of that mean brightness, of which less than `dark` shows nothing."""
        if brightness is None:
            return self
        if brightness >= dark:
            return replace(self, dark_since=None)
        return self if self.dark_since is not None else replace(self, dark_since=at)

    def covered(self, score: float, rule: Rule, at: ArrivalTime) -> View:
        """After a window with that score."""
        if score < rule.clear:
            return View(dark_since=self.dark_since)
        if score < rule.threshold:
            return replace(self, high=0, first_high=None)
        high, first = self.high + 1, at if self.first_high is None else self.first_high
        if self.blocked_since is not None:
            return self
        if high < rule.for_windows:
            return replace(self, high=high, first_high=first)
        return replace(self, high=0, first_high=None, blocked_since=first)


@dataclass(frozen=True, slots=True)
class Ward:
    """One site: who was reported offline and when, what cameras see, and the alert if it fires.

    announced: whether consumers know of its alert. clear_since: when the last trouble was gone,
    while it still fires. counts_from: no silence counts before, as we could not have heard.
    """

    site: str
    offline: Mapping[str, ArrivalTime] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    announced: bool = False
    clear_since: ArrivalTime | None = None
    counts_from: ArrivalTime | None = None
    alert: Alert | None = None

    def without_the_gone(self, seen: Iterable[Sighting]) -> Ward:
        """Without what was said of devices that have been heard since, or are known no more."""
        heard: dict[str, ArrivalTime] = {}
        for each in seen:
            heard[each.device] = max(each.heard, heard.get(each.device, each.heard))
        offline = {
            device: at for device, at in self.offline.items() if at >= heard.get(device, at + 1)
        }
        views = {camera: view for camera, view in self.views.items() if camera in heard}
        return replace(self, offline=offline, views=views)

    def knows_silent(self, seen: Sighting) -> bool:
        """Whether that it is silent was told, and it was not heard since."""
        silent = seen.device, seen.camera, Trouble.SILENT
        told = () if self.alert is None else self.alert.devices
        return any(each.name == silent and each.since == seen.heard for each in told)

    def since(self, troubles: Iterable[DeviceTrouble]) -> tuple[DeviceTrouble, ...]:
        """The troubles, those that were there before since when they were."""
        known = {} if self.alert is None else {each.name: each for each in self.alert.devices}
        return tuple(known.get(each.name, each) for each in troubles)
