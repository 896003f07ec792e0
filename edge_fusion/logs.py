"""What a line of the log looks like, for people, for machines and for the journal."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_JOURNAL_TEXT = "%(name)s: %(message)s"  # the journal has time and level of its own

# Severities of syslog, from which the journal takes a line's priority.
_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG_PRIORITY: Final = 7


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
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
    """Send the log to `stream` (standard error); `journal` puts `<N>` before each line."""
    handler = logging.StreamHandler(stream or sys.stderr)
    inner: logging.Formatter = (
        _JsonFormatter()
        if form is LogFormat.JSON
        else _TextFormatter(_JOURNAL_TEXT if journal else _TEXT)
    )
    handler.setFormatter(_JournalFormatter(inner) if journal else inner)
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)


def _visible(text: str) -> str:
    r"""`text` with what cannot be seen written as Python would: `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


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


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False)
        return text if text.isprintable() else json.dumps(line)


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
