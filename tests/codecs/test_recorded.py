from __future__ import annotations

import json

import pytest
from fuzz.recordings import check
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.recorded import End, Entry, FrameFile, decode_entry, encode_entry
from edge_fusion.events import ArrivalTime, CutOff, EventTime, Offline, Reading, Silence, TimeSource

# What recordings in people's hands look like: a change here needs a new version of the format.
READING = b"""\
{"reading":{"site":"hall","device":"th","quantity":"temperature","value":21.4,\
"time":1763892000.125,"arrival":1763892000.2,"time_source":"device"}}
"""
FRAME = b"""\
{"frame":{"site":"hall","camera":"door","file":"frames/hall/door/00000001.jpg",\
"time":1763892000.125,"arrival":1763892000.125,"time_source":"arrival"}}
"""
TIME, ARRIVAL = EventTime(1763892000.125), ArrivalTime(1763892000.2)
LINES: list[tuple[bytes, Entry]] = [
    (READING, Reading("hall", "th", "temperature", 21.4, TIME, ARRIVAL, TimeSource.DEVICE)),
    (FRAME, FrameFile("hall", "door", "frames/hall/door/00000001.jpg", TIME, ArrivalTime(TIME))),
    (
        b'{"offline":{"site":"hall","device":"th","arrival":1763892000.2}}\n',
        Offline("hall", "th", ARRIVAL),
    ),
    (b'{"cut_off":{"arrival":1763892000.2}}\n', CutOff(ARRIVAL)),
    (
        b'{"silence":{"site":"hall","label":null,"seconds":7200.0,"arrival":1763892000.2}}\n',
        Silence("hall", None, 7200.0, ARRIVAL),
    ),
    (b'{"end":1763892010.25}\n', End(ArrivalTime(1763892010.25))),
]

numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("line", "entry"), LINES)
def test_lines_are_written_and_read(line: bytes, entry: Entry) -> None:
    assert encode_entry(entry) == line
    assert decode_entry(line) == entry


@given(value=numbers, time=numbers, arrival=numbers)
def test_every_float_comes_back_as_it_was(value: float, time: float, arrival: float) -> None:
    reading = Reading("s", "d", "q", value, EventTime(time), ArrivalTime(arrival))
    found = decode_entry(encode_entry(reading))
    assert repr(found) == repr(reading)  # tells -0.0 from 0.0


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"", "document"),
        (b'{"reading":{"site":"ha', "unexpected end"),
        (
            b"[1]",
            "expected an object with one key of: reading, frame, offline, cut_off, catch_up, ",
        ),
        (
            b"{}",
            "expected an object with one key of: reading, frame, offline, cut_off, catch_up, ",
        ),
        (b'{"event": {}}', '"event" is none of: reading, frame, offline, cut_off, catch_up, '),
        (b'{"reading": {"site": "hall"}}', "reading.device: field required"),
        (b'{"reading": 1}', "reading: input should be"),
        (b'{"end": null}', "end: input should be a valid number"),
        (b'{"end": "nan"}', "end: a number is not finite"),
        (
            b'{"offline": {"site": "a", "device": "b", "arrival": "inf"}}',
            "offline: a number is not",
        ),
        (READING.replace(b"21.4", b'"NaN"'), "reading: a number is not finite"),
        (FRAME.replace(b"1763892000.125", b'"-Infinity"'), "frame: a number is not finite"),
        (b'{"\\n\\u001b[2J": 1}', '"??[2J" is none of: reading, frame, offline'),
    ],
)
def test_a_bad_line_is_told_in_words(line: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        decode_entry(line)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


FIELDS = ["site", "device", "camera", "quantity", "value", "file", "time", "arrival", "time_source"]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["hall", "device", "nan", "-Infinity", "1e999", "2026-11-23T10:00:00Z"])
)
BODIES = VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES)
KINDS = st.sampled_from(["reading", "frame", "offline", "end"]) | st.text()


@given(st.dictionaries(KINDS, BODIES, max_size=2).map(lambda line: json.dumps(line).encode()))
def test_any_line_is_an_entry_or_is_refused_in_one_sentence(line: bytes) -> None:
    check(line)
