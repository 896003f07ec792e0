"""The vocabulary: every value that travels between the parts, frozen and slotted.

Two clocks are kept apart by type. `EventTime` is when something happened, by the device's
clock where it has one; it decides the window. `ArrivalTime` is when the message reached this
program; it decides every timer. Both are float seconds since the Unix epoch, UTC.

An event (`Reading` or `Frame`) comes out again when it was admitted to its windows, with its event
time as corrected, or else ends in exactly one of `Quarantined`, `TooLate`, `Duplicate` or `Shed`;
what never became an event ends in `Invalid`. `Outcome` is their union with `Pane`, so that
"nothing is lost silently" is a type.
"""

from edge_fusion.events.alerts import (
    Alert,
    AlertChange,
    AlertState,
    Evidence,
    ModelInputs,
    Publication,
    Row,
    Scores,
    Severity,
    Signal,
    Summary,
)
from edge_fusion.events.inputs import (
    HUMIDITY,
    IMAGE,
    TEMPERATURE,
    Capture,
    CatchUp,
    CaughtUp,
    Delivery,
    Event,
    Frame,
    Input,
    Message,
    Offline,
    Reading,
)
from edge_fusion.events.lanes import (
    IN_TIME,
    LaneKey,
    Line,
    lane_of,
    lines_of,
    of_frames,
    of_readings,
)
from edge_fusion.events.outcomes import (
    ClosedBy,
    Doubt,
    Duplicate,
    Invalid,
    InvalidReason,
    Outcome,
    Pane,
    Quarantined,
    QuarantineReason,
    Shed,
    ShedReason,
    Suspect,
    Timing,
    TooLate,
)
from edge_fusion.events.times import ArrivalTime, EventTime, TimeSource, Window

__all__ = [
    "HUMIDITY",
    "IMAGE",
    "IN_TIME",
    "TEMPERATURE",
    "Alert",
    "AlertChange",
    "AlertState",
    "ArrivalTime",
    "Capture",
    "CatchUp",
    "CaughtUp",
    "ClosedBy",
    "Delivery",
    "Doubt",
    "Duplicate",
    "Event",
    "EventTime",
    "Evidence",
    "Frame",
    "Input",
    "Invalid",
    "InvalidReason",
    "LaneKey",
    "Line",
    "Message",
    "ModelInputs",
    "Offline",
    "Outcome",
    "Pane",
    "Publication",
    "QuarantineReason",
    "Quarantined",
    "Reading",
    "Row",
    "Scores",
    "Severity",
    "Shed",
    "ShedReason",
    "Signal",
    "Summary",
    "Suspect",
    "TimeSource",
    "Timing",
    "TooLate",
    "Window",
    "lane_of",
    "lines_of",
    "of_frames",
    "of_readings",
]
