"""What goes to systemd, byte by byte."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_fusion.io.systemd import Notifier


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(5)
        yield bound


@pytest.fixture
def notifier(ear: socket.socket) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": ear.getsockname()})


@pytest.mark.parametrize(
    ("say", "heard"),
    [
        (lambda one: one.ready("ready"), b"READY=1\nSTATUS=ready"),
        (lambda one: one.status("2 sites"), b"STATUS=2 sites"),
        (lambda one: one.alive(), b"WATCHDOG=1"),
        (lambda one: one.stopping("stopping"), b"STOPPING=1\nSTATUS=stopping"),
        (lambda one: one.status("two\nlines\0 READY=1"), b"STATUS=two lines? READY=1"),
    ],
)
def test_each_word_is_a_datagram(
    ear: socket.socket, notifier: Notifier, say: Callable[[Notifier], None], heard: bytes
) -> None:
    say(notifier)
    assert ear.recv(65_536) == heard


@pytest.mark.parametrize("letter", ["x", "ü", "煙"])
def test_a_long_status_does_not_make_the_word_too_long_for_systemd(
    ear: socket.socket, notifier: Notifier, letter: str
) -> None:
    notifier.ready(letter * 100_000)
    word = ear.recv(200_000)
    assert len(word) <= 4096
    ready, status = word.decode().split("\n")
    assert ready == "READY=1"
    assert status.startswith(f"STATUS={letter * 600}")
    assert status.endswith(f"{letter}…")


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234"])
def test_nothing_is_said_where_nobody_listens(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready("ready")
    Notifier({}).ready("ready")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_time_of_the_watchdog_is_for_the_process_that_is_meant(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert Notifier(environ).watchdog == seconds


def test_systemd_that_hears_nothing_holds_nobody_up_for_long(
    ear: socket.socket, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """Its queue holds a few words; then nobody takes them."""
    for _ in range(2000):
        notifier.alive()
        if caplog.records:
            break
    (record,) = caplog.records
    assert "systemd cannot be told" in record.getMessage()
