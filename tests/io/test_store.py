from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from disks import fill
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.errors import StoreCorrupt, StoreError, StoreFull
from edge_fusion.events import ArrivalTime, EventTime, Publication
from edge_fusion.io.store import Durability, Store
from edge_fusion.kept import Changes, Entry, Posted, Remembered, SavedTrack

NOW = ArrivalTime(1_800_000_000.25)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = Store(path)
    made.open()
    yield made
    made.close()


def again(store: Store) -> Remembered:
    """What a new start would find."""
    store.close()
    return store.open()


def publication(number: int) -> Publication:
    return Publication(
        f"ef/hall/event/{number}", b"\x00\xff", 1, retain=True, content_type="image/jpeg",
        properties={"id": "é"}, expiry=5, window_end=EventTime(1.5),
    )  # fmt: skip


def test_a_new_store_remembers_nothing(store: Store) -> None:
    assert again(store) == Remembered()


def test_it_is_for_the_eyes_of_its_owner(path: Path, store: Store) -> None:
    store.save(Changes(NOW, [Entry("hall", b"one")]))
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600}


def test_what_a_turn_changed_comes_back(store: Store) -> None:
    entries = [Entry("hall", b"one"), Entry("attic", b"two", b"picture")]
    tracks = [SavedTrack("hall", "smoke", b"state")]
    posted = [Posted(1, publication(1)), Posted(2, publication(2))]
    store.save(
        Changes(
            NOW, entries, tracks=tracks, posted=posted,
            held_since=ArrivalTime(NOW - 60), terms=b"terms", receipts=b"receipts",
            away_since=ArrivalTime(NOW - 90),
        )
    )  # fmt: skip
    assert again(store) == Remembered(
        NOW,
        {},
        entries,
        tracks,
        2,
        4,
        2,
        ArrivalTime(NOW - 60),
        b"terms",
        b"receipts",
        ArrivalTime(NOW - 90),
    )
    assert store.outbox(0, 9) == posted
    assert store.outbox(1, 9) == posted[1:]
    assert store.outbox(0, 1) == posted[:1]


def test_a_snapshot_stands_for_what_came_before_it(store: Store) -> None:
    store.save(Changes(NOW, [Entry("hall", b"1"), Entry("attic", b"2")]))
    store.save(Changes(NOW, [Entry("hall", b"3"), Entry("attic", b"4")], {"hall": b"snapshot"}))
    store.save(Changes(NOW, [Entry("hall", b"5")]))
    found = again(store)
    assert found.snapshots == {"hall": b"snapshot"}
    assert [entry.line for entry in found.journal] == [b"2", b"4", b"5"]


def test_the_whole_state_stands_for_all_there_was(store: Store) -> None:
    tracks = [SavedTrack("hall", "smoke", b"1"), SavedTrack("hall", "gone", b"2")]
    store.save(Changes(NOW, [Entry("gone", b"1")], {"old": b"0"}, tracks=tracks))
    store.save(Changes(NOW, (), {"hall": b"3"}, complete=True, tracks=tracks[:1]))
    assert again(store) == Remembered(NOW, {"hall": b"3"}, [], tracks[:1])


def test_what_the_broker_has_is_kept_no_longer_and_its_number_not_given_again(
    store: Store,
) -> None:
    store.save(Changes(NOW, posted=[Posted(1, publication(1)), Posted(2, publication(2))]))
    store.save(Changes(NOW, delivered=[1, 2]))
    found = again(store)
    assert (found.unsent, found.unsent_bytes, found.last_token) == (0, 0, 2)


@given(st.binary(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_bytes_and_words_come_back(data: bytes, text: str, until: float) -> None:
    text = text.encode("utf-8", "ignore").decode()
    store = Store(Path("unused"), Durability.NONE)
    store.open()
    posted = Posted(1, Publication("t", data, properties={text: text}))
    changes = Changes(ArrivalTime(until), [Entry("s", data, data)], {"t": data}, posted=[posted])
    store.save(changes)
    assert store.outbox(0, 1) == [posted]
    store.close()


def test_a_transaction_that_fails_changes_nothing(store: Store) -> None:
    store.save(Changes(NOW, [Entry("hall", b"1")]))
    with pytest.raises(StoreError):
        store.save(Changes(NOW, [Entry("hall", b"2"), Entry("hall", None)]))  # type: ignore[arg-type]
    assert [entry.line for entry in again(store).journal] == [b"1"]


def test_memory_only_makes_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db", Durability.NONE)
    store.open()
    store.save(Changes(NOW, [Entry("hall", b"1")]))
    assert not store.durable
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("durability", "level"), [(Durability.POWER_LOSS, 2), (Durability.CRASH, 1)]
)
def test_how_durable_it_is(path: Path, durability: Durability, level: int) -> None:
    store = Store(path, durability)
    store.open()
    assert store._database is not None
    assert store._database.execute("PRAGMA synchronous").fetchone()[0] == level
    assert store._database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from edge_fusion.events import ArrivalTime
from edge_fusion.io.store import Store
from edge_fusion.kept import Changes, Entry
store = Store(Path(sys.argv[1]))
store.open()
for number in range(10 ** 9):
    store.save(Changes(ArrivalTime(number), [Entry("hall", b"%d" % number)] * 3))
    os.write(1, b"%d\\n" % number)
"""


def test_after_a_kill_every_turn_is_there_whole_or_not_at_all(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(50)]
        writer.kill()
        said += map(int, writer.stdout.read().split())
    store = Store(path)
    found = store.open()
    store.close()
    lines = [int(entry.line) for entry in found.journal]
    turns = len(lines) // 3
    assert turns >= len(said)
    assert lines == [number for number in range(turns) for _ in range(3)]
    assert found.until == ArrivalTime(turns - 1)


# What stands in its place


def aside(path: Path) -> Path:
    return path.with_name("state.db.aside-1")


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"rubbish" * 999, b"words" * 999])
def test_a_file_that_is_no_database_is_moved_aside(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = Store(path)
    assert store.open() == Remembered()
    store.save(Changes(NOW))
    assert again(store).until == NOW
    store.close()
    assert aside(path).read_bytes() == content
    assert [r.getMessage() for r in caplog.records] == [
        f"{path}: file is not a database: begun anew, the old file is now {aside(path)}"
    ]


def test_a_damaged_store_is_moved_aside_with_its_log(path: Path, store: Store) -> None:
    for number in range(200):
        store.save(Changes(NOW, [Entry("hall", os.urandom(500))], {f"{number}": b"x" * 500}))
    store.close()
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    assert store.open() == Remembered()
    store.save(Changes(NOW))
    assert aside(path).exists()


def test_a_store_damaged_while_it_is_used_can_be_begun_anew(path: Path, store: Store) -> None:
    store.save(Changes(NOW, [Entry("hall", b"1")]))
    assert store.begin_anew() == aside(path)
    store.save(Changes(NOW, [Entry("hall", b"2")]))
    assert [entry.line for entry in again(store).journal] == [b"2"]


def test_what_is_moved_aside_does_not_fill_a_dying_disk(path: Path) -> None:
    path.parent.mkdir()
    for number in range(12):
        path.write_bytes(b"words %d" % number * 99)
        Store(path).begin_anew()
    kept = sorted(path.parent.iterdir())
    assert len(kept) == 9
    assert [kept[place].read_bytes()[:8] for place in (0, -1)] == [b"words 0w", b"words 11"]


def test_two_programs_cannot_have_one_store(path: Path, store: Store) -> None:
    store.save(Changes(NOW))
    with pytest.raises(StoreError, match="another program uses it"):
        Store(path).open()


def test_a_place_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        Store(tmp_path / "file" / "state.db").open()


def test_a_store_that_could_not_be_read_at_first_is_moved_aside_and_not_written_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Store(path)
    old.open()
    old.save(Changes(NOW, posted=[Posted(1, publication(1))]))
    old.close()
    store = Store(path)
    with monkeypatch.context() as broken:
        broken.setattr(sqlite3, "connect", Mock(side_effect=sqlite3.OperationalError("I/O error")))
        with pytest.raises(StoreFull, match="I/O error"):
            store.open()
    with pytest.raises(StoreCorrupt, match="could not be read in time"):
        store.save(Changes(NOW, posted=[Posted(1, publication(2))]))
    assert store.begin_anew() == aside(path)
    store.save(Changes(NOW, posted=[Posted(1, publication(2))]))
    assert store.outbox(0, 9) == [Posted(1, publication(2))]
    store.close()
    found = Store(aside(path))
    assert found.open().unsent == 1
    found.close()


# A disk that is full


def test_a_full_disk_is_said_and_harms_nothing(small_disk: Path) -> None:
    store = Store(small_disk / "state.db")
    store.open()
    store.save(Changes(NOW, [Entry("hall", b"kept")]))
    filler = fill(small_disk)
    with pytest.raises(StoreFull):
        store.save(Changes(NOW, [Entry("hall", b"x" * 100_000)]))
    filler.unlink()
    store.save(Changes(NOW, [Entry("hall", b"again")]))
    assert [entry.line for entry in again(store).journal] == [b"kept", b"again"]
    store.close()


def test_a_store_can_be_read_on_a_disk_that_is_full(small_disk: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(small_disk / "state.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
    fill(small_disk)
    store = Store(small_disk / "state.db")
    assert len(store.open().journal) >= 20
    store.close()


def test_a_store_begun_on_a_full_disk_begins_when_there_is_room(small_disk: Path) -> None:
    filler = fill(small_disk)
    store = Store(small_disk / "state.db")
    with pytest.raises(StoreFull):
        store.open()
    filler.unlink()
    store.save(Changes(NOW, [Entry("hall", b"1")]))
    assert [entry.line for entry in again(store).journal] == [b"1"]
    store.close()


def test_of_a_site_that_is_forgotten_nothing_is_kept(store: Store) -> None:
    tracks = [SavedTrack("hall", "smoke", b"1"), SavedTrack("attic", "smoke", b"2")]
    entries = [Entry("hall", b"3"), Entry("attic", b"4")]
    store.save(Changes(NOW, (), {"hall": b"0"}, tracks=tracks))
    store.save(Changes(NOW, entries))
    store.save(Changes(NOW, forgotten=["hall"]))
    assert again(store) == Remembered(NOW, {}, entries[1:], tracks[1:])


def test_a_site_that_came_back_as_it_was_forgotten_is_kept_anew(store: Store) -> None:
    old, new = SavedTrack("hall", "smoke", b"1"), SavedTrack("hall", "smoke", b"2")
    store.save(Changes(NOW, [Entry("hall", b"3")], tracks=[old]))
    store.save(Changes(NOW, (), {"hall": b"4"}, tracks=[new], forgotten=["hall"]))
    assert again(store) == Remembered(NOW, {"hall": b"4"}, [], [new])


# What is damaged, though SQLite can read it


def spoilt(store: Store, path: Path, statement: str) -> None:
    """Another program has changed the file by this."""
    store.close()
    with sqlite3.connect(path) as other:
        other.execute(statement)
    other.close()


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE clock", "DROP TABLE outbox", "UPDATE snapshots SET state = 'words'"],
)
def test_a_store_that_is_not_as_it_was_written_is_moved_aside(
    path: Path, store: Store, statement: str
) -> None:
    store.save(Changes(NOW, (), {"hall": b"state"}, posted=[Posted(1, publication(1))]))
    spoilt(store, path, statement)
    assert store.open() == Remembered()
    assert aside(path).exists()


def test_a_publication_that_is_not_as_it_was_written_is_said(path: Path, store: Store) -> None:
    store.save(Changes(NOW, posted=[Posted(1, publication(1))]))
    spoilt(store, path, "UPDATE outbox SET properties = 'no JSON'")
    with pytest.raises(StoreCorrupt, match="nobody wrote"):
        store.outbox(0, 9)
