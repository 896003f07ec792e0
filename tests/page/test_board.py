from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observed import EVIDENCE, NOW, Place, at, fired, frame, reading, resolved, scores

from edge_fusion.events import (
    Duplicate,
    EventTime,
    Quarantined,
    QuarantineReason,
    Severity,
)
from edge_fusion.page.board import POINTS, STEP, Board
from edge_fusion.page.views import BoxView, SiteView

HALL = Place()


@pytest.fixture
def board() -> Board:
    return Board(stale_after=900.0)


def shown(board: Board, second: float, *places: Place) -> SiteView:
    board.show(places or (HALL,), at(second), BoxView())
    return board.snapshot.sites["hall"]


def trace(board: Board, quantity: str = "temperature") -> list[float | None]:
    return list(board.snapshot.traces["hall"][quantity])


def test_a_site_shows_the_newest_reading_of_each_device_and_quantity(board: Board) -> None:
    for each in (reading(20.0), reading(21.0, 5), reading(48.0, quantity="humidity")):
        board.observe(each)
    view = shown(board, 6)
    assert {key: each.value for key, each in view.readings.items()} == {
        ("probe", "temperature"): 21.0,
        ("probe", "humidity"): 48.0,
    }
    assert view.values == {"temperature": 21.0, "humidity": 48.0}
    assert view.heard == at(0)


def test_what_comes_late_does_not_take_the_place_of_what_is_newer(board: Board) -> None:
    for each in (reading(21.0, 5), reading(20.0, 1), frame(b"new", 5), frame(b"old", 1)):
        board.observe(each)
    view = shown(board, 6)
    assert view.values["temperature"] == 21.0
    assert view.frames["roof"].image == b"new"


def test_several_devices_show_their_mean_but_for_those_that_are_silent(board: Board) -> None:
    place = Place(devices=("probe", "other", "dead"))
    board.observe(reading(90.0, -1000, device="dead"))
    board.observe(reading(20.0))
    board.observe(reading(22.0, device="other"))
    assert shown(board, 1, place).values["temperature"] == 21.0


def test_a_reading_with_a_wrong_clock_is_shown_and_a_duplicate_changes_nothing(
    board: Board,
) -> None:
    board.observe(Quarantined(reading(20.0), QuarantineReason.FUTURE, EventTime(NOW * 2)))
    board.observe(Duplicate(reading(30.0, 1)))
    assert shown(board, 2).values["temperature"] == 20.0


def test_a_label_shows_the_camera_that_is_surest_and_the_newest_window(board: Board) -> None:
    nan = float("nan")
    board.scored(scores(("roof", {"smoke": 0.2}), ("door", {"smoke": 0.9, "fire": nan}), end=20))
    board.scored(scores(("roof", {"smoke": 0.1}), end=10))
    view = shown(board, 21)
    assert {label: (of.score, of.camera) for label, of in view.scores.items()} == {
        "smoke": (0.9, "door")
    }
    assert view.window_end == NOW + 20


def test_an_alert_shows_the_last_picture_that_it_fired_on_until_it_is_over(board: Board) -> None:
    board.alert_changed(fired())
    board.alert_changed(fired(sequence=2, score=0.95))
    alert = shown(board, 10).alerts["smoke"]
    assert alert.picture is not None
    assert (alert.alert.score, alert.picture.image) == (0.95, b"last")
    assert alert.alert.evidence is not None
    assert alert.alert.evidence.frames == ()
    board.alert_changed(resolved(evidence=None))
    over = shown(board, 61).alerts["smoke"]
    assert over.picture is alert.picture
    assert not over.alert.firing


def test_the_next_firing_has_a_picture_of_its_own(board: Board) -> None:
    board.alert_changed(fired())
    board.alert_changed(fired(id="other", evidence=None))
    assert shown(board, 10).alerts["smoke"].picture is None


def test_that_nothing_has_fired_yet_is_nothing_to_show(board: Board) -> None:
    board.observe(reading(20.0))
    board.alert_changed(resolved(id=None))
    assert shown(board, 1).alerts == {}


def test_a_snapshot_stays_as_it_is(board: Board) -> None:
    board.observe(reading(20.0))
    before = shown(board, 1)
    board.observe(reading(30.0, 2))
    board.alert_changed(fired())
    after = shown(board, 3)
    assert (before.values["temperature"], dict(before.alerts)) == (20.0, {})
    assert after.version > before.version


def test_only_sites_that_changed_get_a_new_view(board: Board) -> None:
    kitchen = Place("kitchen")
    board.observe(reading(20.0))
    before = shown(board, 1, HALL, kitchen)
    board.observe(reading(25.0, 2, site="kitchen"))
    assert shown(board, 3, HALL, kitchen) is before


def test_a_site_that_is_gone_is_shown_no_more_unless_it_fires(board: Board) -> None:
    board.observe(reading(20.0))
    board.alert_changed(fired())
    board.show((), at(1), BoxView())
    assert list(board.snapshot.sites) == ["hall"]
    board.alert_changed(resolved())
    board.show((), at(2), BoxView())
    assert board.snapshot.sites == {}


def test_of_a_device_that_is_gone_nothing_is_shown(board: Board) -> None:
    board.observe(reading(20.0))
    board.observe(reading(30.0, device="other"))
    assert list(shown(board, 1, Place(devices=("other",))).readings) == [("other", "temperature")]


def test_a_snapshot_is_due_once_a_second_and_sooner_where_an_alert_changed(board: Board) -> None:
    shown(board, 0)
    assert not board.due(at(0.9))
    assert board.due(at(1.0))
    board.alert_changed(fired())
    assert not board.due(at(0.1))
    assert board.due(at(0.3))
    shown(board, 0.3)
    assert not board.due(at(0.6))


def test_traces_grow_by_a_point_a_step_with_gaps_while_time_stood_still(board: Board) -> None:
    board.observe(reading(20.0))
    shown(board, 0)
    board.observe(reading(21.0, 1))
    shown(board, 1)
    assert trace(board) == [20.0]
    shown(board, STEP)
    assert trace(board) == [20.0, 21.0]
    shown(board, 4 * STEP)
    assert trace(board) == [20.0, 21.0, None, None, 21.0]
    assert trace(board, "humidity") == [None] * 5
    assert board.snapshot.traced_to == at(4 * STEP)


def test_traces_end_where_the_devices_fell_silent_and_are_bounded(board: Board) -> None:
    board.observe(reading(20.0))
    for step in range(2 * POINTS):
        shown(board, step * STEP)
    points = trace(board)
    assert len(points) == POINTS
    assert points[-1] is None
    assert 20.0 in points


def test_pictures_together_have_only_so_many_bytes_and_the_oldest_go() -> None:
    board = Board(900.0, max_picture_bytes=25)
    place = Place(cameras=("a", "b", "c"))
    board.observe(frame(b"0123456789", camera="a"))
    board.alert_changed(fired())
    board.observe(frame(b"0123456789", camera="b"))
    assert set(shown(board, 1, place).frames) == {"a", "b"}
    board.observe(frame(b"0123456789", 1, camera="a"))
    board.observe(frame(b"0123456789", 1, camera="c"))
    view = shown(board, 2, place)
    assert set(view.frames) == {"a", "c"}
    assert view.alerts["smoke"].picture is None


def test_a_picture_that_is_too_large_by_itself_is_not_kept() -> None:
    board = Board(900.0, max_picture_bytes=5)
    board.observe(frame(b"0123456789"))
    assert shown(board, 1).frames == {}


def test_what_an_earlier_run_knew_of_a_frame_is_no_picture(board: Board) -> None:
    """Times and names of frames outlive the program, pictures do not."""
    board.alert_changed(fired(evidence=replace(EVIDENCE, frames=(frame(b""),))))
    view = shown(board, 1)
    assert view.alerts["smoke"].picture is None
    assert view.alerts["smoke"].alert.severity is Severity.CRITICAL


@st.composite
def anything(draw: st.DrawFn) -> tuple[str, str, int]:
    kind = draw(st.sampled_from(["reading", "frame", "fires", "resolved", "show"]))
    return kind, draw(st.sampled_from(["hall", "attic"])), draw(st.integers(0, 40))


@given(st.lists(anything(), max_size=60))
def test_whatever_happens_pictures_keep_within_their_bytes_and_are_shown_or_gone(
    happenings: list[tuple[str, str, int]],
) -> None:
    board = Board(900.0, max_picture_bytes=100)
    for second, (kind, site, size) in enumerate(happenings):
        match kind:
            case "reading":
                board.observe(reading(20.0, second, site=site))
            case "frame":
                board.observe(frame(bytes(size), second, site=site, camera=f"c{size % 3}"))
            case "fires":
                evidence = replace(EVIDENCE, frames=(frame(bytes(size + 1)),))
                board.alert_changed(fired(site=site, id=str(size % 3), evidence=evidence))
            case "resolved":
                board.alert_changed(resolved(second, site=site, id=str(size % 3), evidence=None))
            case _:
                places = [Place(site, cameras=("c0", "c1", "c2"))] if size else []
                board.show(places, at(second), BoxView())
                views = board.snapshot.sites.values()
                frames = [each for view in views for each in view.frames.values()]
                alerts = [each for view in views for each in view.alerts.values()]
                pictures = [*frames, *(each.picture for each in alerts if each.picture)]
                assert sum(len(each.image) for each in pictures) <= 100
                assert set(board.snapshot.sites) >= {place.site for place in places}
