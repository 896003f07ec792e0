"""What a line of the log looks like, for people, for machines and for the journal."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

from edge_fusion.folding import FoldingHandler

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TERMINAL_TEXT = "%(asctime)s %(levelname)-7s %(message)s"
_JOURNAL_TEXT = "%(message)s"  # the journal has time and level of its own
_TIME_OF_DAY = "%H:%M:%S"

SUBJECT: Final = ("topic", "site", "device", "camera", "label")
"""What a line may be about, as its text says too: keys of `extra`, fields of JSON and logfmt."""

# Severities of syslog, from which the journal takes a line's priority.
_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG_PRIORITY: Final = 7


class LogFormat(StrEnum):
    """How a line of the log is written; AUTO: as text, with what the place does not add itself."""

    AUTO = "auto"
    TEXT = "text"
    LOGFMT = "logfmt"
    JSON = "json"


class LogLevel(StrEnum):
    """From which severity on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def set_up_logging(
    level: LogLevel, form: LogFormat, *, journal: bool, stream: TextIO | None = None
) -> None:
    """Send the log to `stream` (standard error); `journal` puts `<N>` before each line.

    A line that is said again within a minute is counted, and not written.
    """
    stream = stream or sys.stderr
    handler = FoldingHandler(stream)
    inner = _formatter(form, journal=journal, terminal=stream.isatty())
    handler.setFormatter(_JournalFormatter(inner) if journal else inner)
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether what is written to `stream` goes to the journal.

    `$JOURNAL_STREAM` alone does not say so (systemd.exec(5)): whatever a service starts has it
    too, such as a shell, whose output may go elsewhere.
    """
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _formatter(form: LogFormat, *, journal: bool, terminal: bool) -> logging.Formatter:
    match form:
        case LogFormat.JSON:
            return _JsonFormatter()
        case LogFormat.LOGFMT:
            return _LogfmtFormatter()
        case LogFormat.AUTO if journal:
            return _TextFormatter(_JOURNAL_TEXT)
        case LogFormat.AUTO if terminal:
            return _TextFormatter(_TERMINAL_TEXT, _TIME_OF_DAY)
        case _:
            return _TextFormatter(_TEXT)


def _visible(text: str) -> str:
    r"""`text` with what cannot be seen written as Python would: `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _subject(record: logging.LogRecord) -> dict[str, str]:
    """What a line is about, in the order in which it is named."""
    found = ((key, getattr(record, key, None)) for key in SUBJECT)
    return {key: str(value) for key, value in found if value is not None}


class _TextFormatter(logging.Formatter):
    """One line a record, whatever devices call themselves; what follows it, a traceback, is set in.

    So nobody on the network can write a line that looks like ours, or turn a terminal upside down.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - inherited
        record.message = _visible(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - inherited
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_visible(line)}" for line in lines)


class _FieldFormatter(logging.Formatter):
    """A record as fields with names."""

    def fields(self, record: logging.LogRecord) -> dict[str, str | int]:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, str | int] = {
            "time": when,
            "level": record.levelname.lower(),
            "logger": record.name,
            **_subject(record),
            "message": record.getMessage(),
        }
        if (repeated := getattr(record, "repeated", None)) is not None:
            fields["repeated"] = repeated
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return fields


class _JsonFormatter(_FieldFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line = self.fields(record)
        text = json.dumps(line, ensure_ascii=False)
        return text if text.isprintable() else json.dumps(line)


class _LogfmtFormatter(_FieldFormatter):
    """key=value pairs, as Prometheus and Loki write and read them; quoted as in JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_logfmt(str(v))}" for key, v in self.fields(record).items())


def _logfmt(text: str) -> str:
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=\\')
    if text and plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else json.dumps(text)


class _JournalFormatter(logging.Formatter):
    """Each line of a traceback is an entry of its own there, so each needs the priority."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        priority = next(
            (number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG_PRIORITY
        )
        lines = self._inner.format(record).splitlines()
        return "\n".join(f"<{priority}>{line}" for line in lines)
