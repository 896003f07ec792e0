"""What becomes of what came in: panes of windows, and every other end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from edge_fusion.events.inputs import Event, Frame, Reading
from edge_fusion.events.lanes import IN_TIME, Line, of_frames, of_readings
from edge_fusion.events.times import ArrivalTime, EventTime, Window


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

    `lines` holds the events of each lane (a device and quantity, or a camera) that has any, in
    order of lane. `carried` holds, per device and quantity, the last reading before the window
    that is still young enough to be carried into it. `cameras` are all cameras known at the site,
    whether or not one gave a frame. `late` counts the events of this window that came after its
    first firing.
    """

    site: str
    window: Window
    index: int
    timing: Timing
    closed_by: ClosedBy
    fired_at: ArrivalTime
    lines: tuple[Line, ...]
    carried: tuple[Reading, ...] = ()
    cameras: tuple[str, ...] = ()
    late: int = 0

    @property
    def events(self) -> tuple[Event, ...]:
        """All events in order of event time, then of lane."""
        return tuple(sorted(chain.from_iterable(self.lines), key=IN_TIME))

    def readings(self, quantity: str) -> list[Reading]:
        """The readings of one quantity, by whatever device, in order of event time."""
        lines = [line for line in self.lines if of_readings(line) and line[0].quantity == quantity]
        return sorted(chain.from_iterable(lines), key=IN_TIME)

    def frames(self, camera: str) -> Sequence[Frame]:
        """The frames of one camera, in order of event time."""
        lines = (line for line in self.lines if of_frames(line) and line[0].camera == camera)
        return next(lines, ())


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
