"""JSON documents from the network: reading them, and finding values by dotted paths."""

from __future__ import annotations

import json
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import orjson


class Missing(Enum):
    """Nothing is there, which differs from a `null` that is."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def load(payload: bytes) -> Any:
    """Parse a JSON document; raises ValueError with a short reason.

    NaN and Infinity, which Python's and some C libraries write although JSON has none, are read
    as floats, so that one bad value does not cost the good one beside it.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if b"NaN" in payload or b"Infinity" in payload:
            return _load_tolerantly(payload)
        raise ValueError(str(error)) from None


def _load_tolerantly(payload: bytes) -> Any:
    try:
        return json.loads(payload.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def lookup(document: Any, path: str) -> Any:
    """The value at a dotted path such as `readings.0.value`; `MISSING` if there is none."""
    value = document
    for step in _steps(path):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


# Paths come from the configuration, so they are few.
@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 10  # noqa: PLR2004 - int() stays cheap
