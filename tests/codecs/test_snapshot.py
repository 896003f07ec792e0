from __future__ import annotations

import cv2
import numpy as np
import pytest
from exif_data import in_jpeg, tiff
from numpy.typing import NDArray

from edge_fusion.codecs.jpeg import encode_jpeg, exif_of, header_size
from edge_fusion.codecs.snapshot import MAX_BYTES, captioned_jpeg

CAPTION = ("kitchen", "smoke", "0.93", "2026-11-23 10:00:20 UTC")
LONG = ("a" * 64, "b" * 64, "0.93", "2026-11-23 10:00:20 UTC")
RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def corners(height: int, width: int) -> NDArray[np.uint8]:
    """A picture that looks different however it is turned: red, green, blue and grey corners."""
    rgb = np.full((height, width, 3), GREY, np.uint8)
    rgb[: height // 2, : width // 2] = RED
    rgb[: height // 2, width // 2 :] = GREEN
    rgb[height // 2 :, : width // 2] = BLUE
    return rgb


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def shown(snapshot: bytes | None) -> NDArray[np.uint8]:
    """What somebody sees who opens it."""
    assert snapshot is not None
    assert snapshot.startswith(b"\xff\xd8\xff")
    rgb = cv2.imdecode(np.frombuffer(snapshot, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert rgb is not None
    return np.asarray(rgb, np.uint8)


def near(pixel: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() < 20)


def lines_of(bar: NDArray[np.uint8]) -> int:
    """How many lines of letters stand in a caption: runs of rows in which there is ink."""
    inked = (bar.max(axis=(1, 2)) > 128).astype(int)
    return int(np.count_nonzero(np.diff(inked, prepend=0) == 1))


def test_the_caption_lies_below_the_picture_and_covers_nothing_of_it() -> None:
    rgb = shown(captioned_jpeg(encode_jpeg(corners(480, 640), 95), CAPTION))
    height, width = rgb.shape[:2]
    assert width == 640
    assert 480 < height <= 480 + 30
    assert near(rgb[2, 2], RED)
    assert near(rgb[2, 637], GREEN)
    assert near(rgb[470, 2], BLUE)
    assert near(rgb[470, 637], GREY)
    assert lines_of(rgb[485:]) == 1


def test_what_the_caption_says_can_be_seen() -> None:
    data = encode_jpeg(corners(480, 640), 95)
    pictures = {
        captioned_jpeg(data, (site, *CAPTION[1:])) for site in ("kitchen", "kitchen2", "hall")
    }
    assert len(pictures) == 3


@pytest.mark.parametrize("size", [(120, 160), (240, 320), (2, 3), (1, 1)])
def test_a_small_picture_is_enlarged_so_that_its_caption_can_be_read(size: tuple[int, int]) -> None:
    height, width = size
    rgb = shown(captioned_jpeg(encode_jpeg(corners(*size), 95), CAPTION))
    assert rgb.shape[1] == 320
    bar = rgb[round(height * 320 / width) + 3 :]
    assert lines_of(bar) == 2
    letters = np.flatnonzero(bar.max(axis=(1, 2)) > 128)
    assert len(letters) >= 2 * 9  # capitals of a font of 13 pixels


def test_names_of_any_length_fit_and_never_push_out_score_and_time() -> None:
    data = encode_jpeg(corners(240, 320), 95)
    bar = shown(captioned_jpeg(data, LONG))[243:]
    assert lines_of(bar) == 3
    assert bar[:, -3:].max() < 128
    without = shown(captioned_jpeg(data, LONG[:2]))[243:]
    assert lines_of(without) == 2


def test_a_picture_that_is_thin_as_a_thread_is_shown_whole_on_a_wider_ground() -> None:
    rgb = shown(captioned_jpeg(encode_jpeg(corners(900, 20), 95), CAPTION))
    assert rgb.shape[1] == 320
    assert rgb.shape[0] <= 1280 + 60


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (2160, 3840)])
def test_no_picture_is_larger_than_200_kb_however_little_it_can_be_compressed(
    size: tuple[int, int],
) -> None:
    snapshot = captioned_jpeg(encode_jpeg(noise(*size), 95), CAPTION)
    assert snapshot is not None
    assert 50_000 < len(snapshot) <= MAX_BYTES == 200_000


@pytest.mark.parametrize("limit", [100_000, 50_000, 30_000])
def test_a_picture_is_made_smaller_until_it_fits_aspect_kept(limit: int) -> None:
    snapshot = captioned_jpeg(encode_jpeg(noise(900, 1600), 95), CAPTION, limit)
    assert snapshot is not None
    assert len(snapshot) <= limit
    size = header_size(snapshot)
    assert size is not None
    assert size[1] / size[0] == pytest.approx(16 / 9, rel=0.2)


def test_a_bound_that_no_size_meets_gives_none() -> None:
    assert captioned_jpeg(encode_jpeg(noise(480, 640), 95), CAPTION, 1000) is None


def test_a_png_becomes_a_jpeg() -> None:
    png = cv2.imencode(".png", cv2.cvtColor(corners(240, 320), cv2.COLOR_RGB2BGR))[1].tobytes()
    assert near(shown(captioned_jpeg(png, CAPTION))[2, 2], RED)


@pytest.mark.parametrize("value", range(1, 9))
def test_a_snapshot_is_upright_and_says_no_more_than_it_shows(value: int) -> None:
    """Not every viewer heeds EXIF, and it may tell a place that nobody meant to publish."""
    stored = corners(240, 400)
    snapshot = captioned_jpeg(in_jpeg(tiff(">", value), encode_jpeg(stored, 95)), CAPTION)
    assert snapshot is not None
    assert exif_of(snapshot) == b""
    found = {colour for colour in (RED, GREEN, BLUE, GREY) if near(shown(snapshot)[2, 2], colour)}
    assert found == {
        {1: RED, 2: GREEN, 3: GREY, 4: BLUE, 5: RED, 6: BLUE, 7: GREY, 8: GREEN}[value]
    }


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff"])
def test_what_is_no_picture_gives_none(data: bytes) -> None:
    assert captioned_jpeg(data, CAPTION) is None


def test_a_claim_of_gigapixels_or_a_file_cut_off_gives_none() -> None:
    whole = encode_jpeg(corners(48, 80), 95)
    at = whole.index(b"\xff\xc0") + 5
    assert captioned_jpeg(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :], CAPTION) is None
    assert captioned_jpeg(whole[:-40], CAPTION) is None
