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
    """The scores of one camera's row, and the frames it rests on (`camera` None: no camera).

    `brightness` is the mean of the brightest of these frames, 0 to 1; None: nobody looked.
    """

    camera: str | None
    frames: tuple[Frame, ...]
    scores: Mapping[str, float]
    brightness: float | None = None


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


class Trouble(Enum):
    """What is wrong with a device or camera."""

    OFFLINE = "offline"
    SILENT = "silent"
    BLOCKED = "blocked"
    DARK = "dark"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device or camera that is known: when it was last heard, and whether its clock is off."""

    site: str
    device: str
    camera: bool
    heard: ArrivalTime
    clock_off: bool = False


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """What is wrong with one device or camera, and since when."""

    device: str
    camera: bool
    trouble: Trouble
    since: ArrivalTime

    @property
    def name(self) -> tuple[str, bool, Trouble]:
        """All but since when."""
        return self.device, self.camera, self.trouble


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of one label at one site, as consumers see it.

    `id` is None only for the "nothing has fired yet" announcement of a new site.
    `firing` False means resolved. Times are arrival times (when the box knew). `devices`: what is
    wrong with which, under the label `DEVICE`; there is no evidence then.
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
    devices: tuple[DeviceTrouble, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that has just become, or just ceased to be, what it says (or was announced)."""

    alert: Alert
    lifecycle: bool = True
    """Whether it began or ended. If not the retained state says it, and no event."""
    news: bool = False
    """Whether there is an event of it all the same."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """A label of a site that fires to nobody before `until`."""

    site: str
    label: str
    until: ArrivalTime


@dataclass(frozen=True, slots=True)
class SilenceChange:
    """What is silenced at a site has changed: now it is `silences`, in order of label."""

    site: str
    silences: tuple[Silenced, ...]
    at: ArrivalTime


Change = AlertChange | SilenceChange
"""What consumers are told of alerts."""


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
