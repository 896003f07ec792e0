"""One batch through the whole line, with the real stages and a real model; only time is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tiny_model
from numpy.typing import NDArray

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.rules import Rule
from edge_fusion.align.assembler import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.announcer import Announcer, Voice
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.decoder import CameraSource, Decoder, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import ArrivalTime, Delivery, Frame, Message, Publication, Severity
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.mailbox import Batch
from edge_fusion.pipeline import Pipeline, Stages
from edge_fusion.scoring import Scorer

ORIGIN = 1_800_000_000.0


def decode(frames: Sequence[Frame], size: tuple[int, int]) -> list[NDArray[np.uint8] | None]:
    return [decode_rgb(frame.image, size) for frame in frames]


class Line:
    """A pipeline, what it published, and how many deliveries it acknowledged."""

    def __init__(self, model: OnnxModel, *, late: bool = True) -> None:
        self.published: list[Publication] = []
        self.acknowledged = 0
        self.metrics = Metrics("test")
        alignment = Alignment(
            Tumbling(4.0), max_out_of_orderness=1.0, allowed_lateness=20.0, idle_timeout=30.0,
            max_wait=2.0, max_skew=60.0, carry=900.0, max_readings=100, max_frames=8,
        )  # fmt: skip
        rule = Rule("hot", 0.6, 0.4, 1, 6.0, Severity.CRITICAL)
        identity = ModelIdentity(model.spec.name, model.sha256)
        self.pipeline = Pipeline(
            Stages(
                Decoder(
                    [SensorSource(TopicPattern.parse("home/{site}/{device}"), "json",
                                  SensorKeys({"temperature": "t"}, time="at"))],
                    [CameraSource(TopicPattern.parse("cams/{site}/{camera}"))],
                ),
                Sites(alignment, max_sites=8, max_devices=32),
                Scorer(model, decode, max_gap=5.0, carry=900.0, max_batch=2),
                AlertBook({"hot": rule}, model_sha256=model.sha256,
                          quantities=model.spec.quantities, silent_after=20.0),
                Announcer(
                    Voice("ef", "box", identity, model.spec.quantities, ("hot",), "0",
                          windows=True, late=late, discovery=None)
                ),
            ),
            self.metrics,
            self.published.append,
            revision_epsilon=0.05,
        )  # fmt: skip

    def turn(self, *messages: Message, until: float) -> None:
        deliveries = tuple(Delivery(message, self._acknowledge) for message in messages)
        self.pipeline.turn(Batch(deliveries, (), (), ArrivalTime(ORIGIN + until)))

    def _acknowledge(self) -> None:
        self.acknowledged += 1

    def sent(self, topic: str) -> list[Any]:
        return [json.loads(one.payload) for one in self.published if one.topic == topic]


def hot(at: float, came: float | None = None, value: float = 38.0) -> Message:
    payload = json.dumps({"t": value, "at": ORIGIN + at}).encode()
    arrival = ArrivalTime(ORIGIN + (at if came is None else came))
    return Message("home/hall/probe", payload, arrival)


def picture(at: float, camera: str = "cam", brightness: int = 200) -> Message:
    ok, data = cv2.imencode(".jpg", np.full((64, 96, 3), brightness, np.uint8))
    assert ok
    return Message(f"cams/hall/{camera}", data.tobytes(), ArrivalTime(ORIGIN + at))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    path: Path = tmp_path_factory.mktemp("model") / "model.onnx"
    return load_model(tiny_model.write(path))


@pytest.fixture
def line(model: OnnxModel) -> Line:
    return Line(model)


def test_a_window_is_scored_by_reading_and_picture(line: Line) -> None:
    line.turn(hot(1.0), picture(2.0), hot(5.5), picture(5.6), until=5.6)
    (window,) = line.sent("ef/hall/window")
    (row,) = window["rows"]
    assert row["camera"] == "cam"
    assert row["scores"]["hot"] == pytest.approx(0.9)
    assert row["scores"]["bright"] == pytest.approx(200 / 255, abs=0.01)
    assert line.acknowledged == 4


def test_an_alert_says_what_each_input_contributed(line: Line) -> None:
    line.turn(hot(1.0), picture(2.0), until=6.0)
    fired = line.sent("ef/hall/event")[0]
    assert fired["contributions"] == {"image": 0.0, "temperature": pytest.approx(0.9)}
    assert fired["missing"] == ["co2"]
    assert fired["frames"][0]["camera"] == "cam"


def test_every_camera_of_a_site_gets_a_row_and_the_worst_one_is_named(line: Line) -> None:
    line.turn(hot(1.0), *(picture(2.0, name) for name in "abc"), until=6.0)
    (window,) = line.sent("ef/hall/window")
    assert [row["camera"] for row in window["rows"]] == ["a", "b", "c"]


def test_an_alert_resolves_by_time_alone_once_a_site_is_silent(line: Line) -> None:
    line.turn(hot(1.0), until=6.0)
    assert line.pipeline.wake() is not None
    line.turn(until=100.0)
    fired, resolved = line.sent("ef/hall/event")
    assert resolved["state"] == "resolved"
    assert (resolved["id"], resolved["sequence"]) == (fired["id"], 2)
    assert resolved["ended_at"] == "2027-01-15T08:00:32.000Z"
    assert line.pipeline.wake() is None


@pytest.mark.parametrize("cut", range(1, 6))
def test_how_arrivals_are_cut_into_batches_does_not_show(model: OnnxModel, cut: int) -> None:
    messages = [hot(1.0), picture(2.0), hot(5.0), hot(2.5, 9.0, 20.0), hot(11.0), hot(30.0)]
    whole, parts = Line(model), Line(model)
    whole.turn(*messages, until=99.0)
    parts.turn(*messages[:cut], until=messages[cut - 1].arrival - ORIGIN)
    parts.turn(*messages[cut:], until=99.0)
    lifecycle = "ef/hall/event"
    assert parts.sent(lifecycle) == whole.sent(lifecycle)
    assert parts.sent("ef/hall/window") == whole.sent("ef/hall/window")


def test_a_late_reading_that_changes_a_score_is_published_as_a_revision(line: Line) -> None:
    line.turn(hot(1.0, value=22.0), hot(6.0, value=22.0), hot(2.0, 7.0, 38.0), until=9.0)
    windows = [one for one in line.sent("ef/hall/window") if one["start"].endswith("00:00.000Z")]
    assert [(one["revision"], one["late"]) for one in windows] == [(0, 0), (1, 1)]


def test_a_revision_that_changes_nothing_is_not_published(line: Line) -> None:
    line.turn(hot(1.0, value=22.0), hot(6.0, value=22.0), hot(2.0, 7.0, 22.0), until=12.0)
    revisions = [one["revision"] for one in line.sent("ef/hall/window")]
    assert revisions == [0, 0]


def test_what_is_too_late_is_published_where_that_is_wanted(model: OnnxModel, line: Line) -> None:
    messages = (hot(1.0), hot(50.0), hot(2.0, 51.0))
    line.turn(*messages, until=51.0)
    (late,) = line.sent("ef/hall/late")
    assert (late["device"], late["value"]) == ("probe", 38.0)
    silent = Line(model, late=False)
    silent.turn(*messages, until=51.0)
    assert not silent.sent("ef/hall/late")


def test_a_picture_that_cannot_be_decoded_gives_way_to_the_next_best(line: Line) -> None:
    good = picture(3.5, brightness=100)
    torn = picture(2.0)
    torn = Message(torn.topic, torn.payload[:-300], torn.arrival)
    line.turn(torn, good, hot(3.6), until=7.0)
    (window,) = line.sent("ef/hall/window")
    assert window["rows"][0]["scores"]["bright"] == pytest.approx(100 / 255, abs=0.01)
    assert (
        b'edge_fusion_invalid_total{reason="undecodable_image"} 1.0'
        in (line.metrics.exposition()[0])
    )


def test_rubbish_is_acknowledged_and_logged_once_a_minute(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    rubbish = [Message("home/hall/probe", b"{", ArrivalTime(ORIGIN + at)) for at in range(90)]
    action: Callable[[Message], None] = lambda one: line.turn(one, until=one.arrival - ORIGIN)  # noqa: E731
    for one in rubbish:
        action(one)
    assert line.acknowledged == 90
    assert len(caplog.records) == 2
    assert "60 since the last such line" in caplog.records[1].message
