"""From settings to the model and the parts of the line: made here, started by nobody yet."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_fusion import __version__
from edge_fusion.align.alignment import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import assigner
from edge_fusion.announcer import Announcer, Voice
from edge_fusion.assembly_alerts import desk, labels, labels_of_sites, usual_labels
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.decoder import (
    AvailabilitySource,
    CameraSource,
    DecodeLimits,
    Decoder,
    SensorSource,
)
from edge_fusion.codecs.dialect import USUAL_PATHS, SensorKeys
from edge_fusion.codecs.frames import FrameKeys
from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.codecs.silence import SilenceTopic
from edge_fusion.codecs.topics import TopicPattern, silence_pattern
from edge_fusion.config.settings import ModelSettings, MqttSettings, Settings
from edge_fusion.config.sources import JSON, CameraSettings, SensorSettings
from edge_fusion.errors import ConfigError
from edge_fusion.events import HUMIDITY, TEMPERATURE, ArrivalTime, Frame
from edge_fusion.io.broker import BrokerSettings, Subscription
from edge_fusion.io.cameras import VideoSource
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.io.recording import About
from edge_fusion.io.store import Store
from edge_fusion.io.tls import TlsFiles
from edge_fusion.model.spec import ModelSpec
from edge_fusion.outbox import Outbox
from edge_fusion.scoring import DecodeFrames, Model, Scorer
from edge_fusion.stages import Stages

DECODERS = 2


def configured_model(model: ModelSettings) -> OnnxModel:
    """Load the model; raises ModelError as `load_model` does."""
    return load_model(
        model.path,
        providers=model.providers,
        require=model.require,
        threads=model.threads,
        sha256=model.sha256,
    )


def broker_settings(mqtt: MqttSettings, suffix: str = "") -> BrokerSettings:
    """Where the broker is; `suffix` tells the client ids of several connections apart."""
    tls = None if mqtt.tls is None else TlsFiles(mqtt.tls.ca, mqtt.tls.cert, mqtt.tls.key)
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        protocol=mqtt.protocol,
        client_id=mqtt.client_id + suffix,
        username=mqtt.username,
        password=None if mqtt.password is None else mqtt.password.get_secret_value(),
        keepalive=mqtt.keepalive,
        tls=tls,
    )


def store(settings: Settings) -> Store:
    return Store(settings.store.path, settings.store.durability)


def outbox(settings: Settings, kept: Store) -> Outbox:
    return Outbox(settings.limits.max_outbox, settings.limits.max_outbox_bytes, kept.outbox)


def sensor_subscriptions(settings: Settings) -> tuple[Subscription, ...]:
    """What sensors measure, and whether they are there."""
    patterns = [
        (pattern, sensor.qos)
        for sensor in settings.sensors
        for pattern in (sensor.pattern, sensor.availability_pattern)
        if pattern is not None
    ]
    return _subscriptions(patterns)


def silence_subscription(settings: Settings) -> Subscription:
    """Where people say that alerts are to be quiet."""
    return Subscription(TopicPattern.parse(silence_pattern(settings.mqtt.prefix)).filter, 1)


def camera_subscriptions(settings: Settings) -> tuple[Subscription, ...]:
    return _subscriptions([(camera.pattern, camera.qos) for camera in settings.camera_topics])


def video_sources(settings: Settings) -> tuple[VideoSource, ...]:
    """The cameras that are looked at, not listened to."""
    return tuple(
        VideoSource(*camera.video_name, video, camera.fps, camera.latency)
        for camera in settings.cameras
        if (video := camera.video) is not None
    )


def _subscriptions(patterns: Sequence[tuple[TopicPattern, int]]) -> tuple[Subscription, ...]:
    """One subscription per filter, at the highest QoS any entry asks for."""
    wanted: dict[str, int] = {}
    for pattern, qos in patterns:
        wanted[pattern.filter] = max(qos, wanted.get(pattern.filter, 0))
    return tuple(Subscription(topic, qos) for topic, qos in wanted.items())


def decoder(settings: Settings, labels: Sequence[str] = ()) -> Decoder:
    """`labels` are those that people may silence; without any nobody is heard who wants to."""
    limits = settings.limits
    return Decoder(
        [source for sensor in settings.sensors for source in _sensors(sensor)],
        [_camera(camera) for camera in settings.camera_topics],
        DecodeLimits(limits.max_payload_bytes, limits.max_frame_bytes, limits.max_pixels),
        [
            AvailabilitySource(pattern, sensor.site, sensor.device)
            for sensor in settings.sensors
            if (pattern := _naming_availability(sensor)) is not None
        ],
        SilenceTopic(settings.mqtt.prefix, labels) if labels else None,
    )


def _sensors(sensor: SensorSettings) -> list[SensorSource]:
    """The source of an entry; and another, for its dialect to say which device is gone."""
    source, pattern = _sensor(sensor), sensor.availability_pattern
    if pattern is None or _naming_availability(sensor) is not None:
        return [source]
    return [source, replace(source, pattern=pattern)]


def _naming_availability(sensor: SensorSettings) -> TopicPattern | None:
    """Where devices are said to be gone, if the configuration names them."""
    pattern = sensor.availability_pattern
    named = pattern is not None and (sensor.device is not None or "device" in pattern.names)
    return pattern if named else None


def _sensor(sensor: SensorSettings) -> SensorSource:
    keys = SensorKeys(
        paths=sensor.paths,
        time=sensor.time,
        quantity=sensor.quantity,
        units={TEMPERATURE: sensor.unit, HUMIDITY: sensor.humidity_unit},
        zone=sensor.timezone,
    )
    return SensorSource(
        sensor.pattern,
        sensor.format,
        keys,
        sensor.site,
        sensor.device,
        deaths=sensor.availability is not False,
        unchanged=sensor.ignore_unchanged_within,
    )


def _camera(camera: CameraSettings) -> CameraSource:
    keys = FrameKeys(
        image=camera.image, time=camera.time, zone=camera.timezone, exif_time=camera.exif_time
    )
    return CameraSource(camera.pattern, camera.format, keys, camera.site, camera.camera)


def stages(settings: Settings, model: OnnxModel, inference: Model, decode: DecodeFrames) -> Stages:
    """The parts of the line; `inference` is `model` itself, or something that stands for it."""
    return Stages(
        decoder=decoder(settings, labels(settings, model.spec)),
        sites=sites(settings, model.spec),
        scorer=scorer(settings, inference, decode),
        book=desk(settings, model),
        announcer=announcer(settings, model),
    )


def sites(settings: Settings, spec: ModelSpec) -> Sites:
    windows, limits = settings.windows, settings.limits
    alignment = Alignment(
        windows=assigner(*windows.size_and_every(spec.window_s)),
        max_out_of_orderness=windows.max_out_of_orderness,
        allowed_lateness=windows.allowed_lateness,
        idle_timeout=windows.idle_timeout,
        max_wait=windows.max_wait,
        max_skew=windows.max_skew,
        carry=windows.carry,
        max_readings=limits.max_readings,
        max_frames=limits.max_frames,
    )
    return Sites(alignment, max_sites=limits.max_sites, max_devices=limits.max_devices)


def scorer(settings: Settings, model: Model, decode: DecodeFrames) -> Scorer:
    return Scorer(
        model,
        decode,
        max_gap=settings.windows.max_gap,
        carry=settings.windows.carry,
        max_batch=settings.model.max_batch,
    )


def decode_frames(
    settings: Settings, pool: Executor, frames: Sequence[Frame], size: tuple[int, int]
) -> list[NDArray[np.uint8] | None]:
    """Decode frames side by side: OpenCV releases the interpreter lock."""
    decode = partial(decode_rgb, size=size, max_pixels=settings.limits.max_pixels)
    return list(pool.map(decode, [frame.image for frame in frames]))


def announcer(settings: Settings, model: OnnxModel) -> Announcer:
    home = settings.homeassistant
    return Announcer(
        Voice(
            prefix=settings.mqtt.prefix,
            box=settings.mqtt.box,
            model=ModelIdentity(model.spec.name, model.sha256),
            quantities=model.spec.quantities,
            labels=usual_labels(settings, model.spec),
            version=__version__,
            windows=settings.mqtt.publish_windows,
            late=settings.mqtt.publish_late,
            discovery=home.prefix if home.discovery else None,
            labels_of=labels_of_sites(settings, model.spec),
        )
    )


def about_recording(settings: Settings, started: ArrivalTime) -> About:
    mqtt = settings.mqtt
    return About(
        program=f"edge-fusion {__version__}",
        box=mqtt.box,
        broker=f"{mqtt.host}:{mqtt.port}",
        started=started,
    )


def simulated_topics(settings: Settings, path: Path) -> tuple[str, str | None, dict[str, str]]:
    """Topic patterns of sensors and cameras, and paths of the JSON, for simulated devices.

    Raises ConfigError when no sensor takes JSON, the format simulated sensors speak.
    """
    for sensor in settings.sensors:
        if sensor.format == JSON:
            given = sensor.paths or USUAL_PATHS
            paths = {q: p for q, p in given.items() if q in {TEMPERATURE, HUMIDITY}}
            if sensor.time is not None:
                paths["time"] = sensor.time
            cameras = [camera.pattern.text for camera in settings.camera_topics]
            return sensor.pattern.text, cameras[0] if cameras else None, paths
    raise ConfigError([f'{path}: sensors: expected one with format = "json" to simulate'])
