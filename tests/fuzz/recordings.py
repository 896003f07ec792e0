"""Recordings: lines of events.jsonl, which people copy, cut and edit."""

from __future__ import annotations

import math

from fuzz.sound import check_sentence

from edge_fusion.codecs.recorded import End, FrameFile, decode_entry, encode_entry
from edge_fusion.events import Offline, Reading


def check(data: bytes) -> None:
    """A line is an entry that can be written and read again, or is refused in one sentence."""
    for line in data.splitlines(keepends=True) or [data]:
        _check_line(line)


def _check_line(line: bytes) -> None:
    try:
        entry = decode_entry(line)
    except ValueError as error:
        check_sentence(error)
        return
    assert decode_entry(encode_entry(entry)) == entry
    match entry:
        case Reading(value=value, time=time):
            assert math.isfinite(value)
            assert math.isfinite(time)
        case FrameFile(time=time):
            assert math.isfinite(time)
        case Offline() | End():
            pass
    assert math.isfinite(entry.arrival)
