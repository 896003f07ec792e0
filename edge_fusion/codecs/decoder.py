"""The decoder: from a message to events, by the configured sensors and cameras.

Every source whose pattern matches a topic decodes the message, so that two entries may read
different values from one topic; but where devices are said to be there or gone, nothing else is
looked for. Which ones match, and under which names, is worked out once per topic and remembered
for a bounded number of topics.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import Dialect, Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.echoes import Echoes
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import FrameFormat, FrameKeys, Picture, decode_frame
from edge_fusion.codecs.invalid import invalid, printable
from edge_fusion.codecs.parts import Parts
from edge_fusion.codecs.silence import SilenceTopic
from edge_fusion.codecs.times import Unzoned, read_property
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.codecs.units import clipped
from edge_fusion.events import (
    Capture,
    Doubt,
    Duplicate,
    Event,
    EventTime,
    Frame,
    Invalid,
    InvalidReason,
    Message,
    Offline,
    Publication,
    Reading,
    Silence,
    Suspect,
    TimeSource,
)

Decoded = Event | Offline | Silence | Suspect | Duplicate | Invalid | Publication
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
    deaths: whether it counts what the format itself says of devices that are gone. unchanged:
    seconds for which a payload that comes again, with nothing in it that dates it, is none new.
    """

    pattern: TopicPattern
    format: str
    keys: SensorKeys
    site: str | None = None
    device: str | None = None
    deaths: bool = True
    unchanged: float = 0.0


@dataclass(frozen=True, slots=True)
class CameraSource:
    """One `[[cameras]]` entry with a topic. site, camera: as for `SensorSource`."""

    pattern: TopicPattern
    format: FrameFormat = FrameFormat.AUTO
    keys: FrameKeys = field(default_factory=FrameKeys)
    site: str | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class AvailabilitySource:
    """Topics on which devices are said to be there or gone. site, device: as for `SensorSource`."""

    pattern: TopicPattern
    site: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bytes of a sensor payload, bytes of a picture file, pixels that its header may claim."""

    max_payload_bytes: int = 1_000_000
    max_frame_bytes: int = 8_000_000
    max_pixels: int = 50_000_000


class _Sensor(NamedTuple):
    """A `[[sensors]]` entry, the dialect that was made for it, and what its messages may hold.

    echoes: what other topics said of the same device; groups: readings of several devices.
    """

    source: SensorSource
    decode: Dialect
    echoes: bool
    groups: bool


_Source = _Sensor | CameraSource | AvailabilitySource


class _Route(NamedTuple):
    """A source that reads a topic, and what the topic is called there.

    named: whether the topic or the configuration says so, which wins over what the payload says;
    group: it is the name of what speaks for several devices, and stands before theirs; echoes:
    whether another topic may speak of the same device, as those of several gateways do; cached:
    whether the message says no more than the one before it.
    """

    source: _Source
    site: str
    name: str
    named: bool
    group: bool = False
    echoes: bool = False
    cached: bool = False


class _BadName(NamedTuple):
    """A source that would read a topic whose names are none."""

    detail: str


class Decoder:
    """Turns messages into events.

    Holds its configuration, what its dialects remember, and what gateways may have heard twice.
    """

    def __init__(
        self,
        sensors: Sequence[SensorSource],
        cameras: Sequence[CameraSource],
        limits: DecodeLimits = DecodeLimits(),
        availability: Sequence[AvailabilitySource] = (),
        silence: SilenceTopic | None = None,
    ) -> None:
        self._sources: tuple[_Source, ...] = (*_made(sensors), *cameras)
        # Several entries may read the values of one device, each with the same topic for this.
        self._availability: tuple[_Source, ...] = tuple(dict.fromkeys(availability))
        self._silence = silence
        self._parts = Parts()
        self._limits = limits
        self._echoes = Echoes()
        self._cached_routes = lru_cache(maxsize=_CACHED_TOPICS)(self._find_routes)

    def decode(self, message: Message) -> list[Decoded]:
        """The events in `message`, and an `Invalid` for each thing in it that is none.

        Never raises. An empty list means that a device says it has no reading now.
        """
        if isinstance(message, Capture):
            return [_captured(message, self._limits)]
        if self._silence is not None and (said := self._silence.decode(message)) is not None:
            return [*said]
        routes = self._routes(message.topic)
        if not routes:
            detail = f"no sensor or camera is configured for {message.topic}"
            return [invalid(message, InvalidReason.TOPIC, detail)]
        return [event for route in routes for event in self._follow(route, message)]

    def _routes(self, topic: str) -> tuple[_Route | _BadName, ...]:
        short = len(topic) <= _CACHED_TOPIC_LENGTH
        return self._cached_routes(topic) if short else self._find_routes(topic)

    def _find_routes(self, topic: str) -> tuple[_Route | _BadName, ...]:
        # A wildcard may well take in the topics next to those that carry values.
        return _routes(self._availability, topic) or _routes(self._sources, topic)

    def _follow(self, route: _Route | _BadName, message: Message) -> list[Decoded]:
        if isinstance(route, _BadName):
            return [invalid(message, InvalidReason.NAME, route.detail)]
        if isinstance(route.source, CameraSource):
            return [_signed(_frame(route.source, route, message, self._limits), route)]
        if isinstance(route.source, AvailabilitySource):
            return [_signed(decoded, route) for decoded in self._availability_of(route, message)]
        sensor = route.source
        findings = _findings(sensor, message, self._limits)
        if sensor.groups and route.named and _speak_for_several(findings):
            route = route._replace(group=True)
        if sensor.source.unchanged and self._echoes.is_cached(message, sensor.source.unchanged):
            route = route._replace(cached=True)
        return [
            _signed(decoded, route)
            for finding in findings
            for decoded in self._settled(finding, route, message)
        ]

    def _availability_of(self, route: _Route, message: Message) -> Sequence[Decoded]:
        if not message.payload:
            return []  # how a retained message is removed
        gone = is_gone(message.payload)
        if gone is None:
            detail = f"neither online nor offline: {message.payload[:60]!r}"
            return [invalid(message, InvalidReason.SYNTAX, detail)]
        return self._offline(route.site, route.name, message) if gone else []

    def _settled(self, finding: Finding, route: _Route, message: Message) -> Sequence[Decoded]:
        if isinstance(finding, Gone):
            device = _device(finding.device, route)
            return self._offline(route.site, device, message) if _counts_deaths(route) else []
        if not isinstance(finding, Sample):
            return [finding]
        sample = _dated(finding, route, message)
        if isinstance(sample, Invalid):
            return [sample]
        when = _when(sample.time, message)
        if isinstance(when, Invalid):
            return [when]
        time, time_source = when
        if sample.age:
            time = EventTime(time - sample.age)
        device, value = self._named(sample, route), clipped(sample.quantity, sample.value)
        reading = Reading(
            route.site, device, sample.quantity, value, time, message.arrival, time_source
        )
        if self._is_echo(reading, sample, route, message):
            return [Duplicate(reading)]
        found: list[Decoded] = [reading]
        if sample.doubt is not None:
            found.append(Suspect(reading, sample.doubt))
        if value != sample.value:
            found.append(Suspect(reading, Doubt.CLIPPED))
        return found

    def _is_echo(self, reading: Reading, sample: Sample, route: _Route, message: Message) -> bool:
        if sample.identity is not None:
            return self._echoes.came_before(reading, sample.identity)
        if reading.time_source is not TimeSource.ARRIVAL:
            return False
        elsewhere = route.echoes and self._echoes.came_elsewhere(reading, message.topic)
        return elsewhere or route.cached

    def _named(self, sample: Sample, route: _Route) -> str:
        device = _device(sample.device, route)
        if sample.part is None:
            return device
        part = _as_name(f"{device}.{sample.part}")
        self._parts.add(route.site, device, part)
        return part

    def _offline(self, site: str, device: str, message: Message) -> list[Decoded]:
        """That a device is dead, and with it its parts."""
        dead = (device, *self._parts.of(site, device))
        return [Offline(site, name, message.arrival) for name in dead]


def _made(sensors: Sequence[SensorSource]) -> Iterator[_Sensor]:
    # Without a wildcard each device has a topic of its own, unless it has one in another entry too.
    entries = Counter(sensor.format for sensor in sensors)
    for sensor in sensors:
        form = SENSOR_FORMATS[sensor.format]
        echoes = sensor.pattern.has_wildcard or entries[sensor.format] > 1
        yield _Sensor(sensor, form.make(), echoes, form.groups)


def _routes(sources: Sequence[_Source], topic: str) -> tuple[_Route | _BadName, ...]:
    routes = (_route(source, topic) for source in sources)
    return tuple(route for route in routes if route is not None)


def _route(source: _Source, topic: str) -> _Route | _BadName | None:
    settings = source.source if isinstance(source, _Sensor) else source
    names = settings.pattern.match(topic)
    if names is None:
        return None
    site = names.get("site", settings.site or DEFAULT_SITE)
    if isinstance(settings, CameraSource):
        given = names.get("camera", settings.camera)
    else:
        given = names.get("device", settings.device)
    name = given or _as_name(topic)
    for found in (site, name):
        if not valid_name(found):
            return _BadName(printable(f"{found[:70]!r} is no name: 1 to 64 of A-Z a-z 0-9 _ . -"))
    echoes = isinstance(source, _Sensor) and source.echoes
    return _Route(source, site, name, named=given is not None, echoes=echoes)


def _as_name(text: str) -> str:
    """A name for what is called `text`, be it by a topic or by itself."""
    return _NOT_NAME.sub("_", text.replace("/", "."))[-_MAX_NAME:] or "_"


def _findings(sensor: _Sensor, message: Message, limits: DecodeLimits) -> Sequence[Finding]:
    size = len(message.payload)
    if size > limits.max_payload_bytes:
        detail = f"{size} bytes, limit {limits.max_payload_bytes}"
        return [invalid(message, InvalidReason.TOO_LARGE, detail)]
    return sensor.decode(message, sensor.source.keys)


def _speak_for_several(findings: Sequence[Finding]) -> bool:
    return len({finding.device for finding in findings if isinstance(finding, Sample)}) > 1


def _counts_deaths(route: _Route) -> bool:
    return not isinstance(route.source, _Sensor) or route.source.source.deaths


def _device(stated: str | None, route: _Route) -> str:
    if stated is None:
        return route.name
    if route.group:
        return _as_name(f"{route.name}.{stated}")
    return route.name if route.named else _as_name(stated)


def _dated(sample: Sample, route: _Route, message: Message) -> Sample | Invalid:
    """A payload dates each of its values; a user property dates those that have no time yet."""
    if sample.time is not None or not message.properties:
        return sample
    zone = route.source.source.keys.zone if isinstance(route.source, _Sensor) else None
    match read_property(message.properties, zone):
        case None:
            return sample
        case Unzoned():
            return replace(sample, doubt=Doubt.NO_ZONE)
        case InvalidReason() as reason:
            return invalid(message, reason, "the user property that dates the message is no time")
        case time:
            return replace(sample, time=time)


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


def _captured(capture: Capture, limits: DecodeLimits) -> Frame | Invalid:
    site, camera, size = capture.site, capture.camera, len(capture.payload)
    if size > limits.max_frame_bytes:
        detail = f"{size} bytes, limit {limits.max_frame_bytes}"
        return Invalid(capture.topic, InvalidReason.TOO_LARGE, detail, site, camera)
    taken = EventTime(capture.arrival - capture.latency)
    return Frame(site, camera, capture.payload, taken, capture.arrival)


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
