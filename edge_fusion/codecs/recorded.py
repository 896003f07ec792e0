"""One line of a recording: an input as JSON with every float exact, or the word that it ends.

    {"reading": {"site": "hall", "device": "th", "quantity": "temperature", "value": 21.4, …}}
    {"frame": {"site": "hall", "camera": "door", "file": "frames/hall/door/00000001.jpg", …}}
    {"offline": {"site": "hall", "device": "th", "arrival": 1763892009.5}}
    {"cut_off": {"arrival": 1763892009.5}}
    {"catch_up": {"since": 1763892009.5, "arrival": 1763892009.75}}
    {"caught_up": {"arrival": 1763892010.0}}
    {"silence": {"site": "hall", "label": "steam", "seconds": 7200.0, "arrival": 1763892010.0}}
    {"end": 1763892010.25}

The keys are the names of the fields in `edge_fusion.events`, so renaming one there needs a new
version of the format (io/recording.py). Floats are written as the shortest decimal that reads back
as the same double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from edge_fusion.codecs.invalid import printable
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    CutOff,
    EventTime,
    Offline,
    Reading,
    Silence,
    TimeSource,
)


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A `Frame` whose picture lies in a file, `file` being its path within the recording."""

    site: str
    camera: str
    file: str
    time: EventTime
    arrival: ArrivalTime
    time_source: TimeSource = TimeSource.ARRIVAL


@dataclass(frozen=True, slots=True)
class End:
    """The recording ran until `arrival`: timers that were due by then had run."""

    arrival: ArrivalTime


Entry = Reading | FrameFile | Offline | CutOff | CatchUp | CaughtUp | Silence | End


def encode_entry(entry: Entry) -> bytes:
    """The line that `decode_entry` reads as `entry`, with its newline. Floats must be finite."""
    match entry:
        case Reading():
            tagged: dict[str, object] = {"reading": entry}
        case FrameFile():
            tagged = {"frame": entry}
        case Offline():
            tagged = {"offline": entry}
        case CutOff():
            tagged = {"cut_off": entry}
        case CatchUp():
            tagged = {"catch_up": entry}
        case CaughtUp():
            tagged = {"caught_up": entry}
        case Silence():
            tagged = {"silence": entry}
        case End(arrival=arrival):
            tagged = {"end": arrival}
    return orjson.dumps(tagged, option=orjson.OPT_APPEND_NEWLINE)


def decode_entry(line: bytes) -> Entry:
    """Read a line; raises ValueError with one sentence that says what is wrong."""
    document = orjson.loads(line)
    if not isinstance(document, dict) or len(document) != 1:
        raise ValueError(f"expected an object with one key of: {', '.join(_KINDS)}")
    ((kind, body),) = document.items()
    if kind not in _KINDS:
        raise ValueError(printable(f'"{kind[:40]}" is none of: {", ".join(_KINDS)}'))
    try:
        entry = _KINDS[kind](body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, (kind, *fault["loc"])))
        raise ValueError(f"{place}: {fault['msg'].lower()}") from None
    if not _is_finite(entry):  # pydantic takes "nan" for a float
        raise ValueError(f"{kind}: a number is not finite")
    return entry


def _is_finite(entry: Entry) -> bool:
    values = (getattr(entry, each.name) for each in fields(entry))
    return all(math.isfinite(value) for value in values if isinstance(value, float))


_END: Final = TypeAdapter(ArrivalTime)


def _end(body: object) -> End:
    return End(_END.validate_python(body))


_KINDS: Final[Mapping[str, Callable[[Any], Entry]]] = {
    "reading": TypeAdapter(Reading).validate_python,
    "frame": TypeAdapter(FrameFile).validate_python,
    "offline": TypeAdapter(Offline).validate_python,
    "cut_off": TypeAdapter(CutOff).validate_python,
    "catch_up": TypeAdapter(CatchUp).validate_python,
    "caught_up": TypeAdapter(CaughtUp).validate_python,
    "silence": TypeAdapter(Silence).validate_python,
    "end": _end,
}
