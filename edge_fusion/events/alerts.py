"""What is made of panes: scores, alerts, and what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_fusion.events.inputs import Frame
from edge_fusion.events.outcomes import Pane
from edge_fusion.events.times import ArrivalTime, EventTime, Window

DEVICE: Final = "device"
"""The label of trouble with devices, which no label of a model may be."""


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """The tensors of the model contract for N rows (one per camera) of one or more panes.

    image uint8 [N, F, H, W, 3] RGB · image_mask float32 [N, F] · sensors float32 [N, T, C] in
    canonical units, 0 where missing · sensors_mask float32 [N, T, C], 1 measured to 0 absent.
    """

    image: NDArray[np.uint8]
    image_mask: NDArray[np.float32]
    sensors: NDArray[np.float32]
    sensors_mask: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one camera's row, and the frames it rests on (`camera` None: no camera)."""

    camera: str | None
    frames: tuple[Frame, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one pane: a row per camera of the site."""

    pane: Pane
    rows: tuple[Row, ...]


class AlertState(Enum):
    """Where one label of one site stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class Signal(Enum):
    """What a pane or a timer says to an alert."""

    HIGH = "high"
    BETWEEN = "between"
    LOW = "low"
    HELD = "held"
    EXPIRED = "expired"


class Severity(Enum):
    """How much an alert matters to the people who get it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Summary:
    """Count, mean, minimum, maximum and last value of one quantity in a window."""

    count: int
    mean: float
    min: float
    max: float
    last: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alert rests on: the pane's window, its readings, frames and gaps.

    `missing` names the model's inputs that had nothing: quantities, or "image".
    `contributions` is the drop in score when that input is masked.
    """

    window: Window
    revision: int
    score: float
    camera: str | None
    readings: Mapping[str, Summary]
    frames: tuple[Frame, ...]
    missing: tuple[str, ...]
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of one label at one site, as consumers see it.

    `id` is None only for the "nothing has fired yet" announcement of a new site.
    `firing` False means resolved. Times are arrival times (when the box knew).
    """

    id: str | None
    sequence: int
    site: str
    label: str
    firing: bool
    severity: Severity
    threshold: float
    score: float
    started_at: EventTime | None
    updated_at: ArrivalTime
    ended_at: ArrivalTime | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that has just become, or just ceased to be, what it says (or was announced)."""

    alert: Alert
    lifecycle: bool = True
    """False for the announcement of a new site: retained state only, no event."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to publish. `window_end` dates the alert latency; `expiry` is in seconds.

    `telemetry` is the first to be turned away where there is no room for all.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    content_type: str = "application/json"
    properties: Mapping[str, str] = field(default_factory=dict)
    expiry: int | None = None
    window_end: EventTime | None = None
    telemetry: bool = False
