"""Lines of the log, for people, for machines and for the journal."""

from __future__ import annotations

import io
import json
import logging

from edge_fusion.logs import LogFormat, LogLevel, set_up_logging

HOSTILE = "kitchen\n2026-11-24 10:00:00,000 CRITICAL fake\x1b[2J\x9b1m\u202e\ud800"
"""A second line that looks like ours, orders to a terminal, text that runs backwards, no UTF-8."""


def log_lines(form: LogFormat, *, journal: bool, text: str = "one") -> list[str]:
    """What a warning, an error with a traceback and a debug message look like."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    stream = io.StringIO()
    log = logging.getLogger("edge_fusion.test")
    try:
        set_up_logging(LogLevel.INFO, form, journal=journal, stream=stream)
        log.warning("%s", text)
        log.error("failed", exc_info=ValueError(text))
        log.debug("unseen")
    finally:
        root.handlers = before
        root.setLevel(level)
    return stream.getvalue().split("\n")[:-1]


def test_the_journal_gets_a_priority_on_every_line() -> None:
    first, second, *trace = log_lines(LogFormat.TEXT, journal=True)
    assert (first, second) == ("<4>edge_fusion.test: one", "<3>edge_fusion.test: failed")
    assert trace[-1] == "<3>  ValueError: one"
    assert all(line.startswith("<3>  ") for line in trace)


def test_people_get_the_time_and_the_level() -> None:
    first = log_lines(LogFormat.TEXT, journal=False)[0]
    assert first.endswith(" WARNING edge_fusion.test: one")


def test_machines_get_one_json_document_a_line() -> None:
    first, second = log_lines(LogFormat.JSON, journal=False)
    entry = json.loads(first)
    assert (entry["level"], entry["message"]) == ("warning", "one")
    assert json.loads(second)["exception"].endswith("ValueError: one")


def test_what_a_device_calls_itself_makes_no_line_of_its_own() -> None:
    first, second, *trace = log_lines(LogFormat.TEXT, journal=False, text=HOSTILE)
    assert first.endswith(
        r"edge_fusion.test: kitchen\n2026-11-24 10:00:00,000 CRITICAL fake"
        r"\x1b[2J\x9b1m\u202e\ud800"
    )
    assert second.endswith(" ERROR edge_fusion.test: failed")
    assert all(line.startswith("  ") for line in trace)
    assert all(line.isprintable() for line in (first, second, *trace))


def test_machines_get_what_a_device_calls_itself_word_for_word() -> None:
    first, second = log_lines(LogFormat.JSON, journal=False, text=HOSTILE)
    assert first.isprintable()
    assert second.isprintable()
    assert json.loads(first)["message"] == HOSTILE
