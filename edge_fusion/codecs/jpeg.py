"""Picture files: their size read from the header, decoding at a size, and encoding.

The size is read here rather than by the decoder, because a file of some kilobytes may claim a
picture of gigabytes: it must be refused before anything is allocated for it.
"""

from __future__ import annotations

import re
import struct
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Height, width in pixels."""

JPEG_MAGIC: Final = b"\xff\xd8\xff"
PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS: Final = 50_000_000

# ITU-T T.81 table B.1. The first SOF names the size; C4, C8 and CC in its range are no SOF.
_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_BEFORE_SIZE_IS_TOO_LATE: Final = frozenset({0x00, 0xD8, 0xD9, 0xDA})
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_MAX_SEGMENTS: Final = 1000  # cameras write about ten; hostile files as many as fit

_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
_SNAPSHOT_EDGE: Final = 1280
_SNAPSHOT_QUALITY: Final = 80
_SHRINK: Final = 0.7
_SMALLEST_EDGE: Final = 16


def is_picture(data: bytes) -> bool:
    """Whether `data` begins as a JPEG or PNG file does."""
    return data.startswith((JPEG_MAGIC, PNG_MAGIC))


def header_size(data: bytes) -> Size | None:
    """Height and width that a JPEG (baseline or progressive) or PNG claims; None if not found.

    Never raises and looks at a bounded number of segments, whatever the bytes are.
    """
    if data.startswith(PNG_MAGIC):
        return _png_size(data)
    if data.startswith(JPEG_MAGIC):
        return _jpeg_size(data)
    return None


def decode_rgb(data: bytes, size: Size, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8] | None:
    """Decode a JPEG or PNG to RGB [H, W, 3] of exactly `size` = (H, W), aspect not kept.

    EXIF orientation is ignored: a camera's mounting doesn't change between frames. None where the
    file is not a picture, claims more than `max_pixels`, or cannot be decoded.
    """
    found = header_size(data)
    if found is None or found[0] * found[1] > max_pixels:
        return None
    picture = _decode_bgr(data, _flags(data, found, size))
    if picture is None:
        return None
    return _rgb(_resized(picture, size))


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 85) -> bytes:
    """Encode RGB [H, W, 3] as a JPEG file; `quality` from 0 to 100."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def bounded_jpeg(
    data: bytes, max_bytes: int = 200_000, max_pixels: int = MAX_PIXELS
) -> bytes | None:
    """The picture as a JPEG of at most `max_bytes`, as it is where that will do.

    Larger ones, and PNGs, are encoded anew, smaller until they fit, aspect kept. None where the
    picture cannot be decoded, or fits at no size.
    """
    if data.startswith(JPEG_MAGIC) and len(data) <= max_bytes:
        return data
    found = header_size(data)
    if found is None:
        return None
    edge = float(min(_SNAPSHOT_EDGE, max(found)))
    while edge >= min(_SMALLEST_EDGE, max(found)):
        rgb = decode_rgb(data, _within(found, edge), max_pixels)
        encoded = None if rgb is None else encode_jpeg(rgb, _SNAPSHOT_QUALITY)
        if encoded is None or len(encoded) <= max_bytes:
            return encoded
        edge *= _SHRINK
    return None


def _png_size(data: bytes) -> Size | None:
    header = data[8:24]
    if len(header) < 16 or header[:8] != b"\x00\x00\x00\rIHDR":  # noqa: PLR2004 - to the height
        return None
    width, height = struct.unpack(">II", header[8:])
    return (height, width) if height and width else None


def _jpeg_size(data: bytes) -> Size | None:
    position = 2
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.match(data, position)
        if found is None or found.group(1)[0] in _BEFORE_SIZE_IS_TOO_LATE:
            return None
        marker, position = found.group(1)[0], found.end()
        if marker in _SOF:
            return _sof_size(data, position)
        if marker not in _STANDALONE:
            length = int.from_bytes(data[position : position + 2], "big")
            if length < 2:  # noqa: PLR2004 - a length counts its own two bytes
                return None
            position += length
    return None


def _sof_size(data: bytes, position: int) -> Size | None:
    fields = data[position + 3 : position + 7]
    if len(fields) < 4:  # noqa: PLR2004 - two bytes of height, two of width
        return None
    height, width = struct.unpack(">HH", fields)
    return (height, width) if height and width else None


def _flags(data: bytes, found: Size, target: Size) -> int:
    """How to decode: reduced, at a fraction of the cost, where libjpeg's 1/2 to 1/8 suffices."""
    plain = cv2.IMREAD_COLOR
    if data.startswith(JPEG_MAGIC):
        fits = (
            flag
            for divisor, flag in _REDUCED
            if found[0] // divisor >= target[0] and found[1] // divisor >= target[1]
        )
        plain = next(fits, plain)
    return plain | cv2.IMREAD_IGNORE_ORIENTATION


def _decode_bgr(data: bytes, flags: int) -> NDArray[np.uint8] | None:
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if decoded is None else np.asarray(decoded, np.uint8)


def _resized(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    height, width = size
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def _rgb(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _within(found: Size, edge: float) -> Size:
    scale = min(1.0, edge / max(found))
    return max(1, round(found[0] * scale)), max(1, round(found[1] * scale))
