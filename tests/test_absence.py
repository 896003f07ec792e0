"""From when to when the broker held messages back for us."""

from __future__ import annotations

import pytest

from edge_fusion.absence import KEPT, LONGEST, QUIET, Absence
from edge_fusion.events import ArrivalTime, CatchUp, CaughtUp, CutOff, Input, Message
from edge_fusion.mailbox import Connected, Disconnected, Notice, Reload

BARRIER = "ef/box/box-1/barrier"


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(1_800_000_000.0 + seconds)


def connected(*, held: bool = True, connection: str = "readings") -> Notice:
    return Connected(connection, held, "5")


def gone(connection: str = "readings") -> Notice:
    return Disconnected(connection, "connection lost")


def message(when: float, payload: bytes = b"21.5", topic: str = "home/hall/probe") -> Message:
    return Message(topic, payload, at(when), qos=1)


def back(absence: Absence, payload: bytes | None, when: float) -> list[Input]:
    """What the barrier brings about when it comes back."""
    assert payload is not None
    return absence.take(message(when, payload, BARRIER))


@pytest.fixture
def absence() -> Absence:
    """Of a program that has been connected to a new session for 100 s."""
    made = Absence("readings", BARRIER, run="run 2")
    assert made.hear(connected(held=False), at(0)) == []
    return made


def test_since_when_we_are_away_is_known_until_we_have_caught_up(absence: Absence) -> None:
    known = [absence.away_since]
    absence.hear(gone(), at(100))
    known.append(absence.away_since)
    absence.hear(connected(), at(400))
    known.append(absence.away_since)
    back(absence, absence.barrier(), 401.0)
    known.append(absence.away_since)
    assert known == [None, at(100), at(100), None]


def test_who_is_connected_to_a_new_session_has_missed_nothing(absence: Absence) -> None:
    assert not absence.catching_up
    assert absence.barrier() is None
    assert absence.wake() is None
    assert absence.take(message(1.0)) == []


def test_the_backlog_begins_when_we_are_back_and_ends_with_the_barrier(absence: Absence) -> None:
    assert absence.hear(gone(), at(100)) == [CutOff(at(100))]
    assert absence.hear(connected(), at(400)) == [CatchUp(at(100), at(400))]
    mark = absence.barrier()
    assert absence.take(message(401.0)) == []
    assert absence.catching_up
    assert back(absence, mark, 402.0) == [CaughtUp(at(402))]
    assert not absence.catching_up


def test_the_barrier_is_asked_for_once(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    assert absence.barrier() is not None
    assert absence.barrier() is None


def test_a_session_that_is_new_holds_no_backlog(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    assert absence.hear(connected(held=False), at(400)) == [CaughtUp(at(400))]
    assert absence.barrier() is None
    assert not absence.catching_up


def test_without_its_barrier_a_backlog_ends_in_silence(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    absence.take(message(401.0))
    assert absence.wake() == at(401 + QUIET)
    assert absence.advance(at(402.9)) == []
    assert absence.advance(at(500)) == [CaughtUp(at(401 + QUIET))]


def test_silence_is_seen_by_the_message_that_ends_it(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    assert absence.take(message(405.0)) == [CaughtUp(at(400 + QUIET))]


def test_no_backlog_lasts_longer_than_a_minute(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    ended = [item for second in range(401, 470) for item in absence.take(message(second))]
    assert ended == [CaughtUp(at(400 + LONGEST))]


@pytest.mark.parametrize("payload", [b"run 1/1", b"run 2/0", b"", b"\xff"])
def test_the_barrier_of_an_earlier_run_or_round_is_none(absence: Absence, payload: bytes) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    assert back(absence, payload, 401.0) == []
    assert absence.catching_up


def test_a_barrier_on_another_topic_is_none(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    mark = absence.barrier()
    assert mark is not None
    assert absence.take(message(401.0, mark)) == []
    assert absence.catching_up


def test_who_is_cut_off_again_meanwhile_waits_for_a_new_barrier(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    first = absence.barrier()
    assert absence.hear(gone(), at(401)) == []
    assert absence.advance(at(410)) == []  # nobody can be quiet who is not there
    assert absence.hear(connected(), at(411)) == []
    second = absence.barrier()
    assert back(absence, first, 411.5) == []
    assert back(absence, second, 412.0) == [CaughtUp(at(412))]


def test_cut_off_again_and_again_it_still_ends_after_a_minute(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    absence.hear(gone(), at(401))
    assert absence.wake() == at(400 + LONGEST)
    end = at(400 + LONGEST)
    assert absence.advance(at(500)) == [CaughtUp(end), CutOff(end)]
    assert absence.hear(connected(), at(600)) == [CatchUp(at(100), at(600))]


def test_a_session_lost_meanwhile_ends_it_at_once(absence: Absence) -> None:
    absence.hear(gone(), at(100))
    absence.hear(connected(), at(400))
    absence.hear(gone(), at(401))
    assert absence.hear(connected(held=False), at(402)) == [CaughtUp(at(402))]


def test_failed_attempts_to_connect_make_no_absence_shorter(absence: Absence) -> None:
    for when in (100, 101, 103, 107):
        absence.hear(gone(), at(when))
    assert absence.hear(connected(), at(110)) == [CatchUp(at(100), at(110))]


def test_other_connections_and_other_notices_mean_nothing(absence: Absence) -> None:
    assert absence.hear(gone("frames"), at(100)) == []
    assert absence.hear(connected(connection="frames"), at(101)) == []
    assert absence.hear(Reload(), at(102)) == []
    assert not absence.catching_up
    assert absence.barrier() is None


def test_after_a_restart_time_stands_still_from_the_start_on() -> None:
    absence = Absence("readings", BARRIER, run="run 2")
    assert absence.resume(at(50), at(100)) == [CatchUp(at(50), at(50))]
    assert absence.repeated() == [CatchUp(at(50), at(50))]
    assert absence.wake() == at(100 + LONGEST)
    assert absence.hear(connected(), at(103)) == []
    assert back(absence, absence.barrier(), 104.0) == [CaughtUp(at(104))]
    assert absence.repeated() == []


def test_after_a_restart_a_broker_is_waited_for_no_longer_than_a_minute() -> None:
    absence = Absence("readings", BARRIER, run="run 2")
    absence.resume(at(50), at(100))
    end = at(100 + LONGEST)
    assert absence.advance(at(200)) == [CaughtUp(end), CutOff(end)]
    assert absence.hear(connected(), at(300)) == [CatchUp(at(50), at(300))]


@pytest.mark.parametrize("attempts", [0, 2])
def test_who_remembers_nothing_takes_what_is_held_back_all_the_same(attempts: int) -> None:
    """The store was lost, or never meant to last, and the broker has kept the session."""
    absence = Absence("readings", BARRIER, run="run 2")
    for attempt in range(attempts):
        absence.hear(gone(), at(attempt))
    assert absence.hear(connected(), at(100)) == [CatchUp(at(100 - KEPT), at(100))]
    assert back(absence, absence.barrier(), 101.0) == [CaughtUp(at(101))]


# Turns, a second apart at most


def awake() -> Absence:
    """Connected for a hundred seconds, all turns of which went by as they should."""
    absence = Absence("readings", BARRIER, run="run 2")
    assert absence.hear(connected(held=False), at(0)) == []
    assert absence.turn(at(99.5)) == []
    return absence


def test_what_was_withheld_while_nothing_was_acknowledged_is_a_backlog() -> None:
    absence = awake()
    absence.withheld(at(40))
    assert absence.turn(at(100)) == [CatchUp(at(40), at(99.5))]
    mark = absence.barrier()
    assert absence.take(message(101.0)) == []
    assert back(absence, mark, 102.0) == [CaughtUp(at(102))]
    assert absence.turn(at(102.5)) == []


def test_a_connection_lost_meanwhile_brings_the_backlog_when_it_is_back() -> None:
    absence = awake()
    absence.hear(gone(), at(99.6))
    absence.withheld(at(40))
    assert absence.turn(at(100)) == []
    assert absence.hear(connected(), at(101)) == [CatchUp(at(40), at(101))]


def test_what_was_withheld_before_a_backlog_that_is_coming_in_begins_none_of_its_own() -> None:
    absence = awake()
    absence.hear(gone(), at(99.6))
    assert absence.hear(connected(), at(99.8)) == [CatchUp(at(99.6), at(99.8))]
    absence.withheld(at(40))
    assert absence.turn(at(100)) == []


def test_what_had_arrived_before_the_sleep_makes_its_end_no_silence() -> None:
    """It waited in the mailbox, and is taken by the first turn after the sleep."""
    absence = awake()
    assert absence.turn(at(700)) == [CatchUp(at(99.5), at(99.5))]
    mark = absence.barrier()
    assert absence.take(message(99.6)) == []
    assert absence.advance(at(700)) == []
    assert absence.take(message(700.1)) == []
    assert absence.catching_up
    assert back(absence, mark, 700.2) == [CaughtUp(at(700.2))]


def test_a_box_that_slept_as_it_was_connected_again_waits_for_its_barrier() -> None:
    absence = awake()
    absence.hear(gone(), at(100))
    absence.turn(at(700))
    assert absence.hear(connected(), at(101)) == [CatchUp(at(99.5), at(101))]
    assert absence.advance(at(700)) == []
    assert back(absence, absence.barrier(), 700.2) == [CaughtUp(at(700.2))]


# Much that comes, for long


def test_what_comes_while_an_echo_is_away_may_have_waited() -> None:
    absence = awake()
    for _ in range(20):
        absence.take(message(99.6))
    absence.turn(at(100.5))
    echo = absence.barrier()
    assert echo is not None
    assert back(absence, echo, 100.6) == []
    for _ in range(20):
        absence.take(message(100.7))
    absence.turn(at(101.5))
    second = absence.barrier()
    assert second is not None
    assert not absence.is_behind(at(103.5))
    assert absence.is_behind(at(103.6))
    assert not absence.catching_up
    assert back(absence, second, 103.7) == []
    assert absence.is_behind(at(103.8))


def test_what_no_broker_would_hold_back_calls_for_no_echo() -> None:
    absence = awake()
    for _ in range(99):
        absence.take(Message("cams/hall/eye", b"picture", at(99.7), qos=0))
    absence.turn(at(101))
    assert absence.barrier() is None


def test_who_is_not_connected_sends_no_echo() -> None:
    absence = awake()
    absence.hear(gone(), at(100))
    for _ in range(20):
        absence.take(message(100.0))
    absence.turn(at(101))
    assert absence.barrier() is None
