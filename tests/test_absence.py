from __future__ import annotations

from edge_fusion.absence import Absence
from edge_fusion.events import ArrivalTime, CatchUp, CaughtUp, Message
from edge_fusion.mailbox import Connected, Disconnected

BARRIER = "edge_fusion/box/box-1/barrier"
HERE = Connected("readings", session_present=False, protocol="5")
BACK = Connected("readings", session_present=True, protocol="5")
GONE = Disconnected("readings", "lost")


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(1_800_000_000.0 + seconds)


def connected() -> Absence:
    """Connected for a hundred seconds, all turns of which went by as they should."""
    absence = Absence("readings", BARRIER, "run")
    assert absence.hear(HERE, at(0)) == []
    assert absence.turn(at(99.5)) == []
    return absence


def test_what_was_withheld_while_nothing_was_acknowledged_is_a_backlog() -> None:
    absence = connected()
    absence.withheld(at(40))
    assert absence.turn(at(100)) == [CatchUp(at(40), at(99.5))]
    mark = absence.barrier()
    assert mark is not None
    assert absence.take(Message("home/hall/probe", b"20", at(101))) == []
    assert absence.take(Message(BARRIER, mark, at(102))) == [CaughtUp(at(102))]
    assert absence.turn(at(102.5)) == []


def test_a_connection_lost_meanwhile_brings_the_backlog_when_it_is_back() -> None:
    absence = connected()
    absence.hear(GONE, at(99.6))
    absence.withheld(at(40))
    assert absence.turn(at(100)) == []
    assert absence.hear(BACK, at(101)) == [CatchUp(at(40), at(101))]


def test_what_was_withheld_before_a_backlog_that_is_coming_in_begins_none_of_its_own() -> None:
    absence = connected()
    absence.hear(GONE, at(99.6))
    assert absence.hear(BACK, at(99.8)) == [CatchUp(at(99.6), at(99.8))]
    absence.withheld(at(40))
    assert absence.turn(at(100)) == []
