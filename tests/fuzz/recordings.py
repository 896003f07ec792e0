"""Recordings: lines of events.jsonl, which people copy, cut and edit."""

from __future__ import annotations

import math
from dataclasses import fields

from fuzz.sound import check_sentence

from edge_fusion.codecs.recorded import decode_entry, encode_entry


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
    values = (getattr(entry, field.name) for field in fields(entry))
    assert all(math.isfinite(value) for value in values if isinstance(value, float))
