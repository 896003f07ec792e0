from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.decoder import (
    AvailabilitySource,
    CameraSource,
    Decoded,
    DecodeLimits,
    Decoder,
    SensorSource,
)
from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SensorFormat
from edge_fusion.codecs.frames import FrameFormat
from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import (
    ArrivalTime,
    Capture,
    Doubt,
    Duplicate,
    EventTime,
    Frame,
    Invalid,
    InvalidReason,
    Message,
    Offline,
    Reading,
    Suspect,
    TimeSource,
)

NOW = ArrivalTime(1795428000.0)
JPEG = encode_jpeg(np.full((30, 40, 3), 90, np.uint8), 90)
CLIMATE = SensorKeys({"temperature": "temperature", "humidity": "humidity"}, "ts")
LIMITS = DecodeLimits(max_payload_bytes=10_000, max_frame_bytes=50_000, max_pixels=10_000)


def sensor(
    topic: str,
    form: str = "json",
    keys: SensorKeys = CLIMATE,
    *,
    site: str | None = None,
    device: str | None = None,
) -> SensorSource:
    return SensorSource(TopicPattern.parse(topic), form, keys, site, device)


def camera(topic: str, site: str | None = None, name: str | None = None) -> CameraSource:
    return CameraSource(TopicPattern.parse(topic), site=site, camera=name)


def lifeline(topic: str, site: str | None = None, device: str | None = None) -> AvailabilitySource:
    return AvailabilitySource(TopicPattern.parse(topic), site, device)


def decoder(*sources: SensorSource | CameraSource | AvailabilitySource) -> Decoder:
    sensors = [source for source in sources if isinstance(source, SensorSource)]
    cameras = [source for source in sources if isinstance(source, CameraSource)]
    lifelines = [source for source in sources if isinstance(source, AvailabilitySource)]
    return Decoder(sensors, cameras, LIMITS, lifelines)


def message(
    topic: str, payload: bytes, *, retained: bool = False, properties: dict[str, str] | None = None
) -> Message:
    return Message(topic, payload, NOW, retained, properties or {})


def reasons(found: Sequence[Decoded]) -> list[InvalidReason]:
    return [event.reason for event in found if isinstance(event, Invalid)]


def test_names_come_from_the_topic_and_the_time_from_the_device() -> None:
    found = decoder(sensor("z2m/{site}/{device}")).decode(
        message("z2m/cellar/th1", b'{"temperature":21.5,"ts":1795427999}')
    )
    assert found == [
        Reading(
            "cellar", "th1", "temperature", 21.5, EventTime(1795427999.0), NOW, TimeSource.DEVICE
        )
    ]


def test_a_capture_is_a_frame_of_the_time_at_which_it_was_taken() -> None:
    capture = Capture("hall/door", JPEG, NOW, site="hall", camera="door", latency=0.5)
    found = decoder(sensor("#"), camera("{site}/{camera}")).decode(capture)
    assert found == [Frame("hall", "door", JPEG, EventTime(NOW - 0.5), NOW, TimeSource.ARRIVAL)]


def test_a_capture_is_bounded_like_any_frame() -> None:
    capture = Capture("hall/door", bytes(50_001), NOW, site="hall", camera="door")
    (found,) = decoder().decode(capture)
    assert isinstance(found, Invalid)
    assert (found.reason, found.site, found.source) == (InvalidReason.TOO_LARGE, "hall", "door")


def test_without_a_time_of_the_device_arrival_counts() -> None:
    warm, humid = decoder(sensor("{site}/{device}")).decode(
        message("hall/th", b'{"temperature":21.5,"humidity":40}')
    )
    assert isinstance(warm, Reading)
    assert isinstance(humid, Reading)
    assert warm.time == humid.time == EventTime(NOW)
    assert warm.time_source is TimeSource.ARRIVAL


def test_a_user_property_dates_a_reading_that_its_payload_does_not() -> None:
    source = decoder(sensor("{site}/{device}"))
    dated = {"time": "1795427990"}
    [by_property] = source.decode(message("a/b", b'{"temperature":1}', properties=dated))
    [by_payload] = source.decode(message("a/b", b'{"temperature":1,"ts":7e8}', properties=dated))
    assert isinstance(by_property, Reading)
    assert isinstance(by_payload, Reading)
    assert by_property.time == 1795427990.0
    assert by_payload.time == 7e8
    undated = source.decode(message("a/b", b'{"temperature":1}', properties={"time": "soon"}))
    assert reasons(undated) == [InvalidReason.TIME]


def test_a_picture_becomes_a_frame_of_its_camera() -> None:
    [frame] = decoder(camera("cameras/{site}/{camera}")).decode(message("cameras/hall/c1", JPEG))
    assert frame == Frame("hall", "c1", JPEG, EventTime(NOW), NOW, TimeSource.ARRIVAL)


def test_names_that_the_topic_does_not_give_come_from_the_keys() -> None:
    [reading] = decoder(sensor("th", site="hall", device="window")).decode(
        message("th", b'{"temperature":1}')
    )
    [frame] = decoder(camera("cam", "hall", "door")).decode(message("cam", JPEG))
    assert isinstance(reading, Reading)
    assert isinstance(frame, Frame)
    assert (reading.site, reading.device) == ("hall", "window")
    assert (frame.site, frame.camera) == ("hall", "door")


def test_names_that_nobody_gives_are_default_and_the_topic() -> None:
    source = decoder(sensor("#"))
    [reading] = source.decode(message("café/sensor temp/1", b'{"temperature":1}'))
    [far] = source.decode(message("x" * 100 + "/y", b'{"temperature":1}'))
    assert isinstance(reading, Reading)
    assert isinstance(far, Reading)
    assert (reading.site, reading.device) == ("default", "caf_.sensor_temp.1")
    assert far.device == "x" * 62 + ".y"


@pytest.mark.parametrize("topic", ["z/a b/c", "z//c", "z/a/é", "z/" + "x" * 65 + "/c"])
def test_a_level_that_is_no_name_is_refused(topic: str) -> None:
    found = decoder(sensor("z/{site}/{device}")).decode(message(topic, b'{"temperature":1}'))
    assert reasons(found) == [InvalidReason.NAME]


def test_a_topic_that_nobody_reads_is_counted() -> None:
    found = decoder(sensor("a/{device}")).decode(message("b/c", b"{}"))
    assert reasons(found) == [InvalidReason.TOPIC]


def test_every_entry_that_matches_reads_the_message() -> None:
    other = SensorKeys({"co2": "co2"})
    found = decoder(sensor("{site}/{device}"), sensor("+/th", keys=other, site="lab")).decode(
        message("hall/th", b'{"temperature":21.5,"co2":415}')
    )
    assert [(event.site, event.quantity) for event in found if isinstance(event, Reading)] == [
        ("hall", "temperature"),
        ("lab", "co2"),
    ]


def at(after: float, topic: str, **properties: str) -> Message:
    return Message(topic, b'{"temperature":21.5}', ArrivalTime(NOW + after), properties=properties)


def test_what_two_topics_say_of_one_device_within_two_seconds_counts_once() -> None:
    source = decoder(sensor("gateways/+/{device}"))
    kinds = [
        type(event)
        for message in (at(0, "gateways/a/th"), at(0.5, "gateways/b/th"), at(3, "gateways/b/th"))
        for event in source.decode(message)
    ]
    assert kinds == [Reading, Duplicate, Reading]


def test_a_device_that_has_one_topic_alone_is_never_taken_for_its_echo() -> None:
    source = decoder(sensor("{site}/{device}"))
    found = [*source.decode(at(0, "hall/th")), *source.decode(at(0, "hall/th"))]
    assert [type(event) for event in found] == [Reading, Reading]


def test_a_reading_with_a_time_of_its_own_is_left_to_alignment() -> None:
    source = decoder(sensor("gateways/+/{device}"))
    found = [
        event
        for topic in ("gateways/a/th", "gateways/b/th")
        for event in source.decode(at(0, topic, time="1795427990"))
    ]
    assert [type(event) for event in found] == [Reading, Reading]


def test_a_retained_message_counts_only_with_a_time_of_its_own() -> None:
    source = decoder(sensor("s/{device}"), camera("c/{camera}"))
    two = b'{"temperature":1,"humidity":2}'
    assert reasons(source.decode(message("s/a", two, retained=True))) == [
        InvalidReason.RETAINED,
        InvalidReason.RETAINED,
    ]
    assert reasons(source.decode(message("c/a", JPEG, retained=True))) == [InvalidReason.RETAINED]
    dated = {"time": "1795427990"}
    for topic, payload in (("s/a", two), ("c/a", JPEG)):
        found = source.decode(message(topic, payload, retained=True, properties=dated))
        assert found
        assert reasons(found) == []
    assert reasons(source.decode(message("s/a", b'{"humidity":2,"ts":1}', retained=True))) == []


def test_a_payload_beyond_the_limit_is_refused_before_it_is_parsed() -> None:
    source = decoder(sensor("s/{device}"), camera("c/{camera}"))
    for topic in ("s/a", "c/a"):
        found = source.decode(message(topic, b"[" * 20_000_000))
        assert reasons(found) == [InvalidReason.TOO_LARGE]


def test_what_is_refused_says_where_it_came_from() -> None:
    [found] = decoder(sensor("{site}/{device}")).decode(message("hall/th", b"{"))
    assert isinstance(found, Invalid)
    assert (found.topic, found.site, found.source) == ("hall/th", "hall", "th")


def test_a_humidity_above_100_is_clipped_and_that_is_said() -> None:
    source = decoder(sensor("{site}/{device}"))
    reading, doubt = source.decode(message("hall/th", b'{"humidity":104.7}'))
    assert isinstance(reading, Reading)
    assert reading.value == 100.0
    assert doubt == Suspect(reading, Doubt.CLIPPED)
    [reading] = source.decode(message("hall/th", b'{"humidity":100}'))
    assert isinstance(reading, Reading)


def test_a_time_without_a_zone_gives_way_to_arrival_and_that_is_said() -> None:
    source = decoder(sensor("{site}/{device}"))
    local = "2026-11-23T11:00:00"
    for found in (
        source.decode(message("a/b", f'{{"temperature":1,"ts":"{local}"}}'.encode())),
        source.decode(message("a/b", b'{"temperature":1}', properties={"time": local})),
    ):
        reading, doubt = found
        assert isinstance(reading, Reading)
        assert (reading.time, reading.time_source) == (EventTime(NOW), TimeSource.ARRIVAL)
        assert doubt == Suspect(reading, Doubt.NO_ZONE)


@pytest.mark.parametrize(
    ("pattern", "topic", "payload"),
    [
        ("zigbee2mqtt/{site}/{device}/availability", "zigbee2mqtt/hall/th/availability",
         b'{"state":"offline"}'),
        ("zigbee2mqtt/{site}/{device}/availability", "zigbee2mqtt/hall/th/availability",
         b"offline"),
        ("tele/{site}/{device}/LWT", "tele/hall/th/LWT", b"Offline"),
        ("{site}/{device}/online", "hall/th/online", b"false"),
        ("homie/5/{site}/{device}/$state", "homie/5/hall/th/$state", b"lost"),
    ],
)  # fmt: skip
def test_a_device_said_to_be_gone_is_offline(pattern: str, topic: str, payload: bytes) -> None:
    source = decoder(sensor("{site}/{device}"), lifeline(pattern))
    for retained in (False, True):
        found = source.decode(message(topic, payload, retained=retained))
        assert found == [Offline("hall", "th", NOW)]


def test_a_device_said_to_be_there_is_heard_when_it_speaks() -> None:
    source = decoder(lifeline("{site}/{device}/status"))
    assert source.decode(message("hall/th/status", b"online")) == []


def test_a_cleared_availability_topic_says_nothing() -> None:
    assert decoder(lifeline("{site}/{device}/status")).decode(message("hall/th/status", b"")) == []


def test_an_unknown_word_of_availability_is_refused() -> None:
    [found] = decoder(lifeline("{site}/{device}/status")).decode(message("hall/th/status", b"ON"))
    assert isinstance(found, Invalid)
    assert (found.reason, found.site, found.source) == (InvalidReason.SYNTAX, "hall", "th")


def test_a_device_named_by_a_key_is_named_so_when_it_is_gone() -> None:
    source = decoder(lifeline("shellies/x1/online", "hall", "window"))
    found = source.decode(message("shellies/x1/online", b"false"))
    assert found == [Offline("hall", "window", NOW)]


def test_an_availability_topic_within_a_wildcard_is_none_of_values() -> None:
    source = decoder(sensor("z/#"), camera("z/#"), lifeline("z/{device}/availability"))
    assert source.decode(message("z/th/availability", b"online")) == []
    assert source.decode(message("z/th/availability", b"offline")) == [
        Offline("default", "th", NOW)
    ]
    assert reasons(source.decode(message("z/my lamp/availability", b"online"))) == [
        InvalidReason.NAME
    ]
    [reading, _] = source.decode(message("z/th", b'{"temperature":1}'))
    assert isinstance(reading, Reading)


def test_entries_that_share_an_availability_topic_say_once_that_a_device_is_gone() -> None:
    source = decoder(lifeline("{site}/{device}/status"), lifeline("{site}/{device}/status"))
    assert len(source.decode(message("hall/th/status", b"offline"))) == 1


def twins(heard: Message, _keys: SensorKeys) -> list[Finding]:
    """A dialect of devices with two sensors, which say themselves when they die."""
    if heard.payload == b"dead":
        return [Gone()]
    return [Sample("temperature", 20.0, part=name) for name in ("indoor", "outdoor")]


def test_with_a_device_its_parts_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    formats = {"twins": SensorFormat(lambda: twins)}
    monkeypatch.setattr("edge_fusion.codecs.decoder.SENSOR_FORMATS", formats)
    source = decoder(sensor("{site}/{device}", "twins"), lifeline("{site}/{device}/status"))
    gone = [Offline("hall", name, NOW) for name in ("th", "th.indoor", "th.outdoor")]
    assert source.decode(message("hall/th", b"dead")) == gone[:1]
    for _ in range(2):
        source.decode(message("hall/th", b"20"))
        source.decode(message("hall/th2", b"20"))
    assert source.decode(message("hall/th", b"dead")) == gone
    assert source.decode(message("hall/th/status", b"offline")) == gone


def test_hostile_topics_do_not_grow_the_cache_without_bound() -> None:
    source = decoder(sensor("s/{device}"))
    for number in range(5000):
        source.decode(message(f"s/{number}", b"{}"))
    source.decode(message("s/" + "x" * 60_000, b"{}"))
    assert source._cached_routes.cache_info().currsize == 4096


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["temperature", "humidity", "ts", "image"]), inner)
    ),
    max_leaves=8,
).map(lambda document: json.dumps(document).encode())
PAYLOADS = (
    st.binary()
    | JSON
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | st.binary().map(lambda rest: JPEG[:3] + rest)
)
TOPICS = st.text() | st.sampled_from(["s/a", "p/a", "c/a", "j/a", "s/a/status", "s/ /", "$SYS/x"])
EVERYTHING = decoder(
    sensor("s/{device}"),
    sensor("p/{device}", "plain", SensorKeys(quantity="temperature")),
    camera("c/{camera}"),
    CameraSource(TopicPattern.parse("j/{camera}"), FrameFormat.JSON),
    sensor("#"),
    lifeline("s/{device}/status"),
)


@given(
    TOPICS,
    PAYLOADS,
    st.booleans(),
    st.dictionaries(st.sampled_from(["time", "ts", "x"]), st.text()),
)
def test_any_bytes_on_any_topic_end_in_events_or_reasons(
    topic: str,
    payload: bytes,
    retained: bool,  # noqa: FBT001 - hypothesis fills it
    properties: dict[str, str],
) -> None:
    found = EVERYTHING.decode(message(topic, payload, retained=retained, properties=properties))
    for event in found:
        if isinstance(event, Invalid):
            assert len(event.detail) <= 120
            assert event.detail.isprintable()
        elif isinstance(event, Reading):
            assert np.isfinite(event.value)
            assert np.isfinite(event.time)


@given(st.text(), PAYLOADS)
def test_a_message_that_says_something_never_ends_in_nothing(topic: str, payload: bytes) -> None:
    """Only the documented words for "no reading" give an empty list."""
    found = decoder(sensor("p/{device}", "plain")).decode(message(topic, payload))
    assert found
    found = decoder(sensor("p/a", "plain")).decode(message("p/a", payload))
    quiet = payload.decode(errors="replace").strip(" \t\r\n\0").lower()
    assert found or quiet.strip() in {"", "nan", "none", "null", "unknown", "unavailable"}


def test_an_undated_payload_that_comes_again_unchanged_is_what_a_gateway_had_cached() -> None:
    source = replace(sensor("{site}/{device}"), unchanged=60.0)
    heard = decoder(source)

    def at(seconds: float, payload: bytes) -> list[type]:
        arrival = ArrivalTime(NOW + seconds)
        return [type(each) for each in heard.decode(Message("hall/th", payload, arrival))]

    warm, warmer = b'{"temperature":21.5}', b'{"temperature":21.6}'
    assert at(0, warm) == [Reading]
    assert at(59, warm) == [Duplicate]
    assert at(61, warm) == [Reading]
    assert at(62, warmer) == [Reading]
    assert at(63, warm) == [Reading]
    dated = b'{"temperature":21.5,"ts":1795428000}'
    assert at(64, dated) == at(65, dated) == [Reading]
    assert [type(e) for e in decoder(sensor("{site}/{device}")).decode(message("a/b", warm))] == [
        Reading
    ]
