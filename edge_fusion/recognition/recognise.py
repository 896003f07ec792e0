"""What topics carry: from the messages heard on each to a format and its keys, or a picture.

Every format of `SENSOR_FORMATS` is tried with its own dialect, so that what is recognised here is
what the decoder will read. A format is believed on its usual topics and, if it is a telling one,
anywhere; then JSON and bare numbers are looked into by the names of their fields and topics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from edge_fusion.codecs.decoder import DecodeLimits
from edge_fusion.codecs.dialect import Dialect, Finding, Sample, SensorKeys
from edge_fusion.codecs.document import load
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import (
    FrameFormat,
    FrameKeys,
    Picture,
    decode_frame,
)
from edge_fusion.codecs.numerals import split_unit
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.units import TemperatureUnit, stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, Message, Publication
from edge_fusion.recognition.fields import (
    DEFAULT_UNITS,
    Document,
    Fields,
    find_fields,
    find_texts,
    find_time,
)
from edge_fusion.recognition.heard import Heard
from edge_fusion.recognition.words import is_generic, is_other, quantity_in

_LIMITS: Final = DecodeLimits()
_UNTOLD: Final = SensorKeys(units=DEFAULT_UNITS)
_JSON, _PLAIN = "json", "plain"
_BASE64_STARTS: Final = ("/9j/", "iVBORw0KGgo", "data:image/")
_PICTURE_TOPICS: Final = ("frigate/{camera}/+/snapshot", "BlueIris/{camera}/alert-image-b64")


@dataclass(frozen=True, slots=True)
class SensorTopic:
    """A topic that carries readings.

    usual: the pattern of the format that the topic follows, None if it is a topic of its own
    kind. quantities: what it measures, nothing where that is still to be asked. names_device:
    whether the payloads say who measured. others: further paths that hold the same quantities.
    """

    heard: Heard
    format: str
    keys: SensorKeys
    quantities: frozenset[str]
    usual: str | None = None
    names_device: bool = False
    others: tuple[str, ...] = ()

    @property
    def topic(self) -> str:
        return self.heard.topic


@dataclass(frozen=True, slots=True)
class CameraTopic:
    """A topic that carries pictures. usual: as for `SensorTopic`."""

    heard: Heard
    format: FrameFormat = FrameFormat.AUTO
    keys: FrameKeys = field(default_factory=FrameKeys)
    usual: str | None = None

    @property
    def topic(self) -> str:
        return self.heard.topic


Recognised = SensorTopic | CameraTopic


class _Attempt(NamedTuple):
    """What a format that need not be told where its values are finds on a topic it understands."""

    format: str
    samples: Sequence[Sample]


def recognise(heard: Sequence[Heard]) -> list[Recognised]:
    """What is known of each topic that carries temperature, humidity or pictures, in their order.

    Other topics are left out. Looks at the given messages only; never raises for any payload.
    """
    attempts = _try_dialects(heard)
    found = (_look_at(one, attempts[one.topic]) for one in heard)
    return [one for one in found if one is not None]


def _look_at(heard: Heard, attempts: Sequence[_Attempt]) -> Recognised | None:
    documents = list(_documents(heard.messages))
    return (
        _camera(heard, documents) or _of_known_format(heard, attempts) or _generic(heard, documents)
    )


def _camera(heard: Heard, documents: Sequence[Document]) -> CameraTopic | None:
    for form, keys in _ways_to_look(documents):
        if any(_is_picture(message, form, keys) for message in heard.messages):
            return CameraTopic(heard, form, keys, _usual(_PICTURE_TOPICS, heard.topic))
    return None


def _ways_to_look(documents: Sequence[Document]) -> Iterator[tuple[FrameFormat, FrameKeys]]:
    """As `decode_frame` looks by itself, then at each field that looks like base64."""
    time = find_time(documents)
    yield FrameFormat.AUTO, FrameKeys(time=time)
    for path, text in find_texts(documents):
        if text.startswith(_BASE64_STARTS):
            yield FrameFormat.JSON, FrameKeys(path, time)


def _is_picture(message: Message, form: FrameFormat, keys: FrameKeys) -> bool:
    picture = decode_frame(
        message,
        form,
        keys,
        max_frame_bytes=_LIMITS.max_frame_bytes,
        max_pixels=_LIMITS.max_pixels,
    )
    return isinstance(picture, Picture)


def _of_known_format(heard: Heard, attempts: Sequence[_Attempt]) -> SensorTopic | None:
    """By the format whose usual topic it is, else by one whose payloads are unmistakable."""
    usual = {
        attempt: pattern
        for attempt in attempts
        if (pattern := _usual(SENSOR_FORMATS[attempt.format].usual_topics, heard.topic))
    }
    best = max(usual, key=lambda attempt: _literalness(usual[attempt]), default=None)
    if best is None:
        telling = (one for one in attempts if SENSOR_FORMATS[one.format].telling)
        best = next(telling, None)
    if best is None:
        return None
    return SensorTopic(
        heard,
        best.format,
        _UNTOLD,
        _quantities(best.samples),
        usual.get(best),
        any(sample.device is not None for sample in best.samples),
    )


def _usual(patterns: Sequence[str], topic: str) -> str | None:
    """The pattern that fits the topic, the most literal one where several do."""
    fitting = [text for text in patterns if _parsed(text).match(topic) is not None]
    return max(fitting, key=_literalness, default=None)


_parsed = lru_cache(TopicPattern.parse)


def _literalness(pattern: str) -> tuple[bool, ...]:
    """Orders patterns by how early in the topic they say what they are for."""
    return tuple(not level.startswith(("{", "+", "#")) for level in pattern.split("/"))


def _generic(heard: Heard, documents: Sequence[Document]) -> SensorTopic | None:
    """By the formats that must be told where or what the values are: that is found out first."""
    for name, fields in ((_JSON, find_fields(documents)), (_PLAIN, _name_quantity(heard))):
        if fields is not None:
            found = _hear(SENSOR_FORMATS[name].make(), fields.keys, heard.messages)
            if quantities := _quantities(found.get(heard.topic, ())):
                return SensorTopic(heard, name, fields.keys, quantities, others=fields.others)
    return None


def _try_dialects(heard: Sequence[Heard]) -> Mapping[str, Sequence[_Attempt]]:
    """What each format finds on the topics on which it is believed, in the order of the formats."""
    attempts: dict[str, list[_Attempt]] = defaultdict(list)
    messages = sorted((m for one in heard for m in one.messages), key=lambda m: m.arrival)
    for name, form in SENSOR_FORMATS.items():
        if name in {_JSON, _PLAIN}:
            continue
        believed = {
            one.topic for one in heard if form.telling or _usual(form.usual_topics, one.topic)
        }
        # One dialect hears all of them, in order: what one topic says may explain another.
        said = [message for message in messages if message.topic in believed]
        for topic, samples in _hear(form.make(), _UNTOLD, said).items():
            attempts[topic].append(_Attempt(name, tuple(samples)))
    return attempts


def _hear(
    decode: Dialect, keys: SensorKeys, messages: Sequence[Message]
) -> Mapping[str, Sequence[Sample]]:
    """The topics that a dialect understands, and all samples that it finds there.

    It does if there is a temperature or a humidity, or if only an answer of the sender is missing.
    A retained message is no reading, but shows what one would look like.
    """
    live = [replace(one, retained=False) if one.retained else one for one in messages]
    # All is said twice, since what comes later may explain what came before.
    first = [(message.topic, decode(message, keys)) for message in live]
    second = [(message.topic, decode(message, keys)) for message in live]
    asking = _topics_with(Publication, first) & _topics_with(Invalid, second)
    found: dict[str, list[Sample]] = defaultdict(list)
    for topic, findings in second:
        found[topic] += [one for one in findings if isinstance(one, Sample)]
    return {
        topic: samples
        for topic, samples in found.items()
        if topic in asking or _quantities(samples)
    }


def _topics_with(
    kind: type[Publication | Invalid], heard: Sequence[tuple[str, Sequence[Finding]]]
) -> set[str]:
    return {topic for topic, findings in heard if any(isinstance(one, kind) for one in findings)}


def _quantities(samples: Sequence[Sample]) -> frozenset[str]:
    return frozenset(sample.quantity for sample in samples) & {TEMPERATURE, HUMIDITY}


def _documents(messages: Sequence[Message]) -> Iterator[Document]:
    for message in messages:
        if message.payload.lstrip()[:1] in {b"{", b"["}:
            try:
                content = load(message.payload)
            except ValueError:
                continue
            yield Document.of(content, message.arrival, retained=message.retained)


def _name_quantity(heard: Heard) -> Fields | None:
    """What bare numbers measure, by the topic's levels from the last, else by a stated unit."""
    levels = heard.topic.split("/")
    for index in reversed(range(len(levels))):
        named = quantity_in(levels[index])
        if named is None or named.vague:
            continue
        below = levels[index + 1 :]
        if any(map(is_other, [*levels[max(index - 1, 0) : index], *below])):
            return None
        if named.extra and not all(map(is_generic, below)):
            continue  # `th_temperature/battery` is no temperature
        return Fields(_bare(named.quantity, named.unit))
    stated = any(_states_degrees(message.payload) for message in heard.messages)
    return Fields(_bare(TEMPERATURE, None)) if stated else None


def _bare(quantity: str, unit: TemperatureUnit | None) -> SensorKeys:
    units = DEFAULT_UNITS if unit is None else {**DEFAULT_UNITS, TEMPERATURE: unit}
    return SensorKeys(quantity=quantity, units=units)


def _states_degrees(payload: bytes) -> bool:
    parts = split_unit(payload[:64].decode(errors="replace"))
    # A single letter may be anything: farads, coulombs, thousands.
    return (
        parts is not None and len(parts[1]) > 1 and stated_unit(TEMPERATURE, parts[1]) is not None
    )
