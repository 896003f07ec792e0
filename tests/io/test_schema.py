from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_fusion.events import ArrivalTime
from edge_fusion.io import schema
from edge_fusion.io.store import Store
from edge_fusion.kept import Changes, Entry, Remembered

NOW = ArrivalTime(1_800_000_000.25)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def make(path: Path) -> None:
    store = Store(path)
    store.open()
    store.save(Changes(NOW, [Entry("hall", b"1")]))
    store.close()


def version(path: Path) -> int:
    database = sqlite3.connect(path)
    (number,) = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return int(number)


def test_a_new_store_is_of_this_version(path: Path) -> None:
    make(path)
    assert version(path) == len(schema.MIGRATIONS)


def test_a_store_of_the_first_version_is_brought_to_this_one(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(
        f"{schema.MIGRATIONS[0]} PRAGMA user_version = 1;"
        f"PRAGMA application_id = {schema.APPLICATION_ID};"
    )
    old.execute("INSERT INTO clock VALUES (1, ?)", (NOW,))
    old.execute("INSERT INTO journal VALUES (1, 'hall', x'31', NULL)")
    old.execute("INSERT INTO snapshots VALUES ('hall', x'32')")
    old.execute("INSERT INTO outbox VALUES (7, 't', x'33', 1, 0, '', '{}', NULL, NULL)")
    old.commit()
    old.close()
    store = Store(path)
    assert store.open() == Remembered(
        NOW, {"hall": b"2"}, [Entry("hall", b"1")], [], unsent=1, unsent_bytes=1, last_token=7
    )
    store.save(Changes(NOW, receipts=b"receipts"))
    store.close()
    assert version(path) == len(schema.MIGRATIONS)


def test_what_was_kept_outlives_a_migration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(path)
    added = "ALTER TABLE journal ADD COLUMN note TEXT DEFAULT 'added';"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, added))
    store = Store(path)
    assert [entry.line for entry in store.open().journal] == [b"1"]
    store.save(Changes(NOW, [Entry("hall", b"2")]))
    store.close()
    assert version(path) == len(schema.MIGRATIONS)
    database = sqlite3.connect(path)
    assert database.execute("SELECT note FROM journal").fetchall() == [("added",), ("added",)]
    database.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(path)
    before = version(path)
    with monkeypatch.context() as broken:
        bad = "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);"
        broken.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, bad))
        database = sqlite3.connect(path)
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            schema.prepare(database, "FULL")
        database.close()
    assert version(path) == before
    store = Store(path)
    assert [entry.line for entry in store.open().journal] == [b"1"]
    store.close()


def test_a_store_of_a_later_version_is_moved_aside(path: Path) -> None:
    make(path)
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    store = Store(path)
    assert store.open() == Remembered()
    store.close()
    assert version(path.with_name("state.db.aside-1")) == 99


def test_a_database_of_another_program_is_moved_aside(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    store = Store(path)
    assert store.open() == Remembered()
    store.close()
    moved = sqlite3.connect(path.with_name("state.db.aside-1"))
    assert moved.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    moved.close()
