"""What devices of the Homie convention publish, versions 4 and 5, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.homie import MAX_DEVICES, MAX_PROPERTIES
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message

PROPERTIES = {"temperature": {"name": "T", "datatype": "float", "unit": "°C"}}


class Listener:
    """A dialect with what it has been told; what is told was retained."""

    def __init__(self, keys: SensorKeys | None = None) -> None:
        self._dialect = SENSOR_FORMATS["homie"].make()
        self._keys = keys or SensorKeys()
        self.now = 1.8e9

    def hear(
        self,
        topic: str,
        payload: bytes | str,
        *,
        retained: bool = False,
        properties: dict[str, str] | None = None,
    ) -> Sequence[Finding]:
        data = payload.encode() if isinstance(payload, str) else payload
        message = Message(topic, data, ArrivalTime(self.now), retained, properties or {})
        return self._dialect(message, self._keys)

    def tell(self, topic: str, payload: str) -> None:
        assert self.hear(topic, payload, retained=True) == []

    def describe(self, device: str, nodes: dict[str, Any], **others: Any) -> None:
        nodes = {node: {"name": node, "properties": each} for node, each in nodes.items()}
        description = {"homie": "5.0", "version": 7, "name": "", "nodes": nodes, **others}
        self.tell(f"homie/5/{device}/$description", json.dumps(description))


def reasons(found: Sequence[Finding]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        (
            "homie/5/cellar/climate/temperature",
            "21.5",
            Sample("temperature", 21.5, device="cellar"),
        ),
        ("homie/cellar/climate/temperature", "21.5", Sample("temperature", 21.5, device="cellar")),
        ("my/base/cellar/climate/humidity", "48", Sample("humidity", 48.0, device="cellar")),
        (
            "homie/cellar/bme/outdoor-temperature",
            "-3",
            Sample("temperature", -3.0, device="cellar"),
        ),
    ],
)
def test_a_property_that_says_what_it_is_needs_no_more(
    topic: str, payload: str, expected: Sample
) -> None:
    assert Listener().hear(topic, payload) == [expected]


def test_version_4_tells_units_on_topics_of_their_own() -> None:
    homie = Listener()
    homie.tell("homie/cellar/climate/temperature/$name", "Temperature")
    homie.tell("homie/cellar/climate/temperature/$datatype", "float")
    homie.tell("homie/cellar/climate/temperature/$unit", "°F")
    (sample,) = homie.hear("homie/cellar/climate/temperature", "70.7")
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


def test_version_5_tells_units_in_its_description() -> None:
    homie = Listener()
    about = {"temperature": {"name": "T", "datatype": "float", "unit": "°F"}}
    homie.describe("cellar", {"climate": about})
    (sample,) = homie.hear("homie/5/cellar/climate/temperature", "70.7")
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


def test_a_list_of_nodes_as_in_drafts_of_version_5_is_read_too() -> None:
    homie = Listener()
    properties = [{"id": "t", "datatype": "float", "unit": "°F"}]
    document = {"homie": "5.0", "nodes": [{"id": "climate", "properties": properties}]}
    homie.tell("homie/5/cellar/$description", json.dumps(document))
    (sample,) = homie.hear("homie/5/cellar/climate/t", "70.7")
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


@pytest.mark.parametrize(
    ("path", "about", "quantity"),
    [
        ("climate/t", {"unit": "°C"}, "temperature"),
        ("climate/t", {"unit": "celsius"}, "temperature"),
        ("climate/x", {"name": "Room temperature"}, "temperature"),
        ("climate/x", {"name": "Luftfeuchte", "unit": "%"}, "humidity"),
        ("climate/h", {"unit": "%RH"}, "humidity"),
        ("humidity/value", {"unit": "%"}, "humidity"),
        ("humidity/battery", {"unit": "%"}, None),
        ("battery/level", {"unit": "%"}, None),
        ("meter/reactive", {"unit": "kvarh"}, None),
        ("lamp/brightness", {"unit": "%"}, None),
        ("lamp/color-temperature", {"unit": "K"}, None),
        ("accelerator/charge", {"unit": "C"}, None),
        ("climate/temperature", {"datatype": "boolean"}, None),
        ("climate/temperature", {"settable": True}, None),
        ("climate/target-temperature", {"unit": "°C"}, None),
        ("climate/x", {"name": "Target", "unit": "°C"}, None),
    ],
)
def test_what_a_property_measures_is_told_by_id_name_and_unit(
    path: str, about: dict[str, Any], quantity: str | None
) -> None:
    node, id_ = path.split("/")
    homie = Listener()
    homie.describe("cellar", {node: {id_: {"datatype": "float", **about}}})
    found = homie.hear(f"homie/5/cellar/{path}", "21")
    assert [each.quantity for each in found if isinstance(each, Sample)] == (
        [] if quantity is None else [quantity]
    )


def test_in_version_4_a_thermostat_is_known_by_its_attributes() -> None:
    homie = Listener()
    homie.tell("homie/hall/thermostat/temperature/$settable", "true")
    assert homie.hear("homie/hall/thermostat/temperature", "23") == []
    homie.tell("homie/hall/room/temperature/$settable", "false")
    assert len(homie.hear("homie/hall/room/temperature", "23")) == 1


def test_what_was_retained_says_nothing_of_now_unless_it_is_dated() -> None:
    homie = Listener()
    topic = "homie/cellar/climate/temperature"
    assert homie.hear(topic, "21.5", retained=True) == []
    assert homie.hear(topic, "21.5", retained=True, properties={"time": "1795427990"}) == [
        Sample("temperature", 21.5, device="cellar")
    ]


@pytest.mark.parametrize("state", ["lost", "disconnected"])
def test_a_device_that_is_lost_or_disconnected_is_gone(state: str) -> None:
    homie = Listener()
    homie.hear("homie/cellar/climate/temperature", "21.5")
    assert homie.hear("homie/cellar/$state", state) == [Gone("cellar")]
    assert homie.hear("homie/5/unheard/$state", state) == [Gone("unheard")]


@pytest.mark.parametrize("state", ["init", "ready", "sleeping", "alert", "", "odd"])
def test_a_device_that_sleeps_is_not_gone(state: str) -> None:
    assert Listener().hear("homie/cellar/$state", state) == []


def test_in_version_5_the_children_of_what_is_lost_are_lost_with_it() -> None:
    homie = Listener()
    homie.describe("bridge", {})
    homie.describe("th1", {"climate": PROPERTIES}, root="bridge", parent="bridge")
    homie.describe("th2", {"climate": PROPERTIES}, root="bridge", parent="th1")
    homie.describe("other", {"climate": PROPERTIES})
    found = homie.hear("homie/5/bridge/$state", "lost")
    assert found == [Gone("bridge"), Gone("th1"), Gone("th2")]


@pytest.mark.parametrize(
    "topic",
    [
        "homie/cellar/climate/temperature/set",
        "homie/5/cellar/climate/temperature/set",
        "homie/5/cellar/climate/temperature/$target",
        "homie/5/$broadcast/alert",
        "homie/5/cellar/$log/warn",
        "homie/cellar/$fw/name",
        "homie/cellar/$name",
        "homie/cellar/climate/$type",
        "homie/cellar/climate/pressure",
    ],
)
def test_commands_and_what_is_about_something_else_give_no_reading(topic: str) -> None:
    assert Listener().hear(topic, "21.5") == []


@pytest.mark.parametrize("topic", ["homie/cellar", "homie/cellar/temperature", "homie/$unit",
                                   "homie/" + "x" * 300 + "/climate/temperature"])  # fmt: skip
def test_what_is_no_topic_of_homie_is_refused(topic: str) -> None:
    assert reasons(Listener().hear(topic, "21.5")) == [InvalidReason.TOPIC]


@pytest.mark.parametrize("nothing", [b"", b"\0", b"nan", b" "])
def test_a_device_without_a_value_gives_no_reading_and_no_error(nothing: bytes) -> None:
    assert Listener().hear("homie/cellar/climate/temperature", nothing) == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"warm", InvalidReason.NOT_A_NUMBER),
        (b"850", InvalidReason.OUT_OF_RANGE),
        (b"\xff", InvalidReason.SYNTAX),
    ],
)
def test_anything_else_is_refused_with_its_reason(payload: bytes, reason: InvalidReason) -> None:
    assert reasons(Listener().hear("homie/cellar/climate/temperature", payload)) == [reason]


def test_what_has_the_unit_of_something_else_is_something_else() -> None:
    homie = Listener()
    homie.tell("homie/cellar/climate/humidity/$unit", "g/m³")
    assert reasons(homie.hear("homie/cellar/climate/humidity", "9.4")) == [InvalidReason.UNIT]


def test_a_unit_that_nobody_tells_is_the_configured_one() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    (sample,) = Listener(keys).hear("homie/cellar/climate/temperature", "70.7")
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


def test_nodes_that_measure_the_same_are_parts_of_their_device() -> None:
    homie = Listener()
    humidity = {"humidity": {"datatype": "float", "unit": "%"}}
    homie.describe("cellar", {"north": PROPERTIES | humidity, "south": PROPERTIES})
    for path, part in (
        ("north/temperature", "north"),
        ("north/humidity", "north"),
        ("south/temperature", "south"),
    ):
        (sample,) = homie.hear(f"homie/5/cellar/{path}", "21")
        assert isinstance(sample, Sample)
        assert (sample.device, sample.part) == ("cellar", part)


def test_in_version_4_the_lists_of_properties_tell_the_parts_before_any_value() -> None:
    homie = Listener()
    homie.tell("homie/cellar/north/$properties", "temperature,humidity")
    homie.tell("homie/cellar/south/$properties", "temperature:settable, humidity")
    (sample,) = homie.hear("homie/cellar/north/temperature", "21")
    assert isinstance(sample, Sample)
    assert sample.part == "north"


def test_retained_values_tell_the_parts_too() -> None:
    homie = Listener()
    homie.tell("homie/cellar/north/temperature", "21")
    homie.tell("homie/cellar/south/temperature", "21")
    (sample,) = homie.hear("homie/cellar/south/temperature", "21")
    assert isinstance(sample, Sample)
    assert sample.part == "south"


def test_a_description_replaces_the_one_before_it() -> None:
    homie = Listener()
    homie.describe("cellar", {"north": PROPERTIES, "south": PROPERTIES})
    homie.describe("cellar", {"north": PROPERTIES})
    (sample,) = homie.hear("homie/5/cellar/north/temperature", "21")
    assert isinstance(sample, Sample)
    assert sample.part is None
    homie.tell("homie/5/cellar/$description", "")
    assert homie.hear("homie/5/cellar/$state", "lost") == [Gone("cellar")]


@pytest.mark.parametrize(
    "odd",
    [
        "[]",
        '{"nodes": 1}',
        '{"nodes": {"a": 1, "b": {"properties": [1]}}}',
        '{"nodes": {"a": {"properties": {"b": 1}}}}',
        json.dumps({"nodes": {"n": {"properties": {"temperature" * 99: {}}}}}),
    ],
)
def test_a_description_may_be_any_json(odd: str) -> None:
    Listener().tell("homie/5/cellar/$description", odd)


def test_a_description_that_is_no_json_or_beyond_measure_is_refused() -> None:
    many = json.dumps({"nodes": {"n": {"properties": {f"p{n}": {} for n in range(3000)}}}})
    for payload in ("{", many):
        found = Listener().hear("homie/5/cellar/$description", payload, retained=True)
        assert reasons(found) == [InvalidReason.SYNTAX]


def test_configured_properties_are_exact() -> None:
    homie = Listener(SensorKeys({"temperature": "probe/value", "co2": "air/co2"}))
    assert homie.hear("homie/cellar/probe/value", "21") == [
        Sample("temperature", 21.0, device="cellar")
    ]
    assert homie.hear("homie/cellar/air/co2", "415") == [Sample("co2", 415.0, device="cellar")]
    assert homie.hear("homie/cellar/climate/temperature", "99") == []


def test_more_devices_than_there_is_room_for_are_counted() -> None:
    homie = Listener()
    for number in range(MAX_DEVICES):
        assert len(homie.hear(f"homie/d{number}/climate/temperature", "21")) == 1
    found = homie.hear("homie/new/climate/temperature", "21")
    assert reasons(found) == [InvalidReason.NO_ROOM]
    found = homie.hear("homie/new/climate/temperature/$unit", "°C")
    assert reasons(found) == [InvalidReason.NO_ROOM]
    homie.now += 90_000
    assert len(homie.hear("homie/new/climate/temperature", "21")) == 1


def test_of_more_properties_than_there_is_room_for_the_measurements_are_kept() -> None:
    homie = Listener()
    many = {f"p{number}": {"datatype": "float", "unit": "W"} for number in range(MAX_PROPERTIES)}
    homie.describe("cellar", {"meter": many, "climate": PROPERTIES})
    assert len(homie.hear("homie/5/cellar/climate/temperature", "21")) == 1
    assert len(homie.hear("homie/5/cellar/climate/humidity", "48")) == 1


def test_more_measurements_than_there_is_room_for_are_counted() -> None:
    homie = Listener()
    many = {f"temperature{number}": {"unit": "°C"} for number in range(MAX_PROPERTIES + 1)}
    nodes = {"climate": {"properties": many}}
    found = homie.hear("homie/5/cellar/$description", json.dumps({"nodes": nodes}))
    assert reasons(found) == [InvalidReason.NO_ROOM]
    assert len(homie.hear("homie/5/cellar/climate/temperature7", "21")) == 1
    found = homie.hear("homie/5/cellar/climate/humidity", "48")
    assert reasons(found) == [InvalidReason.NO_ROOM]
