"""Reload: a new configuration and model take the place of the old ones between two turns.

Nothing is lost: what the sites and alerts know is carried over, and connections stay as they are.
Which broker that is, where the store lies and where pages are served can't change while the
program runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_fusion import assembly
from edge_fusion.config import Settings, exposures, load, model_problems
from edge_fusion.errors import ConfigError
from edge_fusion.events import AlertChange, ArrivalTime, Outcome
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.stages import Stages

FIXED = ("mqtt", "store", "web")
ADJUSTABLE = {"publish_windows", "publish_late"}
"""Keys of `[mqtt]` that say nothing of the connection."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and its model; `ignored` tables differ and wait for the next start."""

    settings: Settings
    model: OnnxModel
    ignored: tuple[str, ...] = ()


def load_all(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read a configuration and its model. Raises ConfigError or ModelError."""
    settings = load(path, environ)
    model = assembly.configured_model(settings.model)
    if problems := [*model_problems(settings, model.spec, path), *exposures(settings, path)]:
        raise ConfigError(problems)
    return Loaded(settings, model)


def load_again(path: Path, environ: Mapping[str, str], running: Settings) -> Loaded:
    """Read them again while `running` is in use. Raises ConfigError or ModelError."""
    loaded = load_all(path, environ)
    wanted = loaded.settings
    adjusted = {key: getattr(wanted.mqtt, key) for key in ADJUSTABLE}
    fixed = {name: getattr(running, name) for name in FIXED}
    fixed["mqtt"] = running.mqtt.model_copy(update=adjusted)
    ignored = tuple(name for name in FIXED if getattr(wanted, name) != fixed[name])
    return Loaded(wanted.model_copy(update=fixed), loaded.model, ignored)


def carry_over(
    old: Stages, new: Stages, now: ArrivalTime
) -> tuple[list[Outcome], list[AlertChange]]:
    """Have new stages go on where old ones are.

    Returns what came of windows on the way, where they are of another size now, and the ends of
    alerts that have no rule any more.
    """
    outcomes = new.sites.take_over(old.sites)
    old.book.unsave()
    told = [
        change
        for _, label, state in old.book.unsaved()
        for change in new.book.restore(label, state, now)
    ]
    new.book.go_on_with(old.book.deaf_since, now)
    return outcomes, [change for change in told if change.lifecycle]
