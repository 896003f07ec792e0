"""The slices a site keeps."""

from __future__ import annotations

from collections.abc import Iterable

from event_streams import ORIGIN, frame, reading

from edge_fusion.align.shelf import Shelf
from edge_fusion.align.windows import Hopping, Tumbling, index_of
from edge_fusion.events import Event, Line

FIRST = index_of(ORIGIN, 10.0)


def shelf(*events: Event, max_frames: int = 8) -> Shelf:
    made = Shelf(Tumbling(10.0), max_readings=100, max_frames=max_frames, max_slices=99)
    for event in events:
        into = made.slice(index_of(event.time, 10.0))
        into.add(event)
        made.keep(into)
    return made


def carried(by: Shelf, window: int, carry: float = 900.0) -> list[float]:
    start = (FIRST + window) * 10.0
    return [last.time - ORIGIN for last in by.carried(FIRST + window, start - carry)]


def places(lines: Iterable[Line]) -> list[list[tuple[str, float]]]:
    return [[(event.source, event.time - ORIGIN) for event in line] for line in lines]


def test_lines_are_in_order_of_lane_and_their_events_in_order_of_time() -> None:
    made = shelf(reading(3.0, device="b"), frame(3.0), reading(3.0), reading(1.0))
    assert places(made.lines(FIRST, FIRST)) == [
        [("a", 1.0), ("a", 3.0)], [("b", 3.0)], [("cam", 3.0)],
    ]  # fmt: skip


def test_lines_of_several_slices_are_joined() -> None:
    made = shelf(reading(13.0), reading(1.0), reading(12.0, device="b"))
    assert places(made.lines(FIRST, FIRST + 1)) == [[("a", 1.0), ("a", 13.0)], [("b", 12.0)]]


def test_lines_once_taken_do_not_change_with_what_comes_late() -> None:
    made = shelf(reading(1.0), reading(3.0), frame(1.0), max_frames=1)
    taken = made.lines(FIRST, FIRST)
    into = made.slice(FIRST)
    into.add(reading(2.0))
    into.add(frame(2.0))
    into.drop_fleeting()
    assert places(taken) == [[("a", 1.0), ("a", 3.0)], [("cam", 1.0)]]
    assert places(made.lines(FIRST, FIRST)) == [[("a", 1.0), ("a", 2.0), ("a", 3.0)]]


def test_carried_is_the_last_reading_of_each_device_and_quantity_before() -> None:
    made = shelf(
        reading(1.0), reading(4.0), reading(12.0), reading(2.0, device="b"),
        reading(3.0, quantity="humidity"), frame(5.0),
    )  # fmt: skip
    assert carried(made, 1) == [3.0, 4.0, 2.0]
    assert carried(made, 2) == [3.0, 12.0, 2.0]
    assert carried(made, 0) == []
    assert carried(made, 2, carry=9.0) == [12.0]


def test_carried_survives_the_slices_it_came_from() -> None:
    made = shelf(reading(1.0), reading(12.0, device="b"), reading(35.0))
    made.let_go(FIRST + 2)
    assert len(made) == 1
    assert carried(made, 3) == [1.0, 12.0]


def test_a_slice_that_is_let_go_before_anybody_asked_is_carried_too() -> None:
    made = shelf(reading(1.0))
    assert carried(made, 0) == []
    made.let_go(FIRST + 1)
    assert carried(made, 2) == [1.0]


def test_a_late_event_shows_in_what_is_carried_after_it() -> None:
    made = shelf(reading(1.0), reading(21.0))
    assert carried(made, 2) == [1.0]
    into = made.slice(FIRST + 1)
    into.add(reading(15.0))
    made.keep(into)
    assert carried(made, 2) == [15.0]


def test_the_bounds_of_a_window_are_shared_out_over_its_slices() -> None:
    into = Shelf(Hopping(10.0, 2.5), max_readings=9, max_frames=4, max_slices=99).slice(FIRST)
    assert into.room == 2
    assert into.add(frame(0.5)) is None
    assert into.add(frame(1.0)) == frame(0.5)
