"""How often a source is complained about."""

from __future__ import annotations

from edge_fusion.complaints import BUDGET, INTERVAL, Complaints
from edge_fusion.events import ArrivalTime


def test_a_source_is_named_once_a_minute_with_what_was_left_out() -> None:
    complaints = Complaints()
    said = [complaints.due("probe", ArrivalTime(float(at))) for at in range(0, 180, 10)]
    assert said == [1, *[None] * 5, 6, *[None] * 5, 6, *[None] * 5]


def test_sources_do_not_silence_each_other() -> None:
    complaints = Complaints()
    assert complaints.due("a", ArrivalTime(0.0)) == 1
    assert complaints.due("b", ArrivalTime(1.0)) == 1


def test_a_flood_of_sources_fills_neither_log_nor_memory() -> None:
    complaints = Complaints()
    said = [complaints.due(str(n), ArrivalTime(n / 1000)) for n in range(50_000)]
    assert sum(line is not None for line in said) == BUDGET
    assert complaints.due("later", ArrivalTime(50.0 + INTERVAL)) == 1
    assert len(complaints._last) + len(complaints._silenced) <= 2 * BUDGET


def test_what_was_left_out_is_forgotten_after_a_quiet_minute() -> None:
    complaints = Complaints()
    for at in (0.0, 1.0, 2.0):
        complaints.due("probe", ArrivalTime(at))
    complaints.due("other", ArrivalTime(61.0))
    complaints.due("other", ArrivalTime(122.0))
    assert complaints.due("probe", ArrivalTime(123.0)) == 1
