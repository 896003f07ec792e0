from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from conftest import eventually

from edge_fusion.errors import ConfigError
from edge_fusion.events import ArrivalTime, Delivery, Publication
from edge_fusion.io.mqtt import (
    Backoff,
    BrokerSettings,
    Connection,
    ProtocolChoice,
    Subscription,
)
from edge_fusion.mailbox import Acknowledged, Connected, Disconnected, Notice, Refused
from edge_fusion.outbox import Outbox

if TYPE_CHECKING:
    from conftest import Broker, BrokerFactory

T = TypeVar("T")

READINGS = [Subscription("readings/#", 1)]
BIRTH = Publication("status", b"online", retain=True)
WILL = Publication("status", b"offline", retain=True)


def now() -> ArrivalTime:
    return ArrivalTime(time.time())


class Client:
    """A connection under test, and all that it delivered and said."""

    def __init__(self, port: int, client_id: str = "under-test", **options: Any) -> None:
        self.deliveries: list[Delivery] = []
        self.notices: list[Notice] = []
        settings = {
            key: options.pop(key) for key in ("protocol", "username", "password") if key in options
        }
        arguments: dict[str, Any] = {
            "deliver": lambda delivery, qos: self.deliveries.append(delivery),
            "notify": self.notices.append,
            "stamp": now,
            "backoff": Backoff(0.05, 0.2, answer=0.5),
        }
        self.connection = Connection(
            "readings",
            BrokerSettings("127.0.0.1", port, client_id=client_id, **settings),
            **(arguments | options),
        )

    def start(self) -> Client:
        self.connection.start()
        return self

    def connected(self) -> Client:
        self.start()
        eventually(lambda: self.connection.is_connected)
        return self

    def connected_again(self, count: int) -> None:
        eventually(lambda: len(self.said(Connected)) >= count)

    def payloads(self) -> list[bytes]:
        return [delivery.message.payload for delivery in self.deliveries]

    def got_at_least(self, count: int) -> None:
        eventually(lambda: len(self.deliveries) >= count)

    def got(self, *payloads: bytes) -> None:
        self.got_at_least(len(payloads))
        assert self.payloads() == list(payloads)

    def said(self, kind: type[T]) -> list[T]:
        return [notice for notice in list(self.notices) if isinstance(notice, kind)]

    def cut_the_line(self) -> None:
        """As when the power of the router fails: no DISCONNECT is sent."""
        eventually(lambda: self.connection.is_connected)
        session = self.connection._session
        assert session is not None
        line = session._client._buffered
        assert line is not None
        line.inner.shutdown(socket.SHUT_RDWR)
        eventually(lambda: self.connection._session is not session)


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(port: int, client_id: str = "under-test", **options: Any) -> Client:
        clients.append(Client(port, client_id, **options))
        return clients[-1]

    yield make
    for one in clients:
        one.connection.stop(2)
        assert not one.connection.alive


MakeClient = Callable[..., Client]


def test_a_message_arrives_with_its_time_and_user_properties(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port, subscriptions=READINGS).connected()
    before = now()
    broker.publish("readings/hall", b"21.5", properties=[("time", "a"), ("k", "v"), ("time", "b")])
    one.got(b"21.5")
    message = one.deliveries[0].message
    assert message.topic == "readings/hall"
    assert before <= message.arrival <= now()
    assert not message.retained
    assert message.properties == {"time": "b", "k": "v"}


def test_a_retained_message_is_marked_as_such(broker: Broker, client: MakeClient) -> None:
    broker.publish("readings/hall", b"old", retain=True)
    one = client(broker.port, subscriptions=READINGS).connected()
    one.got(b"old")
    assert one.deliveries[0].message.retained


@pytest.mark.parametrize("protocol", [ProtocolChoice.V5, ProtocolChoice.V311])
def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(
    broker: Broker, client: MakeClient, protocol: ProtocolChoice
) -> None:
    one = client(
        broker.port, subscriptions=READINGS, persistent=True, protocol=protocol
    ).connected()
    broker.publish("readings/a", b"1")
    broker.publish("readings/a", b"2")
    one.got(b"1", b"2")
    one.deliveries[0].ack()
    one.deliveries[0].ack()
    one.connection.stop(2)
    again = client(
        broker.port, subscriptions=READINGS, persistent=True, protocol=protocol
    ).connected()
    again.got(b"2")
    assert again.said(Connected) == [Connected("readings", True, protocol.value)]
    (before, after) = one.deliveries[1], again.deliveries[0]
    assert (before.connection, before.session, before.again) == ("readings", 1, False)
    assert (after.session, after.packet, after.again) == (0, before.packet, True)


def test_acknowledging_after_the_connection_is_gone_does_nothing(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port, subscriptions=READINGS, persistent=True).connected()
    broker.publish("readings/a", b"1")
    one.got(b"1")
    one.cut_the_line()
    eventually(lambda: len(one.deliveries) == 2)  # sent again to the new session
    one.deliveries[0].ack()
    one.connection.stop(2)
    one.deliveries[1].ack()
    again = client(broker.port, subscriptions=READINGS, persistent=True).connected()
    again.got(b"1")


def test_the_broker_stops_at_the_receive_maximum_and_gets_each_acknowledgement_once(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port, subscriptions=READINGS, receive_maximum=2).connected()
    sender = broker.collect()
    for number in range(6):
        sender.publish("readings/a", b"%d" % number)
    one.got(b"0", b"1")
    for number in range(6):
        one.got_at_least(number + 1)
        one.deliveries[number].ack()
        one.deliveries[0].ack()
    one.got(b"0", b"1", b"2", b"3", b"4", b"5")
    one.connection.stop(2)
    eventually(lambda: "Client under-test disconnected" in broker.log())
    assert broker.log().count("Received PUBACK from under-test") == 6


def test_a_persistent_session_delivers_what_was_sent_in_the_meantime(
    broker_factory: BrokerFactory, client: MakeClient
) -> None:
    broker = broker_factory(persistent=True)
    client(broker.port, subscriptions=READINGS, persistent=True).connected().connection.stop(2)
    broker.publish("readings/a", b"while away")
    broker.restart()
    again = client(broker.port, subscriptions=READINGS, persistent=True).connected()
    again.got(b"while away")


def test_subscriptions_are_made_again_after_the_broker_has_forgotten_them(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port, subscriptions=READINGS, persistent=True).connected()
    broker.restart()
    one.connected_again(2)
    assert one.said(Connected)[1] == Connected("readings", False, "5")
    eventually(lambda: "readings/# (QoS 1)" in broker.log().rpartition("running")[2])
    broker.publish("readings/a", b"new")
    one.got(b"new")


def test_a_missing_broker_is_waited_for(broker: Broker, client: MakeClient) -> None:
    broker.stop()
    one = client(broker.port).start()
    eventually(lambda: one.said(Disconnected))
    assert "refused" in one.said(Disconnected)[0].reason
    assert one.connection.alive
    broker.start()
    eventually(lambda: one.connection.is_connected)
    assert one.said(Connected)[0].protocol == "5"


def test_a_broker_that_goes_is_not_said_to_be_silent(broker: Broker, client: MakeClient) -> None:
    one = client(broker.port).connected()
    time.sleep(0.6)  # longer than an answer may take
    broker.stop()
    eventually(lambda: one.said(Disconnected))
    assert "does not answer" not in one.said(Disconnected)[0].reason


def test_the_same_failure_is_logged_only_once_a_minute(
    broker: Broker, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    with caplog.at_level(logging.WARNING, "edge_fusion.mqtt"):
        one = client(broker.port).start()
        eventually(lambda: len(one.said(Disconnected)) > 3)
    (record,) = caplog.records
    assert f"127.0.0.1:{broker.port}: connection refused" in record.getMessage()


def test_an_impossible_host_name_is_no_end(client: MakeClient, broker: Broker) -> None:
    one = client(broker.port)
    one.connection = Connection(
        "readings",
        BrokerSettings("x" * 70, broker.port),
        deliver=lambda *_: None,
        notify=one.notices.append,
        stamp=now,
        backoff=Backoff(0.05, 0.2),
    )
    one.start()
    eventually(lambda: len(one.said(Disconnected)) > 1)
    assert one.connection.alive


def test_the_right_password_opens_the_broker(
    broker_factory: BrokerFactory, client: MakeClient
) -> None:
    broker = broker_factory(user=("box", "secret"))
    client(broker.port, username="box", password="secret").connected()


@pytest.mark.parametrize("protocol", [ProtocolChoice.AUTO, ProtocolChoice.V311])
def test_a_wrong_password_is_told_and_tried_again_slowly(
    broker_factory: BrokerFactory, client: MakeClient, protocol: ProtocolChoice
) -> None:
    broker = broker_factory(user=("box", "secret"))
    one = client(
        broker.port,
        username="box",
        password="wrong",
        protocol=protocol,
        backoff=Backoff(0.001, 60),
    ).start()
    eventually(lambda: one.said(Disconnected))
    assert "password" in one.said(Disconnected)[0].reason
    time.sleep(0.3)
    assert len(one.said(Disconnected)) == 1
    assert not one.connection.is_connected


def test_the_will_speaks_when_the_line_is_cut_and_the_birth_when_it_is_mended(
    broker: Broker, client: MakeClient
) -> None:
    watcher = broker.collect("status")
    one = client(broker.port, will=WILL, birth=BIRTH).connected()
    watcher.wait_for(1)
    one.cut_the_line()
    watcher.wait_for(3)
    assert watcher.payloads() == [b"online", b"offline", b"online"]
    assert broker.collect("status").wait_for(1)[0].retain


def test_a_clean_stop_says_farewell_and_the_will_stays_silent(
    broker: Broker, client: MakeClient
) -> None:
    watcher = broker.collect("status")
    one = client(broker.port, will=WILL, birth=BIRTH).connected()
    one.connection.stop(5, Publication("status", b"stopped", retain=True))
    assert not one.connection.alive
    broker.publish("status", b"after")
    watcher.wait_for(3)
    assert watcher.payloads() == [b"online", b"stopped", b"after"]


def test_a_publication_is_acknowledged_under_its_token(broker: Broker, client: MakeClient) -> None:
    watcher = broker.collect("out")
    one = client(broker.port).connected()
    sent = Publication("out", b"{}", properties={"id": "x"}, expiry=60)
    assert one.connection.publish(7, sent)
    assert one.connection.publish(8, Publication("out", b"at most once", qos=0))
    eventually(lambda: len(one.said(Acknowledged)) == 2)
    assert {notice.token for notice in one.said(Acknowledged)} == {7, 8}
    first = watcher.wait_for(2)[0]
    assert first.properties is not None
    assert first.properties.UserProperty == [("id", "x")]  # type: ignore[attr-defined]
    assert first.properties.ContentType == "application/json"  # type: ignore[attr-defined]


def test_what_is_published_while_the_broker_is_down_goes_out_later_once_and_in_order(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port).connected()
    broker.stop(kill=True)
    outbox = Outbox(1000, 1_000_000, lambda *_: [])
    for number in range(300):
        outbox.add(Publication("out", b"%d" % number))
    for token, publication in outbox.next(1000, even_unsaved=True):
        one.connection.publish(token, publication)
    broker._extra = ("max_queued_messages 0",)
    broker.start()
    late = broker.collect("out")
    eventually(lambda: len(one.said(Acknowledged)) == 300)
    for notice in one.said(Acknowledged):
        outbox.settled(notice.token)
    assert len(outbox) == 0
    received = [int(payload) for payload in late.payloads()]
    assert received == sorted(set(received))


def test_what_was_in_flight_when_the_line_was_cut_is_acknowledged_in_the_end(
    broker: Broker, client: MakeClient
) -> None:
    watcher = broker.collect("out")
    one = client(broker.port).connected()
    for number in range(200):
        one.connection.publish(number, Publication("out", b"%d" % number))
        if number % 50 == 25:
            one.cut_the_line()
    eventually(lambda: len(one.said(Acknowledged)) == 200)
    eventually(lambda: set(watcher.payloads()) == {b"%d" % number for number in range(200)})


@pytest.mark.parametrize("topic", ["", "a/+", "a/#", "a\0b", "$SYS/x", "\ud800", "a" * 70000])
def test_a_bad_topic_is_refused_at_once(broker: Broker, client: MakeClient, topic: str) -> None:
    one = client(broker.port).connected()
    assert not one.connection.publish(1, Publication(topic, b""))
    assert [notice.token for notice in one.said(Refused)] == [1]


def test_what_the_broker_would_hang_up_on_is_refused_here(
    broker_factory: BrokerFactory, client: MakeClient
) -> None:
    broker = broker_factory(extra=["max_packet_size 1000"])
    one = client(broker.port)
    one.connection.publish(1, Publication("out", b"x" * 2000))  # the limit is not known yet
    one.connected()
    assert not one.connection.publish(2, Publication("out", b"x" * 2000))
    assert one.connection.publish(3, Publication("out", b"x" * 500))
    eventually(lambda: one.said(Acknowledged))
    assert [notice.token for notice in one.said(Refused)] == [1, 2]
    assert not one.said(Disconnected)


def test_what_the_broker_does_not_allow_is_refused_and_not_repeated(
    broker_factory: BrokerFactory, client: MakeClient, tmp_path: Path
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\ntopic write allowed\n")
    one = client(broker_factory(extra=[f"acl_file {rules}"]).port).connected()
    one.connection.publish(1, Publication("forbidden", b""))
    one.connection.publish(2, Publication("allowed", b""))
    eventually(lambda: one.said(Acknowledged))
    (refused,) = one.said(Refused)
    assert refused.token == 1
    assert refused.reason.startswith("Not authorized; does the ACL of the broker let a client")
    assert one.said(Acknowledged) == [Acknowledged(2)]


def test_under_3_1_1_a_limit_is_assumed(broker: Broker, client: MakeClient) -> None:
    one = client(broker.port, protocol=ProtocolChoice.V311).connected()
    assert not one.connection.publish(1, Publication("out", b"x" * 2_000_000))
    assert one.connection.publish(2, Publication("out", b"x" * 1_900_000))
    eventually(lambda: one.said(Acknowledged))


def test_a_failing_receiver_does_not_end_the_connection(broker: Broker, client: MakeClient) -> None:
    def fail_first(delivery: Delivery, qos: int) -> None:
        seen.append(delivery)
        if len(seen) == 1:
            raise RuntimeError("a bug")

    seen: list[Delivery] = []
    one = client(broker.port, subscriptions=READINGS, deliver=fail_first).connected()
    broker.publish("readings/a", b"1")
    broker.publish("readings/a", b"2")
    eventually(lambda: len(seen) == 2)
    assert not one.said(Disconnected)


def test_two_clients_with_one_id_do_not_end_each_other(broker: Broker, client: MakeClient) -> None:
    one = client(broker.port).connected()
    client(broker.port).connected()
    eventually(lambda: len(one.said(Connected)) > 1)
    assert one.connection.alive


def test_a_kept_session_needs_a_client_id() -> None:
    with pytest.raises(ConfigError):
        Client(1, "", persistent=True)


_AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    listener = {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}
    plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Broker({"listeners": {"default": listener}, "plugins": {plugin: {}}})
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_auto_goes_down_to_3_1_1_with_a_broker_that_knows_no_more(client: MakeClient) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", _AMQTT, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            one = client(port, subscriptions=READINGS, birth=BIRTH, will=WILL).connected()
            assert one.said(Connected)[0].protocol == "3.1.1"
            one.connection.publish(1, Publication("readings/a", b"round trip"))
            one.got(b"round trip")
            eventually(lambda: one.said(Acknowledged))
            one.connection.stop(2)
        finally:
            process.kill()


def test_auto_stays_with_5_when_the_broker_comes_and_goes(
    broker: Broker, client: MakeClient
) -> None:
    one = client(broker.port).connected()
    for count, kill in enumerate((True, False, True), start=2):
        broker.restart(kill=kill)
        one.connected_again(count)
    assert {notice.protocol for notice in one.said(Connected)} == {"5"}
