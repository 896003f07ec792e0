"""A store is known by the header of its file, while a daemon has it open or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_fusion.events import ArrivalTime
from edge_fusion.io.schema import APPLICATION_ID, MIGRATIONS
from edge_fusion.io.store import Store
from edge_fusion.io.store_file import fault_of_store
from edge_fusion.kept import Changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = Store(path)
    made.open()
    made.save(Changes(ArrivalTime(1.0)))
    yield made
    made.close()


def test_a_store_is_one_while_it_is_used_and_after(store: Store, path: Path) -> None:
    assert fault_of_store(path) is None
    store.close()
    assert fault_of_store(path) is None


def test_an_empty_file_is_as_good_as_none(path: Path) -> None:
    path.touch()
    assert fault_of_store(path) is None


def test_rubbish_is_no_store(path: Path) -> None:
    for content in (b"rubbish" * 100, b"SQLite format 3\0"):
        path.write_bytes(content)
        assert fault_of_store(path) == "not an SQLite file"


def test_the_database_of_another_program_is_no_store(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 7")
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    assert fault_of_store(path) == "not a store of edge-fusion"


def test_a_store_of_a_later_version_is_known_as_that(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    assert fault_of_store(path) == f"a store of a later version, {len(MIGRATIONS) + 1}"


def test_what_is_not_there_or_cannot_be_read_is_an_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fault_of_store(path)
