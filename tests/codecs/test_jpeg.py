from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from exif_data import in_jpeg, tiff
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edge_fusion.codecs.jpeg import (
    _bare,
    _chunks,
    _decode_bgr,
    decode_rgb,
    encode_jpeg,
    excess,
    exif_of,
    header_size,
)

HEIGHT, WIDTH = 48, 80


def picture(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Left half red, right half blue, in RGB."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2, 0] = 255
    rgb[:, width // 2 :, 2] = 255
    return rgb


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def encoded(suffix: str, rgb: NDArray[Any], *params: int) -> bytes:
    code = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return cv2.imencode(suffix, cv2.cvtColor(rgb, code), params)[1].tobytes()


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


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def as_ycck(image: Image.Image) -> bytes:
    """What Photoshop writes of CMYK pictures: Pillow writes CMYK, so the colours are moved here."""
    cmyk = np.array(image.convert("CMYK"))
    luma, red, blue = cv2.split(
        cv2.cvtColor(np.ascontiguousarray(cmyk[..., :3]), cv2.COLOR_RGB2YCrCb)
    )
    # Adobe stores the complement of ink, which is what Pillow takes for granted.
    ycck = 255 - cv2.merge([luma, blue, red, 255 - cmyk[..., 3]])
    data = saved(Image.fromarray(ycck, "CMYK"), "JPEG", quality=95)
    transform = data.index(b"Adobe") + 11
    return data[:transform] + b"\2" + data[transform + 1 :]


TWO_COLOURS = Image.fromarray(picture())
OF_EVERY_KIND = {
    "progressive": saved(TWO_COLOURS, "JPEG", quality=95, progressive=True),
    "RGB in JPEG": saved(TWO_COLOURS, "JPEG", quality=95, keep_rgb=True),
    "CMYK": saved(TWO_COLOURS.convert("CMYK"), "JPEG", quality=95),
    "YCCK": as_ycck(TWO_COLOURS),
    "palette": saved(TWO_COLOURS.quantize(2)),
    "palette with transparency": saved(TWO_COLOURS.quantize(2), transparency=0),
    "alpha": saved(TWO_COLOURS.convert("RGBA")),
    "16 bits": encoded(".png", picture().astype(np.uint16) * 257),
}


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (6, 10)])
@pytest.mark.parametrize("kind", OF_EVERY_KIND)
def test_pictures_of_every_kind_become_rgb(kind: str, size: tuple[int, int]) -> None:
    rgb = decode_rgb(OF_EVERY_KIND[kind], size)
    assert rgb is not None
    assert rgb.shape == (*size, 3)
    assert np.abs(rgb[1, 1].astype(int) - (255, 0, 0)).max() <= 3
    assert np.abs(rgb[-2, -2].astype(int) - (0, 0, 255)).max() <= 3


def test_what_stands_for_ycck_is_that_to_pillow_too() -> None:
    file = Image.open(io.BytesIO(OF_EVERY_KIND["YCCK"]))
    assert file.info["adobe_transform"] == 2
    assert np.abs(np.array(file.convert("RGB"))[1, 1].astype(int) - (255, 0, 0)).max() <= 3


GREY = Image.new("L", (20, 20), 128)
GREY_OF_EVERY_KIND = {
    "JPEG": saved(GREY, "JPEG"),
    "PNG": saved(GREY),
    "alpha": saved(GREY.convert("LA")),
    "16 bits": saved(Image.fromarray(np.full((20, 20), 0x8080, np.uint16))),
    "16 bits and alpha": encoded(".png", np.full((20, 20, 4), 0x8080, np.uint16)),
}


@pytest.mark.parametrize("kind", GREY_OF_EVERY_KIND)
def test_grey_pictures_of_every_kind_become_rgb(kind: str) -> None:
    rgb = decode_rgb(GREY_OF_EVERY_KIND[kind], (10, 10))
    assert rgb is not None
    assert np.abs(rgb.astype(int) - 128).max() <= 1


def test_black_and_white_in_one_bit_becomes_rgb() -> None:
    rgb = decode_rgb(saved(Image.new("1", (20, 20), 1)), (10, 10))
    assert rgb is not None
    assert (rgb == 255).all()


def test_a_reduced_decode_shows_the_same_picture() -> None:
    large = encode_jpeg(picture(800, 1200), 95)
    small = decode_rgb(large, (100, 150))
    assert small is not None
    difference = np.abs(small.astype(int) - picture(100, 150).astype(int))
    assert difference.mean() < 4


def corners(height: int = 96, width: int = 160) -> NDArray[np.uint8]:
    """A picture that looks different however it is turned: red, green, blue and grey corners."""
    rgb = np.full((height, width, 3), 128, np.uint8)
    rgb[: height // 2, : width // 2] = (255, 0, 0)
    rgb[: height // 2, width // 2 :] = (0, 255, 0)
    rgb[height // 2 :, : width // 2] = (0, 0, 255)
    return rgb


def by_pillow(data: bytes, size: tuple[int, int]) -> NDArray[np.int32]:
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    return np.array(upright.resize(size[::-1], Image.Resampling.BOX)).astype(np.int32)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("size", [(96, 160), (160, 96), (48, 48), (20, 12), (12, 20), (200, 300)])
def test_pictures_are_turned_upright_as_exif_says(
    value: int, order: str, size: tuple[int, int]
) -> None:
    data = in_jpeg(tiff(order, value), encode_jpeg(corners(), 95))
    rgb = decode_rgb(data, size)
    assert rgb is not None
    assert rgb.shape == (*size, 3)
    assert rgb.flags.c_contiguous
    assert np.abs(rgb - by_pillow(data, size)).mean() < 6


@pytest.mark.parametrize("value", range(1, 9))
def test_a_png_is_turned_by_its_exif_too(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    data = saved(Image.fromarray(corners()), exif=exif)
    rgb = decode_rgb(data, (40, 30))
    assert rgb is not None
    assert np.abs(rgb - by_pillow(data, (40, 30))).mean() < 3


def test_exif_is_found_behind_other_segments_and_cut_off_at_its_end() -> None:
    exif, xmp = tiff("<", 6), b"\xff\xe1\0\x0bhttp://ns"
    data = in_jpeg(exif, BASELINE)
    assert exif_of(data) == exif
    assert exif_of(data[:2] + xmp + data[2:]) == exif
    assert exif_of(BASELINE) == exif_of(PNG) == exif_of(b"") == exif_of(b"GIF89a") == b""
    assert exif_of(BASELINE + data[2:]) == b""  # behind the size, where none may be
    assert exif_of(data[:30]) == exif[:18]


def test_of_a_large_chunk_of_exif_only_as_much_is_taken_as_a_jpeg_could_hold() -> None:
    chunk = b"eXIf" + tiff(">", 3) + bytes(100_000)
    data = PNG[:33] + struct.pack(">I", len(chunk) - 4) + chunk + bytes(4) + PNG[33:]
    assert len(exif_of(data)) == 65_536
    assert exif_of(PNG[:8] + bytes(200_000)) == b""
    assert exif_of(data[:-100]) != b""
    assert exif_of(data[:90_000]) == b""  # not there as a whole


def reduced(data: bytes, flag: int) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def test_a_camera_on_its_side_is_decoded_at_the_reduction_that_covers_the_turned_size() -> None:
    data = in_jpeg(tiff(">", 6), encode_jpeg(noise(640, 1280), 95))
    quarter = cv2.rotate(reduced(data, cv2.IMREAD_REDUCED_COLOR_4), cv2.ROTATE_90_CLOCKWISE)
    rgb = decode_rgb(data, (320, 160))
    assert rgb is not None
    assert np.array_equal(rgb, quarter)  # nothing was left to resize


@pytest.mark.parametrize("size", [(641, 1279), (633, 1273), (640, 1280)])
def test_the_largest_reduction_that_covers_is_taken_rounded_up_as_libjpeg_does(
    size: tuple[int, int],
) -> None:
    data = encode_jpeg(noise(*size), 95)
    eighth = reduced(data, cv2.IMREAD_REDUCED_COLOR_8)
    height, width = eighth.shape[:2]
    covered, beyond = decode_rgb(data, (height, width)), decode_rgb(data, (height + 1, width))
    quarter = reduced(data, cv2.IMREAD_REDUCED_COLOR_4)
    quarter = np.asarray(cv2.resize(quarter, (width, height + 1), interpolation=cv2.INTER_AREA))
    assert covered is not None
    assert beyond is not None
    assert np.array_equal(covered, eighth)
    assert np.array_equal(beyond, quarter)


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_that_is_none_turns_nothing(value: int) -> None:
    upright, same = (
        decode_rgb(data, (24, 40)) for data in (BASELINE, in_jpeg(tiff("<", value), BASELINE))
    )
    assert upright is not None
    assert same is not None
    assert np.array_equal(upright, same)


def test_a_small_file_that_keeps_a_decoder_busy_is_not_decoded() -> None:
    """Every scan makes it go over all pixels again, and takes some ten bytes."""
    once = encoded(".jpg", picture(600, 800), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = once.rindex(b"\xff\xda")
    again = once[:last] + once[last:-2] * 2000 + b"\xff\xd9"
    assert len(again) < 100_000
    assert excess(again, (600, 800)) is None  # a thousand megapixels: a second
    assert excess(again, (600, 800), max_pixels=1_000_000) is not None
    assert decode_rgb(again, (16, 16), max_pixels=1_000_000) is None


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    size = struct.pack(">I", len(content) if length is None else length)
    return size + kind + content + struct.pack(">I", zlib.crc32(kind + content))


HEAD, REST = PNG[:33], PNG[33:]
NEEDLESS = chunk(b"tEXt", b"Comment\0hello") + chunk(b"acTL", bytes(8)) + chunk(b"eXIf", b"MM\0*")


def test_opencv_sees_only_the_chunks_of_a_png_that_make_pixels() -> None:
    assert _bare(HEAD + NEEDLESS + REST + NEEDLESS) == PNG
    assert _bare(HEAD + chunk(b"IHDR", PNG[16:29]) + REST) == PNG
    assert _bare(BASELINE) is BASELINE
    assert decode_rgb(HEAD + NEEDLESS + REST, (8, 8)) is not None


@pytest.mark.parametrize("kind", [b"PLTE", b"IDAT", b"tRNS", b"iCCP", b"fdAT"])
def test_opencv_never_sees_a_chunk_that_claims_more_than_there_is(kind: bytes) -> None:
    """300 bytes with a palette of 4 GB made it allocate as much."""
    for length in (2**32 - 1, 2**31 - 1, len(REST) + 100):
        assert _bare(HEAD + chunk(kind, b"", length) + REST) == HEAD
        assert decode_rgb(HEAD + chunk(kind, b"", length) + REST, (8, 8)) is None


@given(st.data())
def test_whatever_is_done_to_a_png_opencv_sees_whole_chunks(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from([PNG, HEAD + NEEDLESS + REST])))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    seen = _bare(bytes(damaged))
    assert len(seen) <= len(damaged)
    ends = [8, *(end + 4 for _, _, end in _chunks(seen))]
    assert ends[-1] == len(seen)


def test_a_png_of_very_many_chunks_is_not_decoded() -> None:
    assert decode_rgb(HEAD + chunk(b"IDAT", b"") * 20_000 + REST, (8, 8)) is None


def test_progressive_pictures_of_the_largest_size_are_decoded() -> None:
    large = encoded(".jpg", picture(600, 800), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert excess(large, (600, 800), max_pixels=480_000) is None
    assert decode_rgb(large, (16, 16), max_pixels=480_000) is not None


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
