from __future__ import annotations

from edge_fusion.departures import Departures
from edge_fusion.events import ArrivalTime

DAY = 86_400.0
MONTH = 30 * DAY


def at(days: float) -> ArrivalTime:
    return ArrivalTime(1_800_000_000.0 + days * DAY)


def test_nobody_is_gone_before_we_have_listened_for_a_day() -> None:
    departures = Departures(MONTH)
    assert departures.due(at(0), listening=True) is None
    assert departures.due(at(0.9), listening=True) is None
    assert departures.due(at(1), listening=True) == at(1) - MONTH


def test_who_could_not_be_heard_is_not_gone() -> None:
    departures = Departures(MONTH)
    departures.due(at(0), listening=True)
    assert departures.due(at(40), listening=False) is None
    assert departures.due(at(40), listening=True) is None
    assert departures.due(at(40.5), listening=True) is None
    assert departures.due(at(41), listening=True) == at(11)


def test_a_look_an_hour_is_enough() -> None:
    departures = Departures(MONTH)
    departures.due(at(0), listening=True)
    looks = [departures.due(at(1 + minute / 1440), listening=True) for minute in range(181)]
    assert [minute for minute, look in enumerate(looks) if look is not None] == [0, 60, 120, 180]


def test_without_a_limit_nobody_is_ever_gone() -> None:
    departures = Departures(0.0)
    departures.due(at(0), listening=True)
    assert departures.due(at(1000), listening=True) is None


def test_who_is_gone_is_to_be_seen_off_until_that_is_done_or_it_is_back() -> None:
    departures = Departures()
    departures.note(["hall", "attic", "cellar"])
    assert departures.parting(["cellar", "loft"]) == ["attic", "hall"]
    departures.seen_off("hall")
    assert departures.parting([]) == ["attic"]
    assert departures.parting(["attic"]) == []
    assert departures.parting([]) == []
