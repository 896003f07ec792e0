"""The tables `[[alerts]]`: which labels alert, when, and where otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator
from pydantic.json_schema import WithJsonSchema

from edge_fusion.codecs.topics import valid_name
from edge_fusion.config.keys import (
    Count,
    Duration,
    Name,
    Number,
    Table,
    problem,
    seconds,
)
from edge_fusion.events import DEVICE, Severity

CLEAR_FACTOR: Final = 0.7
SENSOR_STALE_AFTER: Final = 7200.0
CAMERA_STALE_AFTER: Final = 900.0

_OF_SCORES: Final = {"threshold": "threshold", "clear": "clear", "for_windows": "for"}
_OF_DEVICES: Final = ("stale_after", "stale_after_of", "dark_after")
"""Keys that mean something with the labels of a model, or with that of devices, only."""


def _sites(value: object) -> object:
    sites = (value,) if isinstance(value, str) else value
    if not isinstance(sites, list | tuple) or not sites:
        raise ValueError('expected a site such as "cellar", or a list of sites')
    return sites


def _by_name(durations: dict[str, float]) -> dict[str, float]:
    for name in durations:
        if not valid_name(name):
            raise problem(f'has "{name}": expected the name of a device or camera')
    return durations


Sites = Annotated[
    tuple[Name, ...],
    BeforeValidator(_sites),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": 64},
                {"type": "array", "items": {"type": "string", "maxLength": 64}, "minItems": 1},
            ]
        }
    ),
]


class AlertSettings(Table):
    """One label that alerts: of the model, or "device". Without any of the model all of it do.

    With `site` it changes, there alone and key by key, what is said without.
    """

    label: Name = Field(description='Label of the model; or "device", for trouble with devices.')
    site: Sites | None = Field(
        default=None, description="Site or list of sites that this is for; absent: all others."
    )
    enabled: StrictBool = Field(default=True, description="false: it does not alert.")
    threshold: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="Score from which on it fires; absent: the model's own."
    )
    clear: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="Score below which it may resolve; absent: 0.7 of the threshold."
    )
    for_windows: Count = Field(
        default=2, alias="for", description="Windows in a row at the threshold before it fires."
    )
    keep_firing: Duration = seconds(
        "30s", "So long it keeps firing after the score has fallen, or the trouble has gone."
    )
    severity: Severity = Field(default=Severity.WARNING, description="How much it matters.")
    stale_after: Duration | None = Field(
        default=None,
        description="Of devices: so long one may be silent; absent: a sensor 2h, a camera 15m; "
        "0s: for ever.",
    )
    stale_after_of: Annotated[dict[str, Duration], AfterValidator(_by_name)] = Field(
        default_factory=dict, description="Of devices: the same for single ones, by their names."
    )
    dark_after: Duration = seconds(
        "1d", "Of devices: so long the pictures of a camera may be dark; 0s: for ever."
    )

    @model_validator(mode="after")
    def _keys_fit_label(self) -> Self:
        if self.label == DEVICE:
            for field, key in _OF_SCORES.items():
                if field in self.model_fields_set:
                    text = f'given with label "{DEVICE}": expected with a label of the model'
                    raise problem(text, key)
        else:
            for key in _OF_DEVICES:
                if key in self.model_fields_set:
                    raise problem(f'given with label "{self.label}": expected with "{DEVICE}"', key)
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.threshold is not None:
            self.levels(self.threshold)
        return self

    def levels(self, model_threshold: float) -> tuple[float, float]:
        """Threshold and clear, for a label whose own threshold is `model_threshold`.

        Raises ValueError when `clear` is above the threshold.
        """
        threshold = model_threshold if self.threshold is None else self.threshold
        clear = CLEAR_FACTOR * threshold if self.clear is None else self.clear
        if clear > threshold:
            raise problem(f"is {clear}: expected at most the threshold, {threshold}", "clear")
        return threshold, clear

    def over(self, base: AlertSettings | None) -> AlertSettings:
        """The two together: what is given here, and where it is silent what `base` says."""
        if base is None:
            return self
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return base.model_copy(update=given)


def alerts_at(
    alerts: Sequence[AlertSettings], labels: Sequence[str], site: str | None = None
) -> dict[str, AlertSettings]:
    """What alerts at `site`, by label; None: at a site that no table names.

    `labels` are the model's, which all alert unless tables without a site say which do, and not
    just which don't.
    """
    everywhere = _everywhere(alerts, labels)
    own = (alert for alert in alerts if site in (alert.site or ()))
    here = {alert.label: alert for alert in own}
    merged = everywhere | {
        label: alert.over(everywhere.get(label)) for label, alert in here.items()
    }
    return {label: alert for label, alert in merged.items() if alert.enabled}


def named_sites(alerts: Sequence[AlertSettings]) -> list[str]:
    """The sites at which something differs."""
    return sorted({site for alert in alerts for site in alert.site or ()})


def check_once(alerts: Sequence[AlertSettings]) -> None:
    """Raises ValueError where a label is given twice for one place."""
    places = Counter(place for alert in alerts for place in _places(alert))
    for index, alert in enumerate(alerts):
        for label, site in _places(alert):
            if (count := places[label, site]) > 1:
                where = "" if site is None else f' for site "{site}"'
                text = f'is "{label}", given {count} times{where}: expected once'
                raise problem(text, f"alerts[{index}].label")


def alert_problems(
    alerts: Sequence[AlertSettings], model: str, thresholds: Mapping[str, float]
) -> Iterator[str]:
    """Where they do not fit a model with these labels and thresholds: key, and what is wrong."""
    everywhere = _everywhere(alerts, tuple(thresholds))
    for index, alert in enumerate(alerts):
        where = f"alerts[{index}]"
        if alert.label == DEVICE:
            continue
        if alert.label not in thresholds:
            known = ", ".join(thresholds)
            yield (
                f'{where}.label is "{alert.label}": expected a label of {model}: {known}; '
                f"or {DEVICE}"
            )
            continue
        merged = alert if alert.site is None else alert.over(everywhere.get(alert.label))
        try:
            merged.levels(thresholds[alert.label])
        except ValueError as error:
            yield f"{where}.clear {error}"


def _everywhere(alerts: Sequence[AlertSettings], labels: Sequence[str]) -> dict[str, AlertSettings]:
    given = {alert.label: alert for alert in alerts if alert.site is None}
    devices = given.pop(DEVICE, None) or AlertSettings(label=DEVICE)
    if not any(alert.enabled for alert in given.values()):
        given = {label: AlertSettings(label=label) for label in labels} | given
    return {**given, DEVICE: devices}


def _places(alert: AlertSettings) -> Iterator[tuple[str, str | None]]:
    for site in alert.site or (None,):
        yield alert.label, site
