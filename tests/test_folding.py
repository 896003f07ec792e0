"""Floods of the same line."""

from __future__ import annotations

import io
import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.folding import INTERVAL, REMEMBERED, Folding
from edge_fusion.logs import LogFormat, LogLevel, set_up_logging


def record(text: str, at: float, level: int = logging.WARNING) -> logging.LogRecord:
    made = logging.LogRecord("edge_fusion.test", level, "", 0, "%s", (text,), None)
    made.created = at
    return made


def said(folding: Folding, *lines: tuple[str, float]) -> list[str]:
    """What is written of lines that are said at their times."""
    return [one.getMessage() for text, at in lines for one in folding.take(record(text, at))]


def test_a_flood_is_one_line_and_then_how_often() -> None:
    flood = [("full", float(at)) for at in range(120)]
    assert said(Folding(), *flood) == ["full", "full … said 60 times more"]


def test_what_was_said_twice_is_told_before_something_else_is_said() -> None:
    lines = [("full", 0.0), ("full", 1.0), ("other", 100.0)]
    assert said(Folding(), *lines) == ["full", "full … said once more", "other"]


def test_what_is_said_once_a_minute_is_not_folded() -> None:
    lines = [("full", INTERVAL * n) for n in range(3)]
    assert said(Folding(), *lines) == ["full", "full … said once more", "full … said once more"]


def test_lines_that_differ_are_all_written() -> None:
    lines = [(f"device {n}", float(n)) for n in range(50)]
    assert said(Folding(), *lines) == [text for text, _ in lines]


def test_what_is_for_debugging_is_never_folded() -> None:
    folding = Folding()
    written = [folding.take(record("step", float(at), logging.DEBUG)) for at in range(5)]
    assert [len(lines) for lines in written] == [1] * 5


def test_the_rest_is_told_at_the_end() -> None:
    folding = Folding()
    said(folding, ("full", 0.0), ("full", 1.0), ("full", 2.0), ("other", 3.0))
    assert [line.getMessage() for line in folding.rest()] == ["full … said 2 times more"]
    assert folding.rest() == []


def test_a_clock_that_is_set_back_hides_nothing() -> None:
    lines = [("full", 1000.0), ("full", 1001.0), ("full", 5.0), ("other", 6.0)]
    assert said(Folding(), *lines) == ["full", "full … said 2 times more", "other"]


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 30)), max_size=800))
def test_every_line_is_written_or_counted_and_memory_is_bounded(
    steps: list[tuple[int, float]],
) -> None:
    folding, now, written = Folding(), 0.0, 0
    for number, gap in steps:
        now += gap
        lines = folding.take(record(str(number), now))
        written += sum(getattr(line, "repeated", 1) for line in lines)
        assert len(folding._said) <= REMEMBERED
    assert written + sum(getattr(line, "repeated", 1) for line in folding.rest()) == len(steps)


def test_the_log_of_a_process_is_folded_and_says_the_rest_when_it_is_closed() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    stream = io.StringIO()
    try:
        set_up_logging(LogLevel.INFO, LogFormat.JSON, journal=False, stream=stream)
        for _ in range(413):
            logging.getLogger("edge_fusion.test").error("full", exc_info=ValueError("x"))
        root.handlers[0].close()
    finally:
        root.handlers = before
        root.setLevel(level)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == "full"
    assert first["exception"] == "ValueError: x"
    assert second["message"] == "full … said 412 times more"
    assert second["repeated"] == 412
