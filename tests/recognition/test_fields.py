"""Documents of no known format, as people's own devices send them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.document import MISSING, lookup
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.recognition.fields import Document, Fields, find_fields, find_texts, find_time

NOW = 1_795_428_000.0  # 2026-11-23T10:00:00Z


def fields(*contents: Any, retained: bool = False) -> Fields | None:
    return find_fields(documents(*contents, retained=retained))


def documents(*contents: Any, retained: bool = False) -> list[Document]:
    return [Document.of(content, NOW, retained=retained) for content in contents]


def paths(*contents: Any) -> dict[str, str]:
    found = fields(*contents)
    return {} if found is None else dict(found.keys.paths)


@pytest.mark.parametrize(
    ("content", "temperature", "humidity"),
    [
        ({"temperature": 21.5, "humidity": 41}, "temperature", "humidity"),
        ({"temp": "21.5", "hum": "41"}, "temp", "hum"),
        ({"t": 21.5, "h": 41}, "t", "h"),
        ({"air": {"temp": 21.5, "rh": 41}, "cpu": {"temp": 61.0}}, "air.temp", "air.rh"),
        ({"sensors": [{"tempC": 21.5, "rh": 41}]}, "sensors.0.tempC", "sensors.0.rh"),
        ([{"temperature": 21.5, "humidity": 41}], "0.temperature", "0.humidity"),
        (
            {"temperature": {"value": 21.5, "unit": "C"}, "humidity": {"value": 41}},
            "temperature.value",
            "humidity.value",
        ),
        (
            {"params": {"temperature:0": {"tC": 19.8, "tF": 67.6}, "humidity:0": {"rh": 42.2}}},
            "params.temperature:0.tC",
            "params.humidity:0.rh",
        ),
    ],
)
def test_values_are_found_by_their_names(content: Any, temperature: str, humidity: str) -> None:
    assert paths(content) == {TEMPERATURE: temperature, HUMIDITY: humidity}


@pytest.mark.parametrize(
    "content",
    [
        {"temperature": None},
        {"temperature": True},
        {"temperature": "on"},
        {"temperature": 1500},
        {"humidity": 140},
        {"t": 21.5},
        {"h": 12, "m": 30},
        {"t": 1795428000, "h": 12},
        {"target_temperature": 21.5, "cpu": {"temperature": 61}},
        {"temperature": []},
        {"a.b": {"temperature": 21.5}},
        {"": {"temperature": 21.5}},
        {"\ud800": {"temperature": 21.5}},
        [],
        21.5,
        "temperature",
        None,
    ],
)
def test_what_is_no_measurement_or_on_no_path_is_not_found(content: Any) -> None:
    assert fields(content) is None


def test_only_the_beginning_of_a_huge_document_is_looked_at() -> None:
    others = {f"x{number}": number for number in range(1000)}
    assert paths({"temperature": 21.5, **others, "humidity": 41}) == {TEMPERATURE: "temperature"}


def test_one_implausible_value_refutes_a_path() -> None:
    assert paths({"temp": 21.5, "rh": 40}, {"temp": 850, "rh": 41}) == {HUMIDITY: "rh"}


def test_a_null_refutes_nothing() -> None:
    assert paths({"temp": None, "rh": 40}, {"temp": 21.5}) == {TEMPERATURE: "temp", HUMIDITY: "rh"}


def test_the_plainest_name_wins_and_the_others_are_told() -> None:
    found = fields({"probe_temperature": 20.0, "temperature": 21.5, "outside": {"temp": 3.0}})
    assert found is not None
    assert found.keys.paths == {TEMPERATURE: "temperature"}
    assert found.others == ("outside.temp", "probe_temperature")


def test_both_quantities_come_from_one_place() -> None:
    weather = {"house": {"temp": 21.5}, "garden": {"temp": 3.0, "hum": 90}}
    assert paths(weather) == {TEMPERATURE: "garden.temp", HUMIDITY: "garden.hum"}
    assert paths({"ds18b20": {"temp": 21.5}, "sht": {"hum": 41}}) == {
        TEMPERATURE: "ds18b20.temp",
        HUMIDITY: "sht.hum",
    }


@pytest.mark.parametrize(
    ("content", "unit"),
    [
        ({"temperature": 21.5}, TemperatureUnit.AUTO),
        ({"temperature": 71.2}, TemperatureUnit.AUTO),
        ({"tempc": 21.5, "tempf": 70.7}, TemperatureUnit.CELSIUS),
        ({"temp_f": 70.7}, TemperatureUnit.FAHRENHEIT),
        ({"temperature": 70.7, "unit": "°F"}, TemperatureUnit.FAHRENHEIT),
        ({"temperature": {"value": 70.7, "units": "F"}}, TemperatureUnit.FAHRENHEIT),
        ({"temperature": 70.7, "TempUnit": "F", "PressureUnit": "hPa"}, TemperatureUnit.FAHRENHEIT),
        ({"temperature": 294.65}, TemperatureUnit.KELVIN),
    ],
)
def test_a_unit_is_named_only_with_evidence(content: Any, unit: TemperatureUnit) -> None:
    found = fields(content)
    assert found is not None
    assert found.keys.units[TEMPERATURE] is unit


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ((0.41, 0.42), HumidityUnit.FRACTION),
        ((0, 0.41, 1), HumidityUnit.FRACTION),
        ((0.41, 41), HumidityUnit.PERCENT),
        ((1,), HumidityUnit.PERCENT),
        ((41,), HumidityUnit.PERCENT),
    ],
)
def test_a_humidity_below_one_is_a_fraction(values: tuple[float, ...], unit: HumidityUnit) -> None:
    found = fields(*({"humidity": value} for value in values))
    assert found is not None
    assert found.keys.units[HUMIDITY] is unit


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"last_seen": "2026-11-23T09:59:58.123Z"}, "last_seen"),
        ({"ts": 1795427999123}, "ts"),
        ({"ts": "1795427999"}, "ts"),
        ({"Time": "2026-11-23T11:00:00"}, "Time"),
        ({"meta": {"at": 1795427999}, "time": 3600}, "meta.at"),
        ({"created_at": 1795427000, "time": 1795427999}, "time"),
        ({"t": 1795427999}, "t"),
        ({"time": None, "ts": ""}, None),
        ({"time": 12}, None),
        ({"time": "1970-01-01T00:00:12Z"}, None),
        ({"time": "10:00"}, None),
        ({"boot": 1795427999}, None),
    ],
)
def test_a_time_is_near_the_arrival(content: Any, path: str | None) -> None:
    assert find_time(documents(content)) == path


def test_a_time_is_one_in_every_message() -> None:
    good, bad = {"time": 1795427999}, {"time": "soon"}
    assert find_time(documents(good, good)) == "time"
    assert find_time(documents(good, bad)) is None
    assert find_time(documents(good, {})) == "time"


def test_what_was_retained_may_be_old() -> None:
    content = {"time": "2025-01-01T00:00:00Z"}
    assert find_time(documents(content)) is None
    assert find_time(documents(content, retained=True)) == "time"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["temperature", "temp", "rh", "t", "h", "ts", "unit"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4))
def test_every_path_leads_to_something(contents: list[Any]) -> None:
    found = fields(*contents)
    texts = [path for path, _ in find_texts(documents(*contents))]
    if found is not None:
        texts += [*found.keys.paths.values(), *found.others]
    for path in texts:
        assert any(lookup(content, path) is not MISSING for content in contents)
