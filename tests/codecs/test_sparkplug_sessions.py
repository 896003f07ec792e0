"""What a host application has to keep in mind between the messages of an edge node."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sparkplug import FLOAT, Host, birth, death, metric, payload, reasons, requests, values

from edge_fusion.codecs.dialect import Gone
from edge_fusion.codecs.sparkplug.payload_pb2 import Payload
from edge_fusion.codecs.sparkplug.rebirths import Patience, Sequence
from edge_fusion.events import ArrivalTime, InvalidReason

CLIMATE = metric("Temperature", 20.0, alias=1, type_=FLOAT)
LATER = metric(alias=1, value=21.0)


def test_an_alias_that_no_birth_explains_asks_for_one() -> None:
    host = Host()
    found = host.hear("NDATA/box1", payload(LATER, seq=9))
    assert reasons(found) == [InvalidReason.UNKNOWN_ALIAS]
    (request,) = requests(found)
    assert (request.topic, request.qos, request.retain) == ("spBv1.0/Plant/NCMD/box1", 0, False)
    asked = Payload.FromString(request.payload)
    (command,) = asked.metrics
    assert (command.name, command.boolean_value) == ("Node Control/Rebirth", True)
    assert (command.datatype, asked.timestamp, command.timestamp) == (
        11,
        1486144503000,
        1486144503000,
    )
    assert values(host.hear("NBIRTH/box1", birth(CLIMATE))) == [("temperature", 20.0)]
    found = host.hear("NDATA/box1", payload(LATER, seq=1))
    assert (values(found), requests(found)) == ([("temperature", 21.0)], [])


def test_an_alias_that_a_birth_gives_to_something_else_asks_for_nothing() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(CLIMATE, metric("Pressure", 5, alias=2)))
    assert host.hear("NDATA/box1", payload(metric(alias=2, value=6), seq=1)) == []


def test_a_device_that_was_never_born_asks_its_edge_node() -> None:
    (request,) = requests(Host().hear("DDATA/box1/th1", payload(LATER, seq=9)))
    assert request.topic == "spBv1.0/Plant/NCMD/box1"


def test_metrics_with_names_are_used_without_a_birth_but_one_is_asked_for() -> None:
    found = Host().hear("NDATA/box1", payload(metric("A/Temperature", 20.0), seq=9))
    assert values(found) == [("temperature", 20.0)]
    assert len(requests(found)) == 1


def test_one_that_is_born_and_names_its_metrics_is_asked_nothing() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(metric("A/Temperature", 20.0, type_=FLOAT)))
    found = host.hear("NDATA/box1", payload(metric("A/Temperature", 21.0), seq=1))
    assert (values(found), requests(found)) == ([("temperature", 21.0)], [])


def test_nothing_of_the_dead_is_used_until_they_are_born_again() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(CLIMATE))
    assert host.hear("NDEATH/box1", death()) == [Gone("box1")]
    host.now += 3
    for stale in (LATER, metric("Temperature", 21.0)):
        found = host.hear("NDATA/box1", payload(stale, seq=1))
        assert (reasons(found), values(found)) == ([InvalidReason.STALE], [])
    host.hear("NBIRTH/box1", birth(CLIMATE, bd_seq=1))
    assert values(host.hear("NDATA/box1", payload(LATER, seq=1))) == [("temperature", 21.0)]


def test_devices_of_a_dead_edge_node_are_dead_even_if_they_were_never_heard() -> None:
    host = Host()
    host.hear("NDEATH/box1", death())
    found = host.hear("DDATA/box1/th", payload(metric("Temperature", 21.0)))
    assert (reasons(found), values(found)) == ([InvalidReason.STALE], [])


def test_a_dead_device_leaves_the_others_alone() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth())
    host.hear("DBIRTH/box1/a", payload(CLIMATE, seq=1))
    host.hear("DBIRTH/box1/b", payload(CLIMATE, seq=2))
    assert host.hear("DDEATH/box1/a", payload(seq=3)) == [Gone("box1.a")]
    found = host.hear("DDATA/box1/a", payload(LATER, seq=4))
    assert (reasons(found), len(requests(found))) == ([InvalidReason.STALE], 1)
    assert values(host.hear("DDATA/box1/b", payload(LATER, seq=5))) == [("temperature", 21.0)]


def test_the_will_of_a_session_that_is_past_is_not_heeded() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(CLIMATE, bd_seq=4))
    host.hear("NBIRTH/box1", birth(CLIMATE, bd_seq=5))
    assert host.hear("NDEATH/box1", death(4)) == []
    assert values(host.hear("NDATA/box1", payload(LATER, seq=1))) == [("temperature", 21.0)]
    assert host.hear("NDEATH/box1", death(5)) == [Gone("box1")]


def test_a_will_without_a_number_is_heeded() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(CLIMATE, bd_seq=4))
    assert host.hear("NDEATH/box1", b"") == [Gone("box1")]


def test_the_death_of_the_unknown_is_passed_on() -> None:
    assert Host().hear("NDEATH/box1", death()) == [Gone("box1")]
    assert Host().hear("DDEATH/box1/th", payload(seq=1)) == [Gone("box1.th")]


def test_a_new_session_begins_without_its_devices() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth())
    host.hear("DBIRTH/box1/a", payload(CLIMATE, seq=1))
    host.hear("NBIRTH/box1", birth(bd_seq=1))
    found = host.hear("DDATA/box1/a", payload(LATER, seq=1))
    assert reasons(found) == [InvalidReason.UNKNOWN_ALIAS]


def test_aliases_of_two_devices_may_be_the_same() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth())
    host.hear("DBIRTH/box1/a", payload(CLIMATE, seq=1))
    host.hear("DBIRTH/box1/b", payload(metric("Humidity", 40.0, alias=1, type_=FLOAT), seq=2))
    assert values(host.hear("DDATA/box1/a", payload(LATER, seq=3))) == [("temperature", 21.0)]
    assert values(host.hear("DDATA/box1/b", payload(LATER, seq=4))) == [("humidity", 21.0)]


def test_a_message_that_stays_missing_for_two_seconds_asks_for_a_rebirth() -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(CLIMATE))
    found = host.hear("NDATA/box1", payload(LATER, seq=2))
    assert (values(found), requests(found)) == ([("temperature", 21.0)], [])
    host.now += 2.5
    assert len(requests(host.hear("NDATA/box1", payload(LATER, seq=3)))) == 1
    host.now += 100
    assert requests(host.hear("NDATA/box1", payload(LATER, seq=4))) == []


def test_an_edge_node_is_asked_once_a_minute_and_ever_less_while_that_does_not_help() -> None:
    host = Host()
    asked = []
    for second in range(0, 20_000, 5):
        host.now = 1486144503.0 + second
        if requests(host.hear("NDATA/box1", payload(LATER))):
            asked.append(second)
    assert asked[:6] == [0, 60, 180, 420, 900, 1860]
    assert {later - sooner for sooner, later in pairwise(asked[7:])} == {3600}
    assert len(requests(host.hear("NDATA/box2", payload(LATER)))) == 1


def sequence(*numbers: int, first: int = 0) -> list[bool]:
    """What a sequence says of each number, a second after the one before."""
    heard = Sequence(first)
    return [heard.lost(number, ArrivalTime(second)) for second, number in enumerate(numbers)]


@pytest.mark.parametrize(
    "numbers",
    [
        (1, 2, 3, 4, 5),
        (2, 1, 3, 4, 5),  # out of order
        (1, 1, 2, 2, 3, 3),  # twice
        (3, 1, 2, 4, 5, 6),
    ],
)
def test_what_comes_out_of_order_or_twice_is_not_lost(numbers: tuple[int, ...]) -> None:
    assert not any(sequence(*numbers))


def test_the_sequence_begins_again_after_255() -> None:
    assert not any(sequence(255, 0, 1, 2, 3, first=254))
    assert sequence(0, 1, 2, first=254) == [False, False, True]


def test_what_is_lost_is_said_once() -> None:
    assert sequence(1, 3, 4, 5, 6, 7) == [False, False, False, True, False, False]


def test_patience_comes_back_after_a_time_of_peace() -> None:
    patience = Patience()
    trouble = [*range(600), *range(1500, 2500)]
    granted = [second for second in trouble if patience.grants(ArrivalTime(second))]
    assert granted == [0, 60, 180, 420, 1500, 1560, 1680, 1920, 2400]


DEVICES = st.sampled_from([None, "a", "b"])
TEMPERATURE, HUMIDITY, NEITHER = 10.0, 20.0, 99.0


class Sessions(RuleBasedStateMachine):
    """An edge node with two devices, in any order of births, data and deaths.

    Aliases are dealt out anew at each birth, and a value says what it is of, so that one taken
    by an old table shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.host = Host()
        self.tables: dict[str | None, dict[int, float]] = {}
        self.dead: set[str | None] = set()
        self.session: int | None = None
        self.asked: list[float] = []

    def hear(self, type_: str, device: str | None, data: bytes) -> list[float]:
        topic = f"N{type_}/box" if device is None else f"D{type_}/box/{device}"
        found = self.host.hear(topic, data)
        self.asked += [self.host.now for _ in requests(found)]
        expected = {TEMPERATURE: "temperature", HUMIDITY: "humidity"}
        assert all(quantity == expected[value] for quantity, value in values(found))
        return [value for _, value in values(found)]

    @rule(device=DEVICES, first=st.integers(0, 3))
    def is_born(self, device: str | None, first: int) -> None:
        metrics = (
            metric("Temperature", TEMPERATURE, alias=first, type_=FLOAT),
            metric("Humidity", HUMIDITY, alias=first + 1, type_=FLOAT),
        )
        data = payload(*metrics)
        if device is None:
            self.tables.clear()
            self.dead.clear()
            self.session = ((self.session or 0) + 1) % 256
            data = birth(*metrics, bd_seq=self.session)
        assert self.hear("BIRTH", device, data) == [TEMPERATURE, HUMIDITY]
        self.tables[device] = {first: TEMPERATURE, first + 1: HUMIDITY}
        self.dead.discard(device)

    @rule(device=DEVICES, alias=st.integers(0, 4))
    def sends(self, device: str | None, alias: int) -> None:
        value = self.tables.get(device, {}).get(alias)
        sent = payload(metric(alias=alias, value=NEITHER if value is None else value))
        assert self.hear("DATA", device, sent) == ([] if value is None else [value])

    @rule(device=DEVICES)
    def sends_a_name(self, device: str | None) -> None:
        found = self.hear("DATA", device, payload(metric("Temperature", TEMPERATURE)))
        assert found == ([] if device in self.dead else [TEMPERATURE])

    @rule(device=st.sampled_from(["a", "b"]))
    def a_device_dies(self, device: str) -> None:
        self.hear("DEATH", device, payload())
        self.tables.pop(device, None)
        self.dead.add(device)

    @rule(is_of_before=st.booleans())
    def the_edge_node_dies(self, is_of_before: bool) -> None:  # noqa: FBT001 - hypothesis fills it
        session = self.session or 0
        self.hear("DEATH", None, death((session - is_of_before) % 256))
        if self.session is None or not is_of_before:
            self.tables.clear()
            self.dead |= {None, "a", "b"}

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.host.now += seconds

    @invariant()
    def it_is_not_asked_more_than_once_a_minute(self) -> None:
        pauses = [later - sooner for sooner, later in pairwise(self.asked)]
        assert all(pause >= 60 for pause in pauses)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=40, stateful_step_count=40)
