"""Snapshots: the picture that an alert rests on, upright, small, and with a caption below it.

The caption lies below the picture and covers nothing of it. Letters are never smaller than 13
pixels, so that they can be read where the picture is shown as it is; one that is too narrow for
them is enlarged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fusion.codecs.exif import orientation
from edge_fusion.codecs.jpeg import (
    MAX_PIXELS,
    Size,
    decode_rgb,
    encode_jpeg,
    exif_of,
    header_size,
)

MAX_BYTES: Final = 200_000
"""What a snapshot may take: brokers and consumers bear it, and a picture of 720 lines fits."""

_LONGEST_EDGE: Final = 1280
_NARROWEST: Final = 320
_QUALITIES: Final = (85, 70, 55)
_SHRINK: Final = 0.7
_SMALLEST_LETTERS: Final = 13
_WIDTH_PER_LETTER_SIZE: Final = 48  # 80 letters or so to a line
_SEMIBOLD: Final = 600
_GROUND, _INK = (24, 24, 24), (255, 255, 255)
_GAP: Final = "   "
_ELLIPSIS: Final = "..."


def captioned_jpeg(
    data: bytes,
    caption: Sequence[str],
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> bytes | None:
    """The JPEG or PNG `data` as an upright JPEG of at most `max_bytes`, over its `caption`.

    The parts of the caption, ASCII, stand on one line if there is room, else on as many as it
    takes. Where the file would be too large it is first written with less quality, then smaller,
    aspect kept. None where the picture cannot be decoded, or fits at no size.
    """
    found = header_size(data)
    if found is None:
        return None
    if orientation(exif_of(data)).swaps_axes:
        found = found[::-1]
    picture = decode_rgb(data, _fitted(found), max_pixels)
    if picture is None:
        return None
    encoded = (
        encode_jpeg(captioned, quality)
        for captioned in (_captioned(smaller, caption) for smaller in _ever_smaller(picture))
        for quality in _QUALITIES
    )
    return next((jpeg for jpeg in encoded if len(jpeg) <= max_bytes), None)


def _fitted(found: Size) -> Size:
    """The size at which a picture of `found` height and width is shown."""
    height, width = found
    scale = min(max(1.0, _NARROWEST / width), _LONGEST_EDGE / max(found))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _ever_smaller(picture: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    height, width = picture.shape[:2]
    scale = 1.0
    while True:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        yield picture if scale == 1.0 else _resized(picture, size)
        if max(size) <= _NARROWEST:
            return
        scale *= _SHRINK


def _resized(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _captioned(picture: NDArray[np.uint8], caption: Sequence[str]) -> NDArray[np.uint8]:
    height, width = picture.shape[0], max(picture.shape[1], _NARROWEST)
    letters = max(_SMALLEST_LETTERS, width // _WIDTH_PER_LETTER_SIZE)
    margin = letters // 2
    lines = _lines(caption, letters, width - 2 * margin)
    step = letters + margin
    canvas = np.full((height + step * len(lines) + margin, width, 3), _GROUND, np.uint8)
    left = (width - picture.shape[1]) // 2
    canvas[:height, left : left + picture.shape[1]] = picture
    for number, line in enumerate(lines, start=1):
        place = (margin, height + number * step)
        cv2.putText(canvas, line, place, _INK, _font(), letters, _SEMIBOLD)
    return canvas


def _lines(caption: Sequence[str], letters: int, room: int) -> list[str]:
    """The caption in lines that fit in `room` pixels, parts kept whole where that is possible."""
    lines: list[str] = []
    for part in (_cut(part, letters, room) for part in caption):
        together = lines[-1] + _GAP + part if lines else part
        if lines and _width(together, letters) <= room:
            lines[-1] = together
        else:
            lines.append(part)
    return lines


def _cut(part: str, letters: int, room: int) -> str:
    if _width(part, letters) <= room:
        return part
    kept = next(
        n for n in range(len(part), -1, -1) if _width(part[:n] + _ELLIPSIS, letters) <= room
    )
    return part[:kept] + _ELLIPSIS


def _width(text: str, letters: int) -> int:
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _font(), letters, _SEMIBOLD)
    return int(width)


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")
