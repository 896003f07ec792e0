from __future__ import annotations

import io
import math
import struct
from zoneinfo import ZoneInfo

import pytest
from exif_data import DECIMALS, EXIF_DIRECTORY, OFFSET, ORIENTATION, TAKEN, tiff
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_fusion.codecs.exif import Orientation, orientation, time_taken
from edge_fusion.codecs.jpeg import exif_of
from edge_fusion.events import ArrivalTime

BERLIN = ZoneInfo("Europe/Berlin")
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def taken(date: str, decimals: str = "", offset: str = "", zone: ZoneInfo | None = None) -> object:
    found = {time_taken(tiff(order, 1, date, decimals, offset), zone) for order in "<>"}
    [time] = found
    return time


@ORDERS
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_read_in_either_order_of_bytes(order: str, value: int) -> None:
    assert orientation(tiff(order, value)) is Orientation(value)
    assert orientation(tiff(order, value, "2026:11:23 18:06:22")) is Orientation(value)


def test_the_four_that_lie_on_their_side_swap_height_and_width() -> None:
    assert [each.value for each in Orientation if each.swaps_axes] == [5, 6, 7, 8]


@ORDERS
@pytest.mark.parametrize("value", [0, 9, 6 << 8, 65_535])
def test_an_orientation_that_is_none_is_ignored(order: str, value: int) -> None:
    assert orientation(tiff(order, value)) is Orientation.TOP_LEFT


@ORDERS
def test_an_orientation_of_another_kind_or_number_is_ignored(order: str) -> None:
    good = tiff(order, 6)
    for place, value in ((12, 4), (14, 2)):
        bad = good[:place] + struct.pack(order + "H", value) + good[place + 2 :]
        assert orientation(good) is not orientation(bad) is Orientation.TOP_LEFT


@ORDERS
def test_no_truncation_makes_anything_but_less_of_it(order: str) -> None:
    whole = tiff(order, 6, "2026:11:23 18:06:22", "123", "+01:00")
    for length in range(len(whole)):
        assert orientation(whole[:length]) in {Orientation.TOP_LEFT, Orientation.RIGHT_TOP}
        time = time_taken(whole[:length], BERLIN)
        assert time is None or math.floor(time) == 1795453582


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II*\0",
        b"MM\0*\0\0\0",
        b"II\0*" + tiff("<", 6)[4:],
        b"MM\0+" + tiff(">", 6)[4:],  # BigTIFF
        b"MM\0*\xff\xff\xff\xff" + tiff(">", 6)[8:],
        b"MM\0*\0\0\0\x00" + tiff(">", 6)[8:],
    ],
)
def test_what_is_no_such_structure_says_nothing(data: bytes) -> None:
    assert orientation(data) is Orientation.TOP_LEFT
    assert time_taken(data, BERLIN) is None


def test_a_directory_that_points_to_itself_ends() -> None:
    data = tiff(">", 6, "2026:11:23 18:06:22")
    at = data.index(struct.pack(">HHI", EXIF_DIRECTORY, 4, 1)) + 8
    assert time_taken(data[:at] + struct.pack(">I", 8) + data[at + 4 :], BERLIN) is None


def test_of_a_directory_of_65_535_entries_a_thousand_are_looked_at() -> None:
    filler, wanted = struct.pack(">HHI4s", 1, 3, 1, b""), struct.pack(">HHIHH", 0x112, 3, 1, 6, 0)
    for before, expected in ((999, Orientation.RIGHT_TOP), (1000, Orientation.TOP_LEFT)):
        entries = filler * before + wanted + filler * (65_534 - before)
        assert orientation(b"MM\0*\0\0\0\x08\xff\xff" + entries) is expected


def test_a_time_with_decimals_and_an_offset_is_an_instant() -> None:
    assert taken("2026:11:23 18:06:22") is None
    assert taken("2026:11:23 18:06:22", offset="+01:00") == 1795453582.0
    assert taken("2026:11:23 18:06:22", "1", "+01:00") == 1795453582.1
    assert taken("2026:11:23 18:06:22", "123", "+01:00") == 1795453582.123
    assert taken("2026:11:23 18:06:22", "1234567  ", "-05:30") == 1795476982.123456


def test_a_time_without_an_offset_needs_a_zone() -> None:
    assert taken("2026:11:23 18:06:22", "5", zone=BERLIN) == 1795453582.5
    assert taken("2026:07:23 18:06:22", zone=BERLIN) == 1784822782.0
    assert taken("2026:07:23 18:06:22", offset="   :  ", zone=BERLIN) == 1784822782.0
    assert taken("2026:07:23 18:06:22", offset="+00:00", zone=BERLIN) == 1784829982.0


def test_of_an_hour_that_comes_twice_the_one_nearest_to_arrival_is_meant() -> None:
    twice = tiff("<", 1, "2026:10:25 02:30:00")
    assert time_taken(twice, BERLIN) == 1792888200.0
    assert time_taken(twice, BERLIN, ArrivalTime(1792888201.0)) == 1792888200.0
    assert time_taken(twice, BERLIN, ArrivalTime(1792891801.0)) == 1792891800.0


@pytest.mark.parametrize(
    "date",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2026:13:23 18:06:22",
        "2026:02:30 18:06:22",
        "2026:11:23 18:06:60",
        "2026-11-23 18:06:22",
        "2026:11:23",
        "2026:11:23 18:06:22 and more",
        "9" * 100,
        "soon",
    ],
)
def test_a_date_that_is_none_is_ignored(date: str) -> None:
    assert taken(date, "123", "+01:00", BERLIN) is None


@pytest.mark.parametrize("decimals", ["x", "-1", "1.5", "\u0661", "0" * 10, "0" * 65])
def test_decimals_that_are_none_are_left_out(decimals: str) -> None:
    assert taken("2026:11:23 18:06:22", decimals, "+01:00") == 1795453582.0


def test_what_pillow_writes_is_read() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    exif.get_ifd(EXIF_DIRECTORY).update(
        {TAKEN: "2026:11:23 18:06:22", DECIMALS: "25", OFFSET: "+01:00"}
    )
    for form in ("JPEG", "PNG"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, form, exif=exif)
        found = exif_of(file.getvalue())
        assert orientation(found) is Orientation.LEFT_BOTTOM
        assert time_taken(found) == 1795453582.25


@given(st.data())
def test_no_damage_makes_anything_raise(data: st.DataObject) -> None:
    order = data.draw(st.sampled_from("<>"))
    damaged = bytearray(tiff(order, 6, "2026:11:23 18:06:22", "1234", "+01:00"))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert orientation(bytes(damaged)) in Orientation
    time = time_taken(bytes(damaged), BERLIN)
    assert time is None or math.isfinite(time)
