"""metrics.json -> card.md: what the model is, what it can do and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_fusion.training.dataset import SPEC, View

_CARD = """\
**Not a certified life-safety device: never let it stand in for a smoke or heat alarm.**

# {model}

A small network that looks at one window of a room, {window_s:g} s of temperature and humidity and
{frames} camera frames, and says how likely each of these is:
{labels}.

It shows that the whole path from MQTT to alert works, and is a starting point for training on
recordings of your own rooms. It was trained **on simulated rooms only**; what it does in a real
one has not been measured.

| | |
| --- | --- |
| file | `model.onnx`, sha256 `{sha256}` |
| size | {kilobytes} kB, {parameters:,} parameters, float32 |
| speed | {milliseconds_per_row_on_one_thread} ms a row on one thread |
| window | {window_s:g} s in {steps} steps; {quantities}; {frames} frames of {pixels} pixels |
| thresholds | {thresholds_text} |

## How it looks

Picture: the two frames and the absolute difference between them (what moves counts) go through
depthwise-separable convolutions to 10 x 10 tokens. Sensors: levels, changes from cell to cell,
distance from the window's mean and the freshness mask go through a GRU to one token. Fusion: one
query per label, bent by the sensor token, attends to the picture tokens; a small layer makes a
logit of what it found. A Platt scaling per label, inside the graph, makes probabilities of them.
Any input may be missing: missing frames, cells, quantities or whole modalities are masked.

## Data

{training_rows:,} windows of {training_episodes:,} simulated episodes of three minutes for training,
{validation_rows:,} of others for validation. An episode is a room at random (size, air changes,
weather, furniture, light, one in four dark) with a story: nothing, people, a heater, a candle, an
open window, a kettle, a shower, a flaming or smouldering fire, fire and steam, a covered lens, or
several of these. A balance of heat, moisture, smoke and droplets gives the air; the pictures are
drawn from the same states.

Each site has sensors with rhythms of their own (a reading each 0.5 to 60 s, and battery sensors
that report on change) and, mostly, a camera with JPEG files of varying quality; messages get
lost. The windows went through the same code as in service. The truth of a window is what held for
most of its second half. Training hides whole modalities and parts of them at random. The best
epoch, the calibration and the thresholds were chosen on the validation episodes: per label, the
lowest threshold that at most {allowed_false_alarms:.1%} of the windows without any hazard reach,
and at most {allowed_confusions:.0%} of those with none or another one, with both modalities and
with either alone, and never below 0.5. Hazards are far more common in this data than in any
building: a score is a probability under the simulator's mix, not in yours.

## Results

On {episodes} episodes in rooms never seen before, through `model.onnx` and onnxruntime.
"Recall" and "false alarms" are shares of windows at the model's own thresholds. The first table
compares inputs over the {rows_with_both_modalities:,} windows that have pictures and readings.

{views_table}

{verdict}

All {rows:,} windows, with whatever each had:

{all_table}

By scenario: the share of windows in which the label holds that reach the threshold / the share of
windows in which it does not hold that reach it all the same.

{scenario_table}

## Limits

Rooms, pictures, heat and moisture are simulated: flat-shaded scenes, one air volume per room, no
real flames. Within one window of {window_s:g} s temperature and humidity move little, so that
readings alone say little until a hazard is well under way. False alarms gather where the table of
scenarios shows them: something over the lens can pass for a fire. Windows that straddle the
beginning or end of a hazard count in full. Train on recordings of your own rooms, and set
thresholds on them, before you rely on any of this.

## Made by

```
edge-fusion train all --out models/{model}
```

took {minutes:.0f} minutes on two shared CPU cores ({minutes_simulating:.0f} to simulate,
{minutes_fitting:.0f} to train), and about one more to simulate the test episodes and measure on
them; seed {seed}.
"""

_NAMES = {
    View.FULL: "both",
    View.IMAGE_ONLY: "pictures only",
    View.SENSORS_ONLY: "readings only",
}
_MEASURES = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "recall": "recall",
    "false_alarms": "false alarms",
    "calibration_error": "calibration error",
}


def card(metrics: Mapping[str, Any]) -> str:
    """The text of card.md; every number in it comes from `metrics`."""
    labels = list(metrics["thresholds"])
    return _CARD.format(
        **{name: value for name, value in metrics.items() if isinstance(value, str | int | float)},
        **metrics["settings"],
        window_s=SPEC.window_s,
        steps=SPEC.steps,
        frames=SPEC.frames,
        quantities=" and ".join(SPEC.quantities),
        pixels="x".join(str(side) for side in SPEC.image_size),
        minutes=metrics["minutes_simulating"] + metrics["minutes_fitting"],
        labels=", ".join(labels),
        thresholds_text=", ".join(f"{k} {v:g}" for k, v in metrics["thresholds"].items()),
        views_table=_views(metrics["views"], labels),
        verdict=_verdict(metrics["views"], labels),
        all_table=_measures(metrics["all_rows"]),
        scenario_table=_scenarios(metrics["scenarios"], labels),
    )


def _views(views: Mapping[str, Any], labels: list[str]) -> str:
    rows = [
        [label, _NAMES[view], *_numbers(views[view.value][label])]
        for label in labels
        for view in View
    ]
    return _table(["label", "input", *_MEASURES.values()], rows)


def _measures(found: Mapping[str, Any]) -> str:
    rows = [[label, *_numbers(measures)] for label, measures in found.items()]
    return _table(["label", *_MEASURES.values()], rows)


def _numbers(measures: Mapping[str, Any]) -> list[str]:
    return [_number(measures[name]) for name in _MEASURES]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _verdict(views: Mapping[str, Any], labels: list[str]) -> str:
    """One sentence per label: what fusion adds to the better of the two single modalities."""
    return " ".join(_compared(views, label) for label in labels)


def _compared(views: Mapping[str, Any], label: str) -> str:
    precision = {view: views[view.value][label]["average_precision"] or 0.0 for view in View}
    alone = max((View.IMAGE_ONLY, View.SENSORS_ONLY), key=precision.__getitem__)
    gain = precision[View.FULL] - precision[alone]
    said = "adds nothing to" if abs(gain) < 0.005 else "beats" if gain > 0 else "is worse than"
    return (
        f"For {label} fusion {said} {_NAMES[alone]} "
        f"(average precision {precision[View.FULL]:.3f} against {precision[alone]:.3f})."
    )


def _scenarios(found: Mapping[str, Any], labels: list[str]) -> str:
    rows = [
        [name, str(hits["rows"]), *(_pair(hits[label]) for label in labels)]
        for name, hits in found.items()
    ]
    return _table(["scenario", "windows", *labels], rows)


def _pair(hits: Mapping[str, float | None]) -> str:
    return f"{_number(hits['recall'])} / {_number(hits['false_alarms'])}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
