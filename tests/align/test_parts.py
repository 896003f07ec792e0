"""The small parts: windows, crossings, history, watermark."""

from __future__ import annotations

from edge_fusion.align.crossings import LIMIT, LONG_AGO, Crossings
from edge_fusion.align.history import History
from edge_fusion.align.watermark import NEVER, SiteWatermark
from edge_fusion.align.windows import Hopping, Tumbling, assigner
from edge_fusion.events import ArrivalTime, EventTime, Reading


def reading(at: float, device: str = "a") -> Reading:
    return Reading("hall", device, "temperature", at, EventTime(at), ArrivalTime(at))


def test_windows_that_do_not_overlap_tumble() -> None:
    assert assigner(10.0, 10.0) == Tumbling(10.0)
    assert assigner(10.0, 5.0) == Hopping(10.0, 5.0)
    assert Tumbling(10.0).every == 10.0


def test_a_crossing_is_dated_by_the_first_advance_past_it() -> None:
    log = Crossings(10.0)
    log.add(EventTime(9.0), ArrivalTime(1.0))
    log.add(EventTime(12.0), ArrivalTime(2.0))
    log.add(EventTime(13.0), ArrivalTime(3.0))
    log.add(EventTime(35.0), ArrivalTime(4.0))
    assert log.when(EventTime(10.0)) == 2.0
    assert log.when(EventTime(20.0)) == log.when(EventTime(30.0)) == 4.0
    assert log.when(EventTime(40.0)) is None


def test_forgotten_crossings_were_long_ago() -> None:
    log = Crossings(10.0)
    for place in range(5):
        log.add(EventTime(place * 10.0), ArrivalTime(place))
    log.forget_before(ArrivalTime(3.5))
    assert log.when(EventTime(10.0)) == LONG_AGO
    assert log.when(EventTime(30.0)) == 3.0


def test_the_log_of_crossings_is_bounded() -> None:
    log = Crossings(1.0)
    for place in range(LIMIT + 10):
        log.add(EventTime(float(place)), ArrivalTime(float(place)))
    assert log.when(EventTime(5.0)) == LONG_AGO
    assert log.when(EventTime(20.0)) == 20.0


def test_history_gives_the_last_reading_before_a_window_per_device() -> None:
    history = History(carry=60.0, limit=100)
    for one in (reading(30.0), reading(10.0), reading(25.0, "b"), reading(41.0)):
        history.add(one)
    assert [r.time for r in history.before(EventTime(40.0))] == [30.0, 25.0]
    assert [r.time for r in history.before(EventTime(88.0))] == [41.0]


def test_history_forgets_what_nobody_can_carry() -> None:
    history = History(carry=60.0, limit=100)
    history.add(reading(10.0))
    history.add(reading(20.0))
    history.forget_before(EventTime(50.0))
    assert [r.time for r in history.before(EventTime(50.0))] == [20.0]
    assert not history.before(EventTime(15.0))
    history.forget_before(EventTime(500.0))
    assert not history._readings


def test_history_is_bounded_per_device() -> None:
    history = History(carry=60.0, limit=3)
    for at in range(10):
        history.add(reading(float(at)))
    assert len(history._readings["a", "temperature"]) == 3


def test_the_slowest_active_source_leads_and_an_idle_one_does_not() -> None:
    mark = SiteWatermark(max_out_of_orderness=2.0, idle_timeout=30.0)
    assert mark.value == NEVER
    mark.observe("a", EventTime(100.0), ArrivalTime(100.0))
    mark.observe("b", EventTime(90.0), ArrivalTime(101.0))
    assert mark.value == 98.0
    mark.observe("a", EventTime(120.0), ArrivalTime(125.0))
    assert mark.value == 98.0
    assert mark.next_idle() == 131.0
    mark.make_idle(ArrivalTime(131.0))
    assert mark.value == 118.0
    assert (mark.idle(ArrivalTime(131.0)), mark.idle(ArrivalTime(200.0))) == (1, 2)


def test_the_watermark_never_goes_back() -> None:
    mark = SiteWatermark(0.0, 30.0)
    mark.observe("a", EventTime(100.0), ArrivalTime(100.0))
    mark.observe("b", EventTime(10.0), ArrivalTime(101.0))
    mark.observe("a", EventTime(50.0), ArrivalTime(102.0))
    assert mark.value == 100.0
