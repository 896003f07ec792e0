"""Where a camera is: the `url` of the configuration, taken apart. Nothing is opened here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

_EXPECTED: Final = "expected rtsp://…, http://…, a device such as /dev/video0, or a file"
_LONGEST_NAME: Final = 64
_NOT_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class Medium(Enum):
    """What kind of thing a camera is for OpenCV."""

    RTSP = auto()
    HTTP = auto()
    DEVICE = auto()
    FILE = auto()


_MEDIA: Final = {
    "rtsp": Medium.RTSP,
    "rtsps": Medium.RTSP,
    "http": Medium.HTTP,
    "https": Medium.HTTP,
}


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """`location` is what is opened; it may hold a password.

    `str()` never does: of a url it shows no user, no path and no query, since there are cameras
    that want their password in each of them.
    """

    location: str = field(repr=False)
    medium: Medium

    def __str__(self) -> str:
        if self.medium in {Medium.DEVICE, Medium.FILE}:
            return self.location
        url = self.url
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"

    @property
    def url(self) -> SplitResult:
        """The parts of the url; of RTSP and HTTP only."""
        return urlsplit(self.location)

    @property
    def name(self) -> str:
        """What the camera is called where nobody says: its host, its device or its file."""
        if self.medium in {Medium.DEVICE, Medium.FILE}:
            name = Path(self.location).name
        else:
            name = self.url.hostname or ""
        return _NOT_NAME.sub("_", name)[-_LONGEST_NAME:] or "_"


def parse_address(text: str, base: Path | None = None) -> CameraAddress:
    """Read a `url`; a relative file is relative to the folder `base`.

    Raises ValueError with what was expected, which shows nothing of `text`.
    """
    scheme, separator, _ = text.partition("://")
    if separator:
        return _network_address(text, scheme.lower())
    if not text or "\0" in text:
        raise ValueError(_EXPECTED)
    if text.startswith("/dev/"):
        return CameraAddress(text, Medium.DEVICE)
    return CameraAddress(text if base is None else str(base / text), Medium.FILE)


def _network_address(text: str, scheme: str) -> CameraAddress:
    if scheme not in _MEDIA or re.search(r"[\s\0]", text):
        raise ValueError(_EXPECTED)
    try:
        url = urlsplit(text)
        # A bare / or # in a password ends the host before its @, and would show as a part of it.
        usable = bool(url.hostname) and url.port != 0 and ("@" in url.netloc or "@" not in text)
    except ValueError:  # brackets or a port that are none
        usable = False
    if not usable:
        raise ValueError(
            "expected scheme://user:password@host:port/path, with any / ? # @ in user and "
            "password written as %2F %3F %23 %40"
        )
    return CameraAddress(text, _MEDIA[scheme])
