"""What must hold of everything that a decoder makes of bytes, whoever sent them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge_fusion.codecs.decoder import Decoded, DecodeLimits
from edge_fusion.codecs.jpeg import excess, header_size, is_picture
from edge_fusion.codecs.recorded import decode_entry, encode_entry
from edge_fusion.codecs.times import format_time, parse_time
from edge_fusion.codecs.topics import valid_name
from edge_fusion.codecs.units import MAX_CELSIUS, MIN_CELSIUS
from edge_fusion.events import (
    HUMIDITY,
    TEMPERATURE,
    Duplicate,
    Event,
    Frame,
    Invalid,
    Message,
    Offline,
    Outcome,
    Publication,
    Reading,
    Suspect,
    TimeSource,
)

LIMITS = DecodeLimits(max_payload_bytes=100_000, max_frame_bytes=100_000, max_pixels=40_000)


def check_decoded(found: Sequence[Decoded | Outcome], message: Message) -> None:
    """Names are names, numbers are finite and in range, texts can be shown, times be written."""
    for each in found:
        match each:
            case Reading() | Frame():
                check_event(each, message)
            case Duplicate(event=event):
                check_event(event, message)
            case Offline():
                assert valid_name(each.site)
                assert valid_name(each.device)
                assert each.arrival == message.arrival
            case Suspect():
                assert each.reading in found
            case Invalid():
                check_invalid(each, message)
            case Publication():
                check_publication(each)


def check_event(event: Event, message: Message) -> None:
    check_time(event, message)
    if isinstance(event, Frame):
        check_frame(event)
    else:
        check_reading(event)


def check_reading(reading: Reading) -> None:
    assert valid_name(reading.site)
    assert valid_name(reading.device)
    assert valid_name(reading.quantity)
    assert type(reading.value) is float
    check_value(reading.quantity, reading.value)
    assert decode_entry(encode_entry(reading)) == reading


def check_value(quantity: str, value: float) -> None:
    assert math.isfinite(value)
    assert quantity != TEMPERATURE or MIN_CELSIUS <= value <= MAX_CELSIUS
    assert quantity != HUMIDITY or 0 <= value <= 100


def check_frame(frame: Frame) -> None:
    assert valid_name(frame.site)
    assert valid_name(frame.camera)
    assert is_picture(frame.image)
    assert len(frame.image) <= LIMITS.max_frame_bytes
    size = header_size(frame.image)
    assert size is not None
    assert excess(frame.image, size, LIMITS.max_pixels) is None


def check_time(event: Event, message: Message) -> None:
    assert event.arrival == message.arrival
    # A time that can be written as it was read is a time.
    parsed = parse_time(format_time(event.time))
    assert isinstance(parsed, float)
    assert abs(parsed - event.time) < 0.001
    if event.time_source is TimeSource.ARRIVAL:
        assert 0 <= event.time <= message.arrival  # some payloads say how old they are
        assert not message.retained


def check_invalid(fault: Invalid, message: Message) -> None:
    assert fault.topic == message.topic
    check_text(fault.detail)
    assert fault.site is None or valid_name(fault.site)
    assert fault.source is None or valid_name(fault.source)


def check_text(detail: str) -> None:
    assert 0 < len(detail) <= 120
    assert detail.isprintable()
    assert detail.encode()


def check_sentence(error: Exception) -> None:
    """One line that says what is wrong."""
    assert str(error)
    assert "\n" not in str(error)


def check_publication(publication: Publication) -> None:
    assert 0 < len(publication.topic.encode()) <= 65_535
    assert not set(publication.topic) & set("+#\0")
