"""All sites on one time line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.roster import MAX_LANES
from edge_fusion.align.sites import FORGOTTEN_AFTER, Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.events import (
    ArrivalTime,
    EventTime,
    Offline,
    Outcome,
    Pane,
    Reading,
    Shed,
    ShedReason,
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


def test_room_is_looked_for_once_a_minute() -> None:
    few = sites(max_devices=1)
    few.feed([reading("hall", 0.0)])
    assert isinstance(few.feed([reading("hall", DAY - 1.0, "b")])[-1], Shed)
    assert isinstance(few.feed([reading("hall", DAY + 1.0, "b")])[-1], Shed)
    assert isinstance(few.feed([reading("hall", DAY + 60.0, "b")])[-1], Reading)
    assert isinstance(few.feed([reading("hall", DAY + 61.0)])[-1], Shed)


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
