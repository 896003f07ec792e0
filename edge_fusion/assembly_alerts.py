"""From settings to what alerts: rules, the book, the watch of devices, and the desk over both."""

from __future__ import annotations

from typing import Final

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.desk import AlertDesk
from edge_fusion.alerts.devices import BLOCKED, DeviceRule, DeviceWatch
from edge_fusion.alerts.rules import Rule
from edge_fusion.config.alerting import (
    CAMERA_STALE_AFTER,
    SENSOR_STALE_AFTER,
    AlertSettings,
    alerts_at,
    named_sites,
)
from edge_fusion.config.settings import Settings
from edge_fusion.events import DEVICE
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.model.spec import ModelSpec

LOOK_EVERY: Final = 60.0
"""Seconds between two looks at the devices, or less: a `LOOKS`-th of the shortest patience."""

LOOKS: Final = 4


def desk(settings: Settings, model: OnnxModel) -> AlertDesk:
    watch = _device_watch(settings, model)
    return AlertDesk(_book(settings, model), watch, max_sites=settings.limits.max_sites)


def _book(settings: Settings, model: OnnxModel) -> AlertBook:
    sites = named_sites(settings.alerts)
    return AlertBook(
        rules(settings, model.spec),
        model_sha256=model.sha256,
        quantities=model.spec.quantities,
        silent_after=silent_after(settings, model.spec),
        update_epsilon=settings.windows.revision_epsilon,
        of_sites={site: rules(settings, model.spec, site) for site in sites},
    )


def silent_after(settings: Settings, spec: ModelSpec) -> float:
    """Seconds after which a site is silent: even a late window should have come."""
    windows = settings.windows
    return sum(windows.size_and_every(spec.window_s)) + windows.max_wait + windows.idle_timeout


def _device_watch(settings: Settings, model: OnnxModel) -> DeviceWatch:
    """The watch of devices; it looks often enough to see the shortest silence that is trouble."""
    spec, sites = model.spec, named_sites(settings.alerts)
    usual, of_sites = (
        _device_rule(settings, spec),
        {s: _device_rule(settings, spec, s) for s in sites},
    )
    rules = [rule for rule in (usual, *of_sites.values()) if rule is not None]
    stale = [each for rule in rules for each in (rule.stale_sensor, rule.stale_camera)]
    stale += [each for rule in rules for each in rule.stale_of.values()]
    return DeviceWatch(
        usual,
        model_sha256=model.sha256,
        every=min([LOOK_EVERY, *(each / LOOKS for each in stale if each > 0)]),
        of_sites=of_sites,
    )


def _device_rule(settings: Settings, spec: ModelSpec, site: str | None = None) -> DeviceRule | None:
    alert = alerts_at(settings.alerts, spec.labels, site).get(DEVICE)
    if alert is None:
        return None
    blocked = rules(settings, spec, site).get(BLOCKED)
    if blocked is None and BLOCKED in spec.labels:
        blocked = _rule(AlertSettings(label=BLOCKED), spec)
    stale = alert.stale_after
    return DeviceRule(
        severity=alert.severity,
        keep_firing=alert.keep_firing,
        stale_sensor=SENSOR_STALE_AFTER if stale is None else stale,
        stale_camera=CAMERA_STALE_AFTER if stale is None else stale,
        dark_after=alert.dark_after,
        stale_of=alert.stale_after_of,
        blocked=blocked,
    )


def labels(settings: Settings, spec: ModelSpec) -> tuple[str, ...]:
    """Whatever may alert, at one site or another."""
    sites = (None, *named_sites(settings.alerts))
    return tuple(
        dict.fromkeys(
            label for site in sites for label in alerts_at(settings.alerts, spec.labels, site)
        )
    )


def rules(settings: Settings, spec: ModelSpec, site: str | None = None) -> dict[str, Rule]:
    """The rules of `site` for the model's labels; None: of a site that the settings don't name."""
    alerts = alerts_at(settings.alerts, spec.labels, site)
    return {label: _rule(alert, spec) for label, alert in alerts.items() if label != DEVICE}


def _rule(alert: AlertSettings, spec: ModelSpec) -> Rule:
    threshold, clear = alert.levels(spec.threshold(alert.label))
    return Rule(
        label=alert.label,
        threshold=threshold,
        clear=clear,
        for_windows=alert.for_windows,
        keep_firing=alert.keep_firing,
        severity=alert.severity,
    )


def usual_labels(settings: Settings, spec: ModelSpec) -> tuple[str, ...]:
    """What may alert at a site that the settings don't name."""
    return tuple(alerts_at(settings.alerts, spec.labels))


def labels_of_sites(settings: Settings, spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """What may alert at each site that the settings name."""
    return {
        site: tuple(alerts_at(settings.alerts, spec.labels, site))
        for site in named_sites(settings.alerts)
    }
