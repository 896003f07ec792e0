"""Folding: of a line that is said again and again the log has the first few, then how often."""

from __future__ import annotations

import copy
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TextIO

INTERVAL: Final = 60.0
BURST: Final = 10
"""So often a line is written in so many seconds; what is done ten times by hand is no flood."""

REMEMBERED: Final = 256
"""Lines that are remembered; beyond that the one that was said first is told and forgotten."""

Key = tuple[str, int, str]


@dataclass(slots=True)
class _Said:
    record: logging.LogRecord
    since: float
    written: int
    again: int = 0


class Folding:
    """Decides what becomes of each record; the time is that of the records themselves.

    A line is the same if logger, level and text are. What is for debugging is never folded.
    """

    def __init__(self) -> None:
        self._said: OrderedDict[Key, _Said] = OrderedDict()

    def take(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """What to write now that `record` has come: how often others were said, and this one."""
        if record.levelno <= logging.DEBUG:
            return [record]
        key = (record.name, record.levelno, record.getMessage())
        known = self._said.get(key)
        if known is not None and known.written >= BURST:
            known.again += 1
            known.record = record
            return self._over(record.created)
        told = self._over(record.created)
        self._said.setdefault(key, _Said(record, record.created, 0)).written += 1
        if len(self._said) > REMEMBERED:
            told += _summary(self._said.popitem(last=False)[1])
        return [*told, record]

    def rest(self) -> list[logging.LogRecord]:
        """What is still to be told at the end."""
        told = [line for said in self._said.values() for line in _summary(said)]
        self._said.clear()
        return told

    def _over(self, now: float) -> list[logging.LogRecord]:
        """The lines whose interval is over; a flood that goes on is told once an interval."""
        told: list[logging.LogRecord] = []
        while self._said:
            key, said = next(iter(self._said.items()))
            # Also when the wall clock was set back.
            if 0 <= now - said.since < INTERVAL:
                break
            del self._said[key]
            if said.again:
                told += _summary(said)
                self._said[key] = _Said(said.record, now, BURST)
        return told


def _summary(said: _Said) -> list[logging.LogRecord]:
    """The line once more, with how often it was said since it was last written."""
    if not said.again:
        return []
    line = copy.copy(said.record)
    times = "once" if said.again == 1 else f"{said.again} times"
    line.msg, line.args = f"{line.getMessage()} … said {times} more", None
    line.exc_info = line.exc_text = None
    line.repeated = said.again
    return [line]


class FoldingHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream what is left when floods are folded."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._folding = Folding()

    def emit(self, record: logging.LogRecord) -> None:
        for line in self._folding.take(record):
            super().emit(line)

    def close(self) -> None:
        self.acquire()
        try:
            for line in self._folding.rest():
                super().emit(line)
        finally:
            self.release()
        super().close()
