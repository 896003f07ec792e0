"""What the pipeline observes, in short."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_fusion.align.roster import Known
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Evidence,
    Frame,
    Pane,
    Reading,
    Row,
    Scores,
    Severity,
    Timing,
    Window,
)

NOW = 1_800_000_000.0


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(NOW + seconds)


def reading(
    value: float,
    second: float = 0.0,
    *,
    site: str = "hall",
    device: str = "probe",
    quantity: str = "temperature",
) -> Reading:
    return Reading(site, device, quantity, value, EventTime(NOW + second), at(second))


def frame(
    image: bytes = b"\xff\xd8\xff", second: float = 0.0, *, site: str = "hall", camera: str = "roof"
) -> Frame:
    return Frame(site, camera, image, EventTime(NOW + second), at(second))


def scores(
    *rows: tuple[str | None, dict[str, float]], end: float = 10.0, site: str = "hall"
) -> Scores:
    pane = Pane(
        site,
        Window(EventTime(NOW + end - 10.0), EventTime(NOW + end)),
        0,
        Timing.ON_TIME,
        ClosedBy.WATERMARK,
        at(end),
        (),
    )
    return Scores(pane, tuple(Row(camera, (), of) for camera, of in rows))


EVIDENCE = Evidence(
    window=Window(EventTime(NOW), EventTime(NOW + 10)),
    revision=0,
    score=0.93,
    camera="roof",
    readings={},
    frames=(frame(b"first"), frame(b"last", 5)),
    missing=("humidity",),
    contributions={"image": 0.41, "temperature": float("nan")},
)
FIRED = Alert(
    id="5f0c",
    sequence=1,
    site="hall",
    label="smoke",
    firing=True,
    severity=Severity.CRITICAL,
    threshold=0.7,
    score=0.93,
    started_at=EventTime(NOW),
    updated_at=at(10),
    ended_at=None,
    evidence=EVIDENCE,
)


def fired(**changes: object) -> AlertChange:
    return AlertChange(replace(FIRED, **changes))  # type: ignore[arg-type]


def resolved(second: float = 60.0, **changes: object) -> AlertChange:
    over = {"firing": False, "ended_at": at(second), "updated_at": at(second), "sequence": 2}
    return fired(**{**over, **changes})


@dataclass
class Place:
    """A site as the alignment knows it: its devices and cameras, and when each was heard."""

    site: str = "hall"
    heard: float = 0.0
    devices: tuple[str, ...] = ("probe",)
    cameras: tuple[str, ...] = ("roof",)

    def known(self) -> tuple[Known, ...]:
        return tuple(
            Known(name, is_camera, at(self.heard), 0.25)
            for is_camera, names in ((False, self.devices), (True, self.cameras))
            for name in names
        )
