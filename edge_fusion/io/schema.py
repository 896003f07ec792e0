"""Schema: the tables of the store, and how a file of an earlier version is brought to this one.

A new version is one more string at the end of `MIGRATIONS`; those before it are never changed,
since there are files that were made by them.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from edge_fusion.errors import StoreCorrupt

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


def prepare(database: sqlite3.Connection, synchronous: str) -> None:
    """Make a file that was just opened ready for use, with all tables of this version.

    `synchronous` is that of SQLite. Raises StoreCorrupt for a file that is not ours, or of a
    later version, and sqlite3.Error.
    """
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
