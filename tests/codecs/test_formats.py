from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.events import ArrivalTime, Message


def test_the_table_names_what_a_configuration_may_ask_for() -> None:
    assert {"json", "plain"} <= set(SENSOR_FORMATS)


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(payload=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_no_dialect_raises_for_any_payload(name: str, payload: bytes) -> None:
    keys = SensorKeys({"temperature": "temperature"}, "time")
    SENSOR_FORMATS[name].make()(Message("a/temperature", payload, ArrivalTime(0)), keys)
