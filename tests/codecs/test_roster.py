from __future__ import annotations

from edge_fusion.codecs.roster import DAY, Roster
from edge_fusion.events import ArrivalTime


def test_what_is_known_of_a_sender_is_found_again() -> None:
    roster: Roster[list[str]] = Roster(lambda name: [name], 2)
    known = roster.of("a", ArrivalTime(0))
    assert known == ["a"]
    assert roster.of("a", ArrivalTime(1)) is known
    assert roster.get("a") is known
    assert roster.get("b") is None
    assert list(roster) == [known]


def test_when_it_is_full_new_ones_wait_until_others_were_silent_for_a_day() -> None:
    roster: Roster[list[str]] = Roster(lambda name: [name], 2)
    for name in "ab":
        roster.of(name, ArrivalTime(0))
    assert roster.of("c", ArrivalTime(1)) is None
    roster.of("b", ArrivalTime(DAY))
    assert roster.of("c", ArrivalTime(DAY + 1)) == ["c"]
    assert roster.get("a") is None
    assert roster.of("b", ArrivalTime(DAY + 2)) == ["b"]
    assert roster.of("a", ArrivalTime(DAY + 3)) is None
