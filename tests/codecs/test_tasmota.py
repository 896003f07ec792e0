from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.tasmota import decode_tasmota, tasmota_availability
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, Doubt, EventTime, Invalid, InvalidReason, Message

SENSOR = "tele/cellar/SENSOR"
BERLIN = SensorKeys(zone=ZoneInfo("Europe/Berlin"))
UTC = SensorKeys(zone=ZoneInfo("UTC"))


def decode(
    payload: str, keys: SensorKeys = UTC, topic: str = SENSOR, arrival: float = 1.8e9
) -> list[Finding]:
    return list(decode_tasmota(Message(topic, payload.encode(), ArrivalTime(arrival)), keys))


def sample(payload: str, keys: SensorKeys = UTC, arrival: float = 1.8e9) -> Sample:
    [found] = decode(payload, keys, arrival=arrival)
    assert isinstance(found, Sample)
    return found


def named(found: list[Finding]) -> list[tuple[str | None, str, float]]:
    return [(s.part, s.quantity, s.value) for s in found if isinstance(s, Sample)]


def test_the_chip_is_found_whatever_it_is_called() -> None:
    time = EventTime(1795453582.0)
    assert decode(
        '{"Time":"2026-11-23T18:06:22","BME280":{"Temperature":21.1,"Humidity":58.0,"DewPoint":12.5,'
        '"Pressure":1013.2},"PressureUnit":"hPa","TempUnit":"C"}',
        BERLIN,
    ) == [
        Sample("temperature", 21.1, time, "cellar"),
        Sample("humidity", 58.0, time, "cellar"),
    ]
    for chip in ("AM2301", "SI7021", "SHT3X", "DHT11", "DS18B20"):
        assert sample(f'{{"{chip}":{{"Temperature":21.1}}}}').part is None


@pytest.mark.parametrize(
    ("unit", "value"), [("F", 71.1), ("C", 21.722), ("K", 294.872), ("°C", 21.722)]
)
def test_the_unit_that_a_payload_states_holds_for_all_its_temperatures(
    unit: str, value: float
) -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.KELVIN})
    payload = f'{{"AM2301":{{"Temperature":{value}}},"TempUnit":"{unit}"}}'
    assert sample(payload, keys).value == pytest.approx(21.722, abs=0.001)


def test_without_a_stated_unit_the_configured_one_holds() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    for rest in ("", ',"TempUnit":"?"', ',"TempUnit":null'):
        payload = f'{{"AM2301":{{"Temperature":71.1}}{rest}}}'
        assert sample(payload, keys).value == pytest.approx(21.722, abs=0.001)


def test_a_local_time_is_read_in_the_configured_zone() -> None:
    payload = '{"Time":"2026-11-23T18:06:22","DHT11":{"Temperature":21.1}}'
    assert sample(payload, BERLIN).time == 1795453582.0


def test_a_local_time_without_a_zone_is_not_used_and_that_is_said() -> None:
    payload = '{"Time":"2026-11-23T18:06:22","DHT11":{"Temperature":21.1}}'
    assert decode(payload, SensorKeys()) == [
        Sample("temperature", 21.1, None, "cellar", doubt=Doubt.NO_ZONE)
    ]


@pytest.mark.parametrize(
    "time",
    [
        '"2026-11-23T18:06:22+01:00"',
        '"2026-11-23T17:06:22Z"',
        '"2026-11-23T12:06:22-05:00"',
        "1795453582",
        '"2026-11-23T18:06:22","Epoch":1795453582',
    ],
)
def test_a_time_that_needs_no_zone_is_used_as_it_is(time: str) -> None:
    found = sample(f'{{"Time":{time},"DHT11":{{"Temperature":21.1}}}}', SensorKeys())
    assert (found.time, found.doubt) == (1795453582.0, None)


@pytest.mark.parametrize("truth", [1792888200.0, 1792891800.0])
def test_an_hour_that_comes_twice_is_the_one_nearest_to_arrival(truth: float) -> None:
    """02:30 on the night when Berlin's clocks are set back is 00:30 UTC and 01:30 UTC."""
    payload = '{"Time":"2026-10-25T02:30:00","DHT11":{"Temperature":21.1}}'
    assert sample(payload, BERLIN, arrival=truth + 2).time == truth


def test_a_time_before_ntp_is_passed_on_for_the_clock_to_judge() -> None:
    payload = '{"Time":"1970-01-01T00:00:12","DHT11":{"Temperature":21.1}}'
    assert sample(payload).time == 12.0


def test_a_time_is_used_whatever_else_is_odd() -> None:
    found = decode(
        '{"Time":"2026-11-23T17:06:22","Wifi":[],"DHT11":{"Temperature":"?"},'
        '"SI7021":{"Temperature":21.1,"Humidity":null}}'
    )
    assert [f.reason for f in found if isinstance(f, Invalid)] == [InvalidReason.NOT_A_NUMBER]
    assert [f.time for f in found if isinstance(f, Sample)] == [1795453582.0]


def test_several_chips_are_parts() -> None:
    found = decode(
        '{"Time":"2022-07-29T22:30:18","SI7021":{"Temperature":24.2,"Humidity":59.4,"DewPoint":15.8},'
        '"BMP280":{"Temperature":23.1,"Pressure":709.1},"CCS811":{"eCO2":5170,"TVOC":7486},'
        '"ESP32":{"Temperature":41.1},"PressureUnit":"hPa","TempUnit":"C"}'
    )
    assert named(found) == [
        ("SI7021", "temperature", 24.2),
        ("SI7021", "humidity", 59.4),
        ("BMP280", "temperature", 23.1),
    ]


def test_a_chip_that_measures_nothing_of_ours_makes_no_parts_of_the_other() -> None:
    found = decode('{"AM2301":{"Temperature":21.1},"BH1750":{"Illuminance":12},"Switch1":"ON"}')
    assert named(found) == [(None, "temperature", 21.1)]


def test_a_chip_that_fails_stays_a_chip_so_that_the_other_keeps_its_name() -> None:
    found = decode('{"AM2301":{"Temperature":null,"Humidity":null},"SI7021":{"Temperature":21.1}}')
    assert named(found) == [("SI7021", "temperature", 21.1)]


@pytest.mark.parametrize("chip", ["LYWSD03-52680f", "DS18B20-1", "AM2301-04", "DS18B20_2"])
def test_a_chip_with_an_index_is_a_part_even_where_it_is_alone(chip: str) -> None:
    found = decode(
        f'{{"Time":"2020-03-24T12:47:51","{chip}":{{"Temperature":21.1,"Humidity":58.0,'
        '"DewPoint":12.5,"Battery":100},"TempUnit":"C"}'
    )
    assert named(found) == [(chip, "temperature", 21.1), (chip, "humidity", 58.0)]


def test_values_with_an_index_are_parts_too() -> None:
    found = decode(
        '{"Time":"2022-12-03T13:16:26","ANALOG":{"Temperature1":27.4,"Temperature2":-3.2},'
        '"ESP32":{"Temperature":37.8},"TempUnit":"C"}'
    )
    assert named(found) == [("ANALOG-1", "temperature", 27.4), ("ANALOG-2", "temperature", -3.2)]


def test_devices_of_a_zigbee_bridge_are_parts() -> None:
    for payload, value in (
        ('{"Device":"0x329F","Humidity":69.45,"Endpoint":1,"LinkQuality":92}', 69.45),
        ('{"Device":"0x329F","Temperature":27.89,"Endpoint":1,"LinkQuality":94}', 27.89),
    ):
        [(part, _, found)] = named(decode(f'{{"ZbReceived":{{"0x329F":{payload}}}}}'))
        assert (part, found) == ("0x329F", value)


def test_the_temperature_of_the_processor_is_no_reading() -> None:
    assert (
        decode('{"Time":"2021-01-01T00:00:00","ESP32":{"Temperature":41.7},"TempUnit":"C"}') == []
    )


def test_numbers_as_text_are_read_as_old_versions_send_them() -> None:
    payload = '{"Time":"2017-02-11T18:06:05","DHT":{"Temperature":"21.8","Humidity":"48.0"}}'
    assert named(decode(payload)) == [(None, "temperature", 21.8), (None, "humidity", 48.0)]


def test_a_status_that_was_asked_for_is_telemetry_too() -> None:
    payload = (
        '{"StatusSNS":{"Time":"2018-12-03T13:48:08","SI7021":{"Temperature":17.7,"Humidity":51.2},'
        '"TempUnit":"C"}}'
    )
    time = EventTime(1543844888.0)
    for topic in ("stat/cellar/STATUS8", "stat/cellar/STATUS10"):
        assert decode(payload, UTC, topic) == [
            Sample("temperature", 17.7, time, "cellar"),
            Sample("humidity", 51.2, time, "cellar"),
        ]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("tele/plug/STATE", '{"Time":"2026-11-23T11:00:00","Uptime":"0T01","Wifi":{"RSSI":42}}'),
        ("tele/plug/INFO1", '{"Info1":{"Module":"Generic","Version":"13.1.0"}}'),
        ("tele/plug/SENSOR", '{"Time":"soon","ENERGY":{"Total":0.4,"Power":17}}'),
        ("tele/plug/LWT", "Online"),
        ("tele/plug/LWT", ""),
    ],
)
def test_what_else_is_on_telemetry_topics_is_no_reading(topic: str, payload: str) -> None:
    assert decode(payload, topic=topic) == []


def test_a_device_whose_last_will_is_out_is_gone_under_the_name_of_its_readings() -> None:
    assert decode("Offline", topic="tele/cellar/LWT") == [Gone("cellar")]
    assert decode("Offline", topic="cellar/tele/LWT") == [Gone("cellar")]
    [reading] = decode('{"DHT11":{"Temperature":21.1}}', topic="cellar/tele/SENSOR")
    assert isinstance(reading, Sample)
    assert reading.device == "cellar"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", InvalidReason.EMPTY),
        ('{"Time":', InvalidReason.SYNTAX),
        ("[]", InvalidReason.SYNTAX),
        ('{"Time":"soon","DHT11":{"Temperature":21.1}}', InvalidReason.TIME),
        ('{"DHT11":{"Temperature":850}}', InvalidReason.OUT_OF_RANGE),
        ('{"DHT11":{"Temperature":{}}}', InvalidReason.NOT_A_NUMBER),
    ],
)
def test_anything_else_is_refused_with_its_reason(payload: str, reason: InvalidReason) -> None:
    [found] = decode(payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("topic", "availability"),
    [
        ("tele/{device}/SENSOR", "tele/{device}/LWT"),
        ("{site}/{device}/tele/SENSOR", "{site}/{device}/tele/LWT"),
        ("stat/{device}/STATUS8", "tele/{device}/LWT"),
        ("stat/{device}/STATUS10", "tele/{device}/LWT"),
        ("tele/#", None),
        ("tele/{device}/+", None),
        ("SENSOR", None),
    ],
)
def test_the_last_will_stands_beside_the_telemetry(topic: str, availability: str | None) -> None:
    assert tasmota_availability(topic) == availability
