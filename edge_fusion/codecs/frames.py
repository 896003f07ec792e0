"""Camera payloads: from a message to a picture file and its time. Nothing is decoded here."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from edge_fusion.codecs.document import MISSING, load, lookup
from edge_fusion.codecs.exif import time_taken
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.jpeg import excess, exif_of, header_size, is_picture
from edge_fusion.codecs.times import property_time, stated_time
from edge_fusion.events import ArrivalTime, EventTime, Invalid, InvalidReason, Message

IMAGE_FIELDS: Final = ("image", "image_b64", "data", "picture")
TIME_FIELDS: Final = ("time", "ts", "timestamp")
_LONGEST_ENVELOPE = 16_384  # what a JSON envelope may hold beside the picture
_BASE64_SAFE = bytes.maketrans(b"-_", b"+/")


class FrameFormat(Enum):
    """How a camera sends its pictures.

    RAW: the bytes of a JPEG or PNG file; JSON: an object with a base64 field; AUTO: either, or
    base64 text, or a data URI, whichever the payload looks like.
    """

    AUTO = "auto"
    RAW = "raw"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FrameKeys:
    """Dotted paths in a JSON payload; None tries `IMAGE_FIELDS`, `TIME_FIELDS` in order.

    zone: of times that have none; exif_time: whether EXIF dates what nothing else does.
    """

    image: str | None = None
    time: str | None = None
    zone: ZoneInfo | None = None
    exif_time: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG file that passed the guards, and the time its sender gives for it, if any."""

    image: bytes
    time: EventTime | None


def decode_frame(
    message: Message,
    form: FrameFormat,
    keys: FrameKeys,
    *,
    max_frame_bytes: int,
    max_pixels: int,
) -> Picture | Invalid:
    """Take the picture out of a message and look at its outside.

    The time is the user property `time` (or `captured_at`, `ts`), else the JSON's, else, if the
    keys say so, when the picture was taken by its EXIF, else None.

    Refuses, in this order: EMPTY, TOO_LARGE (also once base64 is undone), TIME, what is wrong with
    a JSON envelope (SYNTAX, MISSING_FIELD), NOT_AN_IMAGE, UNDECODABLE_IMAGE where the header
    states no size, TOO_MANY_PIXELS (also of a JPEG whose scans together go over too many).
    """
    if not message.payload:
        return invalid(message, InvalidReason.EMPTY, "the payload is empty")
    # Base64 makes 4 bytes of 3; this bound keeps hostile text from being parsed at all.
    if len(message.payload) > max_frame_bytes * 4 // 3 + _LONGEST_ENVELOPE:
        return _too_large(message, len(message.payload), max_frame_bytes)
    stamped = property_time(message.properties, keys.zone)
    if isinstance(stamped, InvalidReason):
        return invalid(message, stamped, "the user property that dates the message is no time")
    picture = _open(message, form, keys, stamped)
    if isinstance(picture, Invalid):
        return picture
    if len(picture.image) > max_frame_bytes:
        return _too_large(message, len(picture.image), max_frame_bytes)
    return _dated(_guarded(message, picture, max_pixels), keys, message.arrival)


def _too_large(message: Message, size: int, limit: int) -> Invalid:
    return invalid(message, InvalidReason.TOO_LARGE, f"{size} bytes, limit {limit}")


def _guarded(message: Message, picture: Picture, max_pixels: int) -> Picture | Invalid:
    if not is_picture(picture.image):
        start = picture.image[:8].hex(" ")
        return invalid(message, InvalidReason.NOT_AN_IMAGE, f"neither JPEG nor PNG: {start}")
    size = header_size(picture.image)
    if size is None:
        return invalid(message, InvalidReason.UNDECODABLE_IMAGE, "the header states no size")
    too_much = excess(picture.image, size, max_pixels)
    if too_much is not None:
        return invalid(message, InvalidReason.TOO_MANY_PIXELS, too_much)
    return picture


def _dated(picture: Picture | Invalid, keys: FrameKeys, now: ArrivalTime) -> Picture | Invalid:
    if isinstance(picture, Invalid) or picture.time is not None or not keys.exif_time:
        return picture
    return replace(picture, time=time_taken(exif_of(picture.image), keys.zone, now))


def _open(
    message: Message, form: FrameFormat, keys: FrameKeys, stamped: EventTime | None
) -> Picture | Invalid:
    payload = message.payload
    if form is FrameFormat.RAW or (form is FrameFormat.AUTO and is_picture(payload)):
        return Picture(payload, stamped)
    if form is FrameFormat.JSON or payload.lstrip()[:1] == b"{":
        return _open_json(message, keys, stamped)
    # What is no base64 either is refused by its first bytes, like any other bytes.
    return Picture(_from_base64(payload) or payload, stamped)


def _open_json(message: Message, keys: FrameKeys, stamped: EventTime | None) -> Picture | Invalid:
    try:
        document = load(message.payload)
    except ValueError as error:
        return invalid(message, InvalidReason.SYNTAX, f"not JSON: {error}")
    image_paths = (keys.image,) if keys.image else IMAGE_FIELDS
    text = _first(document, image_paths)
    if text is MISSING:
        return invalid(message, InvalidReason.MISSING_FIELD, f"none of: {', '.join(image_paths)}")
    # Pure ASCII or no base64: replacement characters fail the alphabet.
    image = _from_base64(text.encode("ascii", "replace")) if isinstance(text, str) else None
    if image is None:
        return invalid(message, InvalidReason.NOT_AN_IMAGE, "the image field is not base64")
    time = stamped if stamped is not None else _json_time(document, keys)
    if isinstance(time, InvalidReason):
        return invalid(message, time, "the time field is no time")
    return Picture(image, time)


def _json_time(document: Any, keys: FrameKeys) -> EventTime | InvalidReason | None:
    value = _first(document, (keys.time,) if keys.time else TIME_FIELDS)
    return None if value is MISSING else stated_time(value, keys.zone)


def _first(document: Any, paths: tuple[str, ...]) -> Any:
    found = (lookup(document, path) for path in paths)
    return next((value for value in found if value is not MISSING), MISSING)


def _from_base64(text: bytes) -> bytes | None:
    """Decode base64 in the common or the URL alphabet, blanks and a data-URI prefix aside."""
    if text.lstrip()[:5].lower() == b"data:":
        text = text.partition(b",")[2]
    packed = b"".join(text.split()).rstrip(b"=").translate(_BASE64_SAFE)
    try:
        return b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error:
        return None
