from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_fusion.codecs.jpeg import _decode_bgr, bounded_jpeg, decode_rgb, encode_jpeg, header_size

HEIGHT, WIDTH = 48, 80


def picture(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Left half red, right half blue, in RGB."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2, 0] = 255
    rgb[:, width // 2 :, 2] = 255
    return rgb


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def encoded(suffix: str, rgb: NDArray[np.uint8], *params: int) -> bytes:
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), params)[1].tobytes()


def png_header(height: int, width: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG[:8] + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def with_jpeg_size(data: bytes, height: int, width: int) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


BASELINE = encoded(".jpg", picture())
PROGRESSIVE = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
PNG = encoded(".png", picture())


@pytest.mark.parametrize("data", [BASELINE, PROGRESSIVE, PNG])
def test_the_size_is_read_from_the_header(data: bytes) -> None:
    assert header_size(data) == (HEIGHT, WIDTH)


def test_fill_bytes_and_foreign_segments_before_the_size_are_skipped() -> None:
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(BASELINE)) + BASELINE  # a thumbnail inside
    assert header_size(b"\xff\xd8\xff\xff\xff" + exif[1:] + BASELINE[2:]) == (HEIGHT, WIDTH)
    assert header_size(b"\xff\xd8\xff\x01" + BASELINE[2:]) == (HEIGHT, WIDTH)


def test_a_claim_of_gigapixels_is_read_and_not_decoded() -> None:
    bomb = with_jpeg_size(BASELINE, 65_535, 65_535)
    assert header_size(bomb) == (65_535, 65_535)
    assert decode_rgb(bomb, (16, 16)) is None
    assert bounded_jpeg(bomb, 100) is None


@pytest.mark.parametrize(
    "data",
    [
        *[b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", PNG[:20], PNG[:8] + b"\0" * 40],
        *[BASELINE[:20], b"\xff\xd8\xff\xc0\x00\x11\x08\x00", b"\xff\xd8\xff\xda\x00\x02"],
        *[b"\xff\xd8\xff\xe0\x00\x00" * 9, b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000],
        *[b"\xff\xd8" + b"\xff" * 100_000, with_jpeg_size(BASELINE, 0, 80)],
    ],
)
def test_a_header_that_states_no_size_gives_none(data: bytes) -> None:
    assert header_size(data) is None
    assert decode_rgb(data, (16, 16)) is None


@given(st.binary(), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_no_bytes_make_the_header_reader_raise(data: bytes, magic: bytes) -> None:
    size = header_size(magic + data)
    assert size is None or min(size) > 0


@pytest.mark.parametrize("data", [BASELINE, PROGRESSIVE, PNG])
def test_no_truncation_makes_anything_raise(data: bytes) -> None:
    for length in range(len(data)):
        assert header_size(data[:length]) in (None, (HEIGHT, WIDTH))
    for length in range(0, len(data), 97):
        decode_rgb(data[:length], (8, 8))
        bounded_jpeg(data[:length], 10)


@given(st.data())
def test_no_damage_makes_decoding_raise(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from([BASELINE, PROGRESSIVE, PNG])))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    rgb = decode_rgb(bytes(damaged), (8, 8), max_pixels=100_000)
    assert rgb is None or rgb.shape == (8, 8, 3)


@pytest.mark.parametrize("data", [BASELINE, PROGRESSIVE, PNG])
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (24, 40), (6, 10), (32, 32), (96, 160), (1, 1)])
def test_pictures_are_decoded_to_the_size_asked_for_in_rgb(
    data: bytes, size: tuple[int, int]
) -> None:
    rgb = decode_rgb(data, size)
    assert rgb is not None
    assert rgb.shape == (*size, 3)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    if size != (1, 1):
        red, blue = rgb[0, 0].astype(int), rgb[-1, -1].astype(int)
        assert red[0] - red[2] > 150
        assert blue[2] - blue[0] > 150


def test_grey_deep_and_transparent_pictures_become_rgb_too() -> None:
    grey = cv2.imencode(".jpg", np.full((20, 20), 128, np.uint8))[1].tobytes()
    deep = cv2.imencode(".png", np.full((20, 20, 4), 0x8000, np.uint16))[1].tobytes()
    for data in (grey, deep):
        rgb = decode_rgb(data, (10, 10))
        assert rgb is not None
        assert abs(int(rgb[5, 5, 1]) - 128) <= 1


def test_a_reduced_decode_shows_the_same_picture() -> None:
    large = encode_jpeg(picture(800, 1200), 95)
    small = decode_rgb(large, (100, 150))
    assert small is not None
    difference = np.abs(small.astype(int) - picture(100, 150).astype(int))
    assert difference.mean() < 4


def test_orientation_in_exif_is_ignored() -> None:
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    turned = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + BASELINE[2:]
    upright, same = decode_rgb(BASELINE, (24, 40)), decode_rgb(turned, (24, 40))
    assert upright is not None
    assert same is not None
    assert np.array_equal(upright, same)


def test_pictures_beyond_the_limit_are_not_decoded() -> None:
    assert decode_rgb(BASELINE, (8, 8), max_pixels=HEIGHT * WIDTH) is not None
    assert decode_rgb(BASELINE, (8, 8), max_pixels=HEIGHT * WIDTH - 1) is None


def test_a_png_that_inflates_to_less_than_it_claims_is_none() -> None:
    short = png_header(height=100, width=100)
    assert header_size(short) == (100, 100)
    assert decode_rgb(short, (8, 8)) is None


def test_a_buffer_for_which_opencv_raises_is_none() -> None:
    assert _decode_bgr(b"", cv2.IMREAD_COLOR) is None


def test_what_is_encoded_is_a_jpeg_that_decodes_again() -> None:
    data = encode_jpeg(picture(), 90)
    assert data.startswith(b"\xff\xd8\xff")
    assert header_size(data) == (HEIGHT, WIDTH)


def test_a_jpeg_within_the_bound_stays_the_file_it_is() -> None:
    assert bounded_jpeg(BASELINE) is BASELINE


def test_a_png_becomes_a_jpeg_of_the_same_size() -> None:
    data = bounded_jpeg(PNG)
    assert data is not None
    assert data.startswith(b"\xff\xd8\xff")
    assert header_size(data) == (HEIGHT, WIDTH)


@pytest.mark.parametrize("limit", [200_000, 50_000, 2_000])
def test_a_large_picture_is_made_smaller_until_it_fits(limit: int) -> None:
    data = bounded_jpeg(encode_jpeg(noise(900, 1600), 95), limit)
    assert data is not None
    assert len(data) <= limit
    size = header_size(data)
    assert size is not None
    assert size[1] / size[0] == pytest.approx(16 / 9, rel=0.1)


def test_a_bound_that_no_size_meets_gives_none() -> None:
    assert bounded_jpeg(BASELINE, 50) is None
    assert bounded_jpeg(encode_jpeg(picture(4, 4), 90), 50) is None
