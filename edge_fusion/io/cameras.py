"""Cameras of our own: one thread each, that looks at its video, and again when that ends.

A thread grabs without a pause, so that nothing old waits in any buffer, and hands over the pictures
that are wanted as JPEG files. No camera waits for another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from edge_fusion.errors import EdgeFusionError
from edge_fusion.events import ArrivalTime, Capture
from edge_fusion.io.address import Medium
from edge_fusion.io.liveness import Stillness
from edge_fusion.io.refusal import ask_why
from edge_fusion.io.video import Video
from edge_fusion.io.viewing import End, Patience, Tally, Verdict, VideoSource, Viewer, view
from edge_fusion.mailbox import CameraDown, CameraUp, Notice

__all__ = ["Cameras", "Look", "Patience", "Tally", "VideoSource", "faults", "looks"]

_log = logging.getLogger("edge_fusion.cameras")

_COMPLAIN_EVERY = 60.0
_STEADY = 10.0
"""Seconds. A viewing that lasted less does not reset the back-off."""
_LAST_ATTEMPT = 32
_TRIED_AT_ONCE = 16
_SETTLING = 0.5
_EMPTY = "it opens, but gives no picture"
_DEFAULT_PATIENCE = Patience()
_NEVER = float("-inf")


class Cameras:
    """All cameras of a configuration; nothing is opened before `start`.

    Args:
        sources: the cameras.
        deliver: called in a camera's thread with each picture; must not block.
        notify: called with what happens to a camera.
        stamp: the arrival clock; read right after each grab.
        patience: how long a camera may take for what.
    """

    def __init__(
        self,
        sources: Sequence[VideoSource],
        *,
        deliver: Callable[[Capture], None],
        notify: Callable[[Notice], None],
        stamp: Callable[[], ArrivalTime],
        patience: Patience = _DEFAULT_PATIENCE,
    ) -> None:
        self._stamp = stamp
        self._left = threading.Event()
        self._cameras = [
            _Camera(_viewer(source, deliver, stamp, self._left, patience), notify)
            for source in sources
        ]

    def start(self) -> None:
        """Begin to look, in the background; a camera that is not there is no error."""
        for camera in self._cameras:
            camera.start()

    def release(self) -> None:
        """Tell all to end soon, and wait for none."""
        self._left.set()

    def stop(self, timeout: float) -> None:
        """End all, within `timeout` seconds; one that hangs in the opening is left behind."""
        self.release()
        deadline = self._stamp() + timeout
        hanging = [c.name for c in self._cameras if not c.ended_by(deadline - self._stamp())]
        if hanging:
            _log.warning("still waiting, and left behind: %s", ", ".join(hanging))

    def tallies(self) -> Iterator[tuple[VideoSource, Tally]]:
        """What each camera has come to; the tallies go on counting."""
        for camera in self._cameras:
            yield camera.source, camera.tally


def faults(
    sources: Sequence[VideoSource], patience: Patience = _DEFAULT_PATIENCE
) -> list[str | None]:
    """Take one picture from each camera, all at once; why that failed, or None, of each."""
    with ThreadPoolExecutor(_TRIED_AT_ONCE, thread_name_prefix="camera") as pool:
        return list(pool.map(partial(_fault, patience), sources))


def _fault(patience: Patience, source: VideoSource) -> str | None:
    address = source.address
    video = Video.open(address, opening=patience.opening, silence=patience.silence)
    if video is None:
        return ask_why(address, patience.asking).reason
    try:
        seen = video.grab() and video.picture() is not None
    finally:
        video.close()
    return None if seen else _EMPTY


@dataclass(frozen=True, slots=True)
class Look:
    """What a video is like: its size in pixels, and the pictures a second that came."""

    width: int
    height: int
    fps: float


def looks(
    sources: Sequence[VideoSource],
    seconds: float,
    stamp: Callable[[], ArrivalTime],
    patience: Patience = _DEFAULT_PATIENCE,
) -> list[Look | str]:
    """Look at each camera for some seconds, all at once: what its video is like, or why not."""
    with ThreadPoolExecutor(_TRIED_AT_ONCE, thread_name_prefix="camera") as pool:
        return list(pool.map(partial(_look, patience, seconds, stamp), sources))


def _look(
    patience: Patience, seconds: float, stamp: Callable[[], ArrivalTime], source: VideoSource
) -> Look | str:
    address = source.address
    video = Video.open(address, opening=patience.opening, silence=patience.silence)
    if video is None:
        return ask_why(address, patience.asking).reason
    try:
        if not video.grab():
            return _EMPTY
        is_file = address.medium is Medium.FILE
        if not is_file:  # what had waited at the other end comes first, and faster
            _count(video, _SETTLING, stamp)
        first, (grabbed, passed) = video.position, _count(video, seconds, stamp)
        # A file is read faster than it plays.
        span = video.position - first if is_file else passed
        return Look(*video.size, grabbed / span if span > 0 else 0.0)
    finally:
        video.close()


def _count(video: Video, seconds: float, stamp: Callable[[], ArrivalTime]) -> tuple[int, float]:
    """How many pictures come in some seconds, and how many those were in the end."""
    begun, grabbed = stamp(), 0
    while (now := stamp()) - begun < seconds and video.grab():
        grabbed += 1
    return grabbed, now - begun


def _viewer(
    source: VideoSource,
    deliver: Callable[[Capture], None],
    stamp: Callable[[], ArrivalTime],
    left: threading.Event,
    patience: Patience,
) -> Viewer:
    return Viewer(source, patience, stamp, deliver, left, Stillness(patience.stillness), Tally())


class _Camera:
    """The thread of one camera, over all its viewings."""

    def __init__(self, viewer: Viewer, notify: Callable[[Notice], None]) -> None:
        self._viewer = viewer
        self._notify = notify
        self._thread: threading.Thread | None = None
        self._is_up = False
        self._failures = 0
        self._complaint = ("", _NEVER)
        self._owes_good_news = True

    @property
    def source(self) -> VideoSource:
        return self._viewer.source

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def tally(self) -> Tally:
        return self._viewer.tally

    def start(self) -> None:
        # A daemon: OpenCV may hang in a way that nobody can interrupt, such as looking up a name.
        self._thread = threading.Thread(target=self._run, name=f"camera {self.name}", daemon=True)
        self._thread.start()

    def ended_by(self, timeout: float) -> bool:
        """Whether it has ended, after waiting for that at most `timeout` seconds."""
        if self._thread is None:
            return True
        self._thread.join(max(timeout, 0.0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._viewer.left.is_set():
            began = self._viewer.stamp()
            end = self._view()
            if end.verdict in {Verdict.LEFT, Verdict.FINISHED}:
                self._set_up(False)
                if end.verdict is Verdict.FINISHED:
                    self._log(logging.INFO, "%s", end.reason)
                return
            self._viewer.left.wait(self._pause(end, began))

    def _view(self) -> End:
        try:
            return view(self._viewer, seen=partial(self._set_up, True))
        except Exception as error:  # noqa: BLE001 - a camera's nonsense must not end the thread
            address = self.source.address
            reason = f"unexpected: {error!r}".replace(address.location, str(address))
            told = EdgeFusionError(reason)  # the error itself may name the address with its secret
            _log.debug("%s:", self.name, exc_info=(type(told), told, error.__traceback__))
            return End(Verdict.FAILED, reason)

    def _pause(self, end: End, began: ArrivalTime) -> float:
        """Seconds until the next viewing."""
        if end.verdict is Verdict.ANSWERED:
            self._failures = 0
            return max(began + 1 / self.source.fps - self._viewer.stamp(), 0.0)
        self._set_up(False)
        if end.lasted >= _STEADY:
            self._failures = 0
        # Cameras lock accounts on quick repetition.
        attempt = _LAST_ATTEMPT if end.verdict is Verdict.DENIED else self._failures
        delay = self._viewer.patience.backoff.delay(attempt)
        self._failures += 1
        self._complain(end.reason, delay)
        return delay

    def _set_up(self, is_up: bool) -> None:  # noqa: FBT001 - the state is all it says
        if is_up == self._is_up:
            return
        self._is_up = is_up
        source = self.source
        if not is_up:
            self._notify(CameraDown(source.site, source.camera))
            return
        self._notify(CameraUp(source.site, source.camera))
        if self._owes_good_news:
            self._owes_good_news = False
            self._log(logging.INFO, "gives pictures")

    def _complain(self, reason: str, delay: float) -> None:
        """Say it once, then once a minute while it stays the same."""
        said, when = self._complaint
        now = self._viewer.stamp()
        if reason == said and now - when < _COMPLAIN_EVERY:
            return
        self._complaint = (reason, now)
        self._owes_good_news = True
        self._log(logging.WARNING, "%s; next try in %.1f s", reason, delay)

    def _log(self, level: int, text: str, *values: object) -> None:
        source = self.source
        about = {"site": source.site, "camera": source.camera}
        _log.log(level, f"%s: %s: {text}", self.name, source.address, *values, extra=about)
