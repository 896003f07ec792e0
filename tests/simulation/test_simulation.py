"""Nothing lost, nothing twice, whatever goes wrong: a world that one number decides.

A seed decides on devices that reorder, hoard, repeat and fall silent, on a broker with mosquitto's
limits, and on power cuts at every step of journal, close, publish and reload. All parts are real
but the model, the broker and the clock. `make story SEED=n` tells what happened in one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulation.seeds import live

from edge_fusion.alerts.devices import DeviceWatch
from edge_fusion.alerts.silences import Silences
from edge_fusion.align.firings import Firings
from edge_fusion.align.sites import Sites
from edge_fusion.events import ArrivalTime, Delivery, Publication
from edge_fusion.io.store import Store
from edge_fusion.keeper import Keeper
from edge_fusion.kept import Changes, Remembered
from edge_fusion.outbox import Outbox
from edge_fusion.postman import Postman
from edge_fusion.receipts import Receipts

SEEDS = 200
ENOUGH = 60
"""Seeds in which a fault must show."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    log = logging.getLogger("edge_fusion")
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(logging.NOTSET)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_lost_and_nothing_comes_twice(seed: int, tmp_path: Path) -> None:
    live(seed, tmp_path)


# What a broken box would do: the verdict must see it.

_keep = Keeper.keep
_save = Store.save
_open = Store.open
_post = Postman.post
_state = Firings.state


def _acknowledges_first(keeper: Keeper, deliveries: Sequence[Delivery], until: ArrivalTime) -> None:
    for delivery in deliveries:
        delivery.ack()
    _keep(keeper, (), until)


def _journals_all_but_one(store: Store, changes: Changes) -> None:
    _save(store, replace(changes, entries=changes.entries[:-1]))


def _forgets_alerts(store: Store) -> Remembered:
    return replace(_open(store), tracks=())


def _sends_at_once(postman: Postman, publication: Publication) -> None:
    _post(postman, publication)
    postman.dispatch(even_unsaved=True)


def _drops_what_waits(outbox: Outbox) -> list[int]:
    return [posted.token for posted in outbox._waiting][:1]


def _forgets_closings(firings: Firings) -> dict[str, Any]:
    return _state(firings) | {"closed": []}


BROKEN: dict[str, tuple[type, str, Callable[..., object]]] = {
    "acknowledges before it keeps": (Keeper, "keep", _acknowledges_first),
    "lacks an entry in its journal": (Store, "save", _journals_all_but_one),
    "takes up no alerts": (Store, "open", _forgets_alerts),
    "publishes before it keeps": (Postman, "post", _sends_at_once),
    "drops what waits to be published": (Outbox, "delivered", _drops_what_waits),
    "takes what comes again for new": (Receipts, "take", lambda _self, _delivery: True),
    "lets time run while a backlog comes in": (Sites, "_hold", lambda *_: []),
    "forgets what is to be quiet": (Silences, "unpack", lambda *_: None),
    "forgets what was wrong with devices": (DeviceWatch, "restore", lambda *_: []),
    "forgets which windows are closed": (Firings, "state", _forgets_closings),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_box_that_is_broken_does_not_pass(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*BROKEN[fault])
    with pytest.raises(AssertionError):
        _live_all(range(ENOUGH), tmp_path)


def _live_all(seeds: Iterable[int], directory: Path) -> None:
    for seed in seeds:
        place = directory / str(seed)
        place.mkdir()
        live(seed, place)
