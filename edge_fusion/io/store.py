"""Store: the journal, the alerts and the outbox in one SQLite file. The only sqlite3.

What one turn of the pipeline changed enters in one transaction (group commit, in write-ahead-log
mode): the inputs that came, the alerts as they stand after them, and what is to be published. So
after any crash the file tells of a moment between two turns.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any, Final

from edge_fusion.errors import StoreCorrupt, StoreError, StoreFull
from edge_fusion.events import ArrivalTime, EventTime, Publication
from edge_fusion.kept import Changes, Entry, Posted, Remembered, SavedTrack

log = logging.getLogger("edge_fusion.store")

APPLICATION_ID: Final = 0x65644675
MIGRATIONS: Final = (
    """
    CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), until REAL NOT NULL);
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,
        line BLOB NOT NULL, picture BLOB);
    CREATE INDEX journal_of_site ON journal (site, seq);
    CREATE TABLE snapshots (site TEXT PRIMARY KEY, state BLOB NOT NULL);
    CREATE TABLE tracks (
        site TEXT NOT NULL, label TEXT NOT NULL, state BLOB NOT NULL,
        PRIMARY KEY (site, label)) WITHOUT ROWID;
    CREATE TABLE outbox (
        token INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL,
        qos INTEGER NOT NULL, retain INTEGER NOT NULL, content_type TEXT NOT NULL,
        properties TEXT NOT NULL, expiry INTEGER, window_end REAL);
    """,
    """
    ALTER TABLE clock ADD COLUMN held_since REAL;
    ALTER TABLE clock ADD COLUMN terms BLOB NOT NULL DEFAULT x'';
    ALTER TABLE clock ADD COLUMN receipts BLOB NOT NULL DEFAULT x'';
    """,
    "ALTER TABLE clock ADD COLUMN away_since REAL;",
)
"""Each brings a file of the version before it to its own: `user_version` is how many were run."""

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
                remembered = self._open()
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
            if self._unread and _is_used(database):
                raise StoreCorrupt("what an earlier run kept could not be read in time")
            self._unread = False
            with database:
                database.execute("BEGIN IMMEDIATE")
                _write(database, changes)
            if changes.complete:
                database.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()

    def outbox(self, after: int, limit: int) -> list[Posted]:
        """The first `limit` publications behind `after` that are still to be delivered."""
        query = "SELECT * FROM outbox WHERE token > ? ORDER BY token LIMIT ?"
        with _translated(self.where):
            rows = self._opened().execute(query, (after, limit)).fetchall()
            with _understood():
                return list(map(_posted, rows))

    def close(self) -> None:
        """Close the file; it may be opened again."""
        database, self._database = self._database, None
        if database is not None:
            try:
                database.close()
            except sqlite3.Error as error:
                log.warning("%s: %s", self.where, error)

    def _open(self) -> Remembered:
        return _remembered(self._opened())

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
            _prepare(database, _SYNCHRONOUS[self._durability])
        except BaseException:
            database.close()
            raise
        return database


def _prepare(database: sqlite3.Connection, synchronous: str) -> None:
    database.row_factory = sqlite3.Row
    # The lock is kept from the first access on; this also keeps the index of the log in memory,
    # so that a store can be read, and a log recovered, on a disk that is full.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    version, ours = _version(database)
    if not ours:
        raise StoreCorrupt("not a store of edge-fusion")
    if version > len(MIGRATIONS):
        raise StoreCorrupt(f"a store of a later version, {version}")
    if version == 0:
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
    database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.execute(f"PRAGMA synchronous = {synchronous}")
    for number in range(version, len(MIGRATIONS)):
        database.executescript(
            f"BEGIN EXCLUSIVE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1};"
            f" PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def _version(database: sqlite3.Connection) -> tuple[int, bool]:
    """The version of a file, 0 of a new one, and whether it is ours."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    is_new = application == 0 and version == 0 and tables == 0
    return version, is_new or application == APPLICATION_ID


def _is_used(database: sqlite3.Connection) -> bool:
    """Whether anything was ever kept."""
    return database.execute("SELECT 1 FROM clock").fetchone() is not None


def _write(database: sqlite3.Connection, changes: Changes) -> None:
    clock = (
        changes.until,
        changes.held_since,
        changes.terms,
        changes.receipts,
        changes.away_since,
    )
    database.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?)", clock)
    if changes.complete:
        database.execute("DELETE FROM journal")
        database.execute("DELETE FROM tracks")
    else:
        rows = (entry for entry in changes.entries if entry.site not in changes.snapshots)
        database.executemany("INSERT INTO journal (site, line, picture) VALUES (?, ?, ?)", rows)
    gone = [(site,) for site in changes.forgotten]
    database.executemany("DELETE FROM journal WHERE site = ?", gone)
    database.executemany("DELETE FROM snapshots WHERE site = ?", gone)
    database.executemany("DELETE FROM tracks WHERE site = ?", gone)
    _write_snapshots(database, changes)
    database.executemany("INSERT OR REPLACE INTO tracks VALUES (?, ?, ?)", changes.tracks)
    database.executemany(
        "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        map(_row, changes.posted),
    )
    tokens = ((token,) for token in changes.delivered)
    database.executemany("DELETE FROM outbox WHERE token = ?", tokens)


def _write_snapshots(database: sqlite3.Connection, changes: Changes) -> None:
    if changes.complete:
        database.execute("DELETE FROM snapshots")
    else:
        sites = ((site,) for site in changes.snapshots)
        database.executemany("DELETE FROM journal WHERE site = ?", sites)
    database.executemany(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?)", changes.snapshots.items()
    )


def _row(posted: Posted) -> tuple[Any, ...]:
    token, publication = posted
    return (
        token,
        publication.topic,
        publication.payload,
        publication.qos,
        publication.retain,
        publication.content_type,
        json.dumps(dict(publication.properties)),
        publication.expiry,
        publication.window_end,
    )


def _posted(row: sqlite3.Row) -> Posted:
    end = row["window_end"]
    publication = Publication(
        row["topic"],
        bytes(row["payload"]),
        row["qos"],
        bool(row["retain"]),
        row["content_type"],
        json.loads(row["properties"]),
        row["expiry"],
        None if end is None else EventTime(end),
    )
    return Posted(row["token"], publication)


def _remembered(database: sqlite3.Connection) -> Remembered:
    clock = database.execute("SELECT * FROM clock").fetchone()
    if clock is None:
        return Remembered()
    unsent, size = database.execute(
        "SELECT count(*), coalesce(sum(length(payload)), 0) FROM outbox"
    ).fetchone()
    last = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    return Remembered(
        until=ArrivalTime(clock["until"]),
        snapshots={
            row["site"]: bytes(row["state"]) for row in database.execute("SELECT * FROM snapshots")
        },
        journal=[
            Entry(row["site"], bytes(row["line"]), row["picture"])
            for row in database.execute("SELECT * FROM journal ORDER BY seq")
        ],
        tracks=[
            SavedTrack(row["site"], row["label"], bytes(row["state"]))
            for row in database.execute("SELECT * FROM tracks")
        ],
        unsent=unsent,
        unsent_bytes=size,
        last_token=last["seq"] if last else 0,
        held_since=clock["held_since"],
        terms=bytes(clock["terms"]),
        receipts=bytes(clock["receipts"]),
        away_since=clock["away_since"],
    )


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
