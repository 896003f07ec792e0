"""Floods of the same line."""

from __future__ import annotations

import io
import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.folding import BURST, INTERVAL, REMEMBERED, Folding
from edge_fusion.logs import LogFormat, LogLevel, set_up_logging


def record(text: str, at: float, level: int = logging.WARNING) -> logging.LogRecord:
    made = logging.LogRecord("edge_fusion.test", level, "", 0, "%s", (text,), None)
    made.created = at
    return made


def said(folding: Folding, *lines: tuple[str, float]) -> list[str]:
    """What is written of lines that are said at their times."""
    return [one.getMessage() for text, at in lines for one in folding.take(record(text, at))]


def test_of_a_flood_the_first_few_lines_are_written_and_then_how_often() -> None:
    flood = [("full", float(at)) for at in range(121)]
    told = ["full … said 51 times more", "full … said 60 times more"]
    assert said(Folding(), *flood) == ["full"] * BURST + told


def test_a_flood_that_is_over_is_told_before_something_else_is_said() -> None:
    lines = [("full", 0.0)] * (BURST + 1) + [("other", 100.0)]
    assert said(Folding(), *lines) == ["full"] * BURST + ["full … said once more", "other"]


def test_after_a_minute_without_a_flood_all_is_written_again() -> None:
    flood = [("full", 0.0)] * (BURST + 1)
    after = [("other", 61.0), ("other", 122.0), ("full", 123.0), ("full", 124.0)]
    assert said(Folding(), *flood, *after)[-4:] == ["other", "other", "full", "full"]


def test_what_is_said_now_and_then_is_not_folded() -> None:
    lines = [("full", INTERVAL / 5 * n) for n in range(50)]
    assert said(Folding(), *lines) == ["full"] * 50


def test_lines_that_differ_are_all_written() -> None:
    lines = [(f"device {n}", float(n)) for n in range(50)]
    assert said(Folding(), *lines) == [text for text, _ in lines]


def test_what_is_for_debugging_is_never_folded() -> None:
    folding = Folding()
    written = [folding.take(record("step", float(at), logging.DEBUG)) for at in range(5)]
    assert [len(lines) for lines in written] == [1] * 5


def test_the_rest_is_told_at_the_end() -> None:
    folding = Folding()
    said(folding, *[("full", 0.0)] * (BURST + 2), ("other", 3.0))
    assert [line.getMessage() for line in folding.rest()] == ["full … said 2 times more"]
    assert folding.rest() == []


def test_a_clock_that_is_set_back_hides_nothing() -> None:
    lines = [("full", 1000.0)] * (BURST + 1) + [("full", 5.0), ("other", 6.0)]
    assert said(Folding(), *lines)[BURST:] == ["full … said 2 times more", "other"]


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 30)), max_size=800))
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
        for _ in range(422):
            logging.getLogger("edge_fusion.test").error("full", exc_info=ValueError("x"))
        root.handlers[0].close()
    finally:
        root.handlers = before
        root.setLevel(level)
    *first, last = map(json.loads, stream.getvalue().splitlines())
    assert [line["message"] for line in first] == ["full"] * BURST
    assert first[0]["exception"] == "ValueError: x"
    assert last["message"] == "full … said 412 times more"
    assert last["repeated"] == 412
