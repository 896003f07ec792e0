"""The vocabulary: every value that travels between the parts, frozen and slotted.

Two clocks are kept apart by type. `EventTime` is when something happened, by the device's
clock where it has one; it decides the window. `ArrivalTime` is when the message reached this
program; it decides every timer. Both are float seconds since the Unix epoch, UTC.

An event (`Reading` or `Frame`) comes out again when it was admitted to its windows, with its event
time as corrected, or else ends in exactly one of `Quarantined`, `TooLate`, `Duplicate` or `Shed`;
what never became an event ends in `Invalid`. `Outcome` is their union with `Pane`, so that
"nothing is lost silently" is a type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

import numpy as np
from numpy.typing import NDArray

EventTime = NewType("EventTime", float)
ArrivalTime = NewType("ArrivalTime", float)

TEMPERATURE = "temperature"
HUMIDITY = "humidity"
IMAGE = "image"
"""The key under which pictures stand in `missing` and `contributions`, beside the quantities."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came, by MQTT. `properties` are the MQTT 5 user properties, if any.

    With qos 1 the sender was promised that it is kept.
    """

    topic: str
    payload: bytes
    arrival: ArrivalTime
    retained: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    qos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(Message):
    """A picture that a camera of our own gave, as a JPEG file, `latency` seconds after taking it.

    Its topic is what it goes by in the mailbox and in logs; nobody is owed an acknowledgement.
    """

    site: str
    camera: str
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the acknowledgement that its holder owes the broker.

    connection: the one it came by, as notices call it; packet: its packet id there, if its qos is
    1; again: the broker may have sent it before (the DUP flag of MQTT).
    """

    message: Message
    ack: Callable[[], None]
    connection: str = ""
    packet: int = 0
    again: bool = False


class TimeSource(Enum):
    """Whose clock an event's time was read from."""

    DEVICE = "device"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one quantity, in canonical units (°C, %RH; others as the device gives them)."""

    site: str
    device: str
    quantity: str
    value: float
    time: EventTime
    arrival: ArrivalTime
    time_source: TimeSource = TimeSource.ARRIVAL

    @property
    def source(self) -> str:
        return self.device


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera, still the JPEG or PNG file it came as.

    `durable`: its sender was promised that it is kept.
    """

    site: str
    camera: str
    image: bytes
    time: EventTime
    arrival: ArrivalTime
    time_source: TimeSource = TimeSource.ARRIVAL
    durable: bool = False

    @property
    def source(self) -> str:
        return self.camera


Event = Reading | Frame


@dataclass(frozen=True, slots=True)
class Offline:
    """A device was reported dead, by its last will or on an availability topic: idle at once."""

    site: str
    device: str
    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class CatchUp:
    """From here on comes what was held back since arrival time `since`, when we were cut off.

    Until `CaughtUp` nothing becomes idle and no window waits in vain: time stands still for all
    but the watermarks, and lateness is judged as of `since`.
    """

    since: ArrivalTime
    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What had been held back has come; time goes on."""

    arrival: ArrivalTime


Input = Event | Offline | CatchUp | CaughtUp
"""What is fed to alignment, in order of arrival."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The interval [start, end) of event time, in seconds."""

    start: EventTime
    end: EventTime


class Timing(Enum):
    """Whether a pane is the first of its window or a revision after late data."""

    ON_TIME = "on_time"
    LATE = "late"


class ClosedBy(Enum):
    """What closed a window."""

    WATERMARK = "watermark"
    MAX_WAIT = "max_wait"


@dataclass(frozen=True, slots=True)
class Pane:
    """What one firing of a window yields.

    `events` are in order of event time. `carried` holds, per device and quantity, the last
    reading before the window that is still young enough to be carried into it. `cameras` are
    all cameras known at the site, whether or not one gave a frame. `late` counts the events of
    this window that came after its first firing.
    """

    site: str
    window: Window
    index: int
    timing: Timing
    closed_by: ClosedBy
    fired_at: ArrivalTime
    events: tuple[Event, ...]
    carried: tuple[Reading, ...] = ()
    cameras: tuple[str, ...] = ()
    late: int = 0


class QuarantineReason(Enum):
    """Why a device's timestamp was not believed."""

    FUTURE = "future"
    BEFORE_2020 = "before_2020"
    JUMP = "jump"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The event stands in the windows of its arrival; its own time moved nothing."""

    event: Event
    reason: QuarantineReason
    claimed: EventTime


@dataclass(frozen=True, slots=True)
class TooLate:
    """The event came after its windows had closed and their allowed lateness had passed."""

    event: Event
    watermark: EventTime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same source, quantity and event time had been admitted before."""

    event: Event


class ShedReason(Enum):
    """Which bound an event ran into."""

    MAX_READINGS = "max_readings"
    MAX_FRAMES = "max_frames"
    MAX_SITES = "max_sites"
    MAX_DEVICES = "max_devices"
    MAILBOX_FULL = "mailbox_full"
    OUTBOX_FULL = "outbox_full"
    STORE_LOST = "store_lost"
    REFUSED_BY_BROKER = "refused_by_broker"


@dataclass(frozen=True, slots=True)
class Shed:
    """Something was let go because a bound was reached; `event` None: it was no event."""

    event: Event | None
    reason: ShedReason
    count: int = 1


class InvalidReason(Enum):
    """Why bytes from the network did not become an event."""

    TOPIC = "topic"
    NAME = "name"
    TOO_LARGE = "too_large"
    SYNTAX = "syntax"
    MISSING_FIELD = "missing_field"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    TIME = "time"
    RETAINED = "retained"
    UNIT = "unit"
    UNKNOWN_ALIAS = "unknown_alias"
    STALE = "stale"
    NO_ROOM = "no_room"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNDECODABLE_IMAGE = "undecodable_image"


@dataclass(frozen=True, slots=True)
class Invalid:
    """Something on `topic` that is no event. `detail` is for the log: short, printable."""

    topic: str
    reason: InvalidReason
    detail: str
    site: str | None = None
    source: str | None = None


class Doubt(Enum):
    """What is odd about a reading that is used all the same."""

    NO_ZONE = "no_zone"
    CLIPPED = "clipped"
    STUCK = "stuck"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something is odd about a reading; that is said beside its end, and is none itself."""

    reading: Reading
    doubt: Doubt


Outcome = Event | Quarantined | TooLate | Duplicate | Shed | Invalid | Suspect | Pane


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
