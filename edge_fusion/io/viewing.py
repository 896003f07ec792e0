"""One viewing: a camera's video from its opening to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from edge_fusion.events import ArrivalTime, Capture
from edge_fusion.io.address import CameraAddress, Medium
from edge_fusion.io.liveness import Backlog, Pace, Stillness
from edge_fusion.io.refusal import ask_why
from edge_fusion.io.retry import Backoff
from edge_fusion.io.video import Picture, Video


@dataclass(frozen=True, slots=True)
class VideoSource:
    """A camera to look at: `fps` pictures a second, each taken `latency` seconds before it came."""

    site: str
    camera: str
    address: CameraAddress
    fps: float = 1.0
    latency: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.site}/{self.camera}"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a camera may take.

    opening: until its video is open; asking: for its answer when asked why it is not; silence:
    without any picture; stillness: without a new one. backoff: between attempts.
    """

    opening: float = 10.0
    asking: float = 2.0
    silence: float = 10.0
    stillness: float = 20.0
    backoff: Backoff = field(default_factory=Backoff)


class Verdict(Enum):
    """How a viewing ended."""

    FAILED = auto()
    DENIED = auto()
    """The camera does not want this user."""
    FINISHED = auto()
    """A file came to its end."""
    ANSWERED = auto()
    """HTTP gave what it had, as servers of single pictures do: ask again."""
    LEFT = auto()
    """We ended it."""


@dataclass(frozen=True, slots=True)
class End:
    """How a viewing ended, why in words, and for how many seconds there were pictures."""

    verdict: Verdict
    reason: str = ""
    lasted: float = 0.0


@dataclass(slots=True)
class Tally:
    """Pictures taken in, and those left out since they were no longer of now."""

    grabbed: int = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the viewings of one camera share: where it is, and what is told of it to whom.

    `deliver` gets the pictures; `left` is set when it is time to go.
    """

    source: VideoSource
    patience: Patience
    stamp: Callable[[], ArrivalTime]
    deliver: Callable[[Capture], None]
    left: threading.Event
    stillness: Stillness
    tally: Tally


def view(viewer: Viewer, seen: Callable[[], None]) -> End:
    """Open the video and look at it until it ends; returns how. Its first picture is `seen`."""
    patience, address = viewer.patience, viewer.source.address
    video = Video.open(address, opening=patience.opening, silence=patience.silence)
    if video is None:
        refusal = ask_why(address, patience.asking)
        return End(Verdict.DENIED if refusal.denied else Verdict.FAILED, refusal.reason)
    try:
        return _Viewing(viewer, video, seen).run()
    finally:
        video.close()


class _Viewing:
    """An open video, and what is known of it."""

    def __init__(self, viewer: Viewer, video: Video, seen: Callable[[], None]) -> None:
        self._viewer = viewer
        self._video = video
        self._seen = seen
        self._medium = viewer.source.address.medium
        self._backlog = Backlog()
        self._pace = Pace(viewer.source.fps)
        self._opened: ArrivalTime | None = None
        self._first: ArrivalTime | None = None

    def run(self) -> End:
        while not self._viewer.left.is_set():
            asked = self._viewer.stamp()
            if not self._video.grab():
                return self._end(*self._conclusion(asked))
            arrival = self._arrival()
            self._viewer.tally.grabbed += 1
            trouble = self._look(arrival)
            if trouble is not None:
                return self._end(Verdict.FAILED, trouble)
        return self._end(Verdict.LEFT)

    def _arrival(self) -> ArrivalTime:
        """The time of the grab just done; a file is held up so that it runs at its own pace."""
        arrival = self._viewer.stamp()
        if self._medium is not Medium.FILE:
            return arrival
        position = self._video.position
        if self._opened is None:
            self._opened = ArrivalTime(arrival - position)
        self._viewer.left.wait(max(self._opened + position - arrival, 0.0))
        return self._viewer.stamp()

    def _look(self, arrival: ArrivalTime) -> str | None:
        """Hand over the picture if it is wanted and of now; returns what is wrong, if anything."""
        viewer, source = self._viewer, self._viewer.source
        # Only RTSP says truly where in the stream a picture stands.
        if self._medium is Medium.RTSP and self._backlog.is_old(arrival, self._video.position):
            viewer.tally.stale += 1
            return "its pictures come late" if self._backlog.is_stuck(arrival) else None
        picture = self._video.picture() if self._pace.is_due(arrival) else None
        if picture is None:
            return None
        if self._is_frozen(picture, arrival):
            viewer.tally.stale += 1
            return f"nothing new in its pictures for {viewer.patience.stillness:g} s"
        if self._first is None:
            self._first = arrival
            self._seen()
        viewer.deliver(
            Capture(
                source.name,
                picture.image,
                arrival,
                site=source.site,
                camera=source.camera,
                latency=source.latency,
            )
        )
        return None

    def _is_frozen(self, picture: Picture, arrival: ArrivalTime) -> bool:
        if self._medium is Medium.FILE:
            return False
        stillness = self._viewer.stillness
        return stillness.is_frozen(picture.image, arrival, blank=picture.blank)

    def _conclusion(self, asked: ArrivalTime) -> tuple[Verdict, str]:
        """What it means that there is no further picture."""
        if self._first is not None and self._medium is Medium.FILE:
            return Verdict.FINISHED, "played to its end"
        if self._first is not None and self._medium is Medium.HTTP:
            return Verdict.ANSWERED, ""
        waited = self._viewer.stamp() - asked
        silent = waited > self._viewer.patience.silence / 2
        return Verdict.FAILED, f"nothing came for {waited:.0f} s" if silent else "the video ended"

    def _end(self, verdict: Verdict, reason: str = "") -> End:
        lasted = 0.0 if self._first is None else self._viewer.stamp() - self._first
        return End(verdict, reason, lasted)
