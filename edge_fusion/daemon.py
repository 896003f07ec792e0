"""The composition root: makes the parts, wires them, runs them until told to stop.

Threads: main waits for signals; each MQTT connection has one, as has each camera that is looked
at; the pipeline thread owns all state; a pool of two decodes frames (OpenCV releases the
interpreter lock); the web server has its own. They meet in the mailbox only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_fusion import assembly
from edge_fusion.absence import Absence
from edge_fusion.codecs.publications import status_publication
from edge_fusion.codecs.topics import barrier_topic
from edge_fusion.config.settings import Settings
from edge_fusion.errors import ConfigError, EdgeFusionError, ModelError, StoreError, StoreFull
from edge_fusion.events import ArrivalTime, Frame, Publication
from edge_fusion.health import Health
from edge_fusion.intake import READINGS, Intake, Presence
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.recording import RecordingWriter
from edge_fusion.io.systemd import Notifier
from edge_fusion.io.web import Response, Routes, WebServer
from edge_fusion.keeper import Keeper
from edge_fusion.kept import Remembered
from edge_fusion.links import Links
from edge_fusion.live import Audience, LivePage
from edge_fusion.mailbox import (
    Batch,
    CameraDown,
    CameraUp,
    Connected,
    Disconnected,
    Notice,
    Reload,
    Stop,
    Subscribed,
)
from edge_fusion.outbox import Outbox
from edge_fusion.page.views import BoxView
from edge_fusion.pipeline import Pipeline
from edge_fusion.postman import Postman
from edge_fusion.pulse import Pulse
from edge_fusion.quality import QualityControl
from edge_fusion.receipts import Receipts
from edge_fusion.recorder import Recorder
from edge_fusion.reload import Loaded, carry_over
from edge_fusion.reporting import begin_metrics
from edge_fusion.service import Service
from edge_fusion.stages import Stages
from edge_fusion.timed import TimedModel, TimedStore

log = logging.getLogger("edge_fusion")

HEARTBEAT = 1.0
NO_TOKEN = -1
PLACE_FOR_STORE = 'expected a place that can be written, or durability = "none"'
DRAIN = 5.0
FAREWELL = 3.0
PARTING = 1.0
"""Seconds that cameras get at the end; they have been told before the outbox is drained."""


@dataclass(frozen=True, slots=True)
class RecordTo:
    """Where the daemon writes down what it feeds, and how many bytes at most (None: no bound)."""

    directory: Path
    max_bytes: int | None = None


class Daemon:
    """All parts of one running daemon. `run` starts them, and stops them in reverse order."""

    def __init__(
        self,
        loaded: Loaded,
        load_again: Callable[[Settings], Loaded],
        record: RecordTo | None,
        notifier: Notifier,
    ) -> None:
        settings, model = loaded.settings, loaded.model
        self._settings = settings
        self._load_again = load_again
        self._clock = ArrivalClock()
        self._metrics, self._sites_report = begin_metrics(settings, model)
        self._absence = Absence(
            READINGS,
            barrier_topic(settings.mqtt.prefix, settings.mqtt.box),
            run=f"{self._clock.stamp():.6f}",
        )
        self._store = assembly.store(settings)
        self._intake = Intake(settings, self._clock.stamp, presence=self._presence())
        self._mailbox = self._intake.mailbox
        self._recorder = None if record is None else self._make_recorder(record)
        self._pool = ThreadPoolExecutor(assembly.DECODERS, thread_name_prefix="decode")
        outbox = assembly.outbox(settings, self._store)
        self._postman = Postman(
            outbox,
            self._intake.readings,
            observe=self._metrics.observe,
            delivered=self._metrics.published,
        )
        self._pulse = Pulse(self._clock.stamp, notifier.alive, notifier.watchdog)
        self._stages = self._make_stages(loaded)
        self._keeper = self._make_keeper(outbox)
        self._quality = QualityControl(settings.limits.max_devices)
        self._page = LivePage(settings, model.spec, self._clock.stamp)
        self._pipeline = Pipeline(
            self._stages,
            Audience((self._metrics, self._page.board)),
            self._publish,
            revision_epsilon=settings.windows.revision_epsilon,
            tap=None if self._recorder is None else self._recorder.hear,
            keeper=self._keeper,
            absence=self._absence,
            quality=self._quality,
        )
        self._links = Links(self._intake.names)
        broker = f"{settings.mqtt.host}:{settings.mqtt.port}"
        self._health = Health(self._pulse, self._links, broker, model)
        self._service = Service(notifier, self._health, self._clock.stamp())
        self._known: frozenset[str] = frozenset()
        self._reported_at = self._clock.stamp()
        self._failure: Exception | None = None

    def post(self, notice: Notice) -> None:
        """Leave a notice for the pipeline thread; safe in a signal handler."""
        self._mailbox.put(notice)

    def run(self) -> int:
        """Run to the end; raises EdgeFusionError when the pipeline ended before it was told to.

        Not as what it was: a model that failed now may work after a restart, so the exit status
        must not be that of a bad configuration.
        """
        web = self._web()
        thread = threading.Thread(target=self._loop, name="pipeline")
        with ExitStack() as stack:
            stack.callback(self._pool.shutdown)
            stack.callback(self._store.close)
            self._remember()
            if self._recorder is not None:
                self._recorder.start()
                stack.callback(self._recorder.stop)
            web.start()
            stack.callback(web.stop)
            log.info(
                "serving the live page, /metrics, /healthz and /readyz on http://%s", web.address
            )
            self._intake.start()
            stack.callback(self._intake.stop, FAREWELL, self._status(online=False))
            self._intake.cameras.start()
            stack.callback(lambda: self._intake.cameras.stop(PARTING))
            thread.start()
            thread.join()
        if self._failure is not None:
            raise EdgeFusionError(f"stopped: {self._failure}") from self._failure
        return 0

    def _loop(self) -> None:
        """The pipeline thread: batches until told to stop, then what is still to be published."""
        self._pulse.beat()
        self._service.ready()
        try:
            while not self._turn(self._wake()):
                pass
            self._drain()
        except Exception as error:
            expected = isinstance(error, EdgeFusionError)
            log.critical("the pipeline ended: %s", error, exc_info=None if expected else error)
            self._failure = error
            self._service.stopping(str(error))
        if len(self._postman):
            log.warning(
                "stopped with %d messages not acknowledged%s",
                len(self._postman),
                ": they go out after the next start" if self._store.durable else "",
            )

    def _remember(self) -> None:
        """Take up what an earlier run kept. Raises ConfigError where nothing can be kept."""
        try:
            remembered = self._store.open()
        except StoreFull as error:
            log.error("%s: starting with nothing", error)  # noqa: TRY400 - one line
            remembered = Remembered()
        except StoreError as error:
            raise ConfigError([f"store.path: {error}: {PLACE_FOR_STORE}"]) from None
        if remembered.until is not None:
            self._clock.not_before(remembered.until)
        self._pipeline.restore(remembered, self._clock.stamp())

    def _drain(self) -> None:
        """Wait a while for the broker to take what is still to be published; keep the rest."""
        deadline = ArrivalTime(self._clock.stamp() + DRAIN)
        while len(self._postman) and self._clock.stamp() < deadline:
            if not self._links.connected[READINGS]:
                break
            self._turn(deadline)
        self._pipeline.stop(self._clock.stamp())

    def _wake(self) -> ArrivalTime:
        heartbeat = ArrivalTime(self._clock.stamp() + min(HEARTBEAT, self._pulse.interval))
        due = self._pipeline.wake()
        return heartbeat if due is None else min(due, heartbeat)

    def _turn(self, until: ArrivalTime) -> bool:
        """One batch; True when it held the word to stop."""
        batch = self._mailbox.take(until)
        for notice in batch.notices:
            self._hear(notice, batch.until)
        self._pipeline.turn(batch)
        self._postman.dispatch(even_unsaved=self._keeper.in_trouble)
        self._send_barrier()
        self._pulse.beat()
        self._report(batch)
        return any(isinstance(notice, Stop) for notice in batch.notices)

    def _hear(self, notice: Notice, now: ArrivalTime) -> None:
        self._postman.hear(notice, now)
        self._links.hear(notice)
        match notice:
            case Connected(connection=name, protocol=protocol):
                log.info("mqtt %s: connected, MQTT %s", name, protocol)
                self._metrics.connection(name, True)
                if name in self._known:
                    self._metrics.reconnected()
                self._known |= {name}
            case Subscribed(connection=name, refused=refused):
                self._metrics.subscriptions_refused(name, len(refused))
            case Disconnected(connection=name):
                self._metrics.connection(name, False)
            case CameraUp(site=site, camera=camera):
                self._metrics.camera(site, camera, True)
            case CameraDown(site=site, camera=camera):
                self._metrics.camera(site, camera, False)
            case Stop():
                self._service.stopping()
                self._intake.cameras.release()
            case Reload():
                self._service.reloading()
                self._reload(now)
                self._service.ready()
            case _:
                pass

    def _reload(self, now: ArrivalTime) -> None:
        """Go on by the configuration as it is now; one that cannot be used changes nothing."""
        try:
            loaded = self._load_again(self._settings)
        except (ConfigError, ModelError) as error:
            log.error("not reloaded, the old configuration goes on: %s", error)  # noqa: TRY400
            self._metrics.reloaded(False)
            self._health.not_reloaded = str(error)
            return
        for table in loaded.ignored:
            log.warning("reload: [%s] changed: that takes effect at the next start", table)
        old, self._settings = self._stages, loaded.settings
        self._stages = self._make_stages(loaded)
        self._pipeline.go_on_with(self._stages, *carry_over(old, self._stages, now), now)
        self._intake.follow(loaded.settings)
        self._page.follow(loaded.settings, loaded.model.spec)
        self._links.want(self._intake.names)
        self._sites_report.follow(loaded.settings, loaded.model)
        self._metrics.provider(loaded.model.requested, loaded.model.provider, loaded.model.fallback)
        self._metrics.reloaded(True)
        self._health.model, self._health.not_reloaded = loaded.model, None
        log.info("reloaded: model %s", loaded.model.spec.name)

    def _make_stages(self, loaded: Loaded) -> Stages:
        model = loaded.model
        return assembly.stages(
            loaded.settings,
            model,
            TimedModel(model, self._metrics, self._pulse.beat),
            self._decode,
        )

    def _send_barrier(self) -> None:
        mark = self._absence.barrier()
        if mark is not None:
            barrier = Publication(self._absence.barrier_topic, mark, content_type="text/plain")
            self._intake.readings.publish(NO_TOKEN, barrier)

    def _store_trouble(self, why: str | None) -> None:
        self._health.unkept = why
        self._metrics.store_failing(why is not None)

    def _report(self, batch: Batch) -> None:
        """Show the state that is no outcome, once a heartbeat."""
        self._page.turn(self._stages.sites, batch.until, self._box)
        self._service.took(len(batch.deliveries))
        if batch.until - self._reported_at >= HEARTBEAT:
            self._reported_at = batch.until
            self._metrics.outbox(len(self._postman))
            self._metrics.catching_up(self._absence.catching_up)
            for queue, length in self._mailbox.lengths().items():
                self._metrics.queue(queue, length)
            for source, tally in self._intake.cameras.tallies():
                self._metrics.pictures(source.site, source.camera, tally.grabbed, tally.stale)
            self._sites_report.show(self._stages.sites, self._quality.stuck(), batch.until)
            silences = self._pipeline.silences
            self._metrics.silenced({(each.site, each.label) for each in silences})
            firing = len(self._stages.book.firing())
            self._service.report(batch.until, sites=len(self._stages.sites), firing=firing)

    def _make_keeper(self, outbox: Outbox) -> Keeper:
        return Keeper(
            TimedStore(self._store, self._metrics),
            self._stages.sites,
            self._stages.book,
            outbox,
            Receipts(READINGS),
            trouble=self._store_trouble,
            observe=self._metrics.observe,
        )

    def _box(self) -> BoxView:
        return BoxView(self._links.connected, self._health.unkept, self._absence.catching_up)

    def _make_recorder(self, record: RecordTo) -> Recorder:
        about = assembly.about_recording(self._settings, self._clock.stamp())
        begin = partial(RecordingWriter, record.directory, about, max_bytes=record.max_bytes)
        return Recorder(begin, lost=self._metrics.unrecorded)

    def _decode(
        self, frames: Sequence[Frame], size: tuple[int, int]
    ) -> list[NDArray[np.uint8] | None]:
        with self._metrics.stage("decode"):
            pictures = assembly.decode_frames(self._settings, self._pool, frames, size)
        self._metrics.decoded(sum(picture is not None for picture in pictures))
        return pictures

    def _publish(self, publication: Publication) -> None:
        with self._metrics.stage("publish"):
            self._postman.post(publication)

    def _presence(self) -> Presence:
        birth, will = self._status(online=True), self._status(online=False)
        return Presence(birth, will, self._absence.barrier_topic)

    def _status(self, *, online: bool) -> Publication:
        mqtt = self._settings.mqtt
        return status_publication(mqtt.prefix, mqtt.box, online)

    def _web(self) -> WebServer:
        listen, token = self._settings.web.listen, self._settings.web.token
        shown = None if token is None else token.get_secret_value()
        return WebServer(listen, self._routes(), branches=self._page.branches(), token=shown)

    def _routes(self) -> Routes:
        return {
            **self._page.routes(),
            "/metrics": self._page_metrics,
            "/healthz": self._health.live,
            "/readyz": self._health.ready,
        }

    def _page_metrics(self) -> Response:
        body, content_type = self._metrics.exposition()
        return Response(HTTPStatus.OK, content_type, body)
