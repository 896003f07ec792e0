from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.availability import is_gone


@pytest.mark.parametrize(
    "payload",
    [
        b"offline",
        b'{"state":"offline"}',
        b"Offline",
        b"false",
        b"lost",
        b"disconnected",
        b"Offline\0",
    ],
)
def test_what_devices_say_when_they_are_gone(payload: bytes) -> None:
    assert is_gone(payload) is True


@pytest.mark.parametrize(
    "payload",
    [
        b"online",
        b'{"state": "online"}',
        b"Online",
        b"true",
        b"ready",
        b"init",
        b"alert",
        b" true\n",
    ],
)
def test_what_devices_say_when_they_are_there(payload: bytes) -> None:
    assert is_gone(payload) is False


def test_a_sleeping_device_is_not_gone() -> None:
    assert is_gone(b"sleeping") is False


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"21.4",
        b"{",
        b"{}",
        b'{"state":null}',
        b'{"state":1}',
        b'{"state":"ON"}',
        b"[]",
        b"\xff",
    ],
)
def test_anything_else_says_neither(payload: bytes) -> None:
    assert is_gone(payload) is None


def test_a_long_payload_is_no_announcement() -> None:
    assert is_gone(b'{"state":"offline","x":"' + b"x" * 1000 + b'"}') is None


@given(st.binary() | st.binary().map(lambda rest: b'{"state":' + rest))
def test_no_payload_raises(payload: bytes) -> None:
    assert is_gone(payload) in {True, False, None}
