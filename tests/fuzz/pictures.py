"""Pictures: what comes from a camera, from its envelope to its pixels, and EXIF by itself."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import numpy as np
from fuzz.sound import LIMITS, check_decoded

from edge_fusion.codecs.decoder import CameraSource, Decoder
from edge_fusion.codecs.exif import Orientation, orientation, time_taken
from edge_fusion.codecs.frames import FrameFormat, FrameKeys
from edge_fusion.codecs.jpeg import JPEG_MAGIC, decode_rgb, exif_of, header_size
from edge_fusion.codecs.snapshot import captioned_jpeg
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import ArrivalTime, Frame, Message

_BERLIN = ZoneInfo("Europe/Berlin")
_NOW = ArrivalTime(1795428000.0)
_SIZE = (12, 20)
_MAX_SNAPSHOT = 5000
_CAPTION = ("kitchen", "smoke", "0.93", "2026-11-23 10:00:20 UTC")
CAMERAS = [
    CameraSource(TopicPattern.parse(f"{form.value}/{{camera}}"), form, keys)
    for form, keys in (
        (FrameFormat.AUTO, FrameKeys(zone=_BERLIN, exif_time=True)),
        (FrameFormat.RAW, FrameKeys(exif_time=True)),
        (FrameFormat.JSON, FrameKeys("shot.jpg", "shot.at")),
    )
]
_DECODER = Decoder([], CAMERAS, LIMITS)


def check(data: bytes) -> None:
    """Whatever a camera sends is sound, as is what is made of it."""
    for camera in CAMERAS:
        message = Message(f"{camera.format.value}/door", data, _NOW)
        found = _DECODER.decode(message)
        check_decoded(found, message)
        if camera.format is FrameFormat.AUTO:
            for frame in found:
                assert not isinstance(frame, Frame) or _decodes(frame.image) is not None
    _decodes(data)
    _check_exif(data)


def _decodes(data: bytes) -> bool:
    """Whether there are pixels, which are what they must be if there are any."""
    rgb = decode_rgb(data, _SIZE, LIMITS.max_pixels)
    if rgb is not None:
        assert rgb.shape == (*_SIZE, 3)
        assert rgb.dtype == np.uint8
    snapshot = captioned_jpeg(data, _CAPTION, _MAX_SNAPSHOT, LIMITS.max_pixels)
    if snapshot is not None:
        assert len(snapshot) <= _MAX_SNAPSHOT
        assert snapshot.startswith(JPEG_MAGIC)
        assert orientation(exif_of(snapshot)) is Orientation.TOP_LEFT
        assert header_size(snapshot) is not None
    return rgb is not None


def _check_exif(data: bytes) -> None:
    for structure in (data, exif_of(data)):
        assert orientation(structure) in Orientation
        time = time_taken(structure, _BERLIN)
        assert time is None or math.isfinite(time)
