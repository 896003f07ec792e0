"""Numbers as devices write them: numbers, numbers as text, and the words for "no reading"."""

from __future__ import annotations

import math
import re

from edge_fusion.events import InvalidReason

_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NO_READING = frozenset({"", "nan", "none", "null", "unknown", "unavailable"})
_LONGEST = 64

# Programs in C often send the terminating NUL with the text.
_PADDING = " \t\r\n\0"


def bare_text(payload: bytes) -> str | None:
    """A payload that is one word or number, without what is round it; None if it is not UTF-8."""
    try:
        return payload.decode().strip(_PADDING)
    except UnicodeDecodeError:
        return None


def is_no_reading(text: str) -> bool:
    """Whether `text` is a device's way to say that it has no value now."""
    return text.strip().lower() in _NO_READING


def to_number(text: str) -> float | None:
    """The finite number that all of `text` spells, blanks around it aside; None if it does not.

    Stricter than `float`: no underscores, no words, ASCII digits only.
    """
    text = text.strip()
    if len(text) > _LONGEST or not _NUMERAL.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def split_unit(text: str) -> tuple[float, str] | None:
    """A number and what follows it, "21.4 °C" -> (21.4, "°C"); None if no number leads."""
    text = text.strip()[: 2 * _LONGEST]
    found = _NUMERAL.match(text)
    number = to_number(found.group()) if found else None
    if found is None or number is None:
        return None
    return number, text[found.end() :].strip()


def read_number(value: object) -> float | InvalidReason | None:
    """A JSON value as a number: None means "no reading", NOT_A_NUMBER anything unusable."""
    if value is None or (isinstance(value, str) and is_no_reading(value)):
        return None
    if isinstance(value, str):
        spelled = to_number(value)
        return InvalidReason.NOT_A_NUMBER if spelled is None else spelled
    if isinstance(value, bool) or not isinstance(value, int | float):
        return InvalidReason.NOT_A_NUMBER
    try:
        number = float(value)
    except OverflowError:
        return InvalidReason.NOT_A_NUMBER
    return number if math.isfinite(number) else InvalidReason.NOT_A_NUMBER
