from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic import PICTURE, heard

from edge_fusion.codecs.decoder import SensorSource
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.recognition.generalise import Section, generalise, left_over
from edge_fusion.recognition.recognise import recognise
from edge_fusion.recognition.shapes import as_name

CLIMATE = {"temperature": 21.5, "humidity": 41}
WARM = {"temp": 21.5}


def sections(
    published: Sequence[tuple[str, Any]], taken: Sequence[str] = ()
) -> list[tuple[str, str | None, str | None]]:
    """Pattern, site and device (or camera) of what comes out."""
    found = generalise(recognise(heard(*published)), taken)
    return [(one.source.pattern.text, one.source.site, name_of(one)) for one in found]


def name_of(section: Section) -> str | None:
    source = section.source
    return source.device if isinstance(source, SensorSource) else source.camera


def climates(*topics: str) -> list[tuple[str, Any]]:
    return [(topic, CLIMATE) for topic in topics]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        (["base/kitchen/th1", "base/hall/th2"], [("base/{site}/{device}", None, None)]),
        (["base/kitchen/th1", "base/kitchen/th2"], [("base/kitchen/{device}", "kitchen", None)]),
        (["base/th1", "base/th2"], [("base/{device}", None, None)]),
        (["base/th1/state", "base/th2/state"], [("base/{device}/state", None, None)]),
        (["kitchen/th/state", "hall/th/state"], [("{device}/th/state", None, None)]),
        (
            ["base/a/top/th1", "base/a/low/th2", "base/b/top/th3"],
            [("base/{site}/+/{device}", None, None)],
        ),
        (["base/kitchen/th1"], [("base/kitchen/th1", "kitchen", "th1")]),
        (["base/th1/state"], [("base/th1/state", None, "th1")]),
        (["garage"], [("garage", None, "garage")]),
        (["sensors/data"], [("sensors/data", None, None)]),
        (["base/a/b/th1/telemetry"], [("base/a/b/th1/telemetry", "b", "th1")]),
    ],
)
def test_levels_that_differ_become_site_and_device(
    topics: list[str], expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert sections(climates(*topics)) == expected


def test_topics_without_a_common_level_stay_as_they_are() -> None:
    assert sections(climates("kitchen/th1", "hall/th2")) == [
        ("hall/th2", None, "th2"),
        ("kitchen/th1", None, "th1"),
    ]


def test_a_level_between_site_and_device_that_tells_devices_apart_is_no_wildcard() -> None:
    topics = ["base/a/top/th1", "base/a/low/th1", "base/b/top/th1", "base/b/top/th2"]
    assert sections(climates(*topics)) == [
        ("base/a/{device}/th1", "a", None),
        ("base/b/top/{device}", "top", None),
    ]


def test_topics_of_different_depth_are_different_patterns() -> None:
    assert [one for one, _, _ in sections(climates("b/x/1", "b/y/2", "b/1", "b/2"))] == [
        "b/{device}",
        "b/{site}/{device}",
    ]


def test_keys_that_agree_are_put_together() -> None:
    published = [
        ("base/th1", {"temperature": 21.5, "ts": 1795428000}),
        ("base/th2", {"humidity": 41}),
    ]
    (section,) = generalise(recognise(heard(*published)))
    assert isinstance(section.source, SensorSource)
    assert section.source.pattern.text == "base/{device}"
    assert section.source.keys.paths == {TEMPERATURE: "temperature", HUMIDITY: "humidity"}
    assert section.source.keys.time == "ts"


def test_keys_that_contradict_each_other_keep_topics_apart() -> None:
    published = [("base/th1", CLIMATE), ("base/th2", WARM), ("base/th3", WARM)]
    assert sections(published) == [
        ("base/th1", None, "th1"),
        ("base/th2", None, "th2"),
        ("base/th3", None, "th3"),
    ]


def test_bare_numbers_of_different_quantities_are_never_read_by_one_pattern() -> None:
    published = [
        (f"base/{room}/{quantity}", "21.5")
        for room in ("hall", "attic")
        for quantity in ("temperature", "humidity", "outside_temperature")
    ]
    assert sections(published) == [
        ("base/+/outside_temperature", None, None),
        ("base/{device}/humidity", None, None),
        ("base/{device}/temperature", None, None),
    ]


def test_a_pattern_parts_where_it_would_read_what_is_another_sections() -> None:
    published = [
        *climates("base/a/th1", "base/a/th2", "base/b/th3", "base/b/th4"),
        ("base/b/cam", PICTURE),
    ]
    assert sections(published) == [
        ("base/a/{device}", "a", None),
        ("base/b/th3", "b", "th3"),
        ("base/b/th4", "b", "th4"),
        ("base/b/cam", None, "b"),
    ]


def test_a_pattern_parts_where_it_would_read_what_is_configured_already() -> None:
    assert sections(climates("base/th1", "base/th2"), taken=["base/th3"]) == [
        ("base/th1", None, "th1"),
        ("base/th2", None, "th2"),
    ]


def test_a_site_whose_level_is_no_name_gets_one_beside_the_topic() -> None:
    topics = climates("base/Küche/th1", "base/Küche/th2", "base/hall/th3")
    assert sections(topics) == [
        ("base/Küche/{device}", "Kuche", None),
        ("base/hall/{device}", "hall", None),
    ]


def test_devices_whose_level_is_no_name_are_called_after_their_topics() -> None:
    found = generalise(recognise(heard(*climates("base/th 1", "base/th2"))))
    assert [(one.source.pattern.text, one.misnamed) for one in found] == [("base/+", ("th 1",))]


def test_braces_in_a_topic_are_no_placeholders() -> None:
    assert sections(climates("base/{device}/th1")) == [("base/+/th1", None, "th1")]


def test_two_senders_are_never_known_by_one_name() -> None:
    assert sections(climates("a/attic", "b/attic/state")) == [
        ("a/attic", None, "attic"),
        ("b/attic/state", None, None),
    ]


def test_the_temperature_and_the_humidity_of_a_device_may_share_its_name() -> None:
    published = [("base/hall/sht31_temperature", "21.5"), ("base/hall/sht31_humidity", "41")]
    assert sections(published) == [
        ("base/hall/sht31_humidity", "hall", "sht31"),
        ("base/hall/sht31_temperature", "hall", "sht31"),
    ]


def test_sites_that_some_topics_name_are_known_where_others_name_nothing_else() -> None:
    published = [
        *climates("base/hall/th1", "base/attic/th2"),
        ("cams/hall/ceiling", PICTURE),
        ("cams/attic/ceiling", PICTURE),
        ("probe/low/hall", WARM),
        ("probe/top/attic", WARM),
    ]
    assert sections(published) == [
        ("base/{site}/{device}", None, None),
        ("probe/{device}/{site}", None, None),
        ("cams/{site}/ceiling", None, "ceiling"),
    ]


def test_cameras_come_after_the_sensors() -> None:
    published = [("cams/hall/ceiling", PICTURE), ("cams/attic/door", PICTURE), ("th", CLIMATE)]
    assert sections(published) == [
        ("th", None, "th"),
        ("cams/{site}/{camera}", None, None),
    ]


def test_the_usual_pattern_of_a_program_is_taken_as_it_is() -> None:
    published = [("frigate/door/person/snapshot", PICTURE), ("frigate/yard/car/snapshot", PICTURE)]
    assert sections(published) == [("frigate/{camera}/+/snapshot", None, None)]


def test_a_usual_pattern_parts_too() -> None:
    published = [
        ("node1/sensor/temperature/state", "21.5"),
        ("node2/sensor/temperature/state", "21.5"),
        ("node2/sensor/camera/state", PICTURE),
    ]
    assert sections(published) == [
        ("{device}/sensor/temperature/state", None, None),
        ("node2/sensor/camera/state", None, "node2"),
    ]


def test_beneath_a_pattern_that_reads_everything_there_is_no_other_section() -> None:
    published = [
        ("homie/5/cellar/climate/temperature", "21.5"),
        ("homie/5/cellar/raw", CLIMATE),
    ]
    assert sections(published) == [("homie/#", None, None)]


def test_what_no_section_reads_is_left_over() -> None:
    published = [*climates("base/th1", "base/th2"), ("base/lamp", "ON"), ("x/y", "ON")]
    found = generalise(recognise(heard(*published)))
    assert left_over(["base/th1", "base/lamp", "x/y"], found) == ["x/y"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Küche Süd", "Kuche_Sud"),
        ("_th1_", "_th1_"),
        ("living room (2nd)", "living_room_2nd"),
        ("Straße", "Strae_47826b51"),
        ("温度", "_efbd1ec2"),
        ("  ", "_"),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_name_is_near_to_what_it_stands_for(text: str, name: str) -> None:
    assert as_name(text) == name
    assert valid_name(name)


LEVELS = st.sampled_from(
    ["base", "kitchen", "hall", "th1", "th2", "Küche", "", "temperature", "state", "{site}", "cam"]
)
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)
PAYLOADS = st.sampled_from([CLIMATE, WARM, {"humidity": 41}, "21.5", PICTURE, "ON"])


def readers(topic: str, patterns: Sequence[TopicPattern]) -> Iterator[TopicPattern]:
    return (pattern for pattern in patterns if pattern.match(topic) is not None)


@given(st.dictionaries(TOPICS, PAYLOADS, max_size=12), st.sets(TOPICS, max_size=2))
def test_each_topic_is_read_by_its_own_section_or_by_none(
    published: dict[str, Any], taken: set[str]
) -> None:
    fresh = {topic: content for topic, content in published.items() if topic not in taken}
    recognised = recognise(heard(*fresh.items()))
    found = generalise(recognised, sorted(taken))
    patterns = [section.source.pattern for section in found]
    for section in found:
        for one in section.topics:
            assert list(readers(one.topic, patterns)) == [section.source.pattern]
    for topic in taken:
        assert not list(readers(topic, patterns))
    for one in recognised:
        assert len(list(readers(one.topic, patterns))) <= 1
        assert "{" in one.topic or any(one in section.topics for section in found)
