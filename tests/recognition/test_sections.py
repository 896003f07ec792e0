from __future__ import annotations

import base64
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic import PICTURE, Loaded, Published, heard

from edge_fusion.recognition.generalise import Section, generalise
from edge_fusion.recognition.recognise import recognise
from edge_fusion.recognition.sections import quoted, write_sections

CLIMATE = {"temperature": 21.5, "humidity": 41}
ZONE = (
    '# timezone = "Europe/Berlin"  # its times state no zone: '
    "without this the time of arrival counts"
)


def sniffed(*published: Published) -> tuple[list[Section], str]:
    listened = heard(*published)
    found = generalise(recognise(listened))
    return found, write_sections(found, listened)


def text_of(*published: Published) -> str:
    return sniffed(*published)[1]


def test_a_section_says_what_was_heard_and_can_be_pasted() -> None:
    assert (
        text_of(
            ("base/kitchen/th1", {**CLIMATE, "ts": 1795428000}),
            ("base/hall/th2", {**CLIMATE, "ts": 1795428000}),
            ("base/hall/th2", {"temperature": 21.44, "ts": 1795428000}),
            ("cams/hall/ceiling", PICTURE),
        )
        == """\
# 3 messages of 2 devices at 2 sites, temperature 21.4 °C, humidity 41.0 %
[[sensors]]
topic = "base/{site}/{device}"
format = "json"
temperature = "temperature"
humidity = "humidity"
time = "ts"

# 1 message of 1 camera, 64 x 48 pixels
[[cameras]]
topic = "cams/hall/ceiling"
site = "hall"
camera = "ceiling"
"""
    )


@pytest.mark.parametrize(
    ("published", "lines"),
    [
        (("b/th", {"tempF": 70.7, "rh": 0.41}), ['unit = "F"', 'humidity_unit = "fraction"']),
        (("b/th/temp", "21.4"), ['format = "plain"', 'quantity = "temperature"']),
        (("b/th", {"temperature": 71}), ['# warm for °C: if these are °F, add unit = "F"']),
        (
            ("b/th", CLIMATE, True),
            ["# all retained and without a time: values count from the next message on"],
        ),
        (
            ("b/th", {"temperature": 21, "outside": {"temp": 3}}),
            ["# more of the kind is at outside.temp"],
        ),
        (
            ("b/th", {"temperature": 21, "Time": "2026-11-23T11:00:00"}),
            [
                'time = "Time"',
                ZONE,
            ],
        ),
        (("b/th", CLIMATE), ['# site = "home"  # without this the site is "default"']),
        (
            ("b/cam", {"shot": base64.b64encode(PICTURE).decode(), "at": 1795428000}),
            ['format = "json"', 'image = "shot"', 'time = "at"'],
        ),
    ],
)
def test_what_a_user_should_know_stands_beside_it(published: Published, lines: list[str]) -> None:
    text = text_of(published)
    assert [line for line in lines if line not in text.splitlines()] == []


def test_what_is_beyond_doubt_needs_no_remark() -> None:
    remarks = ("warm", "retained", "more", "zone", "too,", "names")
    text = text_of(
        ("b/th", {"temperature": 21.5, "tempf": 70.7, "ts": 1795428000}, True),
        ("b/other", {"tempF": 113}),
    )
    assert not [remark for remark in remarks if remark in text]


def test_a_room_may_hide_in_a_level_that_is_called_device() -> None:
    text = text_of(("b/hall/climate", CLIMATE), ("b/attic/climate", CLIMATE))
    assert 'topic = "b/{device}/climate"' in text
    assert "; if {device} names rooms, call that level {site}" in text


def test_what_a_pattern_reads_in_vain_is_told() -> None:
    text = text_of(("b/th1", CLIMATE), ("b/th2", CLIMATE), ("b/lamp", {"state": "ON"}))
    assert "# reads b/lamp too, where nothing of the kind is" in text


def test_names_that_are_none_are_told_with_what_stands_for_them() -> None:
    text = text_of(("b/th 1", CLIMATE), ("b/th2", CLIMATE))
    assert 'topic = "b/+"' in text
    assert (
        "# no names, which are letters, digits, _ - .: th 1; the devices are called b.th2, b.th_1"
    ) in text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_quoted(text: str) -> None:
    assert tomllib.loads(f"value = {quoted(text)}") == {"value": text}


LEVELS = st.sampled_from(["base", "hall", "th1", "th 2", "Küche", "", "rh"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/+#\0"), max_size=4
)
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
NAMES = st.sampled_from(["temperature", "hum", "t", "h", "ts", "unit", "image", 'a "b" \n']) | (
    st.text(max_size=3)
)
VALUES = st.sampled_from([21.5, 71, 0.4, "41", "F", 1795428000, "2026-11-23T11:00:00", None]) | (
    st.just(base64.b64encode(PICTURE).decode())
)
DOCUMENTS = st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner), max_leaves=8)
PAYLOADS = DOCUMENTS | st.sampled_from([PICTURE, b"21.5", b"ON", CLIMATE]) | st.binary(max_size=20)
PUBLISHED = st.tuples(TOPICS, PAYLOADS, st.booleans())


@given(st.lists(PUBLISHED, max_size=8))
def test_whatever_comes_the_daemon_reads_what_was_meant(
    loaded: Loaded, published: list[tuple[str, Any, bool]]
) -> None:
    found, text = sniffed(*published)
    if found:
        assert loaded(text) == [section.source for section in found]
    else:
        assert text == ""
