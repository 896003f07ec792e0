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
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from schemas import valid

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.desk import AlertDesk
from edge_fusion.alerts.devices import DeviceRule, DeviceWatch
from edge_fusion.alerts.rules import Rule
from edge_fusion.align.alignment import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import Tumbling
from edge_fusion.announcer import Announcer, Voice
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.decoder import CameraSource, Decoder, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.codecs.silence import SilenceTopic
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import ArrivalTime, Delivery, Frame, Message, Publication, Severity
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.onnx import OnnxModel, load_model
from edge_fusion.mailbox import Batch
from edge_fusion.pipeline import Pipeline
from edge_fusion.scoring import Scorer
from edge_fusion.stages import Stages

ORIGIN = 1_800_000_000.0
WATCHFUL = DeviceRule(Severity.INFO, 0.0, stale_sensor=15.0, stale_camera=15.0, dark_after=20.0)


def decode(frames: Sequence[Frame], size: tuple[int, int]) -> list[NDArray[np.uint8] | None]:
    return [decode_rgb(frame.image, size) for frame in frames]


class Line:
    """A pipeline, what it published, and how many deliveries it acknowledged."""

    def __init__(
        self, model: OnnxModel, *, late: bool = True, devices: DeviceRule | None = None
    ) -> None:
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
                                  SensorKeys({"temperature": "t"}, time="at")),
                     SensorSource(TopicPattern.parse("tags/+/{device}"), "theengs", SensorKeys(),
                                  "hall")],
                    [CameraSource(TopicPattern.parse("cams/{site}/{camera}"))],
                    silence=SilenceTopic("ef", ("hot", "device")),
                ),
                Sites(alignment, max_sites=8, max_devices=32),
                Scorer(model, decode, max_gap=5.0, carry=900.0, max_batch=2),
                AlertDesk(
                    AlertBook({"hot": rule}, model_sha256=model.sha256,
                              quantities=model.spec.quantities, silent_after=20.0),
                    DeviceWatch(devices, model_sha256=model.sha256, every=10.0),
                ),
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
        return [valid(topic, one.payload) for one in self.published if one.topic == topic]


def hot(
    at: float, came: float | None = None, value: float = 38.0, place: str = "hall/probe"
) -> Message:
    payload = json.dumps({"t": value, "at": ORIGIN + at}).encode()
    arrival = ArrivalTime(ORIGIN + (at if came is None else came))
    return Message(f"home/{place}", payload, arrival)


def quiet(at: float, seconds: float, label: str = "*", site: str = "hall") -> Message:
    payload = json.dumps({"label": label, "for": seconds}).encode()
    return Message(f"ef/{site}/silence", payload, ArrivalTime(ORIGIN + at))


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


def test_an_alert_that_ends_before_a_window_closes_is_published_before_it(line: Line) -> None:
    cool = [hot(at, value=20.0) for at in (5.5, 9.5, 15.7)]
    line.turn(hot(1.0), *cool, until=18.0)  # resolved at 15.5; windows close at 14.0 and 18.0
    kinds = [one.topic.rpartition("/")[2] for one in line.published]
    told = [kind for kind in kinds if kind != "hot"]
    assert told == ["window", "event", "window", "window", "event", "window"]


Cut = tuple[int, float]
"""How many more messages a batch takes, and how long after its last one it ends, if it may."""


def turns(line: Line, messages: Sequence[Message], cuts: Sequence[Cut]) -> list[Publication]:
    """What a line publishes that gets the messages in these batches, and a last one."""
    waiting = list(messages)
    for count, patience in cuts:
        part, rest = waiting[:count], waiting[count:]
        if rest:
            until = min(part[-1].arrival + patience, rest[0].arrival)
            line.turn(*part, until=until - ORIGIN)
            waiting = rest
    line.turn(*waiting, until=500.0)
    return line.published


@st.composite
def streams(draw: st.DrawFn) -> list[Message]:
    """Readings of three devices at two sites, pictures, and wishes for quiet: some late."""
    messages, now = [], 0.0
    for pause, delay, place, value in draw(
        st.lists(
            st.tuples(
                st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0, 12.0, 40.0]),
                st.sampled_from([0.0, 0.0, 0.5, 3.0, 9.0, 27.0, 50.0]),
                st.sampled_from(["hall/probe", "hall/spare", "attic/probe", "cam", "quiet"]),
                st.sampled_from([19.0, 30.0, 33.0, 39.0]),
            ),
            min_size=2,
            max_size=24,
        )
    ):
        now += pause
        if place == "cam":
            messages.append(picture(now, brightness=int(value)))
        elif place == "quiet":
            messages.append(quiet(now, value))
        else:
            messages.append(hot(now - delay, now, value, place))
    return messages


@given(messages=streams(), cuts=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 60))))
def test_how_arrivals_are_cut_into_batches_does_not_show(
    model: OnnxModel, messages: list[Message], cuts: list[Cut]
) -> None:
    one, other = Line(model, devices=WATCHFUL), Line(model, devices=WATCHFUL)
    assert turns(one, messages, cuts) == turns(other, messages, [])


def test_what_people_want_quiet_is_quiet_and_told(line: Line) -> None:
    line.turn(quiet(0.5, 60.0, "hot"), *(hot(at) for at in (1.0, 6.0)), until=9.0)
    assert line.sent("ef/hall/event") == []
    (told,) = line.sent("ef/hall/silenced")
    assert told["silenced"] == [{"label": "hot", "until": "2027-01-15T08:01:00.500Z"}]
    (each,) = line.pipeline.silences
    assert (each.site, each.label, each.until) == ("hall", "hot", ORIGIN + 60.5)
    line.turn(*(hot(float(at)) for at in range(10, 62, 2)), until=62.0)
    (fired,) = line.sent("ef/hall/event")
    assert (fired["state"], fired["updated_at"]) == ("firing", "2027-01-15T08:01:00.500Z")
    assert [alert.label for alert in line.pipeline.firing] == ["hot"]
    assert line.sent("ef/hall/silenced")[-1]["silenced"] == []


def test_what_people_say_and_cannot_mean_is_counted(line: Line) -> None:
    line.turn(quiet(0.5, -1.0), until=1.0)
    assert b'invalid_total{reason="out_of_range"} 1.0' in line.metrics.exposition()[0]
    assert line.published == []


def test_more_sites_than_there_is_room_for_cannot_be_silenced(line: Line) -> None:
    for number in range(257):
        line.turn(quiet(number, 600.0, site=f"site-{number}"), until=float(number))
    assert len({each.site for each in line.pipeline.silences}) == 256
    assert b'dropped_total{reason="max_sites"} 1.0' in line.metrics.exposition()[0]


def test_a_device_that_falls_silent_is_named_at_the_next_look(model: OnnxModel) -> None:
    line = Line(model, devices=WATCHFUL)
    line.turn(hot(1.0, value=20.0), hot(2.0, value=20.0, place="hall/spare"), until=3.0)
    line.turn(*(hot(float(at), value=20.0) for at in range(4, 24)), until=24.0)
    (fired,) = line.sent("ef/hall/event")
    assert fired["updated_at"] == "2027-01-15T08:00:20.000Z"
    assert fired["devices"] == [
        {
            "device": "spare",
            "kind": "sensor",
            "trouble": "silent",
            "since": "2027-01-15T08:00:02.000Z",
        }
    ]
    (alert,) = line.pipeline.firing
    assert [each.device for each in alert.devices] == ["spare"]


def test_a_camera_that_shows_nothing_is_dark(model: OnnxModel) -> None:
    line = Line(model, devices=WATCHFUL)
    line.turn(*(picture(float(at), brightness=3) for at in range(1, 40)), until=40.0)
    (fired,) = [each for each in line.sent("ef/hall/event") if each["label"] == "device"]
    (camera,) = fired["devices"]
    assert (camera["device"], camera["kind"], camera["trouble"]) == ("cam", "camera", "dark")


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


def test_what_two_gateways_heard_is_acknowledged_twice_and_counted_once(line: Line) -> None:
    tag = b'{"tempc":38.0,"tempf":100.4}'
    heard = [
        Message(f"tags/{gateway}/A4C1380A0B0C", tag, ArrivalTime(ORIGIN + at))
        for at, gateway in ((1.0, "attic"), (1.2, "cellar"))
    ]
    line.turn(*heard, until=6.0)
    (window,) = line.sent("ef/hall/window")
    assert window["readings"]["temperature"]["count"] == 1
    assert line.acknowledged == 2
    assert b'edge_fusion_dropped_total{reason="duplicate"} 1.0' in line.metrics.exposition()[0]


def test_a_doubtful_reading_is_used_and_said_to_be_so_once_a_minute(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.turn(hot(1.0, value=20.0), hot(2.0, value=38.0), hot(3.0, value=20.0), until=4.0)
    line.turn(hot(3.5, value=38.0), hot(6.0), until=6.0)
    window = line.sent("ef/hall/window")[0]
    assert window["readings"]["temperature"]["count"] == 4
    body, _ = line.metrics.exposition()
    series = b'suspect_readings_total{device="probe",reason="step",site="hall"} 2.0'
    assert b"edge_fusion_" + series in body
    (record,) = caplog.records
    assert "hall/probe: temperature 38: the value changed faster" in record.message


def test_a_reading_whose_clock_is_not_believed_is_checked_all_the_same(line: Line) -> None:
    line.turn(hot(1.0, value=20.0), hot(900.0, 2.0, 38.0), until=2.0)
    body, _ = line.metrics.exposition()
    assert b'clock_quarantined_total{reason="future"} 1.0' in body
    assert b'suspect_readings_total{device="probe",reason="step",site="hall"} 1.0' in body


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


def test_a_topic_cannot_forge_lines_of_the_log(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.turn(Message("home/hall/a\nb\u202ec", b"{}", ArrivalTime(ORIGIN)), until=1.0)
    (record,) = caplog.records
    assert record.message.startswith("home/hall/a?b?c: ")
