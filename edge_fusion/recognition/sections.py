"""Sections as text: the TOML that a configuration file holds, with what was heard in comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edge_fusion.codecs.decoder import Decoded, Decoder, SensorSource
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import FrameFormat
from edge_fusion.codecs.invalid import printable
from edge_fusion.codecs.jpeg import header_size
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import (
    HUMIDITY,
    TEMPERATURE,
    Doubt,
    Duplicate,
    Frame,
    Invalid,
    Message,
    Reading,
    Suspect,
    TimeSource,
)
from edge_fusion.recognition.generalise import Section, Source
from edge_fusion.recognition.heard import Heard
from edge_fusion.recognition.recognise import SensorTopic

_HOT = 45.0
_SHOWN = 3
_UNITS: Final = {TEMPERATURE: "°C", HUMIDITY: "%"}
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the decoder makes of what was heard, as if it had come live."""

    section: Section
    decoded: Sequence[Decoded]
    strangers: Sequence[str]

    @property
    def events(self) -> list[Reading | Frame]:
        bare = (one.event if isinstance(one, Duplicate) else one for one in self.decoded)
        return [one for one in bare if isinstance(one, Reading | Frame)]


def write_sections(sections: Sequence[Section], heard: Sequence[Heard]) -> str:
    """The sections as they stand in a configuration file, a blank line between them.

    `heard` is all that was heard, since what a pattern reads besides its own topics is told.
    """
    written = (_written(_evidence(section, heard)) for section in sections)
    return "\n".join(written)


def counted(count: int, noun: str) -> str:
    """Such as `1 topic` or `2,000 topics`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def quoted(text: str) -> str:
    """`text` as a TOML basic string."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _evidence(section: Section, heard: Sequence[Heard]) -> _Evidence:
    own = {one.topic for one in section.topics}
    pattern = section.source.pattern
    read = [one.heard for one in section.topics]
    if pattern.filter not in own:
        read = [one for one in heard if pattern.match(one.topic) is not None]
    decoder = _decoder(section.source)
    messages = (replace(m, retained=False) for one in read for m in one.messages)
    in_order = sorted(messages, key=lambda message: message.arrival)
    for message in in_order:
        decoder.decode(message)  # as in `recognise`, where what is learned now was used
    decoded: list[Decoded] = []
    refused: set[str] = set()
    for message in in_order:
        found = decoder.decode(message)
        if message.topic in own:
            decoded += found
        elif any(isinstance(one, Invalid) for one in found):
            refused.add(message.topic)
    return _Evidence(section, decoded, sorted(refused))


def _decoder(source: Source) -> Decoder:
    if isinstance(source, SensorSource):
        return Decoder([source], [])
    return Decoder([], [source])


def _written(evidence: _Evidence) -> str:
    source = evidence.section.source
    if evidence.section.says_nothing_new:
        return f"# {_summary(evidence)}: on {printable(source.pattern.text)}, said above already\n"
    table = "sensors" if isinstance(source, SensorSource) else "cameras"
    lines = [
        f"# {_summary(evidence)}",
        *(f"# {remark}" for remark in _remarks(evidence)),
        f"[[{table}]]",
        *(f"{key} = {quoted(value)}" for key, value in _keys(source).items()),
        *_open_keys(evidence),
    ]
    return "\n".join(lines) + "\n"


def _keys(source: Source) -> Mapping[str, str]:
    """The keys of a section that are not left at their defaults."""
    keys: dict[str, str | None] = {"topic": source.pattern.text}
    if isinstance(source, SensorSource):
        unit, humidity_unit = source.keys.units[TEMPERATURE], source.keys.units[HUMIDITY]
        keys |= {
            "format": source.format,
            "quantity": source.keys.quantity,
            **source.keys.paths,
            "unit": None if unit is TemperatureUnit.AUTO else unit.value,
            "humidity_unit": None if humidity_unit is HumidityUnit.PERCENT else humidity_unit.value,
            "time": source.keys.time,
            "site": source.site,
            "device": source.device,
        }
    else:
        keys |= {
            "format": None if source.format is FrameFormat.AUTO else source.format.value,
            "image": source.keys.image,
            "time": source.keys.time,
            "site": source.site,
            "camera": source.camera,
        }
    return {key: value for key, value in keys.items() if value is not None}


def _summary(evidence: _Evidence) -> str:
    """Such as `12 messages of 3 devices at 2 sites, temperature 21.4 °C, humidity 44.7 %`."""
    if not evidence.events:
        return f"{_messages(evidence)}, no reading among them yet"
    events, kind = evidence.events, _kind(evidence.section.source)
    senders = {(event.site, event.source) for event in events}
    sites = {event.site for event in events}
    text = f"{_messages(evidence)} of {counted(len(senders), kind)}"
    if len(sites) > 1:
        text += f" at {counted(len(sites), 'site')}"
    return ", ".join([text, *_examples(events)])


def _messages(evidence: _Evidence) -> str:
    return counted(sum(one.heard.count for one in evidence.section.topics), "message")


def _kind(source: Source) -> str:
    return "device" if isinstance(source, SensorSource) else "camera"


def _examples(events: Sequence[Reading | Frame]) -> Iterator[str]:
    """The last value of each quantity, or the size of the last picture."""
    readings = {event.quantity: event.value for event in events if isinstance(event, Reading)}
    for quantity, unit in _UNITS.items():
        if quantity in readings:
            yield f"{quantity} {readings[quantity]:.1f} {unit}"
    pictures = [event.image for event in events if isinstance(event, Frame)]
    size = header_size(pictures[-1]) if pictures else None
    if size is not None:
        yield f"{size[1]} x {size[0]} pixels"


def _remarks(evidence: _Evidence) -> Iterator[str]:
    """What somebody should know before they use the section."""
    section = evidence.section
    sensors = [one for one in section.topics if isinstance(one, SensorTopic)]
    if not all(one.quantities for one in sensors):
        yield "some of these devices must be asked what they send; the daemon does that"
    if _is_only_retained(evidence):
        yield "all retained and without a time: values count from the next message on"
    others = sorted({path for one in sensors for path in one.others})
    if others:
        yield f"more of the kind is at {_listed(others)}"
    if _may_be_fahrenheit(evidence):
        yield 'warm for °C: if these are °F, add unit = "F"'
    if section.misnamed:
        names = sorted({event.source for event in evidence.events})
        yield (
            f"no names, which are letters, digits, _ - .: {_listed(section.misnamed)}; "
            f"the {_kind(section.source)}s are called {_listed(names)}"
        )
    if evidence.strangers:
        yield f"reads {_listed(evidence.strangers)} too, where nothing of the kind is"


def _is_only_retained(evidence: _Evidence) -> bool:
    messages: list[Message] = [m for one in evidence.section.topics for m in one.heard.messages]
    sources = {event.time_source for event in evidence.events}
    return sources == {TimeSource.ARRIVAL} and all(message.retained for message in messages)


def _may_be_fahrenheit(evidence: _Evidence) -> bool:
    source = evidence.section.source
    if not isinstance(source, SensorSource):
        return False
    form, unit = SENSOR_FORMATS[source.format], source.keys.units[TEMPERATURE]
    readings = [event for event in evidence.events if isinstance(event, Reading)]
    values = [one.value for one in readings if one.quantity == TEMPERATURE]
    is_assumed = unit is TemperatureUnit.AUTO and (form.paths or form.quantity)
    return is_assumed and min(values, default=0.0) > _HOT


def _open_keys(evidence: _Evidence) -> Iterator[str]:
    """Keys that only the user can fill in, as comments."""
    source = evidence.section.source
    if _is_without_zone(evidence):
        yield (
            '# timezone = "Europe/Berlin"  # its times state no zone: '
            "without this the time of arrival counts"
        )
    if source.site is None and "site" not in source.pattern.names:
        yield f'# site = "home"  # without this the site is "default"{_hint(evidence)}'


def _hint(evidence: _Evidence) -> str:
    names = evidence.section.source.pattern.names
    if not names or any(one.usual is not None for one in evidence.section.topics):
        return ""
    return f"; if {{{names[0]}}} names rooms, call that level {{site}}"


def _is_without_zone(evidence: _Evidence) -> bool:
    if any(isinstance(one, Suspect) and one.doubt is Doubt.NO_ZONE for one in evidence.decoded):
        return True
    source = evidence.section.source
    sources = {event.time_source for event in evidence.events}
    # What was found to be a time, and gives none, states no zone.
    return source.keys.time is not None and sources == {TimeSource.ARRIVAL}


def _listed(texts: Sequence[str]) -> str:
    """Some of them, as one line of a comment."""
    shown = ", ".join(printable(text)[:60] for text in texts[:_SHOWN])
    more = len(texts) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
