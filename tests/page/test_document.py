from __future__ import annotations

import json
from typing import Any

from observed import NOW, Place, at, fired, frame, reading, resolved, scores

from edge_fusion.page.board import STEP, Board
from edge_fusion.page.document import MAX_DEVICES, MAX_QUANTITIES, About, Script, Viewing
from edge_fusion.page.views import BoxView, Silence, Snapshot

ABOUT = About("edge-7", "indoor-hazard", "1.0", 45.0, 900.0, {"smoke": 0.7})
UP = BoxView({"readings": True}, silences=(Silence("hall", "smoke", at(600)),))


def told(text: bytes) -> tuple[str, dict[str, Any]]:
    """Name and data of one event."""
    name, data, *rest = text.decode().split("\n")
    assert rest == ["", ""]
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def board_of(*places: Place) -> Board:
    board = Board(900.0)
    for each in (reading(20.123), reading(48.0, quantity="humidity"), frame(second=1)):
        board.observe(each)
    board.scored(scores(("roof", {"smoke": 0.93124})))
    board.show(places or (Place(),), at(2), UP)
    return board


class Watcher:
    """One who looks at a board, from second to second."""

    def __init__(self) -> None:
        self._viewing = Viewing(Script())

    def at(self, second: float, snapshot: Snapshot, about: About = ABOUT) -> bytes:
        return self._viewing.next(snapshot, about, at(second))


def test_a_watcher_is_first_told_all_there_is() -> None:
    name, data = told(Watcher().at(2, board_of().snapshot))
    assert name == "all"
    assert data["now"] == NOW + 2
    assert data["box"] == {
        "box": "edge-7",
        "model": "indoor-hazard",
        "version": "1.0",
        "quiet_after": 45.0,
        "stale_after": 900.0,
        "thresholds": {"smoke": 0.7},
        "connected": {"readings": True},
        "trouble": None,
        "catching_up": False,
        "silences": [{"site": "hall", "label": "smoke", "until": NOW + 600}],
    }
    assert data["traces"] == {"hall": {"temperature": [20.12], "humidity": [48.0]}}
    assert (data["step"], data["traced_to"]) == (STEP, NOW)
    assert data["sites"] == [
        {
            "site": "hall",
            "heard": NOW,
            "window_end": NOW + 10,
            "values": {"temperature": 20.12, "humidity": 48.0},
            "cameras": [{"camera": "roof", "time": NOW + 1, "arrival": NOW + 1}],
            "scores": [{"label": "smoke", "score": 0.9312, "camera": "roof"}],
            "alerts": [],
            "devices": [
                {
                    "device": "probe",
                    "is_camera": False,
                    "heard": NOW,
                    "offset": 0.25,
                    "values": {"temperature": 20.12, "humidity": 48.0},
                },
                {
                    "device": "roof",
                    "is_camera": True,
                    "heard": NOW,
                    "offset": 0.25,
                    "values": {},
                },
            ],
            "more_devices": 0,
        }
    ]


def test_an_alert_is_told_with_its_reason_and_when_its_picture_was_taken() -> None:
    board = board_of()
    board.alert_changed(fired())
    board.show((Place(),), at(3), UP)
    _, data = told(Watcher().at(3, board.snapshot))
    assert data["sites"][0]["alerts"] == [
        {
            "id": "5f0c",
            "label": "smoke",
            "firing": True,
            "severity": "critical",
            "score": 0.93,
            "threshold": 0.7,
            "started_at": NOW,
            "ended_at": None,
            "camera": "roof",
            "contributions": {"image": 0.41, "temperature": None},
            "missing": ["humidity"],
            "picture": NOW + 5,
        }
    ]


def test_an_alert_without_evidence_is_told_too() -> None:
    """As that of a device that fell silent: no model spoke."""
    board = board_of()
    board.alert_changed(fired(evidence=None, label="device"))
    board.show((Place(),), at(3), UP)
    _, data = told(Watcher().at(3, board.snapshot))
    (alert,) = data["sites"][0]["alerts"]
    assert (alert["label"], alert["contributions"], alert["picture"]) == ("device", {}, None)


def test_then_he_is_told_of_sites_that_changed_or_went_and_of_no_other() -> None:
    hall, kitchen, attic = Place(), Place("kitchen"), Place("attic")
    board, watcher = board_of(hall, kitchen, attic), Watcher()
    watcher.at(2, board.snapshot)
    board.observe(reading(25.0, 2, site="kitchen"))
    board.show((hall, kitchen), at(3), UP)
    name, data = told(watcher.at(3, board.snapshot))
    assert name == "some"
    assert [site["site"] for site in data["sites"]] == ["kitchen"]
    assert data["gone"] == ["attic"]
    assert "traces" not in data


def test_a_watcher_who_was_slow_is_told_of_all_that_he_missed_at_once() -> None:
    board, watcher = board_of(Place(), Place("kitchen")), Watcher()
    watcher.at(2, board.snapshot)
    for second, site in ((3, "hall"), (4, "kitchen")):
        board.observe(reading(25.0, second, site=site))
        board.show((Place(), Place("kitchen")), at(second), UP)
    _, data = told(watcher.at(5, board.snapshot))
    assert {site["site"] for site in data["sites"]} == {"hall", "kitchen"}


def test_what_becomes_of_the_box_is_told_though_no_site_changed() -> None:
    board, watcher = board_of(), Watcher()
    watcher.at(2, board.snapshot)
    board.show((Place(),), at(3), BoxView({"readings": False}, "disk full", True))
    name, data = told(watcher.at(3, board.snapshot))
    assert (name, data["sites"], data["gone"]) == ("some", [], [])
    assert data["box"]["connected"] == {"readings": False}
    assert (data["box"]["trouble"], data["box"]["catching_up"]) == ("disk full", True)


def test_while_nothing_changes_there_is_a_tick_a_second_that_tells_a_stuck_pipeline() -> None:
    board, watcher = board_of(), Watcher()
    watcher.at(2, board.snapshot)
    assert watcher.at(2.5, board.snapshot) == b""
    assert told(watcher.at(3.0, board.snapshot)) == ("tick", {"now": NOW + 3, "turned": NOW + 2})
    assert watcher.at(3.5, board.snapshot) == b""
    assert told(watcher.at(40.0, board.snapshot)) == ("tick", {"now": NOW + 40, "turned": NOW + 2})


def test_after_a_reload_he_is_told_all_again() -> None:
    board, watcher = board_of(), Watcher()
    watcher.at(2, board.snapshot)
    other = About("edge-7", "greenhouse", "1.0", 45.0, 900.0)
    name, data = told(watcher.at(2.1, board.snapshot, other))
    assert (name, data["box"]["model"]) == ("all", "greenhouse")


def test_a_site_of_many_devices_and_quantities_is_told_in_part() -> None:
    names = tuple(f"d{number:03}" for number in range(MAX_DEVICES + 5))
    board = Board(900.0)
    for number in range(MAX_QUANTITIES + 5):
        board.observe(reading(1.0, device="d000", quantity=f"q{number:02}"))
    board.observe(reading(20.0, device="d000"))
    board.show((Place(devices=names, cameras=()),), at(1), BoxView())
    (site,) = told(Watcher().at(1, board.snapshot))[1]["sites"]
    assert (len(site["devices"]), site["more_devices"]) == (MAX_DEVICES, 5)
    values = list(site["devices"][0]["values"])
    assert (values[0], len(values)) == ("temperature", MAX_QUANTITIES)


def test_text_of_any_kind_is_one_line_of_data() -> None:
    board = Board(900.0)
    board.observe(reading(float("inf"), quantity='"\n\nevent: all\u2028</script>'))
    board.show((Place(),), at(1), BoxView(trouble="a\nb"))
    name, data = told(Watcher().at(1, board.snapshot))
    assert (name, data["box"]["trouble"]) == ("all", "a\nb")
    assert data["sites"][0]["devices"][0]["values"] == {'"\n\nevent: all\u2028</script>': None}


def test_before_the_first_turn_there_is_nothing_but_ticks() -> None:
    watcher = Watcher()
    assert told(watcher.at(0, Snapshot())) == ("tick", {"now": NOW, "turned": 0.0})
    assert told(watcher.at(2, board_of().snapshot))[0] == "all"


def test_that_an_alert_is_over_is_told() -> None:
    board, watcher = board_of(), Watcher()
    board.alert_changed(fired())
    board.alert_changed(resolved(60))
    board.show((Place(),), at(61), UP)
    _, data = told(watcher.at(61, board.snapshot))
    (alert,) = data["sites"][0]["alerts"]
    assert (alert["firing"], alert["ended_at"]) == (False, NOW + 60)
