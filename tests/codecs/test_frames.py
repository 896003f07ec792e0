from __future__ import annotations

import base64
import json
import struct
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from exif_data import in_jpeg, tiff

from edge_fusion.codecs.frames import FrameFormat, FrameKeys, Picture, decode_frame
from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.events import ArrivalTime, EventTime, Invalid, InvalidReason, Message

JPEG = encode_jpeg(np.full((30, 40, 3), 90, np.uint8), 90)
TEXT = base64.b64encode(JPEG).decode()
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 40, 30) + b"\x08\x02\0\0\0"


def decode(
    payload: bytes | str,
    form: FrameFormat = FrameFormat.AUTO,
    keys: FrameKeys | None = None,
    **properties: str,
) -> Picture | Invalid:
    raw = payload.encode() if isinstance(payload, str) else payload
    message = Message("cam", raw, ArrivalTime(1.8e9), properties=properties)
    return decode_frame(
        message, form, keys or FrameKeys(), max_frame_bytes=50_000, max_pixels=10_000
    )


def reason(found: Picture | Invalid) -> InvalidReason:
    assert isinstance(found, Invalid)
    return found.reason


@pytest.mark.parametrize("form", [FrameFormat.AUTO, FrameFormat.RAW])
def test_the_bytes_of_a_file_are_the_picture(form: FrameFormat) -> None:
    assert decode(JPEG, form) == Picture(JPEG, None)
    assert decode(PNG, form) == Picture(PNG, None)


@pytest.mark.parametrize(
    "payload",
    [
        TEXT,
        TEXT.rstrip("="),
        f"data:image/jpeg;base64,{TEXT}",
        "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76)) + "\n",
        base64.urlsafe_b64encode(JPEG).decode(),
        json.dumps({"image": TEXT}),
        " " + json.dumps({"data": f"data:image/jpeg;base64,{TEXT}"}),
    ],
)
def test_auto_recognises_base64_data_uris_and_json(payload: str) -> None:
    assert decode(payload) == Picture(JPEG, None)


def test_raw_takes_nothing_but_files() -> None:
    assert reason(decode(TEXT, FrameFormat.RAW)) is InvalidReason.NOT_AN_IMAGE


@pytest.mark.parametrize("field", ["image", "image_b64", "data", "picture"])
@pytest.mark.parametrize("time_field", ["time", "ts", "timestamp"])
def test_json_is_read_by_the_usual_names(field: str, time_field: str) -> None:
    payload = json.dumps({time_field: 1763892000.15, field: TEXT})
    assert decode(payload, FrameFormat.JSON) == Picture(JPEG, EventTime(1763892000.15))


def test_json_is_read_by_configured_paths() -> None:
    keys = FrameKeys("shot.jpg", "shot.at", ZoneInfo("Europe/Berlin"))
    payload = json.dumps({"shot": {"jpg": TEXT, "at": "2026-11-23T11:00:00"}, "time": 1})
    assert decode(payload, FrameFormat.JSON, keys) == Picture(JPEG, EventTime(1795428000.0))


def test_the_user_property_wins_over_the_json() -> None:
    payload = json.dumps({"ts": "soon", "image": TEXT})
    found = decode(payload, time="2026-11-23T10:00:00Z")
    assert isinstance(found, Picture)
    assert found.time == 1795428000.0
    raw = decode(JPEG, captured_at="1795428000123")
    assert isinstance(raw, Picture)
    assert raw.time == 1795428000.123


@pytest.mark.parametrize(
    ("payload", "form", "expected"),
    [
        (b"", FrameFormat.AUTO, InvalidReason.EMPTY),
        (b"", FrameFormat.JSON, InvalidReason.EMPTY),
        (b"\xff\xd8\xff" + b"x" * 50_000, FrameFormat.RAW, InvalidReason.TOO_LARGE),
        (b"x" * 20_000_000, FrameFormat.RAW, InvalidReason.TOO_LARGE),
        (b"[" * 20_000_000, FrameFormat.JSON, InvalidReason.TOO_LARGE),
        (base64.b64encode(b"\xff\xd8\xff" * 17_000), FrameFormat.AUTO, InvalidReason.TOO_LARGE),
        (b"GIF89a", FrameFormat.AUTO, InvalidReason.NOT_AN_IMAGE),
        (b"hello", FrameFormat.AUTO, InvalidReason.NOT_AN_IMAGE),
        (b'{"image":"not base64!"}', FrameFormat.JSON, InvalidReason.NOT_AN_IMAGE),
        (b'{"image":"\xc3\xa9"}', FrameFormat.JSON, InvalidReason.NOT_AN_IMAGE),
        (b'{"image":""}', FrameFormat.JSON, InvalidReason.NOT_AN_IMAGE),
        (b'{"image":7}', FrameFormat.JSON, InvalidReason.NOT_AN_IMAGE),
        (b'{"photo":"/9j/"}', FrameFormat.JSON, InvalidReason.MISSING_FIELD),
        (b"[]", FrameFormat.JSON, InvalidReason.MISSING_FIELD),
        (b"{", FrameFormat.AUTO, InvalidReason.SYNTAX),
        (JPEG, FrameFormat.JSON, InvalidReason.SYNTAX),
        (f'{{"image":"{TEXT}","ts":"soon"}}'.encode(), FrameFormat.JSON, InvalidReason.TIME),
        (JPEG[:20], FrameFormat.RAW, InvalidReason.UNDECODABLE_IMAGE),
        (PNG[:20], FrameFormat.RAW, InvalidReason.UNDECODABLE_IMAGE),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(
    payload: bytes, form: FrameFormat, expected: InvalidReason
) -> None:
    assert reason(decode(payload, form)) is expected


def test_a_header_that_claims_too_many_pixels_is_refused() -> None:
    at = JPEG.index(b"\xff\xc0") + 5
    bomb = JPEG[:at] + b"\xff\xff\xff\xff" + JPEG[at + 4 :]
    assert reason(decode(bomb)) is InvalidReason.TOO_MANY_PIXELS


def test_a_user_property_that_is_no_time_is_refused() -> None:
    assert reason(decode(JPEG, time="soon")) is InvalidReason.TIME


BERLIN = ZoneInfo("Europe/Berlin")
DATED = in_jpeg(tiff("<", 1, "2026:11:23 11:00:00", "25", "+01:00"), JPEG)
LOCAL = in_jpeg(tiff("<", 1, "2026:11:23 11:00:00"), JPEG)


def time_of(found: Picture | Invalid) -> EventTime | None:
    assert isinstance(found, Picture)
    return found.time


def test_exif_dates_a_picture_only_if_told() -> None:
    assert decode(DATED) == Picture(DATED, None)
    assert decode(DATED, keys=FrameKeys(exif_time=True)) == Picture(DATED, EventTime(1795428000.25))


def test_exif_comes_after_the_user_property_and_the_json() -> None:
    keys = FrameKeys(exif_time=True)
    envelope = {"image": base64.b64encode(DATED).decode()}
    assert time_of(decode(json.dumps(envelope), keys=keys)) == 1795428000.25
    assert time_of(decode(json.dumps({**envelope, "ts": None}), keys=keys)) == 1795428000.25
    assert time_of(decode(json.dumps({**envelope, "ts": 7e8}), keys=keys)) == 7e8
    assert time_of(decode(DATED, keys=keys, time="2026-11-23T09:59:59Z")) == 1795427999.0


def test_local_time_in_exif_needs_the_zone_of_the_configuration() -> None:
    assert time_of(decode(LOCAL, keys=FrameKeys(exif_time=True))) is None
    assert time_of(decode(LOCAL, keys=FrameKeys(exif_time=True, zone=BERLIN))) == 1795428000.0


def test_exif_that_states_no_time_costs_no_picture() -> None:
    keys = FrameKeys(exif_time=True, zone=BERLIN)
    blank = in_jpeg(tiff(">", 1, "0000:00:00 00:00:00"), JPEG)
    for picture in (JPEG, PNG, blank):
        assert decode(picture, keys=keys) == Picture(picture, None)


def test_a_picture_of_more_scans_than_are_worth_decoding_is_refused() -> None:
    scan = JPEG[JPEG.index(b"\xff\xda") : -2]
    busy = decode(JPEG[:-2] + scan * 200 + b"\xff\xd9")
    assert reason(busy) is InvalidReason.TOO_MANY_PIXELS
    assert isinstance(busy, Invalid)
    assert busy.detail == "201 scans of 40 x 30 pixels, limit 20 of 10000"
