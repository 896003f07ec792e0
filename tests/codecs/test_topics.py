from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs import topics
from edge_fusion.codecs.topics import TopicPattern, valid_name


def test_placeholders_become_single_level_wildcards_and_give_names() -> None:
    pattern = TopicPattern.parse("zigbee2mqtt/{site}/{device}")
    assert pattern.filter == "zigbee2mqtt/+/+"
    assert pattern.names == ("site", "device")
    assert pattern.match("zigbee2mqtt/cellar/th1") == {"site": "cellar", "device": "th1"}


@pytest.mark.parametrize(
    ("text", "topic", "names"),
    [
        ("a/b", "a/b", {}),
        ("a/b", "a/b/c", None),
        ("a/b", "a", None),
        ("a/+/c", "a/x/c", {}),
        ("a/+/c", "a/x/y/c", None),
        ("a/#", "a", {}),
        ("a/#", "a/b/c", {}),
        ("a/#", "b", None),
        ("#", "a/b", {}),
        ("#", "$SYS/broker", None),
        ("{site}/#", "$SYS/broker", None),
        ("+/broker", "$SYS/broker", None),
        ("$SYS/#", "$SYS/broker", {}),
        ("cams/{camera}", "cams/", {"camera": ""}),
        ("cams/{camera}", "cams/a/b", None),
        ("{site}/x/#", "hall/x/y/z", {"site": "hall"}),
        ("{site}/x/#", "hall/y/y/z", None),
    ],
)
def test_matching_follows_mqtt(text: str, topic: str, names: dict[str, str] | None) -> None:
    assert TopicPattern.parse(text).match(topic) == names


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("a/\0", "NUL"),
        ("a/{room}", "unknown placeholder {room}"),
        ("a/{}", "unknown placeholder {}"),
        ("a/x{site}", "must be a whole level"),
        ("a/{site}{device}", "must be a whole level"),
        ("a/}{", "must be a whole level"),
        ("a/{site/b}", "must be a whole level"),
        ("{site}/{site}", "twice"),
        ("a/#/b", "must be the last level"),
        ("a/b#", "stand alone"),
        ("a/b+", "stand alone"),
        ("$share/group/a", "shared subscription"),
        ("a/\ud800", "UTF-8"),
        ("a" * 70_000, "longer than"),
    ],
)
def test_a_malformed_pattern_is_refused_with_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        TopicPattern.parse(text)
    assert "\n" not in str(caught.value)


@given(st.text(), st.text())
def test_any_pattern_is_parsed_or_refused_and_any_topic_matched_or_not(
    text: str, topic: str
) -> None:
    try:
        pattern = TopicPattern.parse(text)
    except ValueError:
        return
    names = pattern.match(topic)
    assert names is None or tuple(names) == pattern.names


@pytest.mark.parametrize("name", ["a", "Box-7", "th_1.2", "x" * 64])
def test_letters_digits_and_three_marks_make_a_name(name: str) -> None:
    assert valid_name(name)


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "a b", "a/b", "é", "\N{ARABIC-INDIC DIGIT ONE}", "a\n"]
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not valid_name(name)


def test_topics_published_are_those_of_the_contract() -> None:
    assert topics.status_topic("edge_fusion", "edge-7") == "edge_fusion/box/edge-7/status"
    assert topics.barrier_topic("edge_fusion", "edge-7") == "edge_fusion/box/edge-7/barrier"
    assert topics.alert_topic("edge_fusion", "hall", "smoke") == "edge_fusion/hall/alert/smoke"
    assert topics.event_topic("edge_fusion", "hall") == "edge_fusion/hall/event"
    assert topics.window_topic("edge_fusion", "hall") == "edge_fusion/hall/window"
    assert topics.snapshot_topic("p", "hall", "smoke") == "p/hall/snapshot/smoke"
    assert topics.late_topic("edge_fusion", "hall") == "edge_fusion/hall/late"
    assert (
        topics.discovery_topic("edge_fusion", "hall")
        == "homeassistant/device/edge_fusion_hall/config"
    )


def test_discovery_ids_of_similar_sites_stay_apart() -> None:
    ids = {topics.discovery_id("home/edge", site) for site in ("a.b", "a_b", "a-b")}
    assert len(ids) == 3
    assert all(set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for found in ids)


def test_a_wildcard_stands_for_levels_without_a_name() -> None:
    assert TopicPattern.parse("home/+/{device}").has_wildcard
    assert TopicPattern.parse("{site}/#").has_wildcard
    assert not TopicPattern.parse("home/{site}/{device}").has_wildcard
