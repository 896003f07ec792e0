from __future__ import annotations

import pytest

from edge_fusion.events import ArrivalTime, Message
from edge_fusion.recognition.heard import Heard, Hearing, HearingLimits, is_worth_hearing


def message(topic: str, payload: bytes = b"21.5") -> Message:
    return Message(topic, payload, ArrivalTime(0.0))


def test_all_messages_are_counted_and_the_first_ones_kept() -> None:
    hearing = Hearing("edge_fusion", HearingLimits(messages=2))
    for payload in (b"1", b"2", b"3"):
        hearing.take(message("b/temperature", payload))
    hearing.take(message("a/temperature"))
    assert hearing.heard() == [
        Heard("a/temperature", (message("a/temperature"),), 1),
        Heard(
            "b/temperature",
            (message("b/temperature", b"1"), message("b/temperature", b"2")),
            3,
        ),
    ]
    assert (hearing.topics, hearing.messages, hearing.overlooked) == (2, 4, 0)


def test_topics_beyond_the_bound_are_overlooked_and_counted() -> None:
    hearing = Hearing("edge_fusion", HearingLimits(topics=1))
    for topic in ("a", "b", "a", "b", "c"):
        hearing.take(message(topic))
    assert [(one.topic, one.count) for one in hearing.heard()] == [("a", 2)]
    assert hearing.overlooked == 3


def test_large_messages_are_few_and_all_together_are_bounded() -> None:
    limits = HearingLimits(large=10, large_messages=1, bytes=50)
    hearing = Hearing("edge_fusion", limits)
    for topic in ("a", "a", "b", "c"):
        hearing.take(message(topic, bytes(20)))
    hearing.take(message("c", bytes(10)))
    assert [(one.topic, len(one.messages), one.count) for one in hearing.heard()] == [
        ("a", 1, 2),
        ("b", 1, 1),
        ("c", 1, 2),
    ]


@pytest.mark.parametrize(
    "topic",
    [
        "edge_fusion/hall/alert/smoke",
        "edge_fusion",
        "homeassistant/device/edge_fusion_hall/config",
        "zigbee2mqtt/th1/set",
        "zigbee2mqtt/th1/get",
        "cmnd/plug/POWER",
        "$SYS/broker/uptime",
        "a/+/b",
        "a\0",
        "",
    ],
)
def test_nobody_measures_on_our_own_topics_and_on_those_of_commands(topic: str) -> None:
    assert not is_worth_hearing(topic, "edge_fusion")


@pytest.mark.parametrize(
    "topic", ["edge_fusion2/hall", "home/edge_fusion/th1", "zigbee2mqtt/set/th1", "/"]
)
def test_other_topics_may_carry_anything(topic: str) -> None:
    assert is_worth_hearing(topic, "edge_fusion")
