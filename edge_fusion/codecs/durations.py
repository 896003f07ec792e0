"""Durations as people write them, in a configuration file or a message."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

LONGEST: Final = 3650 * 86_400.0
_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
DURATION_PATTERN: Final = rf"^{_NUMBER} ?(ms|s|m|h|d)$"
SECONDS: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "d": Decimal(86_400),
        "h": Decimal(3600),
        "m": Decimal(60),
        "s": Decimal(1),
        "ms": Decimal("0.001"),
    }
)


def parse_duration(value: object) -> float:
    """Seconds, from "500ms", "10s", "5m", "2h", "1d" or a bare number of seconds.

    Raises ValueError for anything else, for what is negative and for more than ten years.
    """
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= LONGEST:
        raise ValueError('expected a duration up to 3650d, such as "500ms", "10s", "5m", "2h"')
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) <= LONGEST else math.inf
    match = re.match(DURATION_PATTERN, value.strip()) if isinstance(value, str) else None
    return float(Decimal(match[1]) * SECONDS[match[2]]) if match else None
