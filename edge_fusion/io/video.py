"""One open video: OpenCV's capture of a stream, a USB camera or a file.

OpenCV and FFmpeg read their settings from the environment at each opening. They are put there once,
when this is imported: later, other threads may be reading it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fusion.io.address import CameraAddress, Medium

_ENVIRONMENT: Final = {
    # TCP: what is lost on the way by UDP comes out as grey smears. No counting of frames a second
    # before the first one is given out: it takes 2 s, and nobody asks for the number.
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp|fpsprobesize;0",
    # FFmpeg is, since version 4. Without this one camera that does not answer holds up all others.
    "OPENCV_FFMPEG_IS_THREAD_SAFE": "1",
    # It writes to standard error by itself, urls included. What there is to say, we say.
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "5",
}
for _name, _value in _ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

OPENCV: Final = cv2.__version__
_LONGEST_EDGE: Final = 1920
_QUALITY: Final = 85
_SPARSE: Final = 16
_BLANK_SPREAD: Final = 8.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG file, and whether there is nothing to be seen in it: all of one shade."""

    image: bytes
    blank: bool


class Video:
    """Pictures one after the other. All methods are for the one thread that opened it."""

    def __init__(self, capture: cv2.VideoCapture, medium: Medium) -> None:
        self._capture = capture
        self._medium = medium
        self._grabbed = 0

    @classmethod
    def open(cls, address: CameraAddress, *, opening: float, silence: float) -> Self | None:
        """Open `address`; None where that fails or takes longer than `opening` seconds.

        `silence`: how many seconds `grab` waits for a picture. A USB camera has bounds of its own.
        """
        if address.medium is Medium.DEVICE:
            capture = cv2.VideoCapture(address.location, cv2.CAP_V4L2)
        else:
            # The bounds count only with the backend named. One thread decodes: with more each
            # picture would wait for as many others to come.
            parameters = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(opening * 1000)),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(silence * 1000)),
                *(cv2.CAP_PROP_N_THREADS, 1),
            ]
            capture = cv2.VideoCapture(address.location, cv2.CAP_FFMPEG, parameters)
        return cls(capture, address.medium) if capture.isOpened() else None

    def grab(self) -> bool:
        """Take in the next picture; False where the video ended or nothing came in time.

        Before the first key frame FFmpeg gives out none, so none is a smear.
        """
        taken = self._capture.grab()
        self._grabbed += taken
        return taken

    @property
    def position(self) -> float:
        """Seconds from the beginning to the picture grabbed last, as the video says."""
        stated = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if stated > 0 or self._medium is not Medium.FILE:
            return stated
        # Bare H.264 and the like say nothing of time.
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        return (self._grabbed - 1) / (rate if rate > 0 else 25.0)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as the video says."""
        width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
        return round(self._capture.get(width)), round(self._capture.get(height))

    def picture(self) -> Picture | None:
        """The picture grabbed last, at most 1920 pixels long; None where there is none."""
        decoded, picture = self._capture.retrieve()
        if not decoded or picture is None or not picture.size:
            return None
        bgr = _bounded(np.asarray(picture, np.uint8))
        encoded, image = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return Picture(image.tobytes(), _is_blank(bgr)) if encoded else None

    def close(self) -> None:
        self._capture.release()


def _bounded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = _LONGEST_EDGE / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_blank(picture: NDArray[np.uint8]) -> bool:
    """The line with name and time that cameras draw into their pictures counts for nothing."""
    low, high = np.percentile(picture[::_SPARSE, ::_SPARSE], (5, 95))
    return bool(high - low <= _BLANK_SPREAD)
