"""What the notices of the connections come to."""

from __future__ import annotations

from collections.abc import Iterable

from edge_fusion.links import Links
from edge_fusion.mailbox import Connected, Disconnected, Notice, Stop, Subscribed

DENIED = {"cams/#": "Not authorized"}


def links(*notices: Notice, names: Iterable[str] = ("readings", "frames")) -> Links:
    made = Links(list(names))
    for notice in notices:
        made.hear(notice)
    return made


def connected(name: str) -> Connected:
    return Connected(name, session_present=False, protocol="5")


def test_nothing_is_ready_before_it_has_begun() -> None:
    assert not links().ready
    assert links().connected == {"readings": False, "frames": False}


def test_a_connection_is_ready_once_the_broker_has_answered_for_every_filter() -> None:
    story = (connected("readings"), Subscribed("readings", {}))
    assert links(*story[:1], names=["readings"]).connected == {"readings": True}
    assert not links(*story[:1], names=["readings"]).ready
    assert links(*story, names=["readings"]).ready


def test_all_connections_must_be_ready() -> None:
    story = (
        connected("readings"), Subscribed("readings", {}),
        connected("frames"), Subscribed("frames", {}),
        Disconnected("readings", "connection lost"),
    )  # fmt: skip
    assert [links(*story[:count]).ready for count in range(6)] == [False] * 4 + [True, False]


def test_a_refused_subscription_is_named_and_never_ready_between_two_connects() -> None:
    story: list[Notice] = [
        connected("frames"), Subscribed("frames", DENIED), Disconnected("frames", "lost"),
        connected("frames"), Subscribed("frames", DENIED),
    ]  # fmt: skip
    for count in range(len(story) + 1):
        assert not links(*story[:count], names=["frames"]).ready
    assert links(*story, names=["frames"]).refused == DENIED


def test_what_is_allowed_at_last_is_ready() -> None:
    told = links(
        connected("frames"), Subscribed("frames", DENIED),
        connected("frames"), Subscribed("frames", {}), names=["frames"],
    )  # fmt: skip
    assert told.ready
    assert told.refused == {}


def test_other_notices_change_nothing() -> None:
    told = links(connected("frames"), Subscribed("frames", {}), Stop(), names=["frames"])
    assert told.ready


def test_what_is_wrong_with_a_connection_is_said_as_long_as_it_lasts() -> None:
    assert links(names=["frames"]).troubles == {"frames": "not connected yet"}
    story = (connected("frames"), Subscribed("frames", DENIED))
    lost = Disconnected("frames", "connection lost")
    assert "not answered" in links(*story[:1], names=["frames"]).troubles["frames"]
    assert "cams/# (Not authorized)" in links(*story, names=["frames"]).troubles["frames"]
    assert links(*story, lost, names=["frames"]).troubles == {"frames": "connection lost"}
    fine = (connected("frames"), Subscribed("frames", {}))
    assert links(*story, lost, *fine, names=["frames"]).troubles == {}
