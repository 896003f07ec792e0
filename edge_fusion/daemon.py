"""The composition root: makes the parts, wires them, runs them until told to stop.

Threads: main waits for signals; each MQTT connection has one; the pipeline thread owns all state;
a pool of two decodes frames (OpenCV releases the interpreter lock); the web server has its own.
They meet in the mailbox only.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_fusion import __version__, assembly
from edge_fusion.align.sites import Sites
from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.codecs.publications import status_publication
from edge_fusion.config import load, model_problems
from edge_fusion.config.settings import Settings
from edge_fusion.errors import ConfigError, EdgeFusionError
from edge_fusion.events import ArrivalTime, Delivery, Frame, ModelInputs, Publication
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.mqtt import Connection
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.io.web import PLAIN, Response, Routes, WebServer, health_response
from edge_fusion.mailbox import Batch, Connected, Disconnected, Mailbox, Notice, Reload, Stop
from edge_fusion.model.spec import ModelSpec
from edge_fusion.outbox import Outbox
from edge_fusion.pipeline import Pipeline, Stages
from edge_fusion.postman import Postman

log = logging.getLogger("edge_fusion")

READINGS, FRAMES = "readings", "frames"
HEARTBEAT = 1.0
STUCK_AFTER = 30.0
DRAIN = 5.0
FAREWELL = 3.0
RECEIVE_MAXIMUM = 200
DECODERS = 2
FRAME_BACKLOG_BYTES = 64_000_000
MAX_PACKET_BYTES = 32_000_000
"""What a broker may send at most: a box of 1 GB bears it, and what is too large for a reading or
a frame but below this can still be counted and named, where the broker would drop it unseen."""


def run_daemon(path: Path, environ: Mapping[str, str]) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status.

    Raises ConfigError or ModelError when it cannot start.
    """
    settings = load(path, environ)
    model = assembly.configured_model(settings.model)
    if problems := model_problems(settings, model.spec, path):
        raise ConfigError(problems)
    daemon = Daemon(settings, model)
    with _signals({signal.SIGTERM: Stop(), signal.SIGINT: Stop(), signal.SIGHUP: Reload()}, daemon):
        return daemon.run()


class Daemon:
    """All parts of one running daemon. `run` starts them, and stops them in reverse order."""

    def __init__(self, settings: Settings, model: OnnxModel) -> None:
        self._settings = settings
        self._model = model
        self._clock = ArrivalClock()
        self._metrics = _metrics(settings, model)
        self._mailbox = Mailbox(
            self._clock.stamp,
            max_readings=settings.limits.max_readings,
            max_frames_per_topic=settings.limits.max_frames,
            max_frame_bytes_total=FRAME_BACKLOG_BYTES,
        )
        self._readings = self._connect_readings()
        self._frames = self._connect_frames()
        self._sites = assembly.sites(settings, model.spec)
        self._pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
        self._postman = Postman(
            Outbox(settings.limits.max_outbox),
            self._readings,
            observe=self._metrics.observe,
            delivered=self._metrics.published,
        )
        self._pipeline = self._make_pipeline()
        self._connected: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()
        self._turned_at = self._reported_at = self._clock.stamp()
        self._failure: Exception | None = None

    def post(self, notice: Notice) -> None:
        """Leave a notice for the pipeline thread; safe in a signal handler."""
        self._mailbox.put(notice)

    def run(self) -> int:
        """Run to the end; raises EdgeFusionError when the pipeline ended before it was told to.

        Not as what it was: a model that failed now may work after a restart, so the exit status
        must not be that of a bad configuration.
        """
        web = WebServer(self._settings.web.listen, self._routes())
        thread = threading.Thread(target=self._loop, name="pipeline")
        with ExitStack() as stack:
            stack.callback(self._pool.shutdown)
            web.start()
            stack.callback(web.stop)
            log.info("serving /metrics, /healthz and /readyz on http://%s", web.address)
            self._readings.start()
            stack.callback(self._readings.stop, FAREWELL, self._status(online=False))
            if self._frames is not None:
                self._frames.start()
                stack.callback(self._frames.stop, FAREWELL)
            thread.start()
            thread.join()
        if self._failure is not None:
            raise EdgeFusionError(f"stopped: {self._failure}") from self._failure
        return 0

    def _loop(self) -> None:
        """The pipeline thread: batches until told to stop, then what is still to be published."""
        try:
            while not self._turn(self._wake()):
                pass
            deadline = ArrivalTime(self._clock.stamp() + DRAIN)
            while len(self._postman) and self._clock.stamp() < deadline:
                self._turn(deadline)
        except Exception as error:
            expected = isinstance(error, EdgeFusionError)
            log.critical("the pipeline ended: %s", error, exc_info=None if expected else error)
            self._failure = error
        if len(self._postman):
            log.warning("stopped with %d messages not acknowledged", len(self._postman))

    def _wake(self) -> ArrivalTime:
        heartbeat = ArrivalTime(self._clock.stamp() + HEARTBEAT)
        due = self._pipeline.wake()
        return heartbeat if due is None else min(due, heartbeat)

    def _turn(self, until: ArrivalTime) -> bool:
        """One batch; True when it held the word to stop."""
        batch = self._mailbox.take(until)
        for notice in batch.notices:
            self._hear(notice, batch.until)
        self._pipeline.turn(batch)
        self._report(batch)
        return any(isinstance(notice, Stop) for notice in batch.notices)

    def _hear(self, notice: Notice, now: ArrivalTime) -> None:
        self._postman.hear(notice, now)
        match notice:
            case Connected(connection=name, protocol=protocol):
                log.info("mqtt %s: connected, MQTT %s", name, protocol)
                self._connected |= {name}
                self._metrics.connection(name, True)
                if name in self._known:
                    self._metrics.reconnected()
                self._known |= {name}
            case Disconnected(connection=name):
                self._connected -= {name}
                self._metrics.connection(name, False)
            case Reload():
                log.warning("reload is not supported yet: restart to use a new configuration")
                self._metrics.reloaded(False)
            case _:
                pass

    def _report(self, batch: Batch) -> None:
        """Show the state that is no outcome, once a heartbeat."""
        self._turned_at = batch.until
        if batch.until - self._reported_at >= HEARTBEAT:
            self._reported_at = batch.until
            self._metrics.outbox(len(self._postman))
            for queue, length in self._mailbox.lengths().items():
                self._metrics.queue(queue, length)
            _report_sites(self._sites, self._metrics, batch.until)

    def _make_pipeline(self) -> Pipeline:
        settings, model = self._settings, self._model
        stages = Stages(
            decoder=assembly.decoder(settings),
            sites=self._sites,
            scorer=assembly.scorer(settings, _TimedModel(model, self._metrics), self._decode),
            book=assembly.book(settings, model),
            announcer=assembly.announcer(settings, model),
        )
        return Pipeline(
            stages,
            self._metrics,
            self._publish,
            revision_epsilon=settings.windows.revision_epsilon,
        )

    def _connect_readings(self) -> Connection:
        settings = self._settings
        return Connection(
            READINGS,
            assembly.broker_settings(settings.mqtt),
            subscriptions=assembly.sensor_subscriptions(settings),
            deliver=self._deliver_reading,
            notify=self._mailbox.put,
            stamp=self._clock.stamp,
            will=self._status(online=False),
            birth=self._status(online=True),
            persistent=True,
            receive_maximum=RECEIVE_MAXIMUM,
            max_packet_bytes=MAX_PACKET_BYTES,
        )

    def _connect_frames(self) -> Connection | None:
        """Pictures have a connection of their own, so that they can't hold up readings."""
        settings = self._settings
        if not settings.cameras:
            return None
        return Connection(
            FRAMES,
            assembly.broker_settings(settings.mqtt, suffix="-frames"),
            subscriptions=assembly.camera_subscriptions(settings),
            deliver=self._deliver_frame,
            notify=self._mailbox.put,
            stamp=self._clock.stamp,
            max_packet_bytes=MAX_PACKET_BYTES,
        )

    def _deliver_reading(self, delivery: Delivery, qos: int) -> None:
        cut = _cut(delivery, self._settings.limits.max_payload_bytes)
        self._mailbox.put_reading(cut, sheddable=qos == 0)

    def _deliver_frame(self, delivery: Delivery, _qos: int) -> None:
        # Base64 in JSON is a third longer than the picture in it.
        self._mailbox.put_frame(_cut(delivery, 2 * self._settings.limits.max_frame_bytes))

    def _decode(
        self, frames: Sequence[Frame], size: tuple[int, int]
    ) -> list[NDArray[np.uint8] | None]:
        decode = partial(decode_rgb, size=size, max_pixels=self._settings.limits.max_pixels)
        with self._metrics.stage("decode"):
            pictures = list(self._pool.map(decode, [frame.image for frame in frames]))
        self._metrics.decoded(sum(picture is not None for picture in pictures))
        return pictures

    def _publish(self, publication: Publication) -> None:
        with self._metrics.stage("publish"):
            self._postman.post(publication)

    def _status(self, *, online: bool) -> Publication:
        mqtt = self._settings.mqtt
        return status_publication(mqtt.prefix, mqtt.box, online)

    def _routes(self) -> Routes:
        return {
            "/": lambda: Response(HTTPStatus.OK, PLAIN, b"/metrics\n/healthz\n/readyz\n"),
            "/metrics": self._page_metrics,
            "/healthz": self._page_health,
            "/readyz": self._page_ready,
        }

    def _page_metrics(self) -> Response:
        body, content_type = self._metrics.exposition()
        return Response(HTTPStatus.OK, content_type, body)

    def _page_health(self) -> Response:
        """Whether the pipeline goes on; a broker that is gone is no reason to restart us."""
        idle = self._clock.stamp() - self._turned_at
        return health_response(idle < STUCK_AFTER, {"seconds_since_last_turn": round(idle, 1)})

    def _page_ready(self) -> Response:
        wanted = {READINGS} if self._frames is None else {READINGS, FRAMES}
        up = self._connected
        return health_response(wanted <= up, {"mqtt": {name: name in up for name in wanted}})


@dataclass(frozen=True, slots=True)
class _TimedModel:
    """A model whose inferences are timed."""

    model: OnnxModel
    metrics: Metrics

    @property
    def spec(self) -> ModelSpec:
        return self.model.spec

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]:
        with self.metrics.stage("infer"):
            return self.model.infer(inputs)


def _cut(delivery: Delivery, limit: int) -> Delivery:
    """A payload above its limit is kept just long enough to be recognised as that."""
    message = delivery.message
    if len(message.payload) <= limit:
        return delivery
    return replace(delivery, message=replace(message, payload=message.payload[: limit + 1]))


def _metrics(settings: Settings, model: OnnxModel) -> Metrics:
    limits = settings.limits
    metrics = Metrics(__version__, max_sites=limits.max_sites, max_devices=limits.max_devices)
    metrics.provider(model.requested, model.provider, fallback=model.fallback)
    metrics.connection(READINGS, False)
    if settings.cameras:
        metrics.connection(FRAMES, False)
    return metrics


def _report_sites(sites: Sites, metrics: Metrics, now: ArrivalTime) -> None:
    for site in sites:
        metrics.watermark(site.site, site.watermark)
        metrics.idle(site.site, site.idle(now))
        for source, offset in site.offsets().items():
            metrics.clock_offset(site.site, source, offset)


@contextmanager
def _signals(notices: Mapping[signal.Signals, Notice], daemon: Daemon) -> Iterator[None]:
    before = {
        number: signal.signal(number, lambda *_, notice=notice: daemon.post(notice))
        for number, notice in notices.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
