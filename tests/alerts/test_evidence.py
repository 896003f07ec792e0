from __future__ import annotations

import math

import pytest

from edge_fusion.alerts.evidence import gather, heard, missing, summaries, top_row
from edge_fusion.events import (
    ArrivalTime,
    ClosedBy,
    Event,
    EventTime,
    Frame,
    Pane,
    Reading,
    Row,
    Scores,
    Summary,
    Timing,
    Window,
    lines_of,
)

WINDOW = Window(EventTime(100.0), EventTime(110.0))
QUANTITIES = ("temperature", "humidity")


def reading(quantity: str, value: float, time: float = 101.0) -> Reading:
    return Reading("hall", "sht", quantity, value, EventTime(time), ArrivalTime(time))


def frame(camera: str = "ceiling") -> Frame:
    return Frame("hall", camera, b"", EventTime(105.0), ArrivalTime(105.5))


def pane(*events: Event, carried: tuple[Reading, ...] = (), index: int = 0) -> Pane:
    return Pane(
        site="hall",
        window=WINDOW,
        index=index,
        timing=Timing.ON_TIME,
        closed_by=ClosedBy.WATERMARK,
        fired_at=ArrivalTime(112.0),
        lines=lines_of(events),
        carried=carried,
    )


def test_a_summary_counts_averages_bounds_and_remembers_the_last_value() -> None:
    found = summaries(
        pane(
            reading("temperature", 20.0, 101),
            frame(),
            reading("humidity", 55.0, 102),
            reading("temperature", 24.0, 103),
            reading("temperature", 22.0, 104),
        )
    )
    assert found == {
        "temperature": Summary(count=3, mean=22.0, min=20.0, max=24.0, last=22.0),
        "humidity": Summary(count=1, mean=55.0, min=55.0, max=55.0, last=55.0),
    }


def test_carried_readings_are_no_part_of_a_summary() -> None:
    assert summaries(pane(carried=(reading("temperature", 20.0, 50),))) == {}


def test_a_mean_neither_overflows_nor_leaves_its_bounds() -> None:
    huge = summaries(pane(reading("pressure", 1.7e308), reading("pressure", 1.7e308)))["pressure"]
    assert math.isfinite(huge.mean)
    same = summaries(pane(*[reading("temperature", 0.1)] * 3))["temperature"]
    assert same.min == same.mean == same.max == 0.1


def test_missing_names_what_the_model_had_nothing_of() -> None:
    row = Row("ceiling", (frame(),), {})
    assert missing([reading("humidity", 50.0)], row, QUANTITIES) == ("temperature",)
    assert missing([], Row("ceiling", (), {}), QUANTITIES) == ("temperature", "humidity", "image")
    assert missing([], None, ()) == ("image",)


def test_a_carried_quantity_is_not_missing() -> None:
    carried = pane(reading("humidity", 50.0), carried=(reading("temperature", 20.0, 50),))
    assert missing(heard(carried), None, QUANTITIES) == ("image",)


def test_evidence_rests_on_the_row_with_the_highest_score_of_the_label() -> None:
    of_pane = pane(reading("temperature", 31.0), frame("door"), frame("ceiling"), index=2)
    scores = Scores(
        of_pane,
        (
            Row("ceiling", (), {"smoke": 0.4, "fire": 0.9}),
            Row("door", (frame("door"),), {"smoke": 0.8, "fire": 0.1}),
            Row("yard", (), {"fire": 0.2, "smoke": math.nan}),
        ),
    )
    evidence = gather(scores, "smoke", QUANTITIES)
    assert (evidence.score, evidence.camera, evidence.revision) == (0.8, "door", 2)
    assert evidence.window == WINDOW
    assert evidence.frames == (frame("door"),)
    assert evidence.missing == ("humidity",)
    assert evidence.readings["temperature"].last == 31.0
    assert evidence.contributions == {}


def test_of_equal_rows_the_first_counts() -> None:
    rows = (Row("a", (), {"smoke": 0.5}), Row("b", (), {"smoke": 0.5}))
    assert top_row(Scores(pane(), rows), "smoke") == rows[0]


def test_no_evidence_is_made_up_for_a_label_without_a_score() -> None:
    scores = Scores(pane(), (Row(None, (), {"fire": 0.5, "smoke": math.nan}),))
    assert top_row(scores, "smoke") is None
    with pytest.raises(KeyError, match="smoke"):
        gather(scores, "smoke", QUANTITIES)
