"""What is kept when, and acknowledged when; with real sites, alerts, outbox and store."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
from disks import fill

from edge_fusion import keeper as module
from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.rules import Rule
from edge_fusion.align.alignment import Alignment
from edge_fusion.align.archive import HEAD
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import Tumbling, assigner
from edge_fusion.errors import StoreCorrupt, StoreError, StoreFull
from edge_fusion.events import (
    AlertChange,
    ArrivalTime,
    CatchUp,
    ClosedBy,
    Delivery,
    EventTime,
    Frame,
    Input,
    Message,
    Outcome,
    Pane,
    Publication,
    Reading,
    Row,
    Scores,
    Severity,
    Shed,
    ShedReason,
    TimeSource,
    Timing,
    Window,
)
from edge_fusion.io.store import Store
from edge_fusion.keeper import LAZY, Keeper
from edge_fusion.kept import Changes, Posted, Remembered
from edge_fusion.mailbox import Connected
from edge_fusion.outbox import IN_MEMORY, Outbox
from edge_fusion.receipts import Receipts
from edge_fusion.trouble import LONGEST_RETRY, RETRY

ORIGIN = 1_800_000_000.0
ALIGNMENT = Alignment(
    Tumbling(10.0), 2.0, 30.0, 30.0, 5.0, 5.0, carry=900.0, max_readings=100, max_frames=8
)


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(ORIGIN + seconds)


def reading(when: float, site: str = "hall", device: str = "probe") -> Reading:
    return Reading(
        site, device, "temperature", 20.0 + when, EventTime(at(when)), at(when), TimeSource.DEVICE
    )


def frame(when: float, *, durable: bool = False) -> Frame:
    return Frame("hall", "cam", b"picture", EventTime(at(when)), at(when), durable=durable)


class Disk:
    """A store on a disk that can be made to fail, and the saves that were tried on it."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.error: StoreError | None = None
        self.for_good = False
        """Whether a new file does not help."""
        self.immovable = False
        self.saves: list[Changes] = []
        self.durable = True

    def save(self, changes: Changes) -> None:
        self.saves.append(changes)
        if self.error is not None:
            raise self.error
        self.store.save(changes)

    def begin_anew(self) -> Path:
        if self.immovable:
            raise StoreError("state.db: permission denied")
        self.error = self.error if self.for_good else None
        return self.store.begin_anew()

    def outbox(self, after: int, limit: int) -> list[Posted]:
        if isinstance(self.error, StoreCorrupt):
            raise self.error
        return self.store.outbox(after, limit)


@dataclass
class Life:
    """A program from its start to its end, as far as it keeps anything."""

    path: Path
    alignment: Alignment = ALIGNMENT
    rules: tuple[str, ...] = ("hot",)
    acknowledged: list[bytes] = field(default_factory=list)
    troubles: list[str | None] = field(default_factory=list)
    observed: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.disk = Disk(self.path)
        self.sites = Sites(self.alignment, max_sites=8, max_devices=8)
        self.book = book(*self.rules)
        self.outbox = Outbox(1000, 10**6, self.disk.outbox)
        self.receipts = Receipts("readings")
        self.keeper = Keeper(
            self.disk,
            self.sites,
            self.book,
            self.outbox,
            self.receipts,
            trouble=self.troubles.append,
            observe=self.observed.append,
        )
        self.found = self.disk.store.open()
        self.outcomes, self.changes = self.keeper.remember(self.found, at(0))
        self.turn(0.0)

    def turn(self, until: float, *inputs: Input, came: Sequence[Delivery] = ()) -> list[Outcome]:
        self.keeper.note(inputs)
        outcomes = self.sites.feed(inputs) + self.sites.advance(at(until))
        self.keeper.keep(came, at(until))
        return outcomes

    def came(
        self,
        payload: bytes,
        *,
        session: int = 0,
        packet: int = 1,
        again: bool = False,
        qos: int = 1,
    ) -> Delivery:
        message = Message("home/hall/probe", payload, at(0), qos=qos)
        ack: Callable[[], None] = lambda: self.acknowledged.append(payload)  # noqa: E731
        return Delivery(message, ack, "readings", session, packet, again)

    def alert(self, when: float) -> list[AlertChange]:
        """A window that makes the rules fire."""
        window = Window(EventTime(at(when - 10)), EventTime(at(when)))
        pane = Pane("hall", window, 0, Timing.ON_TIME, ClosedBy.WATERMARK, at(when), ())
        return self.book.take(Scores(pane, (Row(None, (), {"hot": 0.9}),)))

    def again(self, alignment: Alignment | None = None, *rules: str) -> Life:
        """Another life, that finds what this one kept."""
        self.disk.store.close()
        return Life(self.path, alignment or self.alignment, rules or self.rules)


def book(*labels: str) -> AlertBook:
    rules = {label: Rule(label, 0.6, 0.4, 1, 5.0, Severity.WARNING) for label in labels}
    return AlertBook(rules, model_sha256="ab", quantities=(), silent_after=60.0)


def panes(outcomes: Sequence[Outcome]) -> list[tuple[float, int, int]]:
    """Start, revision and number of events of each pane."""
    return [
        (each.window.start - ORIGIN, each.index, len(each.events))
        for each in outcomes
        if isinstance(each, Pane)
    ]


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path / "state.db")


# What is acknowledged when


def test_what_came_is_acknowledged_once_it_is_kept(life: Life) -> None:
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    assert life.acknowledged == [b"1"]
    assert [entry.site for entry in life.again().found.journal] == ["hall"]


def test_what_there_is_nothing_to_keep_of_is_acknowledged_too(life: Life) -> None:
    saves = len(life.disk.saves)
    life.turn(1.0, came=[life.came(b"no reading")])
    assert life.acknowledged == [b"no reading"]
    assert len(life.disk.saves) == saves


def test_nobody_is_owed_an_acknowledgement_of_qos_0(life: Life) -> None:
    life.turn(1.0, reading(1.0), came=[life.came(b"1", qos=0)])
    assert life.acknowledged == []


def test_nothing_is_acknowledged_that_could_not_be_kept(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    life.turn(1.5, reading(1.5), came=[life.came(b"2", packet=2)])
    assert life.acknowledged == []
    assert len(life.receipts) == 2
    life.disk.error = None
    life.turn(1.0 + RETRY)
    assert life.acknowledged == [b"1", b"2"]


def test_what_a_lost_connection_was_owed_is_owed_no_more(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    life.keeper.hear(Connected("frames", session_present=False, protocol="5"))
    assert len(life.receipts) == 1
    life.keeper.hear(Connected("readings", session_present=True, protocol="5"))
    assert len(life.receipts) == 0


# What comes again


def test_what_comes_again_is_known_before_and_after_a_restart(life: Life) -> None:
    assert life.keeper.take(life.came(b"1"))
    assert not life.keeper.take(life.came(b"1", again=True))
    life.turn(1.0, reading(1.0))
    later = life.again()
    assert not later.keeper.take(later.came(b"1", again=True))
    assert later.keeper.take(later.came(b"1", packet=2, again=True))
    assert later.keeper.take(later.came(b"2", again=True))


def test_what_does_not_come_again_is_new_though_it_looks_the_same(life: Life) -> None:
    assert life.keeper.take(life.came(b"1"))
    assert life.keeper.take(life.came(b"1"))


def test_in_a_new_session_nothing_comes_again(life: Life) -> None:
    assert life.keeper.take(life.came(b"1"))
    assert life.keeper.take(life.came(b"1", session=1, again=True))
    life.turn(1.0, reading(1.0))
    later = life.again()
    assert not later.keeper.take(later.came(b"1", again=True))


# Trouble, and its end


def test_trouble_is_told_once_and_its_end(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    life.disk.error = StoreFull("disk full")
    for second in range(1, 9):
        life.turn(second, reading(second))
    life.disk.error = None
    life.turn(60.0)
    assert [record.getMessage() for record in caplog.records] == [
        "nothing can be kept, the work goes on in memory: disk full",
        "the store works again: all is kept",
    ]
    assert set(life.troubles) == {"disk full", None}
    assert life.troubles[-1] is None


def test_a_full_disk_is_tried_ever_more_seldom(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.alert(0.0)
    tried = []
    for tenth in range(1, 2000):
        before = len(life.disk.saves)
        life.turn(tenth / 10)
        tried += [tenth / 10] * (len(life.disk.saves) - before)
    pauses = [round(after - before, 1) for before, after in pairwise(tried)]
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(pauses) == LONGEST_RETRY


def test_after_trouble_the_whole_state_is_kept(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.turn(1.0, reading(1.0), reading(1.0, "attic"))
    life.alert(10.0)
    life.turn(1.5, reading(1.5))
    life.disk.error = None
    life.turn(9.0, reading(9.0))
    later = life.again()
    assert [(track.site, track.label) for track in later.found.tracks] == [("hall", "hot")]
    assert panes(later.turn(99.0)) == [(0.0, 0, 1), (0.0, 0, 3)]


def test_stopping_tries_once_more_however_short_ago_it_failed(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    life.disk.error = None
    life.keeper.stop(at(1.1))
    assert life.acknowledged == [b"1"]
    assert panes(life.again().turn(99.0)) == [(0.0, 0, 1)]


def test_a_damaged_store_is_begun_anew_and_nothing_is_lost(
    life: Life, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    life.turn(1.0, reading(1.0))
    life.alert(10.0)
    life.turn(2.0, reading(2.0))
    life.disk.error = StoreCorrupt("state.db: malformed")
    life.turn(3.0, reading(3.0), came=[life.came(b"3")])
    assert life.acknowledged == [b"3"]
    assert not life.keeper.in_trouble
    aside = tmp_path / "state.db.aside-1"
    assert caplog.messages == [f"state.db: malformed: begun anew, the old file is now {aside}"]
    later = life.again()
    assert len(later.changes) == 1
    assert panes(later.turn(99.0)) == [(0.0, 0, 3)]


def test_a_damaged_store_that_cannot_be_moved_is_trouble(life: Life) -> None:
    life.disk.error, life.disk.immovable = StoreCorrupt("state.db: malformed"), True
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    assert life.keeper.in_trouble
    assert life.acknowledged == []


def test_a_new_store_that_is_damaged_at_once_is_trouble(life: Life) -> None:
    life.disk.error, life.disk.for_good = StoreCorrupt("state.db: malformed"), True
    saves = len(life.disk.saves)
    life.turn(1.0, reading(1.0), came=[life.came(b"1")])
    assert len(life.disk.saves) == saves + 2
    assert life.keeper.in_trouble


def test_publications_lost_with_a_damaged_store_are_counted(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_fusion.outbox.IN_MEMORY", 2)
    for number in range(5):
        life.outbox.add(Publication(f"t/{number}", b""))
    life.turn(1.0)
    life.disk.error = StoreCorrupt("state.db: malformed")
    life.turn(2.0, reading(2.0))
    assert life.observed == [Shed(None, ShedReason.STORE_LOST, 3)]
    assert [posted.publication.topic for posted in life.outbox.next(9)] == ["t/0", "t/1"]


# What is remembered


def test_windows_go_on_where_they_were(life: Life) -> None:
    life.turn(8.0, reading(1.0), reading(8.0))
    later = life.again()
    assert panes(later.turn(20.0, reading(13.0))) == [(0.0, 0, 2)]


def test_what_had_closed_is_not_closed_again(life: Life) -> None:
    assert panes(life.turn(16.0, reading(1.0), reading(8.0))) == [(0.0, 0, 2)]
    later = life.again()
    assert panes(later.turn(30.0)) == []
    assert panes(later.turn(40.0, replace(reading(30.0), time=EventTime(at(9.0))))) == [(0.0, 1, 3)]


def test_a_long_journal_gives_way_to_a_snapshot(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_AFTER", 3)
    for number in range(2, 6):
        life.turn(number, reading(number), reading(number, device="other"))
    later = life.again()
    assert list(later.found.snapshots) == ["hall"]
    assert len(later.found.journal) < 3
    assert panes(later.turn(99.0)) == [(0.0, 0, 8)]


def test_a_camera_holds_windows_open_though_its_pictures_are_not_kept(life: Life) -> None:
    life.turn(9.0, frame(8.0), reading(8.5))
    life.turn(12.5, reading(12.5))
    later = life.again()
    assert [entry.picture for entry in later.found.journal] == [None] * 3
    assert panes(later.turn(14.0)) == []
    assert panes(later.turn(15.0)) == [(0.0, 0, 1)]


def test_a_picture_that_was_promised_to_be_kept_is_in_its_window_again(life: Life) -> None:
    life.turn(9.0, frame(8.0, durable=True))
    assert panes(life.again().turn(15.0)) == [(0.0, 0, 1)]


def test_time_stands_still_after_a_restart_even_where_no_site_was_known(life: Life) -> None:
    life.keeper.note([CatchUp(at(0), at(0))])
    life.sites.feed([CatchUp(at(0), at(0))])
    life.keeper.checkpoint()
    life.turn(1.0)
    life.turn(2.0, reading(1.0))
    later = life.again()
    assert later.found.held_since == at(0)
    assert panes(later.turn(100.0)) == []
    assert later.sites.held_since == at(0)


def test_an_alert_that_fires_is_announced_as_it_stands(life: Life) -> None:
    change = life.alert(10.0)[-1]
    life.turn(11.0)
    (again,) = life.again().changes
    assert again.alert == change.alert
    assert not again.lifecycle


def test_an_alert_without_a_rule_is_over(life: Life) -> None:
    change = life.alert(10.0)[-1]
    life.turn(11.0)
    later = life.again(None, "damp")
    (over,) = later.changes
    assert (over.alert.id, over.alert.sequence, over.alert.firing) == (change.alert.id, 2, False)
    later.turn(12.0)
    assert later.again().changes == []


def test_word_that_something_is_delivered_is_kept_within_a_second(life: Life) -> None:
    life.outbox.add(Publication("t", b""))
    life.turn(1.0)
    (posted,) = life.outbox.next(1)
    life.outbox.settled(posted.token)
    saves = len(life.disk.saves)
    life.turn(1.0 + LAZY / 2)
    assert len(life.disk.saves) == saves
    life.turn(1.0 + LAZY)
    assert life.again().found.unsent == 0


# Another configuration


def test_what_came_under_other_terms_is_taken_as_it_was_taken_then(life: Life) -> None:
    """A shorter wait would close the window in the past, where nobody hears of it."""
    life.turn(9.0, reading(1.0))
    life.turn(14.0, reading(14.0, "attic"))
    later = life.again(replace(ALIGNMENT, max_wait=1.0))
    assert panes(later.outcomes) == []
    assert panes(later.turn(15.0)) == [(0.0, 0, 1)]


def test_what_is_open_goes_into_windows_of_another_size(life: Life) -> None:
    life.turn(8.0, reading(1.0), reading(8.0))
    later = life.again(replace(ALIGNMENT, windows=assigner(2.0, 2.0)))
    assert panes([*later.outcomes, *later.turn(99.0)]) == [(0.0, 0, 1), (8.0, 0, 1)]
    assert later.again().found.terms == later.sites.terms


def test_a_reload_in_trouble_brings_back_no_alert_that_is_over(life: Life) -> None:
    life.disk.error = StoreFull("disk full")
    life.alert(10.0)
    life.turn(11.0)
    other = book("damp")
    life.keeper.replace(life.sites, other)
    life.disk.error = None
    life.turn(60.0)
    assert life.again().found.tracks == []


# What cannot be taken up


def archived(document: bytes) -> bytes:
    """A snapshot that is whole, whatever its document says."""
    return HEAD + len(document).to_bytes(8) + document


@pytest.mark.parametrize(
    "change",
    [
        lambda found: replace(found, snapshots={"hall": b"rubbish"}),
        lambda found: replace(found, snapshots={"hall": b"edge-fusion snapshot 1\n"}),
        lambda found: replace(found, snapshots={"hall": archived(b"{}")}),
        lambda found: replace(found, snapshots={"hall": archived(b"[]")}),
        lambda found: replace(found, snapshots={"hall": archived(b'{"windows": [10.0, 1]}')}),
        lambda found: replace(found, journal=[found.journal[0]._replace(line=b"rubbish")]),
        lambda found: replace(found, tracks=[found.tracks[0]._replace(state=b"rubbish")]),
        lambda found: replace(found, terms=b"rubbish"),
        lambda found: replace(found, receipts=b"rubbish"),
    ],
)
def test_what_cannot_be_used_is_left(
    life: Life, tmp_path: Path, change: Callable[[Remembered], Remembered],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    life.alert(10.0)
    life.turn(1.0, reading(1.0))
    found = change(life.again().found)
    fresh = Life(tmp_path / "other.db")
    caplog.set_level(logging.WARNING)
    fresh.keeper.remember(found, at(2))
    fresh.turn(3.0, reading(3.0))
    assert not fresh.keeper.in_trouble


# A keeper of publications alone


class Kept:
    """A keeper of nothing but publications, in a file, and what it told."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.store.open()
        self.outbox = Outbox(10_000, 10**9, self.store.outbox)
        self.troubles: list[str | None] = []
        self.outcomes: list[Outcome] = []
        self.acknowledged = 0
        sites = Sites(ALIGNMENT, max_sites=1, max_devices=1)
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
