from __future__ import annotations

import json

import pytest

from edge_fusion.codecs.chirpstack import decode_chirpstack
from edge_fusion.codecs.decoder import Decoder, SensorSource
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import (
    ArrivalTime,
    Duplicate,
    EventTime,
    Invalid,
    InvalidReason,
    Message,
    Reading,
)

TOPIC = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up"
UPLINK = (
    '{"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d",'
    '"time":"2022-07-18T09:34:15.775023242+00:00",'
    '"deviceInfo":{"deviceName":"Test device","devEui":"0101010101010101"},'
    '"fPort":1,"data":"qg==","object":{"temperature":21.5,"humidity":40.0}}'
)
V3 = (
    '{"applicationID":"1","applicationName":"app","deviceName":"th-1","devEUI":"AQEBAQEBAQE=",'
    '"rxInfo":[{"gatewayID":"AAA=","time":null,"rssi":-57},'
    '{"gatewayID":"BBB=","time":"2022-07-18T09:34:15.775023Z","rssi":-60}],'
    '"txInfo":{"frequency":868100000},"adr":true,"dr":5,"fCnt":10,"fPort":5,"data":"qg==",'
    '"objectJSON":"{\\"temperatureSensor\\":{\\"1\\":21.5},\\"humiditySensor\\":{\\"2\\":40}}"}'
)
NO_KEYS = SensorKeys()


def decode(payload: str, topic: str = TOPIC, keys: SensorKeys = NO_KEYS) -> list[Sample | Invalid]:
    return decode_chirpstack(Message(topic, payload.encode(), ArrivalTime(1.8e9)), keys)


def reasons(found: list[Sample | Invalid]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def test_an_uplink_of_version_4_is_read() -> None:
    time = EventTime(1658136855.775023)
    identity = "3ac7e3c4-4401-4b8d-9386-a5c902f9202d"
    assert decode(UPLINK) == [
        Sample("temperature", 21.5, time, "Test device", identity=identity),
        Sample("humidity", 40.0, time, "Test device", identity=identity),
    ]


def test_an_uplink_of_version_3_is_read_and_dated_by_the_first_gateway_with_a_clock() -> None:
    time = EventTime(1658136855.775023)
    assert decode(V3) == [
        Sample("temperature", 21.5, time, "th-1"),
        Sample("humidity", 40.0, time, "th-1"),
    ]


def test_a_device_without_a_name_goes_by_its_eui() -> None:
    [warm, _] = decode(UPLINK.replace('"deviceName":"Test device",', ""))
    assert isinstance(warm, Sample)
    assert warm.device == "0101010101010101"


def test_paths_begin_in_the_object() -> None:
    keys = SensorKeys({"co2": "air.co2"})
    payload = UPLINK.replace('"humidity":40.0', '"air":{"co2":415}')
    [sample] = decode(payload, keys=keys)
    assert isinstance(sample, Sample)
    assert (sample.quantity, sample.value) == ("co2", 415.0)


@pytest.mark.parametrize("version", [UPLINK, V3])
def test_a_device_without_a_codec_is_a_fault_to_mend(version: str) -> None:
    document = json.loads(version)
    document.pop("object", None)
    document.pop("objectJSON", None)
    assert reasons(decode(json.dumps(document))) == [InvalidReason.MISSING_FIELD]
    document["object"] = None
    assert reasons(decode(json.dumps(document))) == [InvalidReason.MISSING_FIELD]


def test_an_uplink_without_data_is_no_reading() -> None:
    document = json.loads(UPLINK)
    del document["object"]
    document["data"] = ""
    assert decode(json.dumps(document)) == []


@pytest.mark.parametrize("event", ["join", "ack", "txack", "status", "log", "location"])
def test_other_events_are_no_readings(event: str) -> None:
    topic = TOPIC.removesuffix("up") + event
    assert decode('{"deviceInfo":{"deviceName":"th-1"},"data":"qg=="}', topic) == []


def test_a_status_on_a_topic_of_ones_own_is_no_reading() -> None:
    payload = '{"deviceInfo":{"deviceName":"th-1"},"margin":12,"batteryLevel":93.7}'
    assert decode(payload, "lora/th-1") == []


def test_without_any_time_the_arrival_counts() -> None:
    [warm, _] = decode(UPLINK.replace('"time":"2022-07-18T09:34:15.775023242+00:00",', ""))
    assert isinstance(warm, Sample)
    assert warm.time is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", InvalidReason.EMPTY),
        ("{", InvalidReason.SYNTAX),
        ("21.5", InvalidReason.SYNTAX),
        ('{"temperature":21.5}', InvalidReason.MISSING_FIELD),
        (UPLINK.replace("2022-07-18T09:34:15.775023242+00:00", "soon"), InvalidReason.TIME),
        ('{"deviceName":"th-1","data":"qg==","objectJSON":"{"}', InvalidReason.SYNTAX),
        ('{"deviceName":"th-1","data":"qg==","objectJSON":"[1]"}', InvalidReason.MISSING_FIELD),
    ],
)
def test_what_chirpstack_does_not_send_is_refused(payload: str, reason: InvalidReason) -> None:
    assert reasons(decode(payload)) == [reason]


def test_a_deduplication_id_that_comes_again_is_a_duplicate() -> None:
    decoder = Decoder(
        [
            SensorSource(
                TopicPattern.parse("application/+/device/+/event/up"), "chirpstack", NO_KEYS
            )
        ],
        [],
    )
    first = decoder.decode(Message(TOPIC, UPLINK.encode(), ArrivalTime(1658136856.0)))
    again = decoder.decode(Message(TOPIC, UPLINK.encode(), ArrivalTime(1658136857.0)))
    assert [type(each) for each in first] == [Reading, Reading]
    assert [type(each) for each in again] == [Duplicate, Duplicate]
    assert {each.device for each in first if isinstance(each, Reading)} == {"Test_device"}
