"""Lines of the log, for people, for machines and for the journal."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from conftest import Broker, eventually
from running import Running

from edge_fusion.logs import LogFormat, LogLevel, is_journal, set_up_logging

HOSTILE = "kitchen\n2026-11-24 10:00:00,000 CRITICAL fake\x1b[2J\x9b1m\u202e\ud800"
"""A second line that looks like ours, orders to a terminal, text that runs backwards, no UTF-8."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def log_lines(
    form: LogFormat, *, journal: bool = False, text: str = "one", stream: TextIO | None = None
) -> list[str]:
    """What a warning, an error with a traceback and a debug message look like."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    stream = stream or io.StringIO()
    log = logging.getLogger("edge_fusion.test")
    try:
        set_up_logging(LogLevel.INFO, form, journal=journal, stream=stream)
        log.warning("%s", text, extra={"site": "hall", "device": "probe"})
        log.error("failed", exc_info=ValueError(text))
        log.debug("unseen")
    finally:
        root.handlers = before
        root.setLevel(level)
    stream.seek(0)
    return stream.read().split("\n")[:-1]


def test_the_journal_gets_a_priority_on_every_line_and_no_time() -> None:
    first, second, *trace = log_lines(LogFormat.AUTO, journal=True)
    assert (first, second) == ("<4>one", "<3>failed")
    assert trace[-1] == "<3>  ValueError: one"
    assert all(line.startswith("<3>  ") for line in trace)


@pytest.mark.parametrize("form", LogFormat)
def test_the_journal_gets_its_priorities_whatever_the_format(form: LogFormat) -> None:
    first, second, *_ = log_lines(form, journal=True)
    assert (first[:3], second[:3]) == ("<4>", "<3>")


def test_a_terminal_gets_the_time_of_day() -> None:
    first = log_lines(LogFormat.AUTO, stream=Terminal())[0]
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING one", first)


def test_people_get_the_time_and_the_level() -> None:
    for form in (LogFormat.TEXT, LogFormat.AUTO):
        first = log_lines(form)[0]
        assert re.match(r"\d{4}-\d\d-\d\d ", first)
        assert first.endswith(" WARNING edge_fusion.test: one")


def test_machines_get_one_json_document_a_line() -> None:
    first, second = log_lines(LogFormat.JSON)
    entry = json.loads(first)
    assert (entry["level"], entry["message"]) == ("warning", "one")
    assert (entry["site"], entry["device"]) == ("hall", "probe")
    assert json.loads(second)["exception"].endswith("ValueError: one")
    assert "site" not in json.loads(second)


def test_logfmt_has_the_same_fields_and_quotes_what_has_blanks() -> None:
    first, second = log_lines(LogFormat.LOGFMT, text="too late")
    time, rest = first.split(" ", 1)
    assert re.fullmatch(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert rest == (
        'level=warning logger=edge_fusion.test site=hall device=probe message="too late"'
    )
    assert second.endswith('message=failed exception="ValueError: too late"')


@pytest.mark.parametrize("text", ["", 'say "so"', "a=b", "back\\slash", "über", HOSTILE])
def test_what_logfmt_quotes_is_found_again_word_for_word(text: str) -> None:
    first = log_lines(LogFormat.LOGFMT, text=text)[0]
    assert first.isprintable()
    assert json.loads(first.partition(" message=")[2]) == text


def test_what_a_device_calls_itself_makes_no_line_of_its_own() -> None:
    first, second, *trace = log_lines(LogFormat.TEXT, text=HOSTILE)
    assert first.endswith(
        r"edge_fusion.test: kitchen\n2026-11-24 10:00:00,000 CRITICAL fake"
        r"\x1b[2J\x9b1m\u202e\ud800"
    )
    assert second.endswith(" ERROR edge_fusion.test: failed")
    assert all(line.startswith("  ") for line in trace)
    assert all(line.isprintable() for line in (first, second, *trace))


def test_machines_get_what_a_device_calls_itself_word_for_word() -> None:
    first, second = log_lines(LogFormat.JSON, text=HOSTILE)
    assert first.isprintable()
    assert second.isprintable()
    assert json.loads(first)["message"] == HOSTILE


def test_the_journal_is_known_by_its_stream_and_not_by_the_variable_alone(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as ours, (tmp_path / "b").open("w") as other:
        found = os.fstat(ours.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert is_journal(ours, environ)
        assert not is_journal(other, environ)
        assert not is_journal(ours, {})
        assert not is_journal(io.StringIO(), environ)


def test_a_line_on_a_real_terminal_is_for_people() -> None:
    program = (
        "import logging; from edge_fusion.cli import app\n"
        "try: app(['schema', 'alert'])\n"
        "except SystemExit: logging.getLogger('edge_fusion').warning('said')"
    )
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    said = os.read(ours, 1000).decode()
    os.close(ours)
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING said\r\n", said)


def test_a_daemon_names_topic_site_and_device_in_fields(broker: Broker, tmp_path: Path) -> None:
    daemon = Running(tmp_path, broker.port, options=["--log-format", "json"])
    try:
        eventually(daemon.ready, "readiness")
        broker.publish("home/hall/probe", b'{"t": 1000}')
        eventually(lambda: "out_of_range" in daemon.log.read_text(), "a word about it")
    finally:
        daemon.stop()
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    (said,) = [line for line in lines if "out_of_range" in line["message"]]
    found = {key: said[key] for key in ("level", "topic", "site", "device")}
    assert found == {
        "level": "warning", "topic": "home/hall/probe", "site": "hall", "device": "probe"
    }  # fmt: skip
