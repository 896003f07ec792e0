from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_model
from observed import at, fired, frame, reading, scores

from edge_fusion import assembly
from edge_fusion.align.sites import Sites
from edge_fusion.config import Settings, load
from edge_fusion.live import Audience, LivePage
from edge_fusion.page.board import Board
from edge_fusion.page.views import BoxView

CONFIGURATION = """
[mqtt]
box = "box-1"
[[sensors]]
topic = "home/{site}/{device}"
[[alerts]]
label = "hot"
threshold = 0.6
"""


def settings(directory: Path, **alert: float) -> Settings:
    path = directory / "edge-fusion.toml"
    path.write_text(CONFIGURATION + "".join(f"{key} = {value}\n" for key, value in alert.items()))
    return load(path, {})


@pytest.fixture
def page(tmp_path: Path) -> LivePage:
    return LivePage(settings(tmp_path), tiny_model.SPEC, lambda: at(10))


@pytest.fixture
def sites(tmp_path: Path) -> Sites:
    return assembly.sites(settings(tmp_path), tiny_model.SPEC)


def show(page: LivePage, sites: Sites, second: float, *events: Any) -> None:
    """Let a turn of the pipeline see events."""
    for outcome in sites.feed(events):
        page.board.observe(outcome)
    page.turn(sites, at(second), BoxView)


def watch(page: LivePage) -> Iterator[dict[str, Any]]:
    """The data of one event after the other, ticks left out."""
    for told in page.branches().streams["/live"](threading.Event()):
        name, data = told.decode().split("\n")[:2]
        if name in {"event: all", "event: some"}:
            yield json.loads(data.removeprefix("data: "))


def test_each_file_of_the_page_has_its_type_and_a_tag_to_know_it_by(page: LivePage) -> None:
    routes = page.routes()
    types = {path: route().content_type.partition(";")[0] for path, route in routes.items()}
    assert types == {
        "/": "text/html",
        "/page.css": "text/css",
        "/icon.svg": "image/svg+xml",
        **dict.fromkeys(("/page.js", "/tile.js", "/pictures.js", "/words.js"), "text/javascript"),
    }
    tags = {route().headers["ETag"] for route in routes.values()}
    assert len(tags) == len(routes)


def test_the_page_asks_nobody_else_for_anything(page: LivePage) -> None:
    for path, route in page.routes().items():
        text = route().body.decode().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", ""), path


def test_pictures_are_those_of_sites_and_cameras_that_there_are(
    page: LivePage, sites: Sites
) -> None:
    show(page, sites, 1, frame(b"\xff\xd8\xff", site="hall", camera="roof"))
    page.board.alert_changed(fired())
    page.turn(sites, at(2), BoxView)
    pairs = page.branches().pairs
    jpeg, snapshot = pairs["frame"]("hall", "roof"), pairs["snapshot"]("hall", "smoke")
    assert jpeg is not None
    assert (jpeg.content_type, jpeg.body) == ("image/jpeg", b"\xff\xd8\xff")
    assert "sandbox" in jpeg.headers["Content-Security-Policy"]
    assert snapshot is not None
    assert snapshot.body == b"last"
    assert pairs["frame"]("hall", "door") is pairs["frame"]("attic", "roof") is None
    assert pairs["snapshot"]("hall", "fire") is pairs["snapshot"]("..", "smoke") is None


def test_a_watcher_follows_what_the_pipeline_shows(page: LivePage, sites: Sites) -> None:
    show(page, sites, 1, reading(20.0))
    watching = watch(page)
    whole = next(watching)
    assert [site["site"] for site in whole["sites"]] == ["hall"]
    assert (whole["box"]["box"], whole["box"]["thresholds"]) == ("box-1", {"hot": 0.6})
    assert whole["box"]["quiet_after"] == 4 + 4 + 5 + 30
    assert whole["box"]["stale_after"] == 900
    show(page, sites, 2, reading(21.0, 2, site="attic"))
    assert [site["site"] for site in next(watching)["sites"]] == ["attic"]


def test_after_a_reload_the_new_thresholds_are_told(
    page: LivePage, sites: Sites, tmp_path: Path
) -> None:
    show(page, sites, 1, reading(20.0))
    watching = watch(page)
    next(watching)
    page.follow(settings(tmp_path, clear=0.1), replace(tiny_model.SPEC, name="other"))
    assert next(watching)["box"]["model"] == "other"


def test_an_audience_hears_all_each_in_the_same_order() -> None:
    one, other = Board(900.0), Board(900.0)
    audience = Audience((one, other))
    audience.observe(reading(20.0))
    audience.scored(scores(("roof", {"smoke": 0.9})))
    audience.alert_changed(fired())
    for board in (one, other):
        board.show((), at(1), BoxView())
        view = board.snapshot.sites["hall"]
        assert (list(view.scores), list(view.alerts)) == (["smoke"], ["smoke"])
