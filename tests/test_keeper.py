from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import fill
from event_streams import PLAIN

from edge_fusion.alerts.book import AlertBook
from edge_fusion.align.sites import Sites
from edge_fusion.events import (
    ArrivalTime,
    Delivery,
    Message,
    Outcome,
    Publication,
    Shed,
    ShedReason,
)
from edge_fusion.io.store import Store
from edge_fusion.keeper import Keeper
from edge_fusion.outbox import IN_MEMORY, Outbox
from edge_fusion.receipts import Receipts


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(1_800_000_000.0 + seconds)


class Kept:
    """A keeper of nothing but publications, in a file, and what it told."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.store.open()
        self.outbox = Outbox(10_000, 10**9, self.store.outbox)
        self.troubles: list[str | None] = []
        self.outcomes: list[Outcome] = []
        self.acknowledged = 0
        sites = Sites(PLAIN, max_sites=1, max_devices=1)
        book = AlertBook({}, model_sha256="", quantities=(), silent_after=1.0, update_epsilon=0.0)
        self.keeper = Keeper(
            self.store,
            sites,
            book,
            self.outbox,
            Receipts("readings"),
            trouble=self.troubles.append,
            observe=self.outcomes.append,
        )

    def delivery(self, seconds: float) -> Delivery:
        def acknowledge() -> None:
            self.acknowledged += 1

        return Delivery(Message("t", b"", at(seconds), qos=1), acknowledge)

    def post(self, count: int) -> None:
        for number in range(count):
            self.outbox.add(Publication(f"t/{number}", b"x" * 100))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path / "state.db")
    yield made
    made.store.close()


def test_a_store_that_cannot_be_read_is_begun_anew_and_what_it_alone_held_is_counted(
    kept: Kept, tmp_path: Path
) -> None:
    kept.post(IN_MEMORY + 9)
    assert kept.keeper.keep((), at(0)) is None
    kept.store.close()
    with sqlite3.connect(tmp_path / "state.db") as other:
        other.execute("UPDATE outbox SET properties = 'no JSON'")
    other.close()
    assert len(kept.outbox.next(999)) == IN_MEMORY
    assert kept.outbox.next(999) == []
    kept.keeper.keep((), at(1))
    assert kept.outcomes == [Shed(None, ShedReason.STORE_LOST, 9)]
    assert (tmp_path / "state.db.aside-1").exists()
    assert kept.store.open().unsent == IN_MEMORY


def test_when_there_is_room_again_it_says_since_when_nothing_was_acknowledged(
    small_disk: Path,
) -> None:
    kept = Kept(small_disk / "state.db")
    filler = fill(small_disk)
    kept.post(1000)
    assert kept.keeper.keep([kept.delivery(1)], at(1)) is None
    assert kept.keeper.keep([kept.delivery(3)], at(3)) is None
    assert kept.acknowledged == 0
    filler.unlink()
    assert kept.keeper.keep([kept.delivery(99)], at(99)) == at(1)
    assert kept.acknowledged == 3
    assert kept.keeper.keep((), at(100)) is None
    assert kept.troubles[-1] is None
    kept.store.close()
