"""A recording beside the daemon, on a real disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from edge_fusion.errors import RecordingError
from edge_fusion.events import ArrivalTime, EventTime, Frame, Input, Reading
from edge_fusion.io.recording import About, RecordingReader, RecordingWriter
from edge_fusion.recorder import Recorder

ABOUT = About(program="test", box="b", broker="localhost:1883", started=ArrivalTime(0))


class Recorded:
    """A recorder that has started, and what it said it had lost."""

    def __init__(self, directory: Path, max_bytes: int | None = None) -> None:
        self.directory = directory
        self.lost: list[int] = []
        begin = partial(RecordingWriter, directory, ABOUT, max_bytes=max_bytes)
        self.recorder = Recorder(begin, lost=self.lost.append)
        self.recorder.start()

    def hear(self, *inputs: Input) -> None:
        self.recorder.hear(inputs, inputs[-1].arrival)

    def inputs(self) -> list[Input]:
        reader = RecordingReader(self.directory)
        inputs = list(reader)
        assert reader.cut_off is None
        return inputs


def reading(at: float) -> Reading:
    return Reading("hall", "th", "temperature", 20.0, EventTime(at), ArrivalTime(at))


def frame(at: float) -> Frame:
    return Frame("hall", "door", b"picture", EventTime(at), ArrivalTime(at))


def test_after_trouble_it_counts_what_it_does_not_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = Recorded(tmp_path)
    (tmp_path / "frames").touch()  # where a directory should be
    one.hear(reading(1.0))
    one.hear(reading(2.0), frame(3.0), reading(4.0))
    one.hear(reading(5.0))
    one.recorder.stop()
    assert one.inputs() == [reading(1.0), reading(2.0)]
    assert one.lost == [2, 1]
    assert len(caplog.records) == 1


def test_what_comes_after_it_is_full_was_not_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = Recorded(tmp_path, max_bytes=500)
    stream = [reading(float(n)) for n in range(9)]
    for event in stream:
        one.hear(event)
    one.recorder.stop()
    held = one.inputs()
    assert 0 < len(held) < 9
    assert held == stream[: len(held)]
    assert one.lost == []
    assert [record.message[:30] for record in caplog.records] == ["the recording is full and ends"]


def test_it_does_not_start_where_something_is(tmp_path: Path) -> None:
    Recorded(tmp_path).recorder.stop()
    with pytest.raises(RecordingError, match="holds a recording already"):
        Recorded(tmp_path)
