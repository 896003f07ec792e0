"""The live page, as the daemon serves it: its files, its events, and pictures."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from importlib import resources

from edge_fusion import __version__
from edge_fusion.align.sites import Sites
from edge_fusion.assembly_alerts import rules, silent_after
from edge_fusion.config.settings import Settings
from edge_fusion.events import AlertChange, ArrivalTime, Frame, Outcome, Scores
from edge_fusion.io.web import Branches, Response, Routes
from edge_fusion.model.spec import ModelSpec
from edge_fusion.page.board import Board
from edge_fusion.page.document import About, Script, Viewing
from edge_fusion.page.views import BoxView
from edge_fusion.pipeline import Observer

SCRIPT = "text/javascript; charset=utf-8"
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{f"/{name}": (name, SCRIPT) for name in ("page.js", "tile.js", "pictures.js", "words.js")},
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
POLL = 0.2
"""Seconds between two looks of a watcher's thread at the snapshot."""

RECONNECT = b"retry: 1000\n\n"
"""Milliseconds after which a browser that lost us tries again."""

PNG_BEGINS = b"\x89PNG"
ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""A picture in a tab of its own may be styled by the browser, and nothing else."""

REVALIDATED = {"Cache-Control": "no-cache"}


class Audience:
    """Several observers in place of one."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def observe(self, outcome: Outcome) -> None:
        for observer in self._observers:
            observer.observe(outcome)

    def scored(self, scores: Scores) -> None:
        for observer in self._observers:
            observer.scored(scores)

    def alert_changed(self, change: AlertChange) -> None:
        for observer in self._observers:
            observer.alert_changed(change)


class LivePage:
    """`board` and `turn` are the pipeline thread's; what is served reads snapshots only."""

    def __init__(
        self, settings: Settings, spec: ModelSpec, stamp: Callable[[], ArrivalTime]
    ) -> None:
        self._stamp = stamp
        self._script = Script()
        self._about = _about(settings, spec)
        self.board = Board(self._about.stale_after)

    def follow(self, settings: Settings, spec: ModelSpec) -> None:
        """Go by another configuration and model."""
        self._about = _about(settings, spec)
        self.board.stale_after = self._about.stale_after

    def turn(self, sites: Sites, now: ArrivalTime, box: Callable[[], BoxView]) -> None:
        """Show how things are, if it is time to."""
        if self.board.due(now):
            self.board.show(sites, now, box())

    def routes(self) -> Routes:
        """The files of the page. They are read now, so that an upgrade can't mix old and new."""
        folder = resources.files("edge_fusion.page")
        return {
            path: _fixed(folder.joinpath(name).read_bytes(), content_type)
            for path, (name, content_type) in FILES.items()
        }

    def branches(self) -> Branches:
        """Pictures as they came, /frame/<site>/<camera> and /snapshot/<site>/<label>; /live."""
        return Branches(
            pairs={"frame": self._frame, "snapshot": self._snapshot},
            streams={"/live": self._events},
        )

    def _frame(self, site: str, camera: str) -> Response | None:
        view = self.board.snapshot.sites.get(site)
        return _picture(None if view is None else view.frames.get(camera))

    def _snapshot(self, site: str, label: str) -> Response | None:
        view = self.board.snapshot.sites.get(site)
        alert = None if view is None else view.alerts.get(label)
        return _picture(None if alert is None else alert.picture)

    def _events(self, stopping: threading.Event) -> Iterator[bytes]:
        yield RECONNECT
        viewing = Viewing(self._script)
        while not stopping.is_set():
            told = viewing.next(self.board.snapshot, self._about, self._stamp())
            if told:
                yield told
            stopping.wait(POLL)


def _about(settings: Settings, spec: ModelSpec) -> About:
    quiet = silent_after(settings, spec)
    return About(
        box=settings.mqtt.box,
        model=spec.name,
        version=__version__,
        quiet_after=quiet,
        stale_after=max(quiet, settings.windows.carry),
        thresholds={rule.label: rule.threshold for rule in rules(settings, spec).values()},
    )


def _fixed(body: bytes, content_type: str) -> Callable[[], Response]:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    response = Response(HTTPStatus.OK, content_type, body, {"ETag": tag, **REVALIDATED})
    return lambda: response


def _picture(frame: Frame | None) -> Response | None:
    if frame is None:
        return None
    png = frame.image.startswith(PNG_BEGINS)
    kind = "image/png" if png else "image/jpeg"
    return Response(HTTPStatus.OK, kind, frame.image, ALONE)
