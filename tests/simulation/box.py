"""The box: the real parts of the daemon, put together as daemon.py does, without its threads.

It may die at any `Point`: then all objects are gone, and what is in its file stays.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from simulation.fuse import Fuse, Point
from simulation.ledger import Ledger, Reloaded
from simulation.line import stages
from simulation.plan import Configuration

from edge_fusion.absence import Absence
from edge_fusion.alerts.desk import AlertDesk
from edge_fusion.errors import StoreCorrupt, StoreError, StoreFull
from edge_fusion.events import ArrivalTime, Delivery, Input, Message, Publication
from edge_fusion.io.store import Durability, Store
from edge_fusion.keeper import Keeper
from edge_fusion.kept import Changes, Posted, Remembered
from edge_fusion.mailbox import Mailbox, Notice, Reload
from edge_fusion.outbox import Outbox
from edge_fusion.pipeline import Pipeline
from edge_fusion.postman import Postman
from edge_fusion.receipts import Receipts
from edge_fusion.reload import carry_over

BARRIER = "ef/box/box/barrier"
NO_TOKEN = -1
READINGS, FRAMES = "readings", "frames"


@dataclass
class Weather:
    """What the world does to the box's disk."""

    full: bool = False
    damaged: bool = False
    unreadable: bool = False


class BoxClock:
    """The arrival clock of a box, `ahead` of the true time by so many seconds."""

    def __init__(self, true_time: Callable[[], float], ahead: float) -> None:
        self._true_time = true_time
        self.ahead = ahead

    def stamp(self) -> ArrivalTime:
        return ArrivalTime(self._true_time() + self.ahead)

    def not_before(self, moment: ArrivalTime) -> None:
        self.ahead += max(0.0, moment - self.stamp())


class FlakyStore(Store):
    """A store whose file cannot always be opened."""

    def __init__(self, path: Path, weather: Weather) -> None:
        super().__init__(path, Durability.CRASH)
        self._weather = weather

    def _connect(self) -> sqlite3.Connection:
        if self._weather.unreadable:
            raise sqlite3.OperationalError("disk I/O error")
        database = super()._connect()
        # Who pulls the plug here leaves the file as it is written: no need to wait for a disk.
        database.execute("PRAGMA synchronous = OFF")
        return database


class Disk:
    """The store as the keeper and the outbox see it, on a disk that may be full or failing."""

    def __init__(self, store: Store, weather: Weather, fuse: Fuse, ledger: Ledger) -> None:
        self._store = store
        self._weather = weather
        self._fuse = fuse
        self._ledger = ledger
        self.durable = True

    def save(self, changes: Changes) -> None:
        self._fuse.burn(Point.BEFORE_COMMIT)
        if self._weather.full:
            raise StoreFull("disk full")
        if self._weather.damaged:
            raise StoreCorrupt("damaged")
        self._store.save(changes)
        self._ledger.kept()
        self._fuse.burn(Point.AFTER_COMMIT)

    def begin_anew(self) -> Path:
        self._weather.damaged = False
        return self._store.begin_anew()

    def outbox(self, after: int, limit: int) -> list[Posted]:
        if self._weather.unreadable:
            raise StoreError("cannot be read")
        return self._store.outbox(after, limit)


class Box:
    """One life of the box, from power on to power off."""

    def __init__(
        self,
        configuration: Configuration,
        path: Path,
        clock: BoxClock,
        *,
        weather: Weather,
        fuse: Fuse,
        ledger: Ledger,
        run: int,
        max_batch: int,
    ) -> None:
        self.configuration = self.wanted = configuration
        """What it runs by, and what its configuration file says."""
        self.clock = clock
        self.fuse = fuse
        self.ledger = ledger
        self.mailbox = Mailbox(
            clock.stamp, max_readings=50, max_frames_per_topic=4,
            max_frame_bytes_total=10**6, max_batch=max_batch,
        )  # fmt: skip
        self.path = path
        self.store = FlakyStore(path, weather)
        disk = Disk(self.store, weather, fuse, ledger)
        self.send: Callable[[int, Publication], bool] = lambda _token, _publication: True
        """Where publications go; whoever connects the box says that."""
        self.stages = stages(configuration, self._inferring)
        self.outbox = Outbox(configuration.max_outbox, 10**7, disk.outbox)
        self.postman = Postman(
            self.outbox, self, observe=ledger.observe, delivered=lambda _seconds: None
        )
        self.receipts = Receipts(READINGS)
        self.keeper = Keeper(
            disk, self.stages.sites, self.stages.book, self.outbox,
            self.receipts, trouble=lambda _why: None, observe=ledger.observe,
        )  # fmt: skip
        self.absence = Absence(READINGS, BARRIER, run=f"run {run}")
        self.pipeline = Pipeline(
            self.stages, ledger, self._publish, revision_epsilon=-1.0,
            tap=self._tap, keeper=self.keeper, absence=self.absence,
        )  # fmt: skip
        self._starting = self._turning = False

    def start(self) -> None:
        """As Daemon._remember."""
        try:
            remembered = self.store.open()
        except StoreFull:
            remembered = Remembered()
        self.fuse.burn(Point.OPENED)
        if remembered.until is not None:
            self.clock.not_before(remembered.until)
        now = self.clock.stamp()
        self.ledger.started(self.configuration, now, anew=remembered.until is None)
        self._starting = True
        self.pipeline.restore(remembered, now)
        self._starting = False
        self.fuse.burn(Point.REMEMBERED)

    def turn(self) -> None:
        """As Daemon._turn."""
        batch = self.mailbox.take(self.clock.stamp())
        for notice in batch.notices:
            self._hear(notice, batch.until)
        self._turning = True
        try:
            self.pipeline.turn(batch)
        finally:
            self._turning = False
        self.fuse.burn(Point.TURNED)
        self.postman.dispatch(even_unsaved=self.keeper.in_trouble)
        mark = self.absence.barrier()
        if mark is not None:
            self.send(NO_TOKEN, Publication(BARRIER, mark))

    def wake(self) -> ArrivalTime | None:
        return self.pipeline.wake()

    @property
    def rests(self) -> bool:
        """Whether nothing is due but looks at the devices, of which there is no end."""
        book = self.stages.book
        assert isinstance(book, AlertDesk)
        wakes = self.stages.sites.wake(), book._due(), self.absence.wake()
        return all(wake is None for wake in wakes)

    def _reload(self, now: ArrivalTime) -> None:
        """As Daemon._reload."""
        configuration = self.configuration = self.wanted
        old = self.stages
        self.stages = stages(configuration, self._inferring)
        self.ledger.reloaded(Reloaded(configuration, now, tuple(self.absence.repeated())))
        carried = carry_over(old, self.stages, now)
        self.fuse.burn(Point.CARRIED_OVER)
        self.pipeline.go_on_with(self.stages, *carried, now)

    def stop(self) -> None:
        """As the end of Daemon._drain."""
        self.fuse.burn(Point.STOPPING)
        self.pipeline.stop(self.clock.stamp())
        self.store.close()

    def die(self) -> None:
        """Leave the file as it lies, log and all, and be gone."""
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{self.path}{suffix}", f"{self.path}.left{suffix}")
        self.store.close()
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}.left{suffix}").replace(f"{self.path}{suffix}")

    def publish(self, token: int, publication: Publication) -> bool:
        """What the postman sends."""
        self.fuse.burn(Point.SENDING)
        if not self.keeper.in_trouble:
            self.ledger.send(token, publication)
        return self.send(token, publication)

    def put(self, name: str, delivery: Delivery) -> None:
        """A delivery that came by one of the connections."""
        if name == READINGS:
            self.mailbox.put_reading(delivery, sheddable=delivery.message.qos == 0)
        else:
            self.mailbox.put_frame(delivery)

    def acknowledged(self, message: Message) -> None:
        if self._turning:  # else the mailbox sheds a frame, which it need not keep
            self.ledger.acknowledge(message)
            self.fuse.burn(Point.ACKNOWLEDGING)

    def _hear(self, notice: Notice, now: ArrivalTime) -> None:
        self.postman.hear(notice, now)
        if isinstance(notice, Reload):
            self._reload(now)

    def _tap(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        self._starting = False
        self.ledger.tap(inputs, until)

    def _publish(self, publication: Publication) -> None:
        before = self.outbox._last_token
        self.postman.post(publication)
        token = self.outbox._last_token
        kept = replace(publication, telemetry=False)  # which matters to the outbox alone
        self.ledger.told(token if token > before else None, kept, starting=self._starting)

    def _inferring(self) -> None:
        self.fuse.burn(Point.INFERRING)
