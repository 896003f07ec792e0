"""Durations and sizes as people write them in a configuration file."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from edge_fusion.codecs.durations import DURATION_PATTERN, SECONDS, parse_duration

__all__ = [
    "DURATION_PATTERN",
    "SIZE_PATTERN",
    "format_duration",
    "parse_duration",
    "parse_positive_duration",
    "parse_size",
]

_SHORTEST: Final = 0.001
_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
SIZE_PATTERN: Final = rf"^{_NUMBER} ?(B|kB|KB|MB|GB|KiB|MiB|GiB)$"
_BYTES: Final = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


def parse_positive_duration(value: object) -> float:
    """As `parse_duration`, but raises ValueError for less than a millisecond too."""
    seconds = parse_duration(value)
    if seconds < _SHORTEST:
        raise ValueError('expected a duration from "1ms", such as "500ms", "10s", "5m", "2h"')
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as exactly `seconds`, such as "15m"."""
    exact = Decimal(repr(float(seconds)))
    if exact == 0:
        return "0s"
    for unit, length in SECONDS.items():
        if exact % length == 0:
            return f"{exact / length:f}".removesuffix(".0") + unit
    return f"{exact:f}s"


def parse_size(value: object) -> int:
    """Bytes, from "8MB", "512kB", "1MiB" or a whole number of bytes above 0.

    kB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024. Raises ValueError otherwise.
    """
    size = _bytes(value)
    if size is None or size < 1:
        raise ValueError('expected a size above 0, such as "8MB", "512kB" or a number of bytes')
    return size


def _bytes(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.match(SIZE_PATTERN, value.strip()) if isinstance(value, str) else None
    return int(Decimal(match[1]) * _BYTES[match[2]]) if match else None
