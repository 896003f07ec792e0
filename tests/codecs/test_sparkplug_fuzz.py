"""Anything that the schema can say, in any order, from anybody."""

from __future__ import annotations

import math
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.dialect import Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.sparkplug.payload_pb2 import Payload
from edge_fusion.events import ArrivalTime, Invalid, Message, Publication

UINT32, UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
FLAGS = {f"is_{name}": st.booleans() for name in ("null", "historical", "transient")}
NAMES = st.sampled_from(["bdSeq", "A/Temperature", "Temperature", "B/Humidity", "Pressure"])
TEXTS = NAMES | st.text() | st.sampled_from(["21.5", "°F", "engUnit", "Quality"])
SCALARS = {
    "int_value": UINT32,
    "long_value": UINT64,
    "float_value": st.floats(width=32),
    "double_value": st.floats(),
    "boolean_value": st.booleans(),
    "string_value": TEXTS,
}


def built(message: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages of a type with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields).map(lambda given_: message(**given_))


def one_of_the_values(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of([st.fixed_dictionaries({key: value}) for key, value in values.items()])


PROPERTIES = built(
    Payload.PropertySet,
    keys=st.lists(TEXTS, max_size=3),
    values=st.lists(built(Payload.PropertyValue, **SCALARS), max_size=3),
)


def metrics(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Payload.Metric]:
    fields = built(
        dict,
        name=NAMES | st.text(),
        alias=st.integers(0, 4) | UINT64,
        timestamp=st.just(1486144502122) | UINT64,
        datatype=st.integers(0, 20) | UINT32,
        properties=PROPERTIES,
        **FLAGS,
    )
    nothing: dict[str, Any] = {}
    value = one_of_the_values(**SCALARS, **values) | st.just(nothing)
    return st.builds(lambda told, of: Payload.Metric(**told, **of), fields, value)


TEMPLATES = st.recursive(
    metrics(),
    lambda inner: metrics(
        template_value=built(
            Payload.Template, metrics=st.lists(inner, max_size=3), is_definition=st.booleans()
        )
    ),
    max_leaves=4,
)
PAYLOADS = built(
    Payload,
    metrics=st.lists(TEMPLATES, max_size=4),
    timestamp=st.just(1486144502122) | UINT64,
    seq=st.integers(0, 255) | UINT64,
).map(Payload.SerializeToString)
COMPRESSED = PAYLOADS.map(
    lambda data: Payload(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(data)).SerializeToString()
)
TOPICS = st.builds(
    "spBv1.0/g/{}/e{}".format,
    st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "NCMD", "X"]),
    st.sampled_from(["", "/d", "/d/x"]),
)


@given(st.lists(st.tuples(TOPICS, PAYLOADS | COMPRESSED | st.binary()), max_size=6))
def test_no_message_raises_and_what_is_found_makes_sense(sent: list[tuple[str, bytes]]) -> None:
    decode = SENSOR_FORMATS["sparkplug"].make()
    for second, (topic, payload) in enumerate(sent):
        for finding in decode(Message(topic, payload, ArrivalTime(second)), SensorKeys()):
            match finding:
                case Sample():
                    assert finding.quantity in {"temperature", "humidity"}
                    assert math.isfinite(finding.value)
                    assert finding.time is None or 0 < finding.time < 1e11
                    assert finding.device in {"e", "e.d"}
                case Gone():
                    assert finding.device in {"e", "e.d"}
                case Publication():
                    assert finding.topic == "spBv1.0/g/NCMD/e"
                case Invalid():
                    assert len(finding.detail) <= 120
                    assert finding.detail.isprintable()
