"""What the demo's screen knows, and how each message from the broker changes it: values only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Site:
    """The latest of one site. `firing`: label -> when it began, as the alert says it."""

    readings: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    firing: Mapping[str, str] = field(default_factory=dict)
    window_end: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log: an alert that fired or resolved, and why."""

    time: str
    site: str
    label: str
    state: str
    score: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DemoState:
    """All that is shown. `fired` and `resolved` hold the ids of alerts that did."""

    online: bool = False
    model: str = ""
    windows: int = 0
    sites: Mapping[str, Site] = field(default_factory=dict)
    log: tuple[Change, ...] = ()
    fired: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether at least one alert has fired and been resolved."""
        return bool(self.fired & self.resolved)


def apply(state: DemoState, topic: str, payload: bytes) -> DemoState:
    """The state after a message; topics are those under the prefix, without it."""
    match topic.split("/"):
        case ["box", _, "status"]:
            return replace(state, online=payload == b"online")
        case [site, "window"]:
            return _window(state, site, json.loads(payload))
        case [site, "alert", label]:
            return _alert(state, site, label, json.loads(payload))
        case [site, "event"]:
            return _event(state, site, json.loads(payload))
        case _:
            return state


def _window(state: DemoState, site: str, window: Mapping[str, Any]) -> DemoState:
    scores: dict[str, float] = {}
    for row in window["rows"]:
        for label, score in row["scores"].items():
            scores[label] = max(score, scores.get(label, 0.0))
    before = state.sites.get(site, Site())
    readings = {name: summary["last"] for name, summary in window["readings"].items()}
    after = replace(
        before,
        scores=scores,
        readings={**before.readings, **readings},
        window_end=window["end"],
    )
    model = window["model"]["name"]
    return replace(_with(state, site, after), windows=state.windows + 1, model=model)


def _alert(state: DemoState, site: str, label: str, alert: Mapping[str, Any]) -> DemoState:
    before = state.sites.get(site, Site())
    firing = {name: since for name, since in before.firing.items() if name != label}
    if alert["state"] == "firing":
        firing[label] = alert["started_at"]
    thresholds = {**before.thresholds, label: alert["threshold"]}
    return _with(state, site, replace(before, firing=firing, thresholds=thresholds))


def _event(state: DemoState, site: str, alert: Mapping[str, Any]) -> DemoState:
    change = Change(
        time=alert["updated_at"],
        site=site,
        label=alert["label"],
        state=alert["state"],
        score=alert["score"],
        contributions=alert["contributions"],
    )
    ids = frozenset({alert["id"]})
    fires = alert["state"] == "firing"
    return replace(
        state,
        log=(*state.log, change)[-LOG_LINES:],
        fired=state.fired | ids if fires else state.fired,
        resolved=state.resolved if fires else state.resolved | ids,
    )


def _with(state: DemoState, name: str, site: Site) -> DemoState:
    return replace(state, sites={**state.sites, name: site})
