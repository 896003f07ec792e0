from __future__ import annotations

import pytest

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.shelly import decode_shelly, shelly_availability
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, EventTime, Invalid, InvalidReason, Message

HT = "shellyplusht-b8d61a8b17cc"
RPC = f"{HT}/events/rpc"
DEFAULTS = SensorKeys()


def decode(topic: str, payload: str, keys: SensorKeys = DEFAULTS) -> list[Finding]:
    return list(decode_shelly(Message(topic, payload.encode(), ArrivalTime(1.8e9)), keys))


def notify(params: str, method: str = "NotifyStatus") -> list[Finding]:
    return decode(
        RPC, f'{{"src":"{HT}","dst":"{HT}/events","method":"{method}","params":{params}}}'
    )


def test_a_full_status_is_read_and_dated_though_the_device_does_not_know_the_time() -> None:
    time = EventTime(1680962879.62)
    assert notify(
        '{"ts":1680962879.62,"humidity:0":{"id":0,"rh":42.2},'
        '"temperature:0":{"id":0,"tC":19.8,"tF":67.6},"ble":{},"devicepower:0":{"id":0},'
        '"sys":{"time":null,"unixtime":null,"uptime":3}}',
        "NotifyFullStatus",
    ) == [Sample("humidity", 42.2, time, HT), Sample("temperature", 19.8, time, HT)]


def test_a_status_that_has_changed_in_part_is_read_as_far_as_it_goes() -> None:
    assert notify('{"ts":1680962879.62,"temperature:0":{"id":0,"tC":19.8}}') == [
        Sample("temperature", 19.8, EventTime(1680962879.62), HT)
    ]
    assert notify('{"ts":1680962879.62,"temperature:0":{"id":0,"errors":[]}}') == []
    assert notify('{"ts":1680962879.62,"temperature:0":null}') == []


@pytest.mark.parametrize("ts", ["", '"ts":null,'])
def test_without_a_time_arrival_counts(ts: str) -> None:
    assert notify(f'{{{ts}"humidity:0":{{"id":0,"rh":42.2}}}}') == [
        Sample("humidity", 42.2, None, HT)
    ]


def test_celsius_is_preferred_and_fahrenheit_taken_where_it_is_alone() -> None:
    [both] = notify('{"temperature:0":{"tF":0,"tC":21.5}}')
    [alone] = notify('{"temperature:0":{"tF":70.7}}')
    assert isinstance(both, Sample)
    assert isinstance(alone, Sample)
    assert both.value == 21.5
    assert alone.value == pytest.approx(21.5)


def test_a_sensor_with_an_error_has_a_null_value_and_gives_no_reading() -> None:
    assert notify('{"temperature:0":{"id":0,"tC":null,"tF":null,"errors":["read"]}}') == []
    assert notify('{"humidity:0":{"id":0,"rh":null,"errors":["out_of_range"]}}') == []


def test_a_configured_unit_does_not_change_what_the_payload_says() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    [sample] = decode(f"{HT}/status/temperature:0", '{"id":0,"tC":21.5,"tF":70.7}', keys)
    assert sample == Sample("temperature", 21.5, None, HT)


def test_sensors_of_an_add_on_are_parts_whether_or_not_they_come_alone() -> None:
    together = notify(
        '{"ts":1763892000.15,"temperature:100":{"id":100,"tC":4.1},'
        '"temperature:101":{"id":101,"tC":60.2},"humidity:100":{"id":100,"rh":48.9}}'
    )
    time = EventTime(1763892000.15)
    assert together == [
        Sample("temperature", 4.1, time, HT, "100"),
        Sample("temperature", 60.2, time, HT, "101"),
        Sample("humidity", 48.9, time, HT, "100"),
    ]
    assert notify('{"ts":1763892000.15,"temperature:101":{"id":101,"tC":60.2}}') == [together[1]]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("NotifyEvent", '{"ts":1763892000.15,"events":[{"component":"sys","event":"sleep"}]}'),
        ("NotifyStatus", '{"ts":"soon","switch:0":{"id":0,"temperature":{"tC":53.3,"tF":128}}}'),
        ("NotifyStatus", '{"ts":1763892000.15,"temperature:x":{"tC":1},"xtemperature:0":{"tC":1}}'),
        ("NotifyStatus", "null"),
        ("NotifyStatus", "[]"),
    ],
)
def test_notifications_of_other_things_are_no_readings(method: str, params: str) -> None:
    assert notify(params, method) == []


def test_a_component_has_a_status_topic_of_its_own_without_a_time() -> None:
    assert decode(
        "shellyplusht-08b61fcb7f3c/status/temperature:0", '{"id":0,"tC":21.5,"tF":70.7}'
    ) == [Sample("temperature", 21.5, None, "shellyplusht-08b61fcb7f3c")]
    assert decode("home/ht/status/humidity:0", '{"id":0,"rh":48.9}') == [
        Sample("humidity", 48.9, None, "home/ht")
    ]
    assert decode("x/status/temperature:100", '{"id":100,"tC":4.1}') == [
        Sample("temperature", 4.1, None, "x", "100")
    ]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{HT}/status/devicepower:0", '{"id":0,"battery":{"V":5.1,"percent":55}}'),
        (f"{HT}/status/switch:0", '{"id":0,"temperature":{"tC":53.3,"tF":128}}'),
        (f"{HT}/status/sys", '{"mac":"B8D61A8B17CC"}'),
        (f"{HT}/online", "true"),
        (f"{HT}/online", ""),
        (f"{HT}/rpc", '{"id":1,"src":"user","method":"Temperature.GetStatus"}'),
        ("shellies/shellyht-6F3A2B/sensor/battery", "97"),
        ("shellies/shellyht-6F3A2B/info", '{"tmp":{"value":22.6,"tC":22.6},"hum":{"value":48}}'),
        ("shellies/shelly1pm-A4CF12/temperature", "61.3"),
        ("shellies/shelly1pm-A4CF12/temperature_f", "142.3"),
        ("shellies/shelly1-A4CF12/ext_temperature_f/0", "70.7"),
        ("shellies/shelly1-A4CF12/ext_temperatures", '{"0":{"hwID":"28","tC":21.5}}'),
        ("shellies/announce", '{"id":"shellyht-6F3A2B","model":"SHHT-1"}'),
    ],
)
def test_what_else_a_device_says_is_no_reading(topic: str, payload: str) -> None:
    assert decode(topic, payload) == []


def test_the_first_generation_sends_bare_values() -> None:
    assert decode("shellies/shellyht-6F3A2B/sensor/temperature", "22.6") == [
        Sample("temperature", 22.6, None, "shellyht-6F3A2B")
    ]
    assert decode("shellies/shellyht-6F3A2B/sensor/humidity", "48.5") == [
        Sample("humidity", 48.5, None, "shellyht-6F3A2B")
    ]
    assert decode("shellies/shellyht-6F3A2B/sensor/humidity", "null") == []


def test_sensors_of_an_add_on_of_the_first_generation_are_told_apart() -> None:
    found = [
        decode(f"shellies/shelly1-A4CF12/{topic}", payload)
        for topic, payload in (
            ("ext_temperature/0", "47.69"),
            ("ext_temperature/1", "35.75"),
            ("ext_humidity/0", "48.9"),
        )
    ]
    assert found == [
        [Sample("temperature", 47.69, None, "shelly1-A4CF12")],
        [Sample("temperature", 35.75, None, "shelly1-A4CF12", "1")],
        [Sample("humidity", 48.9, None, "shelly1-A4CF12")],
    ]


def test_the_first_generation_sends_the_unit_it_was_set_to() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    [sample] = decode("shellies/shellyht-6F3A2B/sensor/temperature", "70.7", keys)
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


def test_a_device_that_has_lost_its_connection_is_gone() -> None:
    assert decode(f"{HT}/online", "false") == [Gone(HT)]
    assert decode("shellies/shellyht-6F3A2B/online", "false") == [Gone("shellyht-6F3A2B")]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (RPC, "", InvalidReason.EMPTY),
        (RPC, '{"src":', InvalidReason.SYNTAX),
        (RPC, "[]", InvalidReason.SYNTAX),
        (RPC, '{"params":{"ts":"soon","humidity:0":{"rh":42.2}}}', InvalidReason.TIME),
        (RPC, '{"params":{"humidity:0":{"rh":142.2}}}', InvalidReason.OUT_OF_RANGE),
        (RPC, '{"params":{"temperature:0":{"tC":true}}}', InvalidReason.NOT_A_NUMBER),
        (f"{HT}/status/temperature:0", "21.5", InvalidReason.SYNTAX),
        ("shellies/x/sensor/temperature", "999", InvalidReason.OUT_OF_RANGE),
        ("shellies/x/sensor/temperature", "warm", InvalidReason.NOT_A_NUMBER),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    topic: str, payload: str, reason: InvalidReason
) -> None:
    [found] = decode(topic, payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("topic", "availability"),
    [
        ("{device}/events/rpc", "{device}/online"),
        ("home/{site}/{device}/events/rpc", "home/{site}/{device}/online"),
        ("{device}/status/+", "{device}/online"),
        ("{device}/status/temperature:0", "{device}/online"),
        ("shellies/{device}/sensor/+", "shellies/{device}/online"),
        ("shellies/{device}/ext_temperature/0", "shellies/{device}/online"),
        ("shellies/{device}/#", None),
        ("{device}/#", None),
    ],
)
def test_online_stands_beside_the_topics_of_readings(topic: str, availability: str | None) -> None:
    assert shelly_availability(topic) == availability
