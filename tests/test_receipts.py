"""Which messages were taken, and which are still to be acknowledged."""

from __future__ import annotations

from edge_fusion.events import ArrivalTime, Delivery, Message
from edge_fusion.mailbox import Connected, Disconnected
from edge_fusion.receipts import LIMIT, Receipts


def nothing() -> None:
    pass


def delivery(
    packet: int,
    payload: bytes = b"21.5",
    *,
    topic: str = "home/hall/probe",
    connection: str = "readings",
    session: int = 0,
    qos: int = 1,
    again: bool = False,
) -> Delivery:
    message = Message(topic, payload, ArrivalTime(0.0), qos=qos)
    return Delivery(message, nothing, connection, session, packet, again)


def connected(connection: str = "readings", *, held: bool = True) -> Connected:
    return Connected(connection, held, "5")


def test_the_same_packet_again_was_taken_before() -> None:
    receipts = Receipts("readings")
    assert receipts.take(delivery(7))
    assert not receipts.take(delivery(7, again=True))


def test_what_says_that_it_may_come_again_need_not_have_come() -> None:
    receipts = Receipts("readings")
    assert receipts.take(delivery(7, again=True))


def test_packet_ids_are_given_again_in_the_end() -> None:
    receipts = Receipts("readings")
    receipts.take(delivery(7, b"21.5"))
    assert receipts.take(delivery(7, b"21.6", again=True))
    assert receipts.take(delivery(7, b"21.5", topic="home/attic/probe", again=True))
    assert receipts.take(delivery(7, b"21.6"))


def test_where_topic_ends_and_payload_begins_matters() -> None:
    receipts = Receipts("readings")
    receipts.take(delivery(7, b"1", topic="a/1"))
    assert receipts.take(delivery(7, b"11", topic="a/", again=True))


def test_each_session_numbers_its_own_packets() -> None:
    receipts = Receipts("readings")
    receipts.take(delivery(7))
    assert receipts.take(delivery(7, session=1, again=True))
    assert not receipts.take(delivery(7, session=0, again=True))


def test_connections_without_a_session_and_qos_0_leave_no_receipt() -> None:
    receipts = Receipts("readings")
    for each in (delivery(7, connection="frames", again=True), delivery(0, qos=0, again=True)):
        assert receipts.take(each)
        assert receipts.take(each)
    assert receipts.state() == b""


def test_the_newest_are_remembered() -> None:
    receipts = Receipts("readings")
    for packet in range(LIMIT + 1):
        receipts.take(delivery(packet))
    assert receipts.take(delivery(0, again=True))
    assert not receipts.take(delivery(2, again=True))


def test_another_run_goes_on_with_the_newest_session() -> None:
    before, after = Receipts("readings"), Receipts("readings")
    before.take(delivery(7))
    before.take(delivery(8, session=1))
    after.restore(before.state())
    assert after.take(delivery(7, again=True))
    assert not after.take(delivery(8, again=True))
    assert before.state() != after.state()


def test_damaged_receipts_are_none() -> None:
    receipts = Receipts("readings")
    receipts.restore(b"short")
    assert receipts.state() == b""


def test_acknowledgements_are_owed_until_they_are_made_or_the_connection_ends() -> None:
    receipts = Receipts("readings")
    receipts.owe([delivery(1), delivery(2, connection="frames"), delivery(0, qos=0)])
    assert len(receipts) == 2
    receipts.hear(Disconnected("readings", "cut"))
    receipts.hear(connected("readings"))
    assert len(receipts) == 1
    receipts.acknowledge()
    assert len(receipts) == 0
