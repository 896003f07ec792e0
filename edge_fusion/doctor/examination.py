"""The examination: looks at everything in turn, and has it judged."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from edge_fusion import assembly
from edge_fusion.codecs.invalid import printable
from edge_fusion.codecs.topics import barrier_topic
from edge_fusion.config import Settings, exposures, load, loose_files, model_problems
from edge_fusion.doctor.box import judge_clock, judge_place, judge_store_file
from edge_fusion.doctor.broker import Acquaintance, judge_broker, judge_faults
from edge_fusion.doctor.cameras import judge_camera
from edge_fusion.doctor.finding import Finding, ok, problem, warning
from edge_fusion.doctor.listening import Listening, judge_devices, judge_sections
from edge_fusion.doctor.model import MODEL, Running, Runtime, judge_model, judge_runtime
from edge_fusion.errors import ConfigError, ModelError
from edge_fusion.events import ArrivalTime, Delivery
from edge_fusion.io.broker import Subscription
from edge_fusion.io.cameras import looks
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.host import clock_state, examine_place
from edge_fusion.io.mqtt import Backoff, Connection
from edge_fusion.io.onnx import VERSION, OnnxModel, offered
from edge_fusion.io.probe import probe
from edge_fusion.io.store import Durability
from edge_fusion.io.store_file import fault_of_store
from edge_fusion.io.video import OPENCV
from edge_fusion.mailbox import Connected, Notice, Subscribed
from edge_fusion.model.inputs import zeros
from edge_fusion.model.precision import precision

CONFIG = "config"
VERSION_TOPIC = "$SYS/broker/version"
PATIENCE = 5.0
SECOND_TRY = 1.0
"""Seconds for a broker that has just been tried in vain; its fault may have been another one."""

FAREWELL = 1.0
LOOK = 2.0
"""Seconds for which each camera is looked at, to count its pictures."""

INFERENCES = 20
MAX_PACKET_BYTES = 32_000_000


def examine(path: Path, environ: Mapping[str, str], *, duration: float) -> Iterator[Finding]:
    """Everything there is to say of a configuration, this box and what comes to it, bit by bit.

    Listens for `duration` seconds.
    """
    try:
        settings = load(path, environ)
    except ConfigError as error:
        advice = "edge-fusion schema config, and deploy/edge-fusion.toml, say what is allowed"
        yield from (problem(CONFIG, line, advice) for line in error.problems)
        return
    yield from _configuration(settings, path)
    yield judge_clock(clock_state())
    yield from _store(settings)
    yield from _model(settings, path)
    yield from _cameras(settings)
    yield from _broker(settings, duration)


def _configuration(settings: Settings, path: Path) -> Iterator[Finding]:
    yield ok(CONFIG, f"{path} can be read")
    for line in loose_files(settings):
        yield warning(CONFIG, line, "chmod 600 it")
    for line in exposures(settings, path):
        yield problem(CONFIG, line, "set [web] token_file, or listen on 127.0.0.1")


def _store(settings: Settings) -> Iterator[Finding]:
    store = settings.store
    if store.durability is Durability.NONE:
        yield ok("store", 'nothing is kept over a restart: [store] durability = "none"')
        return
    place = examine_place(store.path.parent)
    yield from judge_place(place, settings.limits.max_outbox_bytes, store.durability)
    try:
        fault = fault_of_store(store.path)
    except FileNotFoundError:
        return
    except OSError as error:
        yield problem("store", f"{store.path}: {error.strerror}", "give the daemon's user the file")
        return
    yield from judge_store_file(fault)


def _model(settings: Settings, path: Path) -> Iterator[Finding]:
    yield judge_runtime(Runtime(platform.python_version(), VERSION, offered(), OPENCV))
    try:
        model = assembly.configured_model(settings.model)
        row = _time_of_a_row(model)
    except ModelError as error:
        advice = 'edge-fusion model check FILE says more; path = "indoor-hazard" is the shipped one'
        yield problem(MODEL, str(error), advice)
        return
    for line in model_problems(settings, model.spec, path):
        yield problem(MODEL, line, "edge-fusion model show FILE lists its labels")
    running = Running(
        model.spec.name,
        precision(model.path.read_bytes()),
        model.requested,
        model.provider,
        model.fallback,
        row,
    )
    yield from judge_model(running, settings.windows.size_and_every(model.spec.window_s)[1])


def _time_of_a_row(model: OnnxModel) -> float:
    """Seconds; the least of some, which is what the model takes if nothing else runs."""
    clock, inputs, times = ArrivalClock(), zeros(model.spec, 1), []
    for _ in range(INFERENCES):
        begun = clock.stamp()
        model.infer(inputs)
        times.append(clock.stamp() - begun)
    return max(min(times), 1e-6)


def _cameras(settings: Settings) -> Iterator[Finding]:
    sources = assembly.video_sources(settings)
    for source, look in zip(sources, looks(sources, LOOK, ArrivalClock().stamp), strict=True):
        yield judge_camera(source, look)


def _broker(settings: Settings, duration: float) -> Iterator[Finding]:
    mqtt = settings.mqtt
    where = f"{mqtt.host}:{mqtt.port}"
    broker = assembly.broker_settings(mqtt)
    try:
        faults = probe(broker, PATIENCE, echo=barrier_topic(mqtt.prefix, mqtt.box))
    except ConfigError as error:
        faults = list(error.problems)
    yield from judge_faults(where, faults)
    visit = _Visit(settings)
    now = visit.stay(SECOND_TRY if faults else PATIENCE, duration)
    if visit.connected is None:
        return
    yield from judge_broker(
        Acquaintance(where, visit.connected.protocol, visit.software, visit.connected.granted)
    )
    listening = visit.listening
    yield from judge_sections(listening.sections, visit.refused, duration)
    yield from judge_devices(listening.devices, now, settings.windows.max_skew)


@dataclass(slots=True)
class _Visit:
    """A stay at the broker under a client id of our own, with ears for all configured topics."""

    settings: Settings
    listening: Listening = field(init=False)
    connected: Connected | None = None
    software: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    _notices: SimpleQueue[Notice] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.listening = Listening(self.settings)

    def stay(self, patience: float, duration: float) -> ArrivalTime:
        """Connect within `patience` seconds, and listen; returns until when."""
        clock = ArrivalClock()
        connection = self._connection(clock)
        try:
            connection.start()
        except ConfigError:
            return clock.stamp()  # as it was said already
        with ExitStack() as stack:
            stack.callback(connection.stop, FAREWELL)
            until = clock.stamp() + patience
            while (left := until - clock.stamp()) > 0:
                try:
                    notice = self._notices.get(timeout=left)
                except Empty:
                    break
                if isinstance(notice, Connected) and self.connected is None:
                    until = clock.stamp() + duration
                    self.connected = notice
                elif isinstance(notice, Subscribed):
                    self.refused = dict(notice.refused)
            return clock.stamp()

    def _connection(self, clock: ArrivalClock) -> Connection:
        subscriptions = (
            *assembly.sensor_subscriptions(self.settings),
            *assembly.camera_subscriptions(self.settings),
        )
        return Connection(
            "doctor",
            assembly.broker_settings(self.settings.mqtt, "-doctor"),
            subscriptions=[
                Subscription(VERSION_TOPIC, 0),
                *(Subscription(each.filter, 0) for each in subscriptions),
            ],
            deliver=self._take,
            notify=self._notices.put,
            stamp=clock.stamp,
            max_packet_bytes=MAX_PACKET_BYTES,
            backoff=Backoff(first=0.1, longest=0.5),
        )

    def _take(self, delivery: Delivery, _qos: int) -> None:
        message = delivery.message
        if message.topic == VERSION_TOPIC:
            self.software = printable(message.payload.decode(errors="replace"))
        else:
            self.listening.take(message)
