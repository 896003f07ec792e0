from __future__ import annotations

import pytest

from edge_fusion.codecs.numerals import bare_text, read_number, split_unit, to_number
from edge_fusion.events import InvalidReason


@pytest.mark.parametrize(
    ("value", "expected"),
    [(21, 21.0), (21.5, 21.5), ("21.5", 21.5), (" 2.150000e+01 ", 21.5), ("-.5", -0.5), ("+3.", 3)],
)
def test_numbers_and_numbers_as_text_are_read(value: object, expected: float) -> None:
    assert read_number(value) == expected


@pytest.mark.parametrize("value", [None, "", "NaN", "None", "unknown", "Unavailable", "null"])
def test_words_for_no_value_are_no_error(value: object) -> None:
    assert read_number(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *[True, False, [], {}, "warm", "inf", "1e999", "1_000", "21,4", "\u0662", "9" * 65],
        *[float("nan"), float("inf"), 10**400],
    ],
)
def test_what_cannot_be_a_value_is_not_a_number(value: object) -> None:
    assert read_number(value) is InvalidReason.NOT_A_NUMBER


def test_text_may_have_blanks_round_a_number_but_nothing_else() -> None:
    assert to_number("\t4 ") == 4
    assert to_number("4 x") is None


def test_a_unit_is_what_follows_the_number() -> None:
    assert split_unit("21.4 °C") == (21.4, "°C")
    assert split_unit("48%") == (48.0, "%")
    assert split_unit("12") == (12.0, "")
    assert split_unit("°C") is None
    assert split_unit("1e999 °C") is None


def test_a_bare_text_is_what_stands_between_blanks_and_a_final_nul() -> None:
    assert bare_text(b" 21.5\r\n\0") == "21.5"
    assert bare_text("21 °C".encode()) == "21 °C"
    assert bare_text(b"\0") == ""
    assert bare_text(b"\xff\xd8\xff") is None
