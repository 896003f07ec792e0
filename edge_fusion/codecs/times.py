"""Times as devices write them, and as this program writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

from edge_fusion.codecs.numerals import to_number
from edge_fusion.events import ArrivalTime, EventTime, InvalidReason

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds()
_LATEST: Final = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).total_seconds()
_LOOKS_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}[ -~]*")
_LONGEST = 64

# What a bare number counts, by size: until the year 5138 no two of these can be confused.
_SCALES: Final = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))

PROPERTIES: Final = ("time", "captured_at", "ts")
"""MQTT 5 user properties in which a publisher may date a message; the first one present counts."""


class Unzoned(Enum):
    """A local time without a zone: no instant until someone says which zone."""

    UNZONED = "unzoned"


UNZONED: Final = Unzoned.UNZONED


def parse_time(
    value: object, zone: ZoneInfo | None = None, near: ArrivalTime | None = None
) -> EventTime | Unzoned | None:
    """The instant that `value` names, in seconds since the epoch, UTC.

    Takes ISO 8601 with `Z` or an offset and any number of decimals, and epoch seconds,
    milliseconds, microseconds or nanoseconds (told apart by size), as numbers or as text. An ISO
    time without an offset is read in `zone`; without one the answer is `UNZONED`, because taking
    it for UTC would be wrong by hours. When clocks are set back an hour comes twice: the time is
    then the one nearest to `near`, the earlier without. None where `value` is no time at all.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_number(value)
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    number = to_number(value)
    return _from_iso(value.strip(), zone, near) if number is None else _from_number(number)


def stated_time(value: object, zone: ZoneInfo | None = None) -> EventTime | InvalidReason | None:
    """What a device's time field comes to.

    None where it gives no instant (null, empty, or local without a zone: arrival counts then),
    TIME where it holds something that is no time.
    """
    if value is None or value == "":
        return None
    time = parse_time(value, zone)
    if time is None:
        return InvalidReason.TIME
    return None if isinstance(time, Unzoned) else time


def property_time(
    properties: Mapping[str, str], zone: ZoneInfo | None = None
) -> EventTime | InvalidReason | None:
    """`stated_time` of the first of `PROPERTIES` that the message has."""
    for name in PROPERTIES:
        if name in properties:
            return stated_time(properties[name], zone)
    return None


def format_time(time: float) -> str:
    """RFC 3339 in UTC with `Z` and exactly milliseconds; years outside 1 to 9999 are clipped."""
    milliseconds = round(min(max(time, _EARLIEST), _LATEST) * 1000)
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _from_number(value: float) -> EventTime | None:
    if not 0 <= value < _SCALES[-1][0]:  # NaN fails this too
        return None
    scale = next(scale for limit, scale in _SCALES if value < limit)
    return EventTime(value / scale)


def _from_iso(
    text: str, zone: ZoneInfo | None, near: ArrivalTime | None
) -> EventTime | Unzoned | None:
    if not _LOOKS_ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is not None:
            time = moment.timestamp()
        elif zone is not None:
            time = _in_zone(moment, zone, near)
        else:
            return UNZONED
    except (ValueError, OverflowError):
        return None
    within = math.isfinite(time) and _EARLIEST <= time <= _LATEST
    return EventTime(time) if within else None


def _in_zone(moment: datetime, zone: ZoneInfo, near: ArrivalTime | None) -> float:
    first, second = (moment.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    return first if near is None or abs(first - near) <= abs(second - near) else second
