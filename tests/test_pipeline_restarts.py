"""A line that stops, and one that goes on where another was; without a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_model
from test_pipeline import ORIGIN, Line, hot

from edge_fusion.absence import Absence
from edge_fusion.events import ArrivalTime, Delivery, Message
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.io.store import Durability, Store
from edge_fusion.keeper import Keeper
from edge_fusion.kept import Remembered, SavedTrack
from edge_fusion.mailbox import Batch, Connected
from edge_fusion.outbox import Outbox
from edge_fusion.pipeline import Pipeline
from edge_fusion.receipts import Receipts


def at(seconds: float) -> ArrivalTime:
    return ArrivalTime(ORIGIN + seconds)


class KeptLine(Line):
    """A line with a keeper."""

    def __init__(self, model: OnnxModel) -> None:
        super().__init__(model)
        stages = self.pipeline._stages
        self.book = stages.book
        keeper = Keeper(
            Store(Path(), Durability.NONE),
            stages.sites,
            stages.book,
            Outbox(9, 9, lambda _after, _limit: []),
            Receipts("readings"),
            trouble=lambda _why: None,
            observe=self.metrics.observe,
        )
        self.pipeline = Pipeline(
            stages,
            self.metrics,
            self.published.append,
            revision_epsilon=0.05,
            keeper=keeper,
            absence=Absence("readings", "ef/box/box/barrier", run="run 2"),
        )

    def track(self) -> SavedTrack:
        """What is kept of its one alert."""
        (track,) = (SavedTrack(*each) for each in self.book.unsaved())
        return track


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return load_model(tiny_model.write(tmp_path_factory.mktemp("model") / "model.onnx"))


@pytest.fixture
def line(model: OnnxModel) -> KeptLine:
    return KeptLine(model)


def firing(model: OnnxModel) -> KeptLine:
    """A line whose alert fires."""
    line = KeptLine(model)
    line.turn(hot(1.0), until=6.0)
    return line


def killed_in_a_backlog(model: OnnxModel) -> Remembered:
    """What is kept of a line that was killed at 200 s, while a backlog since 7 s was coming in."""
    return Remembered(at(200), tracks=[firing(model).track()], held_since=at(7))


def test_what_is_due_by_the_end_is_not_lost(line: KeptLine) -> None:
    line.turn(hot(1.0), until=5.9)
    assert line.published == []
    line.pipeline.stop(at(6.1))
    assert len(line.sent("ef/hall/window")) == 1


def test_an_undated_reading_that_comes_again_is_counted_as_a_duplicate(line: KeptLine) -> None:
    acknowledged: list[float] = []
    message = Message("home/hall/probe", b'{"t": 21.5}', at(1), qos=1)
    for second, again in ((1.0, False), (2.0, True)):
        redelivered = replace(message, arrival=at(second))
        ack = lambda: acknowledged.append(1)  # noqa: E731
        delivery = Delivery(redelivered, ack, "readings", 0, 7, again)
        line.pipeline.turn(Batch((delivery,), (), (), at(second)))
    line.turn(until=20.0)
    (window,) = line.sent("ef/hall/window")
    assert window["readings"]["temperature"]["count"] == 1
    assert len(acknowledged) == 2
    assert b'dropped_total{reason="duplicate"} 1.0' in line.metrics.exposition()[0]


def test_an_alert_is_announced_again_as_it_was_published(model: OnnxModel, line: KeptLine) -> None:
    before = firing(model)
    line.pipeline.restore(Remembered(at(6), tracks=[before.track()]), at(7))
    assert line.sent("ef/hall/alert/hot") == before.sent("ef/hall/alert/hot")[-1:]


def test_who_was_cut_off_and_then_restarted_has_been_away_since_the_cut(line: KeptLine) -> None:
    line.pipeline.restore(Remembered(at(40), away_since=at(20)), at(41))
    line.turn(hot(15.0, 42.0), hot(21.0, 42.1), until=42.1)
    assert line.sent("ef/hall/late") == []


def test_in_a_backlog_alerts_wait_for_what_is_still_to_come(
    model: OnnxModel, line: KeptLine
) -> None:
    line.pipeline.restore(killed_in_a_backlog(model), at(300))
    line.turn(until=310.0)
    assert line.sent("ef/hall/event") == []
    assert [alert["state"] for alert in line.sent("ef/hall/alert/hot")] == ["firing"]


def test_after_the_backlog_they_end_by_the_time_that_passed(
    model: OnnxModel, line: KeptLine
) -> None:
    line.pipeline.restore(killed_in_a_backlog(model), at(300))
    new_session = Connected("readings", session_present=False, protocol="5")
    line.pipeline.turn(Batch((), (new_session,), (), at(310)))
    for second in (312, 314, 316, 318):
        line.turn(until=second)
    (resolved,) = line.sent("ef/hall/event")
    assert (resolved["state"], resolved["ended_at"]) == ("resolved", "2027-01-15T08:05:16.000Z")


def offset_after_a_load_that_lasts(model: OnnxModel, *, echoed: bool) -> float:
    """What is thought of a sound clock whose readings come ever later, 80 s in the end."""
    line = KeptLine(model)
    absence = line.pipeline._absence
    connected = (Connected("readings", session_present=False, protocol="5"),)
    line.pipeline.turn(Batch((), connected, (), at(0)))
    first = [replace(hot(0.0, place=f"hall/probe-{device}"), qos=1) for device in range(30)]
    line.turn(*first, until=0.05)
    line.turn(until=1.1)
    if echoed:
        echo = absence.barrier()
        assert echo is not None
        line.turn(Message("ef/box/box/barrier", echo, at(1.2), qos=1), until=1.2)
    for number in range(1, 250):
        came = 2.0 * number
        sent = came - min(80.0, came / 2)
        readings = [hot(sent, came, place=f"hall/probe-{device}") for device in range(30)]
        readings = [replace(reading, qos=1) for reading in readings]
        line.turn(*readings, until=came)
    (site,) = line.pipeline._stages.sites
    return max(site.offsets().values())


def test_readings_that_waited_in_the_broker_for_long_tell_of_no_slow_clock(
    model: OnnxModel,
) -> None:
    assert offset_after_a_load_that_lasts(model, echoed=True) < 5.0


def test_of_a_broker_that_gives_no_echo_back_that_cannot_be_known(model: OnnxModel) -> None:
    assert offset_after_a_load_that_lasts(model, echoed=False) > 60.0
