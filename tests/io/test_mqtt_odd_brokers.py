"""What mosquitto never does: a few bytes over a socket stand for brokers that do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge_fusion.events import ArrivalTime, Delivery
from edge_fusion.io.mqtt import Backoff, BrokerSettings, Connection, ProtocolChoice, Subscription
from edge_fusion.mailbox import Connected, Disconnected, Notice, Subscribed

CONNECT, DISCONNECT, SUBSCRIBE = 0x10, 0xE0, 0x82
ACCEPTED_311 = b"\x20\x02\x00\x00"
UNSUPPORTED_5 = b"\x20\x03\x00\x84\x00"
UNSUPPORTED_311 = b"\x20\x02\x00\x01"


class Odd:
    """Answers each packet of the n-th connection by what `script(n, packet)` returns.

    None hangs up. `levels` are the protocol levels of the CONNECT packets: 5, or 4 for 3.1.1.
    """

    def __init__(self, script: Callable[[int, bytes], bytes | None]) -> None:
        self.levels: list[int] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(ConnectionError):
                self._talk(number, line)
            number += 1

    def _talk(self, number: int, line: socket.socket) -> None:
        while (packet := line.recv(4096)) and packet[0] != DISCONNECT:
            if packet[0] == CONNECT:
                self.levels.append(packet[8])
            answer = self._script(number, packet)
            if answer is None:
                return
            line.sendall(answer)


@pytest.fixture
def talk() -> Iterator[Callable[..., tuple[Odd, list[Notice]]]]:
    """Connects to an odd broker and returns once a notice of the kind has come."""
    open_ones: list[tuple[Connection, Odd]] = []

    def connect(
        script: Callable[[int, bytes], bytes | None], kind: type[Notice], **options: Any
    ) -> tuple[Odd, list[Notice]]:
        broker, notices = Odd(script), list[Notice]()
        protocol = options.pop("protocol", ProtocolChoice.AUTO)
        arguments: dict[str, Any] = {"deliver": lambda *_: None, **options}
        connection = Connection(
            "readings",
            BrokerSettings("127.0.0.1", broker.port, protocol=protocol),
            notify=notices.append,
            stamp=lambda: ArrivalTime(time.time()),
            backoff=Backoff(0.02, 0.05, answer=0.2),
            **arguments,
        )
        open_ones.append((connection, broker))
        connection.start()
        deadline = time.monotonic() + 15
        while not any(isinstance(notice, kind) for notice in list(notices)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert connection.alive
        return broker, notices

    yield connect
    for connection, broker in open_ones:
        connection.stop(2)
        broker.close()


Talk = Callable[..., tuple[Odd, list[Notice]]]


@pytest.mark.parametrize("refusal", [UNSUPPORTED_5, UNSUPPORTED_311])
def test_a_broker_that_refuses_version_5_is_asked_in_3_1_1_at_once(
    talk: Talk, refusal: bytes
) -> None:
    broker, notices = talk(lambda _, packet: refusal if packet[8] == 5 else ACCEPTED_311, Connected)
    assert broker.levels == [5, 4]
    assert Connected("readings", session_present=False, protocol="3.1.1") in notices


@pytest.mark.parametrize("reaction", [None, b""], ids=["hangs up", "keeps silent"])
def test_a_broker_that_reacts_to_version_5_by_saying_nothing_is_asked_in_3_1_1(
    talk: Talk, reaction: bytes | None
) -> None:
    broker, _ = talk(lambda _, packet: reaction if packet[8] == 5 else ACCEPTED_311, Connected)
    assert broker.levels == [5, 5, 4]


def test_version_5_that_was_asked_for_is_not_given_up(talk: Talk) -> None:
    def accept_the_third(number: int, packet: bytes) -> bytes | None:
        return b"\x20\x03\x00\x00\x00" if number == 2 else UNSUPPORTED_5

    broker, _ = talk(accept_the_third, Connected, protocol=ProtocolChoice.V5)
    assert broker.levels == [5, 5, 5]


def test_refused_subscriptions_are_told_once_there_is_an_answer_for_each(talk: Talk) -> None:
    def refuse_one(_: int, packet: bytes) -> bytes:
        if packet[0] == CONNECT:
            return ACCEPTED_311
        answers = b""
        while packet[:1] == b"\x82":
            length = packet[1] + 2
            code = b"\x80" if b"a/#" in packet[:length] else b"\x01"
            answers, packet = answers + b"\x90\x03" + packet[2:4] + code, packet[length:]
        return answers

    _, notices = talk(
        refuse_one,
        Subscribed,
        protocol=ProtocolChoice.V311,
        subscriptions=[Subscription("a/#"), Subscription("b/#")],
    )
    assert isinstance(notices[-1], Subscribed)
    assert list(notices[-1].refused) == ["a/#"]
    assert notices[-1].refused["a/#"].startswith("Unspecified error; does the ACL of the broker")


@pytest.mark.parametrize(
    "nonsense",
    [b"\xff" * 6, b"\x20\x00", b"\x32\x03\x00\x09a", b"\x90\x00", b"\x40\x00"],
)
def test_nonsense_ends_the_session_and_not_the_thread(talk: Talk, nonsense: bytes) -> None:
    talk(
        lambda _, packet: ACCEPTED_311 + nonsense if packet[0] == CONNECT else b"",
        Disconnected,
        protocol=ProtocolChoice.V311,
    )


def test_a_topic_that_is_not_utf_8_is_delivered_for_the_codecs_to_judge(talk: Talk) -> None:
    deliveries: list[Delivery] = []
    talk(
        lambda _, packet: ACCEPTED_311 + b"\x30\x04\x00\x01\xffx" + b"\xff" * 6,
        Disconnected,
        protocol=ProtocolChoice.V311,
        deliver=lambda delivery, _: deliveries.append(delivery),
    )
    assert deliveries[0].message.topic == "\ufffd"
    assert deliveries[0].message.payload == b"x"
