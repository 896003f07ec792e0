"""The vectors named valid, maximum, minimum and invalid are those of Ruuvi's own documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.decoder import Decoded, Decoder, SensorSource
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.ruuvi import decode_ruuvi
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

TOPIC = "ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23"
DECODED = (
    '{"gw_mac":"AA:CC:EE:00:11:22","rssi":-70,"aoa":[],"gwts":1612358920,"ts":1612358929,'
    '"data":"0201061BFF99040517037758C5C703FCFF30FFF89416B7958AE375CF374E23","dataFormat":5,'
    '"temperature":29.455,"humidity":76.38,"id":"E3:75:CF:37:4E:23","coords":""}'
)
RAW = (
    '{"gw_mac":"C8:25:2D:8E:9C:2C","rssi":-26,"aoa":[],"gwts":"1653668027","ts":"1653668027",'
    '"data":"0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6","coords":""}'
)
WITHOUT_CLOCK = (
    '{"gw_mac":"C8:25:2D:8E:9C:2C","rssi":-25,"aoa":[],"cnt":"338",'
    '"data":"0201061BFF990405166455D5C6DE0008FFF403F0AE760F2A8BF41F0C28CBD6","coords":""}'
)
VALID = "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"
MAXIMUM = "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F"
MINIMUM = "058001000000008001800180010000000000CBB8334C884F"
INVALID = "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF"


def decode(payload: str, topic: str = TOPIC) -> list[Sample | Invalid]:
    return decode_ruuvi(Message(topic, payload.encode(), ArrivalTime(1.8e9)), SensorKeys())


def advertised(ruuvi: str, **fields: Any) -> str:
    """An advertisement as a gateway passes it on, with `ruuvi` as the manufacturer's data."""
    content = f"FF9904{ruuvi}"
    return json.dumps({"data": f"020106{len(content) // 2:02X}{content}", **fields})


def details(found: list[Sample | Invalid]) -> list[str]:
    assert all(
        isinstance(each, Invalid) and each.reason is InvalidReason.OUT_OF_RANGE for each in found
    )
    return [each.detail for each in found if isinstance(each, Invalid)]


def test_valid_data() -> None:
    assert decode(advertised(VALID)) == [
        Sample("temperature", 24.3, device="E375CF374E23", identity="205"),
        Sample("humidity", 53.49, device="E375CF374E23", identity="205"),
    ]


def test_maximum_values_are_beyond_any_room() -> None:
    assert details(decode(advertised(MAXIMUM))) == ["temperature is 163.835", "humidity is 163.835"]


def test_minimum_values_are_beyond_any_room_too() -> None:
    cold, humid = decode(advertised(MINIMUM))
    assert details([cold]) == ["temperature is -163.835"]
    assert humid == Sample("humidity", 0.0, device="E375CF374E23", identity="0")


def test_values_that_are_not_available_are_no_readings() -> None:
    assert decode(advertised(INVALID)) == []
    [humid] = decode(advertised(VALID.replace("12FC", "8000")))
    assert isinstance(humid, Sample)
    assert humid.quantity == "humidity"


@pytest.mark.parametrize(
    ("raw", "celsius"), [("0000", 0.0), ("01C3", 2.255), ("FE3D", -2.255), ("FFFF", -0.005)]
)
def test_temperatures_are_signed(raw: str, celsius: float) -> None:
    warm, _ = decode(advertised(VALID.replace("12FC", raw)))
    assert isinstance(warm, Sample)
    assert warm.value == celsius


def test_format_3_is_read() -> None:
    assert decode(advertised("03291A1ECE1EFC18F94202CA0B53")) == [
        Sample("temperature", 26.3, device="E375CF374E23"),
        Sample("humidity", 20.5, device="E375CF374E23"),
    ]
    hot, humid = decode(advertised("03FF7F63FFFF7FFF7FFF7FFFFFFF"))
    assert isinstance(hot, Sample)
    assert hot.value == 127.99
    assert details([humid]) == ["humidity is 127.5"]
    [cold, _] = decode(advertised("0300FF6300008001800180010000"))
    assert details([cold]) == ["temperature is -127.99"]


def test_format_3_has_sign_and_magnitude() -> None:
    [cold, _] = decode(advertised("03298145CE1EFC18F94202CA0B53"))
    assert isinstance(cold, Sample)
    assert cold.value == -1.69


def test_a_ruuvi_air_numbers_one_measurement_alike_in_its_two_formats() -> None:
    short = "06170C5668C79E007000C90501D9FFCD004C884F"
    long = (
        "E1170C5668C79E0065007004BD11CA00C90A0213E0ACFFFFFF" + "DECDCD" + "10FFFFFFFFFFCBB8334C884F"
    )
    expected = [
        Sample("temperature", 29.5, device="E375CF374E23", identity="205"),
        Sample("humidity", 55.3, device="E375CF374E23", identity="205"),
    ]
    assert decode(advertised(short)) == expected
    assert decode(advertised(long)) == expected


def test_a_gateway_that_decodes_is_read_and_dated_too() -> None:
    time = EventTime(1612358929.0)
    sequence = str(0x958A)
    assert decode(DECODED) == [
        Sample("temperature", 29.455, time, "E375CF374E23", identity=sequence),
        Sample("humidity", 76.38, time, "E375CF374E23", identity=sequence),
    ]


def test_decoded_values_alone_are_read_with_their_number() -> None:
    payload = (
        '{"ts":1612358929,"temperature":29.455,"humidity":76.38,"measurementSequenceNumber":205,'
        '"id":"E3:75:CF:37:4E:23"}'
    )
    assert decode(payload, "ruuvi") == [
        Sample("temperature", 29.455, EventTime(1612358929.0), "E375CF374E23", identity="205"),
        Sample("humidity", 76.38, EventTime(1612358929.0), "E375CF374E23", identity="205"),
    ]


def test_a_gateway_that_does_not_decode_sends_its_time_as_text() -> None:
    warm, humid = decode(RAW)
    assert isinstance(warm, Sample)
    assert isinstance(humid, Sample)
    assert (warm.value, humid.value) == (27.75, 48.9125)
    assert warm.time == humid.time == 1653668027.0


def test_a_gateway_without_a_clock_dates_nothing() -> None:
    warm, humid = decode(WITHOUT_CLOCK)
    assert isinstance(warm, Sample)
    assert isinstance(humid, Sample)
    assert warm.time is None
    assert humid.time is None


def test_the_gateways_status_and_beacons_of_others_are_no_readings() -> None:
    assert decode('{"state":"online"}', "ruuvi/AA:CC:EE:00:11:22/gw_status") == []
    ibeacon = '{"ts":"1653668027","data":"02011A0AFF4C001005031C8BA4A0"}'
    assert decode(ibeacon) == []


def test_ruuvis_number_inside_another_field_is_not_taken_for_it() -> None:
    name = "0B09" + "FF9904" + VALID[:14]
    assert decode(json.dumps({"data": name})) == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", InvalidReason.EMPTY),
        ("[1]", InvalidReason.SYNTAX),
        ('{"data":"0201061BFF99040"}', InvalidReason.SYNTAX),
        ('{"data":"zz"}', InvalidReason.SYNTAX),
        ('{"data":["05"]}', InvalidReason.SYNTAX),
        ('{"ts":1653668027}', InvalidReason.MISSING_FIELD),
        (advertised("08" + "00" * 23), InvalidReason.MISSING_FIELD),
        (advertised(VALID[:20]), InvalidReason.MISSING_FIELD),
        (advertised(VALID, ts="soon"), InvalidReason.TIME),
    ],
)
def test_what_no_gateway_sends_is_refused(payload: str, reason: InvalidReason) -> None:
    [found] = decode(payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason


def test_what_two_gateways_heard_is_one_reading_even_if_their_clocks_differ() -> None:
    source = SensorSource(TopicPattern.parse("ruuvi/+/+"), "ruuvi", SensorKeys())
    decoder = Decoder([source], [])

    def heard(gateway: str, payload: str, after: float) -> list[Decoded]:
        topic = f"ruuvi/{gateway}/E3:75:CF:37:4E:23"
        return decoder.decode(Message(topic, payload.encode(), ArrivalTime(1.8e9 + after)))

    first = heard("AA:CC:EE:00:11:22", advertised(VALID, ts=1800000000), 0)
    echo = heard("C8:25:2D:8E:9C:2C", advertised(VALID, ts="1799999993"), 1)
    other = heard("C8:25:2D:8E:9C:2C", advertised(VALID.replace("00CD", "00CE")), 1.3)
    assert [type(each) for each in first] == [Reading, Reading]
    assert [type(each) for each in echo] == [Duplicate, Duplicate]
    assert [type(each) for each in other] == [Reading, Reading]
    assert {each.device for each in first if isinstance(each, Reading)} == {"E375CF374E23"}


@given(st.binary(max_size=60), st.sampled_from(["", "FF9904", "FF990405", "FF990403"]))
def test_any_advertisement_ends_in_samples_or_reasons(rest: bytes, start: str) -> None:
    content = bytes.fromhex(start) + rest
    for data in (content, bytes([len(content)]) + content):
        for found in decode(json.dumps({"data": data.hex()})):
            assert isinstance(found, Sample) or found.detail.isprintable()
