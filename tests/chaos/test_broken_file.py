"""A store that is broken, at the start or while it is used: the daemon goes on all the same."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos.traffic import CONFIGURATION, PERSISTENT, Heard, House, Ledger, all_is_well, missing
from conftest import Broker, BrokerFactory, Collector
from running import Running, patiently

LONG = "DAMAGES" in os.environ
DAMAGES = int(os.environ.get("DAMAGES", "2"))
SEED = int(os.environ.get("SEED", "1"))
PAGE = 4096
ANEW = "begun anew, the old file is now"


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(persistent=True, extra=PERSISTENT)


Start = Callable[[], Running]


@pytest.fixture
def start(broker: Broker, tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def run() -> Running:
        running.append(Running(tmp_path, broker.port, configuration=CONFIGURATION))
        patiently(running[-1].ready, "readiness")
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.wait()


def listen(broker: Broker) -> Collector:
    return broker.collect("edge_fusion/+/window", "edge_fusion/+/event")


def rubbish(path: Path) -> None:
    path.write_bytes(os.urandom(100_000))


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()


def cut_short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(500))


AT_THE_START = (rubbish, of_another_program, cut_short)


@pytest.mark.parametrize("spoil", AT_THE_START if LONG else AT_THE_START[:1])
def test_a_broken_file_is_put_aside_once_at_the_start(
    broker: Broker, start: Start, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    store = tmp_path / "state.db"
    spoil(store)
    listener, house = listen(broker), House(broker)
    daemon = start()
    house.start()
    time.sleep(1.0)
    daemon.process.kill()
    daemon.process.wait()
    daemon.start()
    patiently(daemon.ready, "readiness")
    house.stop()
    all_is_well(daemon, listener, house)
    assert daemon.log.read_text().count(f"{ANEW} {store}.aside-1\n") == 1
    assert not store.with_name("state.db.aside-2").exists()
    assert daemon.stop() == 0


def truncated(path: Path) -> None:
    os.truncate(path, 0)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def overwritten_with_its_log(path: Path) -> None:
    overwritten(path)
    overwritten(path.with_name(f"{path.name}-wal"))


def removed(path: Path) -> None:
    path.unlink()


WHILE_IT_RUNS = (overwritten_with_its_log, overwritten, truncated, removed)


@pytest.mark.parametrize("spoil", WHILE_IT_RUNS if LONG else WHILE_IT_RUNS[:1])
def test_a_file_that_breaks_while_it_is_used_stops_nothing(
    broker: Broker, start: Start, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    store = tmp_path / "state.db"
    daemon, listener, house = start(), listen(broker), House(broker)
    house.start()
    time.sleep(2.0)
    spoil(store)
    time.sleep(3.0)
    house.stop()
    heard = all_is_well(daemon, listener, house)
    lines = [line for line in daemon.log.read_text().splitlines() if ANEW in line]
    print(f"\n{spoil.__name__}: {len(house.ledger.counts)} windows, all as sent; {lines}")
    assert heard.events
    assert len(lines) <= 1
    assert daemon.process.poll() is None
    assert daemon.stop() == 0
    daemon.start()
    patiently(daemon.ready, "readiness after a restart")
    assert daemon.log.read_text().count(ANEW) <= 1
    assert daemon.stop() == 0


def some_pages(path: Path, chance: random.Random) -> None:
    """Overwrite some pages of the file, or of its log."""
    target = chance.choice([path, path.with_name(f"{path.name}-wal")])
    if not target.exists():
        return
    pages = max(1, target.stat().st_size // PAGE)
    with target.open("r+b") as file:
        for page in chance.sample(range(pages), k=min(pages, chance.randint(1, 20))):
            file.seek(page * PAGE)
            file.write(chance.randbytes(PAGE))


@pytest.mark.timeout(120 + 10 * DAMAGES)
def test_pages_damaged_by_a_crash_never_keep_it_from_going_on(
    broker: Broker, start: Start, tmp_path: Path
) -> None:
    """What a damaged file held is gone with it; what comes after is as sent."""
    chance, store = random.Random(SEED), tmp_path / "state.db"
    listener = broker.collect("edge_fusion/+/window")
    daemon, house = start(), House(broker)
    house.start()
    try:
        for _ in range(DAMAGES):
            time.sleep(chance.uniform(0.5, 2.5))
            daemon.process.kill()
            daemon.process.wait()
            some_pages(store, chance)
            daemon.start()
            patiently(daemon.ready, "readiness on a damaged file", 60)
        whole_from = time.time() + 3.0
        time.sleep(7.0)
    finally:
        house.stop()

    def sent_but_missing() -> list[str]:
        counts = {key: n for key, n in house.ledger.counts.items() if key[1] > whole_from}
        return missing(Ledger(Counter(counts)), Heard.of(listener))

    patiently(lambda: not sent_but_missing(), "all windows after the damage, as sent")
    lines = [line for line in daemon.log.read_text().splitlines() if ANEW in line]
    lost = missing(house.ledger, Heard.of(listener))
    print(
        f"\n{DAMAGES} damaged files: {len(lines)} were put aside, {len(lost)} of "
        f"{len(house.ledger.counts)} windows lost something"
    )
    assert all(path.stat().st_size for path in tmp_path.glob("state.db.aside-?"))
    assert "Traceback" not in daemon.log.read_text()
    assert daemon.stop() == 0
