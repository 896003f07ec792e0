from __future__ import annotations

import json
import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.events import ArrivalTime, Invalid, Message

KEYS = [
    SensorKeys({"temperature": "temperature"}, "time"),
    SensorKeys(),
]
WORDS = {
    "json": ["temperature", "humidity", "time"],
    "senml": [*["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "t", "s", "x_"]],
    "ttn": [
        *["end_device_ids", "device_id", "uplink_message", "decoded_payload", "received_at"],
        *["normalized_payload", "frm_payload", "session_key_id", "f_cnt", "TempC_SHT", "RH_1"],
        *["air", "value", "unit", "1"],
    ],
    "chirpstack": [
        *["deviceInfo", "deviceName", "devEui", "object", "objectJSON", "time", "rxInfo", "data"],
        *["deduplicationId", "temperatureSensor", "humidity_1", "1"],
    ],
    "theengs": ["id", "mac", "type", "tempc", "tempf", "hum", "model", "channel", "temperature_C"],
    "ruuvi": ["data", "ts", "cnt", "temperature", "humidity", "measurementSequenceNumber", "id"],
}
TEXTS = [
    *["Cel", "%RH", "K", "/", "°F", "temp", "urn:dev:ow:10e2073a01080063:temp", "21.5", "NaN"],
    *["2026-11-23T10:00:00.123456789Z", "A4:C1:38:0A:0B:0C", '{"temperature":21.5}', "unavailable"],
    "0201061BFF99040512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
    "0201060FFF990403291A1ECE1EFC18F94202CA0B53",
]
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -5, 21.5, 2**28, 1795428000, 10**400])
LEAVES = st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(TEXTS)


def documents(name: str) -> st.SearchStrategy[object]:
    """Documents of the words of one format, of any shape."""
    words = st.sampled_from(WORDS.get(name, WORDS["json"])) | st.text(max_size=3)
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=8),
        max_leaves=24,
    )


def shaped(name: str) -> st.SearchStrategy[object]:
    """Documents of the outer shape of one format, so that what lies inside is reached."""
    inner = documents(name)
    words = WORDS.get(name, WORDS["json"])
    flat = st.dictionaries(st.sampled_from(words), LEAVES, max_size=8)
    match name:
        case "senml":
            return st.lists(flat, max_size=6)
        case "ttn":
            up = st.dictionaries(st.sampled_from(words), inner, max_size=8)
            return st.fixed_dictionaries({"end_device_ids": flat, "uplink_message": up})
        case "chirpstack":
            return st.fixed_dictionaries({"deviceName": LEAVES, "object": inner, "rxInfo": inner})
        case _:
            return flat


TOPICS = st.sampled_from(
    [
        *["a/temperature", "application/1/device/2/event/up", "ruuvi/a/A4:C1:38:0A:0B:0C"],
        *["home/gw/BTtoMQTT/A4C1380A0B0C", "a/gw_status"],
    ]
)


def hear(name: str, topic: str, payload: bytes) -> None:
    for keys in KEYS:
        for found in SENSOR_FORMATS[name].make()(Message(topic, payload, ArrivalTime(1.8e9)), keys):
            if isinstance(found, Sample):
                assert math.isfinite(found.value)
                assert found.time is None or math.isfinite(found.time)
                assert 0 <= found.age <= 1.8e9
            elif isinstance(found, Invalid):
                assert len(found.detail) <= 120
                assert found.detail.isprintable()


def test_the_table_names_what_a_configuration_may_ask_for() -> None:
    assert {"json", "plain", "senml", "ttn", "chirpstack", "theengs", "ruuvi"} <= set(
        SENSOR_FORMATS
    )


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(payload=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_no_dialect_raises_for_any_payload(name: str, payload: bytes) -> None:
    hear(name, "a/temperature", payload)


@pytest.mark.parametrize("name", SENSOR_FORMATS)
@given(data=st.data(), topic=TOPICS)
def test_no_dialect_raises_for_any_document_of_its_own_words(
    name: str, data: st.DataObject, topic: str
) -> None:
    document = data.draw(documents(name) | shaped(name))
    hear(name, topic, json.dumps(document).encode())


LABELS = st.integers(-7, 9) | st.text(max_size=3) | st.binary(max_size=3) | st.floats()
CBOR_LEAVES = LEAVES | st.binary() | st.decimals() | st.fractions() | st.integers(min_value=2**70)


@given(
    st.lists(st.dictionaries(LABELS, CBOR_LEAVES | st.lists(CBOR_LEAVES), max_size=8), max_size=5)
)
def test_senml_takes_any_cbor(pack: object) -> None:
    hear("senml", "a/senml", cbor2.dumps(pack))


@given(
    st.sampled_from([b"\x81", b"\x9f", b"\x81\xa1\x02", b"\x81\xa2\x01\x63Cel\x02"]), st.binary()
)
def test_senml_takes_any_bytes_that_begin_as_cbor(start: bytes, rest: bytes) -> None:
    hear("senml", "a/senml", start + rest)


@given(st.binary(min_size=1, max_size=60))
def test_ruuvi_takes_any_advertisement(advertisement: bytes) -> None:
    hear("ruuvi", "a", json.dumps({"data": advertisement.hex()}).encode())
    ruuvi = b"\xff\x99\x04" + advertisement
    framed = bytes([len(ruuvi)]) + ruuvi
    hear("ruuvi", "a", json.dumps({"data": framed.hex()}).encode())
