"""Recordings as directories on a real disk."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.jpeg import PNG_MAGIC
from edge_fusion.errors import RecordingError
from edge_fusion.events import ArrivalTime, Event, EventTime, Frame, Reading, TimeSource
from edge_fusion.io.recording import About, RecordingReader, RecordingWriter

ABOUT = About(program="edge-fusion test", box="b", broker="localhost:1883", started=ArrivalTime(0))


def reading(arrival: float = 1.0, site: str = "hall") -> Reading:
    return Reading(site, "th", "temperature", 21.4, EventTime(arrival), ArrivalTime(arrival))


def frame(
    arrival: float = 1.0, image: bytes = b"picture", site: str = "hall", camera: str = "door"
) -> Frame:
    return Frame(site, camera, image, EventTime(arrival), ArrivalTime(arrival))


def record(directory: Path, *events: Event, until: float = 99.0) -> Path:
    with RecordingWriter(directory, ABOUT) as writer:
        writer.write(events, ArrivalTime(until))
    return directory


def lines(directory: Path) -> list[bytes]:
    return (directory / "events.jsonl").read_bytes().splitlines(keepends=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "monday"


names = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True) | st.sampled_from([".", "..", "..."])
floats = st.floats(allow_nan=False, allow_infinity=False)
sources = st.sampled_from(TimeSource)
events = st.builds(
    Reading, names, names, st.text(), floats, floats, st.just(0.0), sources
) | st.builds(Frame, names, names, st.binary(max_size=64), floats, st.just(0.0), sources)


@st.composite
def streams(draw: st.DrawFn) -> list[list[Event]]:
    """Batches of events in order of arrival."""
    found = draw(st.lists(events, max_size=12))
    arrivals = sorted(draw(st.floats(min_value=0, allow_infinity=False)) for _ in found)
    timed: list[Event] = [
        replace(event, arrival=ArrivalTime(arrival))
        for event, arrival in zip(found, arrivals, strict=True)
    ]
    cuts = sorted(draw(st.lists(st.integers(0, len(timed)), max_size=3)))
    return [timed[first:last] for first, last in pairwise([0, *cuts, len(timed)])]


def test_a_recording_is_for_the_eyes_of_its_owner(directory: Path) -> None:
    assert record(directory, frame()).stat().st_mode & 0o777 == 0o700


@given(batches=streams(), wait=st.floats(0, 10))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]], wait: float
) -> None:
    directory = tmp_path_factory.mktemp("recording")
    until = ABOUT.started
    with RecordingWriter(directory, ABOUT) as writer:
        for batch in batches:
            until = batch[-1].arrival if batch else until
            writer.write(batch, until)
        until = ArrivalTime(until + wait)
        writer.write([], until)
    reader = RecordingReader(directory)
    assert list(reader) == [event for batch in batches for event in batch]
    assert (reader.about, reader.end, reader.cut_off) == (ABOUT, until, None)
    assert reader.position == reader.size


# 20 letters of UTF-8, each written as up to 12, are as long as a file may be called.
texts = names | st.text(min_size=1, max_size=20)


@given(site=texts, camera=texts)
def test_no_name_leads_out_of_the_recording(
    tmp_path_factory: pytest.TempPathFactory, site: str, camera: str
) -> None:
    directory = tmp_path_factory.mktemp("around") / "a" / "b" / "recording"
    record(directory, frame(site=site, camera=camera))
    around = directory.parent.parent.parent
    files = {path.relative_to(around).as_posix() for path in around.rglob("*") if path.is_file()}
    (picture,) = files - {f"a/b/recording/{name}" for name in ("recording.json", "events.jsonl")}
    assert picture.startswith("a/b/recording/frames/")
    assert picture.count("/") == 6  # site and camera are a level each, whatever they are called


def test_names_that_are_directions_stay_apart(directory: Path) -> None:
    pictures = [frame(1.0, bytes([n]), site, "..") for n, site in enumerate((".", "..", "hall"))]
    record(directory, *pictures)
    assert list(RecordingReader(directory)) == pictures
    assert len(list((directory / "frames").iterdir())) == 3


@pytest.mark.parametrize(
    "file", ["../../secret", "/etc/hostname", "frames/../../../secret", "frames/link", "a\0b"]
)
def test_a_recording_from_elsewhere_reads_no_file_outside_of_it(directory: Path, file: str) -> None:
    record(directory, reading(), frame())
    (directory.parent.parent / "secret").write_bytes(b"secret")
    (directory / "frames" / "link").symlink_to("/etc/hostname")
    first, second, end = lines(directory)
    document = json.loads(second)
    document["frame"]["file"] = file
    crafted = json.dumps(document).encode() + b"\n"
    (directory / "events.jsonl").write_bytes(first + crafted + end)
    with pytest.raises(RecordingError, match=r"events\.jsonl:2: frame\.file"):
        list(RecordingReader(directory))


def test_pictures_are_files_that_a_person_can_look_at(directory: Path) -> None:
    jpeg, png = frame(1.0, b"\xff\xd8\xff rest"), frame(2.0, PNG_MAGIC + b"rest")
    record(directory, jpeg, png)
    files = sorted((directory / "frames" / "hall" / "door").iterdir())
    assert [file.name for file in files] == ["00000001.jpg", "00000002.png"]
    assert [file.read_bytes() for file in files] == [jpeg.image, png.image]


def test_what_was_written_is_there_before_the_recording_ends(directory: Path) -> None:
    with RecordingWriter(directory, ABOUT) as writer:
        writer.write([reading(), frame(2.0)], ArrivalTime(3.0))
        reader = RecordingReader(directory)
        assert list(reader) == [reading(), frame(2.0)]
        assert reader.end == 2.0
        assert reader.cut_off is not None


@pytest.mark.parametrize("length", [1, 20, -1])
def test_a_torn_last_line_is_left_out_and_said(directory: Path, length: int) -> None:
    record(directory, reading(1.0), reading(2.0), reading(3.0))
    first, second, third, _ = lines(directory)
    (directory / "events.jsonl").write_bytes(first + second + third.rstrip()[:length])
    reader = RecordingReader(directory)
    assert list(reader) == [reading(1.0), reading(2.0)]
    assert reader.end == 2.0
    assert reader.cut_off == f"{directory}/events.jsonl:3: the last line is torn: left out"


def test_a_bad_line_within_is_named(directory: Path) -> None:
    record(directory, reading(1.0), reading(2.0))
    first, second, end = lines(directory)
    (directory / "events.jsonl").write_bytes(first + b'{"reading": {}}\n' + second + end)
    with pytest.raises(RecordingError, match=r"events\.jsonl:2: reading\.site: field required"):
        list(RecordingReader(directory))


def test_time_that_goes_back_is_named(directory: Path) -> None:
    record(directory, reading(2.0), reading(1.0))
    with pytest.raises(RecordingError, match=r"events\.jsonl:2: arrival 1\.0 is before"):
        list(RecordingReader(directory))


def test_a_picture_that_is_gone_is_named(directory: Path) -> None:
    record(directory, reading(), frame())
    (directory / "frames" / "hall" / "door" / "00000001.jpg").unlink()
    with pytest.raises(RecordingError, match=r"events\.jsonl:2: .*00000001.jpg.*: No such file"):
        list(RecordingReader(directory))


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        (None, "No such file or directory: expected a recording"),
        ("{}", "program: Field required: expected a recording of version 1"),
        ("rubbish", "Invalid JSON"),
        (ABOUT.model_dump_json().replace('"version":1', '"version":2'), "version: Input should be"),
    ],
)
def test_a_foreign_directory_is_refused(directory: Path, about: str | None, fault: str) -> None:
    record(directory)
    (directory / "recording.json").unlink()
    if about is not None:
        (directory / "recording.json").write_text(about)
    with pytest.raises(RecordingError) as caught:
        RecordingReader(directory)
    assert str(caught.value).startswith(f"{directory}/recording.json: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recording_without_its_events_is_refused(directory: Path) -> None:
    record(directory)
    (directory / "events.jsonl").unlink()
    with pytest.raises(RecordingError, match=r"events\.jsonl: No such file"):
        RecordingReader(directory)


def test_nothing_is_recorded_over_something(directory: Path) -> None:
    record(directory, reading())
    with pytest.raises(RecordingError, match="monday holds a recording already"):
        RecordingWriter(directory, ABOUT)
    with pytest.raises(RecordingError, match="recordings is not empty"):
        RecordingWriter(directory.parent, ABOUT)
    assert list(RecordingReader(directory)) == [reading()]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match=r"file/recording: Not a directory"):
        RecordingWriter(tmp_path / "file" / "recording", ABOUT)


@given(max_bytes=st.integers(300, 2000))
def test_a_recording_ends_before_it_outgrows_its_bound(
    tmp_path_factory: pytest.TempPathFactory, max_bytes: int
) -> None:
    directory = tmp_path_factory.mktemp("bounded")
    stream = [maker(float(n)) for n in range(20) for maker in (reading, frame)]
    with RecordingWriter(directory, ABOUT, max_bytes=max_bytes) as writer:
        for event in stream:
            writer.write([event], ArrivalTime(event.arrival + 0.5))
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert writer.full == (len(writer) < len(stream))
    assert sum(path.stat().st_size for path in files) <= max_bytes
    reader = RecordingReader(directory)
    assert list(reader) == stream[: len(writer)]
    assert reader.cut_off is None
    assert reader.end == (stream[len(writer) - 1].arrival + 0.5 if len(writer) else ABOUT.started)


def test_trouble_with_the_disk_leaves_what_was_written(directory: Path) -> None:
    with RecordingWriter(directory, ABOUT) as writer:
        (directory / "frames").touch()  # where a directory should be
        writer.write([reading(1.0)], ArrivalTime(1.5))
        with pytest.raises(RecordingError, match=r"frames"):
            writer.write([reading(2.0), frame(3.0), reading(4.0)], ArrivalTime(5.0))
        assert len(writer) == 2
    reader = RecordingReader(directory)
    assert list(reader) == [reading(1.0), reading(2.0)]
    assert (reader.end, reader.cut_off) == (2.0, None)
