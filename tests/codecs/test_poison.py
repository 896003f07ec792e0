"""Real payloads, damaged: whatever is wrong with them, the decoder says so and goes on.

The payloads are the seeds in `tests/fuzz/corpus`. Hypothesis damages them here for a second;
`make fuzz` does it for minutes, guided by which lines an input reaches.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fuzz.pictures import CAMERAS
from fuzz.sensors import AVAILABILITY, messages, source
from fuzz.sound import LIMITS, check_decoded
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_fusion.codecs.decoder import Decoder
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.events import ArrivalTime, Message, Reading

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
DEVICES = {
    path.name: list(messages(path.read_bytes())) for path in sorted((CORPUS / "sensors").iterdir())
}
PICTURES = {path.name: path.read_bytes() for path in sorted((CORPUS / "pictures").iterdir())}
ODD_VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 2**70, -0.0, 1e308, 5e-324, float("nan"), float("inf")),
        *("", " ", "nan", "21.5", "-1e999", "\ud800", "\0", "x" * 300, "2026-11-23T10:00:00Z"),
        *([], {}, [[]], {"": {}}, [None] * 3, [21.5]),
    ]
)


@st.composite
def bits_flipped(draw: st.DrawFn, payload: bytes) -> bytes:
    damaged = bytearray(payload)
    for _ in range(draw(st.integers(1, 4)) if payload else 0):
        damaged[draw(st.integers(0, len(payload) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(damaged)


@st.composite
def cut(draw: st.DrawFn, payload: bytes) -> bytes:
    """Some bytes are missing, at the end or anywhere."""
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(payload))] * 2)))
    return payload[:begin] if draw(st.booleans()) else payload[:begin] + payload[end:]


@st.composite
def doubled(draw: st.DrawFn, payload: bytes) -> bytes:
    """Some bytes come twice, or very often."""
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(payload))] * 2)))
    return payload[:end] + payload[begin:end] * draw(st.sampled_from([1, 2, 50])) + payload[end:]


@st.composite
def values_swapped(draw: st.DrawFn, payload: bytes) -> bytes:
    """A JSON document with something else where a value of it was."""
    try:
        document = json.loads(payload)
    except ValueError:
        return payload
    for _ in range(draw(st.integers(1, 3))):
        document = draw(one_swapped(document))
    return json.dumps(document).encode("utf-8", "replace")


@st.composite
def one_swapped(draw: st.DrawFn, document: Any) -> Any:
    if not document or not isinstance(document, dict | list) or draw(st.integers(0, 9)) == 0:
        return draw(ODD_VALUES)
    places: list[Any] = list(document) if isinstance(document, dict) else [*range(len(document))]
    place = draw(st.sampled_from(places))
    copy = document.copy()
    copy[place] = draw(one_swapped(document[place]))
    return copy


DAMAGES: list[Callable[[bytes], st.SearchStrategy[bytes]]]
DAMAGES = [st.just, bits_flipped, cut, doubled, values_swapped]


def damaged(payload: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(DAMAGES).flatmap(lambda damage: damage(payload))


def everything(*, peculiar: bool) -> Decoder:
    """A source of every format that reads every topic, and a camera of every format."""
    return Decoder(
        [source(form, peculiar=peculiar) for form in SENSOR_FORMATS],
        CAMERAS,
        LIMITS,
        [AVAILABILITY],
    )


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=40)
@given(st.data())
def test_no_damage_to_what_devices_send_makes_unsound_events(
    device: str, data: st.DataObject
) -> None:
    decoder = everything(peculiar=data.draw(st.booleans()))
    sent = [message for _, message in DEVICES[device]]
    place = data.draw(st.integers(0, len(sent) - 1))
    payload = data.draw(damaged(sent[place].payload))
    sent[place] = replace(sent[place], payload=payload, retained=data.draw(st.booleans()))
    for message in sent:
        check_decoded(decoder.decode(message), message)


@pytest.mark.parametrize("picture", PICTURES)
@settings(max_examples=40)
@given(st.data())
def test_no_damage_to_pictures_makes_unsound_events(picture: str, data: st.DataObject) -> None:
    decoder = everything(peculiar=False)
    topic = data.draw(st.sampled_from(["auto/door", "raw/door", "json/door"]))
    message = Message(topic, data.draw(damaged(PICTURES[picture])), ArrivalTime(1795428000.0))
    check_decoded(decoder.decode(message), message)


@pytest.mark.parametrize("device", [n for n in DEVICES if n.partition("-")[0] in SENSOR_FORMATS])
def test_what_is_damaged_there_is_something_when_it_is_whole(device: str) -> None:
    """Else the tests above would damage nothing."""
    decoder = Decoder([source(device.partition("-")[0])], [], LIMITS)
    sent = (replace(message, retained=False) for _, message in DEVICES[device])
    assert any(isinstance(each, Reading) for message in sent for each in decoder.decode(message))
