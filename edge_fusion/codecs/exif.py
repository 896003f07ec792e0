"""EXIF: which way up a picture is, and when it was taken.

Read from the TIFF structure that JPEG and PNG files carry beside their pixels (Exif 2.32, CIPA
DC-008-2019; TIFF 6.0). Two directories are looked at, the first and the Exif one that it points
to, and bytes only where an entry of theirs says: whatever the bytes are, nothing raises, and the
work is bounded.
"""

from __future__ import annotations

import re
import struct
from enum import Enum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from edge_fusion.codecs.times import Unzoned, parse_time
from edge_fusion.events import ArrivalTime, EventTime

_ORIENTATION: Final = 0x0112
_EXIF_DIRECTORY: Final = 0x8769
_DATE_TIME_ORIGINAL: Final = 0x9003
_OFFSET_TIME_ORIGINAL: Final = 0x9011
_SUB_SEC_TIME_ORIGINAL: Final = 0x9291

_ASCII: Final = 2
_SHORT: Final = 3
_LONG: Final = 4

_MAGIC: Final = (b"II*\0", b"MM\0*")
_HEADER: Final = 8
_ENTRY: Final = 12
_MAX_ENTRIES: Final = 1000  # cameras write about fifty
_MAX_TEXT: Final = 64
_DATE: Final = re.compile(r"([0-9]{4}):([0-9]{2}):([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})")
_DECIMALS: Final = re.compile(r"[0-9]{1,9}")
_OFFSET: Final = re.compile(r"[+-][0-9]{2}:[0-9]{2}")


class Orientation(Enum):
    """Where the first row and the first column of the file's pixels are in the upright picture."""

    TOP_LEFT = 1
    TOP_RIGHT = 2
    BOTTOM_RIGHT = 3
    BOTTOM_LEFT = 4
    LEFT_TOP = 5
    RIGHT_TOP = 6
    RIGHT_BOTTOM = 7
    LEFT_BOTTOM = 8

    @property
    def swaps_axes(self) -> bool:
        """Whether the height of the upright picture is the width of the file's."""
        return self.value >= Orientation.LEFT_TOP.value


_ORIENTATIONS: Final = {each.value: each for each in Orientation}


def orientation(tiff: bytes) -> Orientation:
    """How the picture lies; TOP_LEFT, which is upright, where nothing sensible says otherwise."""
    order = _order(tiff)
    field = _first_directory(tiff, order).get(_ORIENTATION)
    if field is None or (field.kind, field.values) != (_SHORT, 1):
        return Orientation.TOP_LEFT
    (value,) = struct.unpack_from(order + "H", field.content)
    return _ORIENTATIONS.get(value, Orientation.TOP_LEFT)


def time_taken(
    tiff: bytes, zone: ZoneInfo | None = None, near: ArrivalTime | None = None
) -> EventTime | None:
    """DateTimeOriginal with its SubSecTimeOriginal and OffsetTimeOriginal, as an instant.

    Without an offset it is read in `zone`, `near` telling the two hours apart that bear the same
    name. None where there is no such time, none that is a date (cameras without a clock write
    zeros or blanks), or neither offset nor zone.
    """
    order = _order(tiff)
    fields = _exif_directory(tiff, order)
    date = _DATE.fullmatch(_text(tiff, order, fields.get(_DATE_TIME_ORIGINAL)))
    if date is None:
        return None
    year, month, day, clock = date.groups()
    decimals = _text(tiff, order, fields.get(_SUB_SEC_TIME_ORIGINAL))
    offset = _text(tiff, order, fields.get(_OFFSET_TIME_ORIGINAL))
    iso = f"{year}-{month}-{day}T{clock}"
    iso += f".{decimals}" if _DECIMALS.fullmatch(decimals) else ""
    iso += offset if _OFFSET.fullmatch(offset) else ""
    time = parse_time(iso, zone, near)
    return None if isinstance(time, Unzoned) else time


class _Field(NamedTuple):
    """An entry of a directory: what kind of values, how many, and they or their place."""

    kind: int
    values: int
    content: bytes


def _order(tiff: bytes) -> str:
    """The order of bytes, as `struct` writes it."""
    return "<" if tiff.startswith(b"II") else ">"


def _first_directory(tiff: bytes, order: str) -> dict[int, _Field]:
    if len(tiff) < _HEADER or not tiff.startswith(_MAGIC):
        return {}
    return _directory(tiff, order, tiff[4:_HEADER])


def _exif_directory(tiff: bytes, order: str) -> dict[int, _Field]:
    field = _first_directory(tiff, order).get(_EXIF_DIRECTORY)
    if field is None or (field.kind, field.values) != (_LONG, 1):
        return {}
    return _directory(tiff, order, field.content)


def _directory(tiff: bytes, order: str, place: bytes) -> dict[int, _Field]:
    """The entries of the directory at `place`, by tag; as many as there are if it is cut short."""
    begin = _number(order, place) + 2
    if begin > len(tiff):
        return {}
    (stated,) = struct.unpack_from(order + "H", tiff, begin - 2)
    size = _ENTRY * min(stated, _MAX_ENTRIES, (len(tiff) - begin) // _ENTRY)
    entries = struct.iter_unpack(order + "HHI4s", tiff[begin : begin + size])
    return {tag: _Field(kind, values, content) for tag, kind, values, content in entries}


def _text(tiff: bytes, order: str, field: _Field | None) -> str:
    """The text of a field, empty where it has none."""
    if field is None or field.kind != _ASCII or field.values > _MAX_TEXT:
        return ""
    begin, source = 0, field.content
    if field.values > len(field.content):
        begin, source = _number(order, field.content), tiff
    text = source[begin : begin + field.values].partition(b"\0")[0]
    return text.decode("ascii", "replace").strip()


def _number(order: str, content: bytes) -> int:
    return int.from_bytes(content, "little" if order == "<" else "big")
