from __future__ import annotations

import json

import pytest
from fuzz.sound import check_findings
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.units import HumidityUnit
from edge_fusion.events import ArrivalTime, Message

AUTO = HumidityUnit.AUTO


def test_the_table_names_what_a_configuration_may_ask_for() -> None:
    assert {"json", "plain"} <= set(SENSOR_FORMATS)


WORDS = st.text() | st.sampled_from(["temperature", "humidity", "time", "21.4", "°C", "%", "nan"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
PAYLOADS = (
    st.binary()
    | WORDS.map(lambda text: text.encode("utf-8", "replace"))
    | JSON.map(lambda document: json.dumps(document).encode())
)


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(
    topic=st.text() | st.sampled_from(["a/temperature", "spBv1.0/a/DDATA/b/c"]),
    payloads=st.lists(PAYLOADS, max_size=3),
)
def test_no_dialect_raises_for_any_payload(name: str, topic: str, payloads: list[bytes]) -> None:
    keys = SensorKeys({"temperature": "temperature"}, "time", units={"humidity": AUTO})
    dialect = SENSOR_FORMATS[name].make()
    for payload in payloads:
        message = Message(topic, payload, ArrivalTime(0))
        check_findings(dialect(message, keys), message)
