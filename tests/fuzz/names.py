"""Words: topics, names, times, numbers and units, durations and sizes.

An input is text: a topic pattern on the first line, a topic on the second; all of it is tried as
everything else.
"""

from __future__ import annotations

import contextlib
import math
import re
from zoneinfo import ZoneInfo

from fuzz.sound import check_sentence, check_text, check_value

from edge_fusion.codecs.invalid import printable
from edge_fusion.codecs.numerals import is_no_reading, read_number, split_unit, to_number
from edge_fusion.codecs.times import (
    Unzoned,
    format_time,
    parse_time,
    property_time,
    stated_time,
)
from edge_fusion.codecs.topics import PLACEHOLDERS, TopicPattern, discovery_id, valid_name
from edge_fusion.codecs.units import Unit, canonical, clipped, stated_unit
from edge_fusion.config.measures import (
    format_duration,
    parse_duration,
    parse_positive_duration,
    parse_size,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE, InvalidReason

_BERLIN = ZoneInfo("Europe/Berlin")
_ID = re.compile(r"[A-Za-z0-9_-]+")
_TEN_YEARS = 3650 * 86_400


def check(data: bytes) -> None:
    """Whatever the words are, they are read or refused."""
    text = data.decode("utf-8", "replace")
    pattern, _, topic = text.partition("\n")
    _check_pattern(pattern, topic)
    for word in {text, pattern, topic}:
        _check_name(word)
        _check_time(word)
        _check_number(word)
        _check_measure(word)


def _check_pattern(text: str, topic: str) -> None:
    try:
        pattern = TopicPattern.parse(text)
    except ValueError as error:
        check_sentence(error)
        return
    assert set(pattern.names) <= set(PLACEHOLDERS)
    assert not set(pattern.filter) & set("{}")
    found = pattern.match(topic)
    assert found is None or _levels_of(found, pattern, topic)
    filled = pattern.filter.replace("+", "x").replace("#", "y/z")
    if not filled.startswith("$") or pattern.filter.startswith("$"):
        assert pattern.match(filled) == dict.fromkeys(pattern.names, "x")


def _levels_of(found: dict[str, str], pattern: TopicPattern, topic: str) -> bool:
    return found.keys() == set(pattern.names) and set(found.values()) <= set(topic.split("/"))


def _check_name(word: str) -> None:
    if word:
        check_text(printable(word))
    if valid_name(word):
        assert _ID.fullmatch(discovery_id("edge_fusion", word))


def _check_time(word: str) -> None:
    for zone in (None, _BERLIN):
        time = parse_time(word, zone)
        assert zone is None or not isinstance(time, Unzoned)
        if isinstance(time, float):
            again = parse_time(format_time(time))
            assert isinstance(again, float)
            assert abs(again - time) < 0.001
        for stated in (stated_time(word, zone), property_time({"time": word}, zone)):
            assert stated is None or stated is InvalidReason.TIME or stated == time


def _check_number(word: str) -> None:
    number = to_number(word)
    assert number is None or math.isfinite(number)
    read = read_number(word)
    assert read is None or isinstance(read, InvalidReason) or read == number
    assert (read is None) == is_no_reading(word)
    parts = split_unit(word)
    if parts is None:
        return
    number, suffix = parts
    for quantity in (TEMPERATURE, HUMIDITY, "co2"):
        _check_canonical(quantity, number, stated_unit(quantity, suffix))


def _check_canonical(quantity: str, number: float, unit: Unit | None) -> None:
    value = canonical(quantity, number, unit)
    assert isinstance(value, InvalidReason | float)
    if isinstance(value, float):
        check_value(quantity, clipped(quantity, value))


def _check_measure(word: str) -> None:
    number = to_number(word)
    for value in (word, number):
        with contextlib.suppress(ValueError):
            seconds = parse_duration(value)
            assert 0 <= seconds <= _TEN_YEARS
            assert parse_duration(format_duration(seconds)) == seconds
        with contextlib.suppress(ValueError):
            assert parse_positive_duration(value) >= 0.001
        with contextlib.suppress(ValueError):
            assert parse_size(value) >= 1
