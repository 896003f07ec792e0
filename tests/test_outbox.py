from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_fusion.errors import StoreCorrupt, StoreFull
from edge_fusion.events import ArrivalTime, Publication
from edge_fusion.kept import Posted, Remembered
from edge_fusion.outbox import IN_MEMORY, Outbox


def publication(number: int, *, telemetry: bool = False) -> Publication:
    return Publication(f"t/{number}", b"x" * 10, telemetry=telemetry)


class Shelf:
    """A store that keeps publications in a dictionary, or takes none."""

    def __init__(self) -> None:
        self.kept: dict[int, Publication] = {}
        self.full = False
        self.broken: StoreCorrupt | None = None

    def load(self, after: int, limit: int) -> list[Posted]:
        if self.full:
            raise StoreFull("full")
        if self.broken is not None:
            raise self.broken
        return [Posted(t, self.kept[t]) for t in sorted(self.kept) if t > after][:limit]

    def save(self, outbox: Outbox) -> None:
        self.kept |= {posted.token: posted.publication for posted in outbox.unsaved()}
        for token in outbox.delivered():
            del self.kept[token]
        outbox.saved()


def outbox(shelf: Shelf, limit: int = 100_000, max_bytes: int = 10**9) -> Outbox:
    return Outbox(limit, max_bytes, shelf.load)


def tokens(given: Sequence[Posted]) -> list[int]:
    return [posted.token for posted in given]


def test_nothing_goes_out_before_it_is_kept() -> None:
    shelf = Shelf()
    box = outbox(shelf)
    box.add(publication(1))
    assert box.next(9) == []
    shelf.save(box)
    assert tokens(box.next(9)) == [1]
    assert box.next(9) == []


def test_what_cannot_be_kept_goes_out_all_the_same() -> None:
    shelf = Shelf()
    box = outbox(shelf)
    for number in range(3):
        box.add(publication(number))
    assert tokens(box.next(2, even_unsaved=True)) == [1, 2]
    assert tokens(box.next(9, even_unsaved=True)) == [3]
    box.settled(2)
    shelf.save(box)
    assert sorted(shelf.kept) == [1, 3]
    assert box.next(9) == []
    box.settled(1)
    shelf.save(box)
    assert sorted(shelf.kept) == [3]


def test_a_long_queue_lies_in_the_store_and_goes_out_in_order() -> None:
    shelf = Shelf()
    box = outbox(shelf)
    count = 3 * IN_MEMORY
    for number in range(count):
        box.add(publication(number))
        shelf.save(box)
    assert len(box._waiting) == IN_MEMORY
    given: list[int] = []
    while found := box.next(100):
        given += tokens(found)
        for posted in found:
            box.settled(posted.token)
    assert given == list(range(1, count + 1))
    assert len(box) == 0


def test_what_an_earlier_run_left_goes_out_first() -> None:
    shelf = Shelf()
    shelf.kept = {7: publication(7), 9: publication(9)}
    box = outbox(shelf)
    box.restore(Remembered(ArrivalTime(0), unsent=2, unsent_bytes=20, last_token=9))
    box.add(publication(10))
    shelf.save(box)
    assert len(box) == 3
    assert tokens(box.next(9)) == [7, 9, 10]


def test_when_it_is_nearly_full_alerts_still_have_room() -> None:
    box = outbox(Shelf(), limit=10)
    assert [box.add(publication(n, telemetry=True)) for n in range(9)] == [True] * 8 + [False]
    assert [box.add(publication(n)) for n in range(3)] == [True, True, False]


def test_bytes_are_bounded_too() -> None:
    box = outbox(Shelf(), max_bytes=25)
    assert [box.add(publication(n)) for n in range(3)] == [True, True, False]
    box.next(1, even_unsaved=True)
    box.settled(1)
    assert box.add(publication(4))


def test_what_a_lost_store_held_in_memory_is_kept_anew() -> None:
    shelf = Shelf()
    box = outbox(shelf)
    for number in range(3):
        box.add(publication(number))
    shelf.save(box)
    assert tokens(box.next(1)) == [1]
    shelf.kept.clear()
    assert box.lost() == 0
    shelf.save(box)
    assert sorted(shelf.kept) == [1, 2, 3]
    assert tokens(box.next(9)) == [2, 3]


def test_what_only_a_broken_store_held_is_counted() -> None:
    shelf = Shelf()
    box = outbox(shelf)
    for number in range(IN_MEMORY + 9):
        box.add(publication(number))
    shelf.save(box)
    shelf.broken = StoreCorrupt("file is not a database")
    assert tokens(box.next(999)) == list(range(1, IN_MEMORY + 1))
    assert box.next(999) == []
    assert str(box.damage) == "file is not a database"
    shelf.kept.clear()
    assert box.lost() == 9
    assert box.damage is None
    assert len(box) == IN_MEMORY


class Queue(RuleBasedStateMachine):
    """Whatever happens, all that was taken goes out once and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf()
        self.box = outbox(self.shelf, limit=50)
        self.taken: list[int] = []
        self.given: list[int] = []
        self.in_flight: list[int] = []

    @rule(telemetry=st.booleans(), many=st.integers(1, 9))
    def add(self, *, telemetry: bool, many: int) -> None:
        for _ in range(many):
            if self.box.add(publication(0, telemetry=telemetry)):
                self.taken.append(self.box._last_token)

    @precondition(lambda self: not self.shelf.full)
    @rule()
    def save(self) -> None:
        self.shelf.save(self.box)

    @rule(full=st.booleans())
    def disk(self, *, full: bool) -> None:
        self.shelf.full = full

    @rule(limit=st.integers(1, 9), even=st.booleans())
    def give(self, *, limit: int, even: bool) -> None:
        found = tokens(self.box.next(limit, even_unsaved=even))
        self.given += found
        self.in_flight += found

    @precondition(lambda self: self.in_flight)
    @rule(place=st.integers(0))
    def settle(self, place: int) -> None:
        token = self.in_flight.pop(place % len(self.in_flight))
        assert self.box.settled(token) is not None
        assert self.box.settled(token) is None

    @invariant()
    def in_order_and_once(self) -> None:
        assert self.given == self.taken[: len(self.given)]
        assert len(self.box) == len(self.taken) - len(self.given) + len(self.in_flight)
        assert self.box._bytes == 10 * len(self.box)


TestQueue = Queue.TestCase
