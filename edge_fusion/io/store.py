"""Store: the journal, the alerts and the outbox in one SQLite file (schema.py, tables.py).

What one turn of the pipeline changed enters in one transaction (group commit, in write-ahead-log
mode): the inputs that came, the alerts as they stand after them, and what is to be published. So
after any crash the file tells of a moment between two turns.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Final

from edge_fusion.errors import StoreCorrupt, StoreError, StoreFull
from edge_fusion.io import schema, tables
from edge_fusion.kept import Changes, Posted, Remembered

log = logging.getLogger("edge_fusion.store")

# SQLITE_ERROR: no such table, say, in a file that says that it is ours.
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_MOST_ASIDE: Final = 9
"""Files moved aside, of which the last is replaced from then on: a dying disk must not fill up."""
_COMPANIONS: Final = ("", "-wal", "-shm", "-journal")
_OWNER_ONLY: Final = 0o600
"""There are pictures of people's rooms in it; SQLite gives its other files the same mode."""
_PRIMARY: Final = 0xFF
_VACUUM_PAGES: Final = 256


class Durability(Enum):
    """What the store survives: a power cut, a crash of the program, or neither (memory)."""

    POWER_LOSS = "power-loss"
    CRASH = "crash"
    NONE = "none"


_SYNCHRONOUS: Final = {
    Durability.POWER_LOSS: "FULL",
    Durability.CRASH: "NORMAL",
    Durability.NONE: "OFF",
}


class Store:
    """One SQLite file, for one program at a time; with `Durability.NONE`, memory.

    Made by one thread and used by one, which may be another.
    """

    def __init__(self, path: Path, durability: Durability = Durability.POWER_LOSS) -> None:
        self._path = path
        self._durability = durability
        self._database: sqlite3.Connection | None = None
        self._unread = False
        """Whether it could not be opened at first, so that nobody knows what is in it."""

    @property
    def durable(self) -> bool:
        """Whether anything outlives the program."""
        return self._durability is not Durability.NONE

    @property
    def where(self) -> str:
        """What holds it, for people."""
        return "memory" if self._durability is Durability.NONE else str(self._path)

    def open(self) -> Remembered:
        """Open the file, or make it, and read what was kept.

        What is no store of ours, or damaged, is moved aside, and a new one begun. Raises
        StoreFull when there is no room to begin one (`save` will try again), and StoreError when
        the place cannot be written or another program uses it.
        """
        self._unread = True
        try:
            with _translated(self.where), _understood():
                remembered = tables.remembered(self._opened())
        except StoreCorrupt as error:
            aside = self.begin_anew()
            log.error("%s: begun anew, the old file is now %s", error, aside)  # noqa: TRY400
            remembered = Remembered()
        self._unread = False
        return remembered

    def begin_anew(self) -> Path:
        """Move the file aside, under a name that is returned; the next `save` makes a new one.

        Raises StoreError when it cannot be moved.
        """
        self.close()
        self._unread = False
        with _translated(self.where):
            return self._move_aside()

    def _move_aside(self) -> Path:
        number = 1
        while (aside := self._beside(f".aside-{number}")).exists() and number < _MOST_ASIDE:
            number += 1
        for companion in _COMPANIONS:
            old, new = self._beside(companion), self._beside(f".aside-{number}{companion}")
            if old.exists():
                old.replace(new)
            else:
                new.unlink(missing_ok=True)
        return aside

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def save(self, changes: Changes) -> None:
        """Keep the changes of one turn, whole or not at all.

        Raises StoreFull when the disk does not take them now, and StoreCorrupt when `begin_anew`
        is called for: the file is damaged, or holds what `open` could not read.
        """
        with _translated(self.where):
            database = self._opened()
            if self._unread and tables.is_used(database):
                raise StoreCorrupt("what an earlier run kept could not be read in time")
            self._unread = False
            with database:
                database.execute("BEGIN IMMEDIATE")
                tables.write(database, changes)
            if changes.complete:
                database.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()

    def outbox(self, after: int, limit: int) -> list[Posted]:
        """The first `limit` publications behind `after` that are still to be delivered."""
        with _translated(self.where), _understood():
            return tables.outbox(self._opened(), after, limit)

    def close(self) -> None:
        """Close the file; it may be opened again."""
        database, self._database = self._database, None
        if database is not None:
            try:
                database.close()
            except sqlite3.Error as error:
                log.warning("%s: %s", self.where, error)

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = self._connect()
        return self._database

    def _connect(self) -> sqlite3.Connection:
        in_memory = self._durability is Durability.NONE
        if not in_memory:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            with suppress(OSError):  # SQLite will say why
                self._path.touch(_OWNER_ONLY)
        database = sqlite3.connect(
            ":memory:" if in_memory else self._path,
            isolation_level=None,
            check_same_thread=False,
            timeout=1.0,
        )
        try:
            schema.prepare(database, _SYNCHRONOUS[self._durability])
        except BaseException:
            database.close()
            raise
        return database


@contextmanager
def _understood() -> Iterator[None]:
    """Rows that are not as they were written."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise StoreCorrupt(f"it holds what nobody wrote: {error}") from None


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Errors of SQLite and of the file system as ours."""
    try:
        yield
    except StoreCorrupt as error:
        raise StoreCorrupt(f"{where}: {error}") from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _BROKEN:
            raise StoreCorrupt(f"{where}: {error}") from None
        if code in _LOCKED:
            raise StoreError(f"{where}: another program uses it") from None
        raise StoreFull(f"{where}: {error}") from None
    except OSError as error:
        raise StoreError(f"{where}: {error.strerror or error}") from None
