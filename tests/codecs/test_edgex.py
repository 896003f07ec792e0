"""Events as the device services of EdgeX publish them, and what is made of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import cbor2
import pytest

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.edgex import decode_edgex
from edge_fusion.events import ArrivalTime, EventTime, Invalid, InvalidReason, Message

TOPIC = "edgex/events/device/device-mqtt/climate/cellar/Temperature"
LITERAL = (
    '{"apiVersion":"v3","payload":{"event":{"deviceName":"cellar","profileName":"climate",'
    '"sourceName":"Temperature","origin":1755009250244477420,"readings":[{"resourceName":'
    '"Temperature","origin":1755009250244470000,"valueType":"Float32","value":"2.150000e+01"}]}},'
    '"contentType":"application/json"}'
)
READING = {
    "id": "d1f2",
    "origin": 1755009250244470000,
    "deviceName": "cellar",
    "resourceName": "Temperature",
    "profileName": "climate",
    "valueType": "Float64",
    "value": "2.15e+01",
}
AT = EventTime(1755009250.24447)


def decode(
    payload: bytes | str, *, topic: str = TOPIC, keys: SensorKeys | None = None
) -> Sequence[Sample | Invalid]:
    data = payload.encode() if isinstance(payload, str) else payload
    return decode_edgex(Message(topic, data, ArrivalTime(1.8e9)), keys or SensorKeys())


def event(*readings: Any, **others: Any) -> dict[str, Any]:
    about = {"deviceName": "cellar", "sourceName": "Climate", "origin": 1755009250244477420}
    return {"apiVersion": "v3", **about, **others, "readings": list(readings)}


def read(*readings: Any, **others: Any) -> Sequence[Sample | Invalid]:
    return decode(json.dumps({"payload": {"event": event(*readings, **others)}}))


def reasons(found: Sequence[Sample | Invalid]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def test_a_value_is_text_and_its_time_counts_nanoseconds() -> None:
    (sample,) = decode(LITERAL)
    assert isinstance(sample, Sample)
    assert (sample.quantity, sample.value, sample.device) == ("temperature", 21.5, "cellar")
    assert sample.part is None
    assert sample.time == pytest.approx(1755009250.24447)


def in_base64(inner: bytes) -> str:
    return base64.b64encode(inner).decode()


BARE = event(READING)
REQUEST = {"apiVersion": "v3", "requestId": "e6e8a2f4", "event": BARE}
ENVELOPES: dict[str, bytes] = {
    "version 4": json.dumps({"payload": REQUEST, "contentType": "application/json"}).encode(),
    "version 3, encoded twice": json.dumps(
        {"payload": in_base64(json.dumps(REQUEST).encode())}
    ).encode(),
    "version 2": json.dumps({"Payload": in_base64(json.dumps(REQUEST).encode())}).encode(),
    "without an envelope": json.dumps(REQUEST).encode(),
    "exported": json.dumps(BARE).encode(),
    "CBOR in base64": json.dumps(
        {"payload": in_base64(cbor2.dumps(REQUEST)), "contentType": "application/cbor"}
    ).encode(),
    "an envelope in CBOR": cbor2.dumps({"payload": REQUEST}),
    "both in CBOR": cbor2.dumps({"payload": cbor2.dumps(REQUEST)}),
}


@pytest.mark.parametrize("kind", ENVELOPES)
def test_envelopes_come_in_many_kinds(kind: str) -> None:
    (sample,) = decode(ENVELOPES[kind])
    assert isinstance(sample, Sample)
    assert (sample.quantity, sample.value, sample.device) == ("temperature", 21.5, "cellar")
    assert sample.time == pytest.approx(AT)


def test_an_optimised_payload_leaves_to_the_event_what_it_says() -> None:
    """As EDGEX_OPTIMIZE_EVENT_PAYLOAD has it: no id, no names, no time that is the event's."""
    reading = {"valueType": "Float32", "value": "2.15e+01"}
    (sample,) = read(reading, sourceName="Temperature")
    assert isinstance(sample, Sample)
    assert (sample.quantity, sample.device) == ("temperature", "cellar")
    assert sample.time == pytest.approx(1755009250.2444774)


def test_what_nobody_says_is_read_from_the_topic() -> None:
    payload = json.dumps({"readings": [{"valueType": "Int16", "value": "-5"}]})
    topic = "edgex/events/device/device-mqtt/climate/Cellar%20North/Temperature"
    (sample,) = decode(payload, topic=topic)
    assert sample == Sample("temperature", -5.0, None, "Cellar North")
    assert decode(payload, topic="export") == []


def test_an_event_may_hold_several_resources_of_which_only_some_are_ours() -> None:
    found = read(
        READING,
        READING | {"resourceName": "Humidity", "value": "48.5"},
        READING | {"resourceName": "Pressure", "value": "1013"},
        READING | {"resourceName": "TemperatureSetpoint", "value": "80"},
        "odd",
    )
    assert [(each.quantity, each.value) for each in found if isinstance(each, Sample)] == [
        ("temperature", 21.5),
        ("humidity", 48.5),
    ]


def test_what_a_resource_is_called_beside_its_quantity_is_a_part() -> None:
    names = ("InsideTemperature", "InsideHumidity", "OutsideTemperature", "Temperature")
    found = [each for name in names for each in read(READING | {"resourceName": name})]
    parts = [(each.device, each.part) for each in found if isinstance(each, Sample)]
    assert parts == [
        ("cellar", "Inside"),
        ("cellar", "Inside"),
        ("cellar", "Outside"),
        ("cellar", None),
    ]


def test_a_resource_in_fahrenheit_says_so() -> None:
    (sample,) = read(READING | {"value": "70.7", "units": "degF"})
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)
    absolute = READING | {"resourceName": "Humidity", "value": "9.4", "units": "g/m3"}
    assert reasons(read(absolute)) == [InvalidReason.UNIT]
    assert read(absolute | {"value": None}) == []


@pytest.mark.parametrize(
    "reading",
    [
        {"valueType": "Bool", "value": "true"},
        {"valueType": "String", "value": "warm"},
        {"valueType": "Float32Array", "value": "[2.1e+01, 2.2e+01]"},
        {"valueType": "Binary", "binaryValue": "AAEC", "mediaType": "image/jpeg", "value": ""},
        {"valueType": "Object", "objectValue": {"t": 21}},
        {"valueType": "Float64", "value": None},
        {"valueType": "Float64", "value": "NaN"},
    ],
)
def test_what_is_no_single_number_gives_no_reading(reading: dict[str, Any]) -> None:
    assert read(READING | reading) == []


def test_a_number_that_is_no_text_is_one_all_the_same() -> None:
    (sample,) = read(READING | {"value": 21.5})
    assert isinstance(sample, Sample)
    assert sample.value == 21.5


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ({"value": "warm"}, InvalidReason.NOT_A_NUMBER),
        ({"value": "+Inf"}, InvalidReason.NOT_A_NUMBER),
        ({"value": ["21"]}, InvalidReason.NOT_A_NUMBER),
        ({"value": "850"}, InvalidReason.OUT_OF_RANGE),
        ({"origin": "soon"}, InvalidReason.TIME),
        ({"origin": 10**21}, InvalidReason.TIME),
    ],
)
def test_a_bad_reading_is_refused_alone(reading: dict[str, Any], reason: InvalidReason) -> None:
    bad, good = read(READING | reading, READING | {"resourceName": "Humidity"})
    assert isinstance(bad, Invalid)
    assert bad.reason is reason
    assert isinstance(good, Sample)


def test_a_time_of_zero_is_none() -> None:
    (sample,) = read(READING | {"origin": 0}, origin=0)
    assert isinstance(sample, Sample)
    assert sample.time is None


def test_configured_resources_are_exact() -> None:
    keys = SensorKeys({"temperature": "T1", "co2": "AirQuality"})
    readings = (
        READING | {"resourceName": "T1", "value": "20"},
        READING | {"resourceName": "AirQuality", "valueType": "Uint16", "value": "415"},
        READING,
    )
    found = decode(json.dumps(event(*readings)), keys=keys)
    assert [
        (each.quantity, each.value, each.part) for each in found if isinstance(each, Sample)
    ] == [
        ("temperature", 20.0, None),
        ("co2", 415.0, None),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", InvalidReason.EMPTY),
        (b"{", InvalidReason.SYNTAX),
        (b"\xa1", InvalidReason.SYNTAX),
        (b'{"payload":"no base64"}', InvalidReason.SYNTAX),
        (b'{"payload":"e30="}', InvalidReason.MISSING_FIELD),
        (b'{"payload":"ew=="}', InvalidReason.SYNTAX),
        (b"[]", InvalidReason.MISSING_FIELD),
        (b'{"payload":7}', InvalidReason.MISSING_FIELD),
        (b'{"event":{"readings":{}}}', InvalidReason.MISSING_FIELD),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(payload: bytes, reason: InvalidReason) -> None:
    assert reasons(decode(payload)) == [reason]
