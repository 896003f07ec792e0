"""All sites on one time line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.roster import MAX_LANES
from edge_fusion.align.sites import FORGOTTEN_AFTER, Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    EventTime,
    Offline,
    Outcome,
    Pane,
    Reading,
    Shed,
    ShedReason,
    TimeSource,
    TooLate,
)

DAY = FORGOTTEN_AFTER
ORIGIN = 1_800_000_000.0


def sites(max_sites: int = 8, max_devices: int = 8) -> Sites:
    alignment = Alignment(
        Tumbling(10.0), 2.0, 30.0, 30.0, 5.0, 5.0, carry=900.0, max_readings=100, max_frames=8
    )
    return Sites(alignment, max_sites=max_sites, max_devices=max_devices)


def reading(site: str, at: float, device: str = "a") -> Reading:
    arrival = ArrivalTime(ORIGIN + at)
    return Reading(site, device, "temperature", 20.0, EventTime(arrival), arrival)


def fired(outcomes: Iterable[Outcome]) -> list[tuple[str, float, float]]:
    return [
        (o.site, o.window.start - ORIGIN, o.fired_at - ORIGIN)
        for o in outcomes
        if isinstance(o, Pane)
    ]


def test_timers_of_all_sites_run_in_the_order_they_were_due() -> None:
    both = sites()
    for site, at in (("hall", 1.0), ("attic", 12.0), ("hall", 13.0)):
        both.feed([reading(site, at)])
    assert fired(both.advance(ArrivalTime(ORIGIN + 24.9))) == []
    assert both.wake() == ORIGIN + 25
    assert fired(both.advance(ArrivalTime(ORIGIN + 100))) == [
        ("attic", 10.0, 25.0),
        ("hall", 10.0, 25.0),
    ]
    assert both.wake() is None


def test_an_event_of_one_site_lets_the_due_windows_of_another_close_first() -> None:
    both = sites()
    both.feed([reading("hall", 1.0)])
    assert fired(both.feed([reading("attic", 30.0)])) == [("hall", 0.0, 15.0)]


def test_sites_past_the_bound_are_shed_and_those_known_go_on() -> None:
    few = sites(max_sites=1)
    few.feed([reading("hall", 1.0)])
    (shed,) = few.feed([reading("attic", 2.0)])
    assert isinstance(shed, Shed)
    assert shed.reason is ShedReason.MAX_SITES
    assert not any(isinstance(outcome, Shed) for outcome in few.feed([reading("hall", 3.0)]))
    assert len(few) == 1


def test_devices_past_the_bound_are_shed_over_all_sites_together() -> None:
    few = sites(max_devices=2)
    few.feed([reading("hall", 1.0, "a")])
    few.feed([reading("attic", 2.0, "a")])
    (shed,) = few.feed([reading("attic", 3.0, "b")])
    assert isinstance(shed, Shed)
    assert shed.reason is ShedReason.MAX_DEVICES


def test_an_offline_notice_among_events_is_taken_in_its_order() -> None:
    some = sites()
    some.feed([reading("hall", 9.0, "dying"), reading("hall", 9.5)])
    death = Offline("hall", "dying", ArrivalTime(ORIGIN + 12.5))
    unknown = Offline("attic", "x", ArrivalTime(ORIGIN + 12.8))
    outcomes = some.feed([reading("hall", 12.5), death, reading("hall", 12.8), unknown])
    assert fired(outcomes) == [("hall", 0.0, 12.5)]


def test_who_was_silent_for_a_day_makes_room() -> None:
    few = sites(max_sites=2, max_devices=2)
    few.feed([reading("hall", 0.0), reading("attic", DAY / 2)])
    assert isinstance(few.feed([reading("cellar", DAY + 1.0)])[-1], Reading)
    assert len(few) == 2
    assert isinstance(few.feed([reading("loft", DAY + 90.0)])[-1], Shed)
    assert isinstance(few.feed([reading("attic", DAY + 91.0)])[-1], Reading)


def test_who_makes_room_does_not_depend_on_when_room_was_last_looked_for() -> None:
    asked, new = sites(max_devices=1), sites(max_devices=1)
    asked.feed([reading("hall", 0.0)])
    assert isinstance(asked.feed([reading("hall", DAY - 1.0, "b")])[-1], Shed)
    for site in asked:
        new.restore(site.site, site.snapshot())
    for few in (asked, new):
        assert isinstance(few.feed([reading("hall", DAY + 1.0, "b")])[-1], Reading)
        assert isinstance(few.feed([reading("hall", DAY + 2.0)])[-1], Shed)


def test_a_device_whose_first_reading_is_too_late_makes_no_room_for_the_next() -> None:
    few = sites(max_devices=1)
    old = replace(reading("hall", 100.0), time=EventTime(ORIGIN), time_source=TimeSource.DEVICE)
    assert isinstance(few.feed([old])[-1], TooLate)
    assert isinstance(few.feed([reading("hall", 101.0, "b")])[-1], Shed)
    assert isinstance(few.feed([reading("hall", 102.0)])[-1], Reading)


def test_what_is_released_at_once_comes_in_order_of_sites() -> None:
    """Which of them was known first must not show after a restart."""
    both, again = sites(), sites()
    both.feed([CatchUp(ArrivalTime(ORIGIN), ArrivalTime(ORIGIN))])
    both.feed([reading("hall", 1.0), reading("attic", 2.0)])
    for site in sorted(both, key=lambda site: site.site):
        again.restore(site.site, site.snapshot())
    for each in (both, again):
        released = each.feed([CaughtUp(ArrivalTime(ORIGIN + 100.0))])
        assert [name for name, *_ in fired(released)] == ["attic", "hall"]


def test_sites_on_the_terms_of_others_decide_as_they_do() -> None:
    one = sites(max_sites=1)
    other = Sites.on_terms(one.terms)
    assert other.terms == one.terms
    for each in (one, other):
        each.feed([reading("hall", 1.0)])
        assert isinstance(each.feed([reading("attic", 2.0)])[-1], Shed)
        assert fired(each.advance(ArrivalTime(ORIGIN + 100))) == [("hall", 0.0, 15.0)]


@pytest.mark.parametrize("terms", [b"", b"{}", b"[]", b'{"size": 1, "every": 1}'])
def test_what_are_no_terms_is_said(terms: bytes) -> None:
    with pytest.raises(SnapshotError, match="no terms"):
        Sites.on_terms(terms)


def shorter(old: Sites) -> Sites:
    """Sites whose windows are half as long."""
    ten, five = b'"size": 10.0, "every": 10.0', b'"size": 5.0, "every": 5.0'
    return Sites.on_terms(old.terms.replace(ten, five))


def test_sites_with_other_windows_take_over_what_is_open() -> None:
    old = sites()
    old.feed([reading("hall", 1.0), reading("attic", 2.0), reading("hall", 12.0)])
    new = shorter(old)
    assert fired(new.take_over(old)) == [("attic", 0.0, 10.0)]
    assert fired(new.advance(ArrivalTime(ORIGIN + 100))) == [("hall", 10.0, 20.0)]


def test_sites_that_take_over_while_time_stands_still_let_nothing_pass() -> None:
    old = sites()
    old.feed([CatchUp(ArrivalTime(ORIGIN), ArrivalTime(ORIGIN)), reading("hall", 1.0)])
    new = shorter(old)
    assert new.take_over(old) == []
    assert new.held_since == old.held_since
    assert new.advance(ArrivalTime(ORIGIN + 100)) == []


def test_a_site_in_which_every_device_is_one_too_many_is_none() -> None:
    few = sites(max_devices=1)
    few.feed([reading("hall", 0.0), reading("attic", 1.0)])
    assert len(few) == 1


def test_a_device_has_so_many_quantities_and_no_more() -> None:
    some = sites()
    events = [replace(reading("hall", 1.0), quantity=f"q{n}") for n in range(MAX_LANES + 1)]
    *admitted, last = some.feed(events)
    assert all(isinstance(outcome, Reading) for outcome in admitted)
    assert isinstance(last, Shed)


def test_who_was_let_go_of_is_named_once_unless_back() -> None:
    few = sites(max_sites=2)
    few.feed([reading("hall", 0.0), reading("attic", 1.0), reading("cellar", DAY + 2.0)])
    assert few.forgotten() == ["hall", "attic"]
    assert few.forgotten() == []
    few.feed([reading("loft", DAY + 3.0), reading("hall", 2 * DAY + 100.0)])
    few.feed([reading("cellar", 2 * DAY + 101.0)])
    assert few.forgotten() == ["loft"]


def test_a_site_is_let_go_of_when_its_last_device_has_been_silent_for_so_long() -> None:
    house = sites()
    house.feed([reading("hall", 0.0), reading("attic", 0.0), reading("attic", DAY, "b")])
    house.advance(ArrivalTime(ORIGIN + DAY + 60.0))
    house.let_go(ArrivalTime(ORIGIN + 10.0))
    assert house.forgotten() == ["hall"]
    assert [site.site for site in house] == ["attic"]
    house.let_go(ArrivalTime(ORIGIN + DAY + 10.0))
    assert house.forgotten() == ["attic"]
    assert isinstance(house.feed([reading("hall", 2 * DAY)])[-1], Reading)
