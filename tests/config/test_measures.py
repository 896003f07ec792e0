from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.config.measures import (
    format_duration,
    parse_duration,
    parse_positive_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("500ms", 0.5),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        (" 1.5 h ", 5400),
        (7, 7),
        (0.25, 0.25),
        (0, 0),
        ("0s", 0),
        ("3650d", 315_360_000),
    ],
)
def test_durations_are_read_with_and_without_a_unit(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "s",
        "10",
        "10 sec",
        "1h30m",
        "-1s",
        "1e3s",
        "10s\n1",
        "٣s",
        -1,
        True,
        None,
        [],
        float("nan"),
        float("inf"),
        10**400,
        "3651d",
        "9" * 400 + "d",
    ],
)
def test_what_is_no_duration_says_what_one_is(value: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(value)


@given(st.floats(0, 3e8, allow_nan=False))
def test_a_duration_survives_being_written_and_read(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(1, 3650), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_duration_as_people_write_it_is_written_no_longer(count: int, unit: str) -> None:
    text = f"{count}{unit}"
    written = format_duration(parse_duration(text))
    assert parse_duration(written) == parse_duration(text)
    assert len(written) <= len(text) + 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (10, "10s"), (900, "15m"), (0.5, "500ms"), (90, "90s")]
)
def test_a_duration_is_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_zero_is_no_positive_duration() -> None:
    assert parse_positive_duration("1ms") == 0.001
    with pytest.raises(ValueError, match='from "1ms"'):
        parse_positive_duration("0s")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8MB", 8_000_000),
        ("512kB", 512_000),
        ("1 MiB", 1_048_576),
        ("1.5GB", 1_500_000_000),
        (42, 42),
    ],
)
def test_sizes_are_read_with_and_without_a_unit(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", ["", "8Mb", "MB", 0, -1, 1.5, True, None, "0B"])
def test_what_is_no_size_says_what_one_is(value: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(value)
