"""Tables: what is kept (kept.py) as rows of the store, and back.

Whoever calls has a transaction open, and takes care of errors: TypeError and ValueError mean rows
that nobody here wrote.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from edge_fusion.events import ArrivalTime, EventTime, Publication
from edge_fusion.kept import Changes, Entry, Posted, Remembered, SavedTrack


def is_used(database: sqlite3.Connection) -> bool:
    """Whether anything was ever kept."""
    return database.execute("SELECT 1 FROM clock").fetchone() is not None


def write(database: sqlite3.Connection, changes: Changes) -> None:
    """Bring the tables to what is to be kept after `changes`."""
    _write_clock(database, changes)
    _write_sites(database, changes)
    _write_outbox(database, changes)


def _write_clock(database: sqlite3.Connection, changes: Changes) -> None:
    database.execute(
        "INSERT OR REPLACE INTO clock (only, until, held_since, terms, receipts, away_since)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (
            changes.until,
            changes.held_since,
            changes.terms,
            changes.receipts,
            changes.away_since,
        ),
    )


def _write_sites(database: sqlite3.Connection, changes: Changes) -> None:
    if changes.complete:
        database.execute("DELETE FROM journal")
        database.execute("DELETE FROM snapshots")
        database.execute("DELETE FROM tracks")
    else:
        database.executemany(
            "INSERT INTO journal (site, line, picture) VALUES (?, ?, ?)", changes.entries
        )
    gone = [(site,) for site in changes.forgotten]
    database.executemany("DELETE FROM journal WHERE site = ?", gone)
    database.executemany("DELETE FROM snapshots WHERE site = ?", gone)
    database.executemany("DELETE FROM tracks WHERE site = ?", gone)
    sites = ((site,) for site in changes.snapshots)
    database.executemany("DELETE FROM journal WHERE site = ?", sites)
    database.executemany(
        "INSERT OR REPLACE INTO snapshots (site, state) VALUES (?, ?)", changes.snapshots.items()
    )
    database.executemany(
        "INSERT OR REPLACE INTO tracks (site, label, state) VALUES (?, ?, ?)", changes.tracks
    )


def _write_outbox(database: sqlite3.Connection, changes: Changes) -> None:
    # Some may be there: a commit that was said to have failed need not have.
    database.executemany(
        "INSERT OR IGNORE INTO outbox (token, topic, payload, qos, retain, content_type,"
        " properties, expiry, window_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        map(_row, changes.posted),
    )
    tokens = ((token,) for token in changes.delivered)
    database.executemany("DELETE FROM outbox WHERE token = ?", tokens)


def outbox(database: sqlite3.Connection, after: int, limit: int) -> list[Posted]:
    """The first `limit` publications behind the token `after`."""
    query = "SELECT * FROM outbox WHERE token > ? ORDER BY token LIMIT ?"
    return list(map(_posted, database.execute(query, (after, limit))))


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


def remembered(database: sqlite3.Connection) -> Remembered:
    """All that is kept but the publications themselves (`outbox`)."""
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
