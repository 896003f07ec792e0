from __future__ import annotations

import json
from typing import Any

import pytest

from edge_fusion.codecs.decoder import Decoder, SensorSource
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.ttn import decode_ttn
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import (
    ArrivalTime,
    Duplicate,
    Invalid,
    InvalidReason,
    Message,
    Reading,
    TimeSource,
)

TOPIC = "v3/app1@ttn/devices/dev1/up"
UPLINK = (
    '{"end_device_ids":{"device_id":"dev1","application_ids":{"application_id":"app1"},'
    '"dev_eui":"0004A30B001C0530"},"received_at":"2026-02-12T15:15:46.012345678Z",'
    '"uplink_message":{"f_port":1,"f_cnt":1,"frm_payload":"gkHe",'
    '"decoded_payload":{"temperature":1.0,"humidity":64},'
    '"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"time":"2026-02-12T15:15:45.787Z",'
    '"rssi":-35}],"received_at":"2026-02-12T15:15:45.801Z"}}'
)
LHT65 = (
    '{"end_device_ids":{"device_id":"lht65-1"},"received_at":"2026-11-23T10:00:00.323456789Z",'
    '"uplink_message":{"decoded_payload":{"TempC_SHT":21.4,"Hum_SHT":48.2},'
    '"received_at":"2026-11-23T10:00:00.123456789Z"}}'
)
NO_KEYS = SensorKeys()


def decode(payload: str, keys: SensorKeys = NO_KEYS) -> list[Sample | Invalid]:
    return decode_ttn(Message(TOPIC, payload.encode(), ArrivalTime(1.8e9)), keys)


def decoded(**fields: Any) -> str:
    """An uplink of which the formatter made `fields`."""
    return json.dumps(
        {
            "end_device_ids": {"device_id": "dev1"},
            "uplink_message": {"frm_payload": "gkHe", "decoded_payload": fields},
        }
    )


def values(found: list[Sample | Invalid]) -> list[tuple[str, float, str | None]]:
    return [(each.quantity, each.value, each.part) for each in found if isinstance(each, Sample)]


def reasons(found: list[Sample | Invalid]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def test_an_uplink_is_read_and_dated_by_the_network_server() -> None:
    found = decode(UPLINK)
    assert values(found) == [("temperature", 1.0, None), ("humidity", 64.0, None)]
    for sample in found:
        assert isinstance(sample, Sample)
        assert sample.device == "dev1"
        assert sample.time == pytest.approx(1770909345.801, abs=1e-5)


def test_nanoseconds_and_a_formatters_own_names_are_read() -> None:
    found = decode(LHT65)
    assert values(found) == [("temperature", 21.4, None), ("humidity", 48.2, None)]
    assert [each.time for each in found if isinstance(each, Sample)] == [
        pytest.approx(1795428000.123456, abs=1e-5)
    ] * 2


def test_without_the_network_servers_time_the_application_servers_counts() -> None:
    document = json.loads(UPLINK)
    del document["uplink_message"]["received_at"]
    [warm, _] = decode(json.dumps(document))
    assert isinstance(warm, Sample)
    assert warm.time == pytest.approx(1770909346.012345, abs=1e-5)


def test_an_absent_value_is_missing_and_never_zero() -> None:
    assert values(decode(decoded(humidity=64))) == [("humidity", 64.0, None)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Temp": 21.4, "RH": 48}, [("temperature", 21.4, None), ("humidity", 48.0, None)]),
        ({"TempC_SHT": "21.40", "TempC_DS": 3.1}, [("temperature", 21.4, None)]),
        ({"temperature_1": 21.4}, [("temperature", 21.4, None)]),
        (
            {"temperature_1": 21.4, "temperature_2": 22.0, "relative_humidity_3": 48},
            [("temperature", 21.4, "1"), ("temperature", 22.0, "2"), ("humidity", 48.0, None)],
        ),
        (
            {
                "air_temperature": {"displayName": "Air", "unit": "°C", "value": 21.4},
                "air_humidity": {"displayName": "Air", "unit": "%", "value": 48},
                "battery_voltage": {"displayName": "Battery", "unit": "V", "value": 3},
            },
            [("temperature", 21.4, None), ("humidity", 48.0, None)],
        ),
        ({"temperature": {"value": 70.7, "unit": "°F"}}, [("temperature", 21.5, None)]),
        ({"air": {"temperature": 21.4}, "soil": {"temperature": 9}}, [("temperature", 21.4, None)]),
        ({"temp_f": 70.7, "temp_c": 21.4}, [("temperature", 21.4, None)]),
        ({"temp_f": 70.7}, [("temperature", 21.5, None)]),
        (
            {"sensors": [{"temperature": 21.4}, {"temperature": 22}]},
            [("temperature", 21.4, "sensors.0"), ("temperature", 22.0, "sensors.1")],
        ),
        ({"temperature": None, "humidity": 48}, [("humidity", 48.0, None)]),
        ({"1": 21.4, "temperature": 22}, [("temperature", 22.0, None)]),
    ],
)
def test_formatters_name_their_fields_as_they_like(
    fields: dict[str, Any], expected: list[tuple[str, float, str | None]]
) -> None:
    found = decode(decoded(**fields))
    for (quantity, value, part), wanted in zip(values(found), expected, strict=True):
        assert (quantity, part) == (wanted[0], wanted[2])
        assert value == pytest.approx(wanted[1])
    assert reasons(found) == []


def test_configured_paths_begin_in_the_decoded_payload_and_no_others_are_read() -> None:
    keys = SensorKeys(
        {"temperature": "probe.t", "co2": "air.0.co2"},
        units={"temperature": TemperatureUnit.KELVIN},
    )
    fields = {"probe": {"t": 294.65}, "air": [{"co2": 415}], "humidity": 48}
    found = values(decode(decoded(**fields), keys))
    assert found == [("temperature", pytest.approx(21.5), None), ("co2", 415.0, None)]
    assert reasons(decode(decoded(humidity=48), keys)) == [InvalidReason.MISSING_FIELD]


def test_a_configured_time_of_the_device_wins_over_the_servers() -> None:
    keys = SensorKeys(time="measured")
    [own] = decode(decoded(temperature=21.4, measured=1795428000), keys)
    assert isinstance(own, Sample)
    assert own.time == 1795428000.0
    assert reasons(decode(decoded(temperature=21.4, measured="soon"), keys)) == [InvalidReason.TIME]
    [server] = decode(LHT65.replace(',"Hum_SHT":48.2', ""), keys)
    assert isinstance(server, Sample)
    assert server.time == pytest.approx(1795428000.123456, abs=1e-5)


def test_a_normalized_payload_is_read_where_the_decoded_one_says_nothing() -> None:
    document = json.loads(decoded(field1=3.6, field2=48))
    document["uplink_message"]["normalized_payload"] = [
        {"air": {"temperature": 21.4, "relativeHumidity": 48}}
    ]
    assert values(decode(json.dumps(document))) == [
        ("temperature", 21.4, None),
        ("humidity", 48.0, None),
    ]
    document["uplink_normalized"] = document.pop("uplink_message")
    del document["uplink_normalized"]["decoded_payload"]
    document["uplink_normalized"]["normalized_payload"] = {"air": {"temperature": 21.4}}
    assert values(decode(json.dumps(document))) == [("temperature", 21.4, None)]


@pytest.mark.parametrize(
    "event",
    [
        '"join_accept":{"session_key_id":"AXBSH1Pk6Z0G166","received_at":"2026-02-17T07:49:50Z"}',
        '"downlink_queued":{"f_port":15,"frm_payload":"Vu4="}',
        '"location_solved":{"service":"x","location":{"latitude":52.0}}',
        '"uplink_message":{"f_cnt":3,"received_at":"2026-02-12T15:15:45.801Z"}',
    ],
)
def test_what_is_no_uplink_with_data_is_no_reading(event: str) -> None:
    assert decode(f'{{"end_device_ids":{{"device_id":"dev1"}},{event}}}') == []


def test_a_device_without_a_formatter_is_a_fault_to_mend() -> None:
    found = decode(
        '{"end_device_ids":{"device_id":"dev1"},"uplink_message":{"frm_payload":"gkHe"}}'
    )
    assert reasons(found) == [InvalidReason.MISSING_FIELD]


def test_a_formatter_with_names_of_its_own_is_told_what_it_has() -> None:
    [found] = decode(decoded(field1=3.6, field2=48))
    assert isinstance(found, Invalid)
    assert found.reason is InvalidReason.MISSING_FIELD
    assert "field1, field2" in found.detail


def test_a_value_that_is_none_does_not_cost_the_good_one() -> None:
    bad, good = decode(decoded(temperature=True, humidity=48))
    assert isinstance(bad, Invalid)
    assert bad.reason is InvalidReason.NOT_A_NUMBER
    assert isinstance(good, Sample)
    assert reasons(decode(decoded(temperature=850))) == [InvalidReason.OUT_OF_RANGE]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", InvalidReason.EMPTY),
        ("{", InvalidReason.SYNTAX),
        ("[]", InvalidReason.SYNTAX),
        ('{"temperature":21.4}', InvalidReason.MISSING_FIELD),
        (UPLINK.replace("2026-02-12T15:15:45.801Z", "soon"), InvalidReason.TIME),
    ],
)
def test_what_the_things_stack_does_not_send_is_refused(
    payload: str, reason: InvalidReason
) -> None:
    assert reasons(decode(payload)) == [reason]


def test_an_object_of_endless_depth_or_breadth_ends() -> None:
    deep = '{"a":' * 500 + "{}" + "}" * 500
    wide = json.dumps({f"k{number}": [[[]]] * 10 for number in range(20_000)})
    for hostile in (deep, wide):
        text = decoded().replace('"decoded_payload": {}', f'"decoded_payload": {hostile}')
        assert reasons(decode(text)) == [InvalidReason.MISSING_FIELD]


def test_a_second_copy_of_a_frame_is_a_duplicate_and_an_absent_counter_is_zero() -> None:
    decoder = Decoder([SensorSource(TopicPattern.parse("v3/+/devices/+/up"), "ttn", NO_KEYS)], [])

    def hear(counter: str, after: float) -> type:
        text = decoded(temperature=21.4).replace(
            '"uplink_message": {',
            f'"uplink_message": {{"session_key_id":"AXBSH1Pk6Z0G166"{counter},',
        )
        arrival = ArrivalTime(1795428000.0 + after)
        [found] = decoder.decode(Message(TOPIC, text.encode(), arrival))
        if isinstance(found, Reading):
            assert (found.device, found.time_source) == ("dev1", TimeSource.ARRIVAL)
        return type(found)

    assert hear("", 0) is Reading
    assert hear("", 5) is Duplicate
    assert hear(',"f_cnt":1', 10) is Reading
    assert hear(',"f_cnt":1', 10.5) is Duplicate
