from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.json_reading import decode_json
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import ArrivalTime, Doubt, Invalid, InvalidReason, Message

CLIMATE = {"temperature": "temperature", "humidity": "humidity"}


def decode(payload: str | bytes, keys: SensorKeys) -> list[Sample | Invalid]:
    raw = payload.encode() if isinstance(payload, str) else payload
    return decode_json(Message("t", raw, ArrivalTime(1.8e9)), keys)


def reasons(payload: str | bytes, keys: SensorKeys) -> list[InvalidReason]:
    return [found.reason for found in decode(payload, keys) if isinstance(found, Invalid)]


DEVICES = {
    "zigbee2mqtt": (
        (
            '{"battery":91,"humidity":44.72,"temperature":27.34,"linkquality":120,'
            '"last_seen":"2026-11-23T17:06:22.123Z"}'
        ),
        SensorKeys(CLIMATE, "last_seen"),
        (27.34, 44.72, 1795453582.123),
    ),
    "tasmota with a zone": (
        (
            '{"Time":"2026-11-23T18:06:22","BME280":{"Temperature":21.1,"Humidity":58.0,"DewPoint":12.5,'
            '"Pressure":1013.2},"PressureUnit":"hPa","TempUnit":"C"}'
        ),
        SensorKeys(
            {"temperature": "BME280.Temperature", "humidity": "BME280.Humidity"},
            "Time",
            zone=ZoneInfo("Europe/Berlin"),
        ),
        (21.1, 58.0, 1795453582.0),
    ),
    "tasmota without a zone": (
        (
            '{"Time":"2020-03-24T12:47:51","LYWSD03-52680f":{"Temperature":21.1,"Humidity":58.0,'
            '"DewPoint":12.5,"Battery":100},"TempUnit":"C"}'
        ),
        SensorKeys(
            {"temperature": "LYWSD03-52680f.Temperature", "humidity": "LYWSD03-52680f.Humidity"},
            "Time",
        ),
        (21.1, 58.0, None),
    ),
    "shelly": (
        (
            '{"src":"shellyplusht-b8d61a8b17cc","dst":"shellyplusht-b8d61a8b17cc/events",'
            '"method":"NotifyFullStatus","params":{"ts":1680962879.62,"humidity:0":{"id":0,"rh":42.2},'
            '"temperature:0":{"id":0,"tC":19.8,"tF":67.6},'
            '"sys":{"time":null,"unixtime":null,"uptime":3}}}'
        ),
        SensorKeys(
            {"temperature": "params.temperature:0.tC", "humidity": "params.humidity:0.rh"},
            "params.ts",
        ),
        (19.8, 42.2, 1680962879.62),
    ),
    "the things stack": (
        (
            '{"end_device_ids":{"device_id":"dev1"},"received_at":"2026-02-12T15:15:46.012345678Z",'
            '"uplink_message":{"f_port":1,"decoded_payload":{"temperature":1.0,"humidity":64},'
            '"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"time":"2026-02-12T15:15:45.787Z"}],'
            '"received_at":"2026-02-12T15:15:45.801Z"}}'
        ),
        SensorKeys(
            {name: f"uplink_message.decoded_payload.{name}" for name in CLIMATE},
            "uplink_message.rx_metadata.0.time",
        ),
        (1.0, 64.0, 1770909345.787),
    ),
    "chirpstack": (
        (
            '{"time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"deviceName":"Test"},'
            '"fPort":1,"data":"qg==","object":{"temperature":21.5,"humidity":40.0}}'
        ),
        SensorKeys({name: f"object.{name}" for name in CLIMATE}, "time"),
        (21.5, 40.0, 1658136855.775023),
    ),
    "ruuvi": (
        (
            '{"gw_mac":"AA:CC:EE:00:11:22","rssi":-70,"aoa":[],"gwts":1612358920,"ts":1612358929,'
            '"temperature":29.455,"humidity":76.38,"id":"E3:75:CF:37:4E:23","coords":""}'
        ),
        SensorKeys(CLIMATE, "ts"),
        (29.455, 76.38, 1612358929.0),
    ),
    "theengs, humid beyond 100": (
        '{"name":"F35285","id":"F3:52:85:AA:BB:CC","tempc":24.1,"tempf":75.38,"hum":104.7}',
        SensorKeys({"temperature": "tempc", "humidity": "hum"}),
        (24.1, 100.0, None),
    ),
    "openmqttgateway, numbers as text": (
        '{"hum":"52.6","tempc":"19.2","tempf":"66.56"}',
        SensorKeys(
            {"temperature": "tempf", "humidity": "hum"},
            units={"temperature": TemperatureUnit.FAHRENHEIT},
        ),
        (19.2, 52.6, None),
    ),
    "a cloud's telemetry": (
        '{"deviceId":"probe7","ts":1764000000123,"temperature":21.5,"humidity":41}',
        SensorKeys(CLIMATE, "ts"),
        (21.5, 41.0, 1764000000.123),
    ),
    "fractions": (
        '{"temperature":294.65,"humidity":0.41}',
        SensorKeys(
            CLIMATE,
            units={"temperature": TemperatureUnit.KELVIN, "humidity": HumidityUnit.FRACTION},
        ),
        (21.5, 41.0, None),
    ),
}


@pytest.mark.parametrize("device", DEVICES)
def test_what_devices_really_send_is_read(device: str) -> None:
    payload, keys, (temperature, humidity, time) = DEVICES[device]
    warm, humid = decode(payload, keys)
    assert isinstance(warm, Sample)
    assert isinstance(humid, Sample)
    assert (warm.quantity, humid.quantity) == ("temperature", "humidity")
    assert warm.value == pytest.approx(temperature)
    assert humid.value == pytest.approx(humidity)
    assert warm.time == humid.time == (None if time is None else pytest.approx(time, abs=1e-5))


def test_without_paths_the_values_lie_where_most_devices_have_them() -> None:
    both = decode('{"temperature":21.5,"humidity":41,"co2":400}', SensorKeys())
    assert both == [Sample("temperature", 21.5), Sample("humidity", 41.0)]
    assert reasons('{"co2":400}', SensorKeys()) == [InvalidReason.MISSING_FIELD]


def test_a_local_time_without_a_zone_leaves_a_reading_undated_and_in_doubt() -> None:
    [sample] = decode('{"temperature":21.5,"ts":"2026-11-23T18:06:22"}', SensorKeys(time="ts"))
    assert sample == Sample("temperature", 21.5, doubt=Doubt.NO_ZONE)


def test_a_string_in_an_edgex_event_is_a_number_and_nanoseconds_are_a_time() -> None:
    payload = (
        '{"apiVersion":"v3","payload":{"event":{"origin":1755009250244477420,"readings":'
        '[{"origin":1755009250244470000,"valueType":"Float32","value":"2.150000e+01"}]}}}'
    )
    reading = "payload.event.readings.0"
    keys = SensorKeys({"temperature": f"{reading}.value"}, f"{reading}.origin")
    [sample] = decode(payload, keys)
    assert isinstance(sample, Sample)
    assert sample.value == 21.5
    assert sample.time == pytest.approx(1755009250.24447)


@pytest.mark.parametrize("nothing", ["null", '"unknown"', '"unavailable"', '"None"', '"NaN"', '""'])
def test_a_device_without_a_value_gives_no_reading_and_no_error(nothing: str) -> None:
    assert decode(f'{{"temperature":{nothing},"humidity":null}}', SensorKeys(CLIMATE)) == []


@pytest.mark.parametrize("bad", ["true", "NaN", "-Infinity", '"warm"', "[1]", "{}", "1" * 5000])
def test_one_bad_value_does_not_cost_the_good_one_beside_it(bad: str) -> None:
    keys = SensorKeys(CLIMATE)
    expected = InvalidReason.NOT_A_NUMBER
    if bad.startswith("11"):  # not even JSON as far as floats go
        assert reasons(f'{{"temperature":{bad},"humidity":41}}', keys) == [InvalidReason.SYNTAX]
        return
    wrong, good = decode(f'{{"temperature":{bad},"humidity":41}}', keys)
    assert isinstance(wrong, Invalid)
    assert wrong.reason is expected
    assert good == Sample("humidity", 41.0)


def test_a_value_out_of_range_is_refused_alone() -> None:
    assert reasons('{"temperature":850,"humidity":41}', SensorKeys(CLIMATE)) == [
        InvalidReason.OUT_OF_RANGE
    ]


def test_keys_may_come_and_go_but_not_all_be_absent() -> None:
    assert decode('{"humidity":41}', SensorKeys(CLIMATE)) == [Sample("humidity", 41.0)]
    assert reasons('{"battery":91}', SensorKeys(CLIMATE)) == [InvalidReason.MISSING_FIELD]
    assert reasons("21.5", SensorKeys(CLIMATE)) == [InvalidReason.MISSING_FIELD]


@pytest.mark.parametrize("payload", [b"{", b"\xff\xfe{}", b"[" * 100_000, b"{'a':1}", b"nan"])
def test_what_is_not_json_is_a_matter_of_syntax(payload: bytes) -> None:
    assert reasons(payload, SensorKeys(CLIMATE)) == [InvalidReason.SYNTAX]


def test_an_empty_payload_is_empty() -> None:
    assert reasons(b"", SensorKeys(CLIMATE)) == [InvalidReason.EMPTY]


def test_a_time_that_is_none_condemns_the_message_but_an_absent_one_does_not() -> None:
    keys = SensorKeys(CLIMATE, "ts")
    assert reasons('{"temperature":21,"ts":"soon"}', keys) == [InvalidReason.TIME]
    assert decode('{"temperature":21}', keys) == [Sample("temperature", 21.0)]
    assert decode('{"temperature":21,"ts":null}', keys) == [Sample("temperature", 21.0)]
