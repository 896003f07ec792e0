"""EXIF made by hand, as the TIFF structure that files carry, in either order of bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
TAKEN, OFFSET, DECIMALS = 0x9003, 0x9011, 0x9291
ASCII, SHORT, LONG = 2, 3, 4

Field = tuple[int, int, bytes]
"""Kind, how many values, and their bytes."""


def short(order: str, value: int) -> Field:
    return SHORT, 1, struct.pack(order + "H", value)


def text(value: str) -> Field:
    raw = value.encode() + b"\0"
    return ASCII, len(raw), raw


def tiff(
    order: str,
    orientation: int | None = None,
    taken: str = "",
    decimals: str = "",
    offset: str = "",
) -> bytes:
    """A structure that says these things; `order` is that of `struct`: "<" (II) or ">" (MM)."""
    first: dict[int, Field] = {}
    if orientation is not None:
        first[ORIENTATION] = short(order, orientation)
    said = {TAKEN: taken, OFFSET: offset, DECIMALS: decimals}
    second = {tag: text(value) for tag, value in said.items() if value}
    if not second:
        return _header(order) + _directory(order, 8, first)
    first[EXIF_DIRECTORY] = LONG, 1, bytes(4)
    at = 8 + len(_directory(order, 8, first))
    first[EXIF_DIRECTORY] = LONG, 1, struct.pack(order + "I", at)
    return _header(order) + _directory(order, 8, first) + _directory(order, at, second)


def in_jpeg(exif: bytes, jpeg: bytes) -> bytes:
    """A JPEG with an APP1 segment that holds `exif`."""
    content = b"Exif\0\0" + exif
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + len(content)) + content + jpeg[2:]


def _header(order: str) -> bytes:
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)


def _directory(order: str, at: int, fields: Mapping[int, Field]) -> bytes:
    entries, behind = b"", b""
    begin = at + 2 + 12 * len(fields) + 4
    for tag, (kind, values, content) in sorted(fields.items()):
        held = content.ljust(4, b"\0")
        if len(content) > 4:
            held = struct.pack(order + "I", begin + len(behind))
            behind += content
        entries += struct.pack(order + "HHI", tag, kind, values) + held
    return struct.pack(order + "H", len(fields)) + entries + bytes(4) + behind
