"""What consumers get: the JSON of alerts, windows and late events, and its JSON Schemas.

The models below are the published contract, in `deploy/schemas` too. Additions keep `schema` at 1,
and consumers ignore what they do not know; what is taken away, renamed or means something else
makes it 2. Times are RFC 3339 in UTC with milliseconds; numbers are finite; what is
unknown is null or absent.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_fusion.codecs.times import format_time
from edge_fusion.events import (
    DEVICE,
    Alert,
    ClosedBy,
    DeviceTrouble,
    Evidence,
    Frame,
    Reading,
    Row,
    Scores,
    Severity,
    Summary,
    TooLate,
    Trouble,
    Window,
)

Time = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
Score = Annotated[float, Field(ge=0, le=1)]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DECIMALS = 4
_DEVICES = frozenset({"devices"})


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model file spoke: the name in its spec, and the SHA-256 of the file in hex."""

    name: str
    sha256: str


class PublishedState(Enum):
    """An alert's state as consumers see it."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Payload(BaseModel):
    """What is published, or a part of it."""

    model_config = ConfigDict(
        frozen=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )


class Document(Payload):
    """What is published as one message."""

    # pydantic has a method of the name `schema`.
    schema_number: Literal[1] = Field(
        default=1,
        alias="schema",
        description="Version of this document. Under one number fields may be added, and words "
        "where a field holds one of several; none is taken away, renamed or given another meaning.",
    )


def _without_devices(schema: dict[str, Any]) -> None:
    """There need not be any."""
    schema["required"].remove("devices")


class WindowInterval(Payload):
    """The interval [start, end) of event time; `revision` counts firings after late data."""

    start: Time
    end: Time
    revision: int = Field(ge=0)


class SummaryPayload(Payload):
    """One quantity in a window, in canonical units (°C, %RH)."""

    count: int = Field(ge=0)
    mean: float
    min: float
    max: float
    last: float


class FrameReference(Payload):
    """A picture that a score rests on."""

    camera: str
    time: Time


class ModelReference(Payload):
    """The model that spoke."""

    name: str
    sha256: str


class DevicePayload(Payload):
    """What is wrong with one device or camera, and since when.

    It is reported `offline` or is `silent`, a camera is `blocked` or `dark`, its `clock` is off.
    """

    device: str
    kind: Literal["sensor", "camera"]
    trouble: Trouble
    since: Time


class AlertPayload(Document):
    """One firing of one label at one site. Of several with one `id` the highest `sequence` holds.

    `id` is null only in the announcement that nothing has fired yet; `window` there, and under the
    label "device", whose alerts alone have `devices`.
    """

    model_config = ConfigDict(json_schema_extra=_without_devices)

    id: str | None
    sequence: int = Field(ge=0)
    site: str
    label: str
    state: PublishedState
    severity: Severity
    score: Score
    threshold: float
    camera: str | None
    started_at: Time | None
    updated_at: Time
    ended_at: Time | None
    window: WindowInterval | None
    readings: dict[str, SummaryPayload]
    frames: list[FrameReference]
    missing: list[str]
    contributions: dict[str, float]
    model: ModelReference
    box: str
    devices: list[DevicePayload] = Field(default_factory=list)


class RowPayload(Payload):
    """The scores of one camera's row; `camera` is null at a site without cameras."""

    camera: str | None
    frames: int = Field(ge=0)
    scores: dict[str, Score]


class WindowPayload(Document):
    """One firing of one window of one site."""

    site: str
    start: Time
    end: Time
    revision: int = Field(ge=0)
    closed_by: ClosedBy
    rows: list[RowPayload]
    readings: dict[str, SummaryPayload]
    missing: list[str]
    late: int = Field(ge=0)
    model: ModelReference


class LatePayload(Document):
    """An event that came too late: a reading (device, quantity, value) or a frame (camera)."""

    site: str
    device: str | None
    quantity: str | None
    value: float | None
    camera: str | None
    time: Time
    arrived_at: Time
    watermark: Time


def encode_alert(alert: Alert, box: str, model: ModelIdentity) -> bytes:
    """The JSON of `AlertPayload`."""
    evidence = alert.evidence
    return encode_document(
        AlertPayload(
            devices=[_device(each) for each in alert.devices],
            id=alert.id,
            sequence=alert.sequence,
            site=alert.site,
            label=alert.label,
            state=PublishedState.FIRING if alert.firing else PublishedState.RESOLVED,
            severity=alert.severity,
            score=_score(alert.score),
            threshold=alert.threshold,
            camera=evidence.camera if evidence else None,
            started_at=_time(alert.started_at),
            updated_at=format_time(alert.updated_at),
            ended_at=_time(alert.ended_at),
            window=_interval(evidence.window, evidence.revision) if evidence else None,
            readings=_summaries(evidence.readings) if evidence else {},
            frames=_frames(evidence) if evidence else [],
            missing=list(evidence.missing) if evidence else [],
            contributions=_finite(evidence.contributions) if evidence else {},
            model=_reference(model),
            box=box,
        ),
        without=() if alert.label == DEVICE else _DEVICES,
    )


def encode_window(
    scores: Scores,
    readings: Mapping[str, Summary],
    missing: Sequence[str],
    model: ModelIdentity,
) -> bytes:
    """The JSON of `WindowPayload`."""
    pane = scores.pane
    return encode_document(
        WindowPayload(
            site=pane.site,
            start=format_time(pane.window.start),
            end=format_time(pane.window.end),
            revision=pane.index,
            closed_by=pane.closed_by,
            rows=[_row(row) for row in scores.rows],
            readings=_summaries(readings),
            missing=list(missing),
            late=pane.late,
            model=_reference(model),
        )
    )


def encode_late(outcome: TooLate) -> bytes:
    """The JSON of `LatePayload`."""
    event = outcome.event
    reading = event if isinstance(event, Reading) else None
    return encode_document(
        LatePayload(
            site=event.site,
            device=reading.device if reading else None,
            quantity=reading.quantity if reading else None,
            value=reading.value if reading else None,
            camera=event.camera if isinstance(event, Frame) else None,
            time=format_time(event.time),
            arrived_at=format_time(event.arrival),
            watermark=format_time(outcome.watermark),
        )
    )


def alert_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `AlertPayload`."""
    return document_schema(AlertPayload)


def window_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `WindowPayload`."""
    return document_schema(WindowPayload)


def late_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `LatePayload`."""
    return document_schema(LatePayload)


def document_schema(payload: type[Document]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a document."""
    return {"$schema": _DIALECT, **payload.model_json_schema(mode="serialization")}


def encode_document(payload: Document, without: Collection[str] = ()) -> bytes:
    """The JSON of a document, `without` some of its fields."""
    return payload.model_dump_json(exclude=set(without)).encode()


def _device(trouble: DeviceTrouble) -> DevicePayload:
    return DevicePayload(
        device=trouble.device,
        kind="camera" if trouble.camera else "sensor",
        trouble=trouble.trouble,
        since=format_time(trouble.since),
    )


def _row(row: Row) -> RowPayload:
    finite = {label: score for label, score in row.scores.items() if math.isfinite(score)}
    scores = {label: _score(score) for label, score in finite.items()}
    return RowPayload(camera=row.camera, frames=len(row.frames), scores=scores)


def _interval(window: Window, revision: int) -> WindowInterval:
    return WindowInterval(
        start=format_time(window.start), end=format_time(window.end), revision=revision
    )


def _frames(evidence: Evidence) -> list[FrameReference]:
    return [
        FrameReference(camera=frame.camera, time=format_time(frame.time))
        for frame in evidence.frames
    ]


def _reference(model: ModelIdentity) -> ModelReference:
    return ModelReference(name=model.name, sha256=model.sha256)


def _summaries(readings: Mapping[str, Summary]) -> dict[str, SummaryPayload]:
    # A mean of values near the end of the float range is infinite: such a quantity is left out.
    return {
        quantity: _summary(summary)
        for quantity, summary in readings.items()
        if all(map(math.isfinite, (summary.mean, summary.min, summary.max, summary.last)))
    }


def _summary(summary: Summary) -> SummaryPayload:
    return SummaryPayload(
        count=summary.count,
        mean=round(summary.mean, _DECIMALS),
        min=round(summary.min, _DECIMALS),
        max=round(summary.max, _DECIMALS),
        last=round(summary.last, _DECIMALS),
    )


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {key: round(n, _DECIMALS) for key, n in numbers.items() if math.isfinite(n)}


def _score(score: float) -> float:
    """A probability fit to publish. NaN, which never reaches a threshold, counts as 0."""
    return 0.0 if math.isnan(score) else round(min(max(score, 0.0), 1.0), _DECIMALS)


def _time(time: float | None) -> str | None:
    return None if time is None else format_time(time)
