"""The decoder: from a message to events, by the configured sensors and cameras.

Every source whose pattern matches a topic decodes the message, so that two entries may read
different values from one topic. Which ones match, and under which names, is worked out once per
topic and remembered for a bounded number of topics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from edge_fusion.codecs.dialect import Dialect, Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import FrameFormat, FrameKeys, Picture, decode_frame
from edge_fusion.codecs.invalid import invalid, printable
from edge_fusion.codecs.times import property_time
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.events import (
    Event,
    EventTime,
    Frame,
    Invalid,
    InvalidReason,
    Message,
    Offline,
    Publication,
    Reading,
    Suspect,
    TimeSource,
)

Decoded = Event | Offline | Suspect | Invalid | Publication
"""What may be in a message. A `Publication` is an answer that the sender's protocol asks for."""

DEFAULT_SITE: Final = "default"
_MAX_NAME = 64
_CACHED_TOPICS = 4096
_CACHED_TOPIC_LENGTH = 256  # longer ones are matched anew: the cache stays within megabytes
_NOT_NAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class SensorSource:
    """One `[[sensors]]` entry. `format` is a key of `SENSOR_FORMATS`.

    site, device: names for topics that have no such placeholder; the topic wins over them.
    """

    pattern: TopicPattern
    format: str
    keys: SensorKeys
    site: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class CameraSource:
    """One `[[cameras]]` entry with a topic. site, camera: as for `SensorSource`."""

    pattern: TopicPattern
    format: FrameFormat = FrameFormat.AUTO
    keys: FrameKeys = field(default_factory=FrameKeys)
    site: str | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bytes of a sensor payload, bytes of a picture file, pixels that its header may claim."""

    max_payload_bytes: int = 1_000_000
    max_frame_bytes: int = 8_000_000
    max_pixels: int = 50_000_000


class _Sensor(NamedTuple):
    """A `[[sensors]]` entry and the dialect that was made for it."""

    source: SensorSource
    decode: Dialect


class _Route(NamedTuple):
    """A source that reads a topic, and what the topic is called there.

    named: whether the topic or the configuration says so, which wins over what the payload says.
    """

    source: _Sensor | CameraSource
    site: str
    name: str
    named: bool


class _BadName(NamedTuple):
    """A source that would read a topic whose names are none."""

    detail: str


class Decoder:
    """Turns messages into events. Holds its configuration and what its dialects remember."""

    def __init__(
        self,
        sensors: Sequence[SensorSource],
        cameras: Sequence[CameraSource],
        limits: DecodeLimits = DecodeLimits(),
    ) -> None:
        made = (_Sensor(sensor, SENSOR_FORMATS[sensor.format].make()) for sensor in sensors)
        self._sources: tuple[_Sensor | CameraSource, ...] = (*made, *cameras)
        self._limits = limits
        self._cached_routes = lru_cache(maxsize=_CACHED_TOPICS)(self._find_routes)

    def decode(self, message: Message) -> list[Decoded]:
        """The events in `message`, and an `Invalid` for each thing in it that is none.

        Never raises. An empty list means that a device says it has no reading now.
        """
        routes = self._routes(message.topic)
        if not routes:
            detail = f"no sensor or camera is configured for {message.topic}"
            return [invalid(message, InvalidReason.TOPIC, detail)]
        return [event for route in routes for event in self._follow(route, message)]

    def _routes(self, topic: str) -> tuple[_Route | _BadName, ...]:
        short = len(topic) <= _CACHED_TOPIC_LENGTH
        return self._cached_routes(topic) if short else self._find_routes(topic)

    def _find_routes(self, topic: str) -> tuple[_Route | _BadName, ...]:
        routes = (_route(source, topic) for source in self._sources)
        return tuple(route for route in routes if route is not None)

    def _follow(self, route: _Route | _BadName, message: Message) -> list[Decoded]:
        if isinstance(route, _BadName):
            return [invalid(message, InvalidReason.NAME, route.detail)]
        if isinstance(route.source, CameraSource):
            return [_signed(_frame(route.source, route, message, self._limits), route)]
        return [
            _signed(decoded, route)
            for finding in _findings(route.source, message, self._limits)
            for decoded in _settled(finding, route, message)
        ]


def _route(source: _Sensor | CameraSource, topic: str) -> _Route | _BadName | None:
    settings = source.source if isinstance(source, _Sensor) else source
    names = settings.pattern.match(topic)
    if names is None:
        return None
    is_sensor = isinstance(settings, SensorSource)
    own = settings.device if isinstance(settings, SensorSource) else settings.camera
    site = names.get("site", settings.site or DEFAULT_SITE)
    given = names.get("device" if is_sensor else "camera", own)
    name = given or _as_name(topic)
    for found in (site, name):
        if not valid_name(found):
            return _BadName(printable(f"{found[:70]!r} is no name: 1 to 64 of A-Z a-z 0-9 _ . -"))
    return _Route(source, site, name, named=given is not None)


def _as_name(text: str) -> str:
    """A name for what is called `text`, be it by a topic or by itself."""
    return _NOT_NAME.sub("_", text.replace("/", "."))[-_MAX_NAME:] or "_"


def _findings(sensor: _Sensor, message: Message, limits: DecodeLimits) -> Sequence[Finding]:
    size = len(message.payload)
    if size > limits.max_payload_bytes:
        detail = f"{size} bytes, limit {limits.max_payload_bytes}"
        return [invalid(message, InvalidReason.TOO_LARGE, detail)]
    return sensor.decode(message, sensor.source.keys)


def _settled(finding: Finding, route: _Route, message: Message) -> list[Decoded]:
    if isinstance(finding, Gone):
        return [Offline(route.site, _device(finding.device, route), message.arrival)]
    if not isinstance(finding, Sample):
        return [finding]
    reading = _reading(finding, route, message)
    if isinstance(reading, Reading) and finding.doubt is not None:
        return [reading, Suspect(reading, finding.doubt)]
    return [reading]


def _device(stated: str | None, route: _Route) -> str:
    return route.name if stated is None or route.named else _as_name(stated)


def _reading(sample: Sample, route: _Route, message: Message) -> Reading | Invalid:
    # A payload dates each of its values; a user property dates the message as a whole.
    time: EventTime | InvalidReason | None = sample.time
    if time is None and message.properties:
        zone = route.source.source.keys.zone if isinstance(route.source, _Sensor) else None
        time = property_time(message.properties, zone)
    if isinstance(time, InvalidReason):
        return invalid(message, time, "the user property that dates the message is no time")
    when = _when(time, message)
    if isinstance(when, Invalid):
        return when
    at, source_of_time = when
    device = _device(sample.device, route)
    if sample.part is not None:
        device = _as_name(f"{device}.{sample.part}")
    return Reading(
        route.site, device, sample.quantity, sample.value, at, message.arrival, source_of_time
    )


def _frame(
    source: CameraSource, route: _Route, message: Message, limits: DecodeLimits
) -> Frame | Invalid:
    picture = decode_frame(
        message,
        source.format,
        source.keys,
        max_frame_bytes=limits.max_frame_bytes,
        max_pixels=limits.max_pixels,
    )
    if not isinstance(picture, Picture):
        return picture
    when = _when(picture.time, message)
    if isinstance(when, Invalid):
        return when
    at, source_of_time = when
    kept = message.qos > 0
    return Frame(route.site, route.name, picture.image, at, message.arrival, source_of_time, kept)


def _when(time: EventTime | None, message: Message) -> tuple[EventTime, TimeSource] | Invalid:
    if time is not None:
        return time, TimeSource.DEVICE
    if message.retained:
        # It says that the device once lived, not when.
        return invalid(message, InvalidReason.RETAINED, "retained, without a time of its own")
    return EventTime(message.arrival), TimeSource.ARRIVAL


def _signed(decoded: Decoded, route: _Route) -> Decoded:
    if isinstance(decoded, Invalid):
        return replace(decoded, site=route.site, source=route.name)
    return decoded
