"""Inputs as the store keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_fusion.codecs.journal import read_entries, write_entries
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    EventTime,
    Frame,
    Input,
    Offline,
    Reading,
    TimeSource,
)
from edge_fusion.kept import Entry

TIME, ARRIVAL = EventTime(1_800_000_000.1), ArrivalTime(1_800_000_000.30000001)
READING = Reading("hall", "probe", "temperature", 21.5, TIME, ARRIVAL, TimeSource.DEVICE)
FRAME = Frame("hall", "cam", b"\xff\xd8\xff", TIME, ARRIVAL, TimeSource.ARRIVAL, durable=True)
OFFLINE = Offline("hall", "probe", ARRIVAL)


def test_what_came_comes_back_to_the_last_bit() -> None:
    inputs: list[Input] = [READING, FRAME, OFFLINE]
    assert read_entries(write_entries(inputs)) == inputs


def test_of_a_frame_that_nobody_promised_to_keep_only_the_picture_is_lost() -> None:
    fleeting = replace(FRAME, durable=False)
    (entry,) = write_entries([fleeting])
    assert entry.picture is None
    assert read_entries([entry]) == [replace(fleeting, image=b"")]


def test_when_a_backlog_comes_is_not_kept_here() -> None:
    assert write_entries([CatchUp(ARRIVAL, ARRIVAL), CaughtUp(ARRIVAL)]) == []


@pytest.mark.parametrize("line", [b"", b"{}", b"rubbish", b'{"reading": {}}'])
def test_a_line_that_is_none_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_entries([Entry("hall", line)])
