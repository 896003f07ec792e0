"""The packs whose names say so are the examples of RFC 8428, sections 5.1 and 6, to the letter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.decoder import Decoded, Decoder, SensorSource
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.senml import decode_senml
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import (
    ArrivalTime,
    EventTime,
    Invalid,
    InvalidReason,
    Message,
    Reading,
    TimeSource,
)

NOW = ArrivalTime(1795428000.0)
NO_KEYS = SensorKeys()
OW = "10e2073a01080063"

SINGLE_DATAPOINT = '[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]'
MULTIPLE_DATAPOINTS = """[
  {"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
  {"n":"current","u":"A","v":1.2}
]"""
MULTIPLE_DATAPOINTS_IN_TIME = """[
  {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,
   "bu":"A","bver":5,
   "n":"voltage","u":"V","v":120.1},
  {"n":"current","t":-5,"v":1.2},
  {"n":"current","t":-4,"v":1.3},
  {"n":"current","t":-3,"v":1.4},
  {"n":"current","t":-2,"v":1.5},
  {"n":"current","t":-1,"v":1.6},
  {"n":"current","v":1.7}
]"""
MULTIPLE_MEASUREMENTS = """[
  {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,
   "bu":"%RH","v":20},
  {"u":"lon","v":24.30621},
  {"u":"lat","v":60.07965},
  {"t":60,"v":20.3},
  {"u":"lon","t":60,"v":24.30622},
  {"u":"lat","t":60,"v":60.07965},
  {"t":120,"v":20.7},
  {"u":"lon","t":120,"v":24.30623},
  {"u":"lat","t":120,"v":60.07966},
  {"u":"%EL","t":150,"v":98},
  {"t":180,"v":21.2},
  {"u":"lon","t":180,"v":24.30628},
  {"u":"lat","t":180,"v":60.07967}
]"""
RESOLVED_DATA = """[
  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067464e+09,"v":20},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067464e+09,"v":24.30621},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067464e+09,"v":60.07965},
  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067524e+09,"v":20.3},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067524e+09,"v":24.30622},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067524e+09,"v":60.07965},
  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067584e+09,"v":20.7},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067584e+09,"v":24.30623},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067584e+09,"v":60.07966},
  {"n":"urn:dev:ow:10e2073a01080063","u":"%EL","t":1.320067614e+09,"v":98},
  {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067644e+09,"v":21.2},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067644e+09,"v":24.30628},
  {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067644e+09,"v":60.07967}
]"""
MULTIPLE_DATA_TYPES = """[
  {"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
  {"n":"label","vs":"Machine Room"},
  {"n":"open","vb":false},
  {"n":"nfc-reader","vd":"aGkgCg"}
]"""
COLLECTION_OF_RESOURCES = """[
  {"bn":"2001:db8::2/","bt":1.320078429e+09,
   "n":"temperature","u":"Cel","v":25.2},
  {"n":"humidity","u":"%RH","v":30},
  {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},
  {"n":"humidity","u":"%RH","v":67}
]"""
SETTING_AN_ACTUATOR = """[
  {"bn":"urn:dev:ow:10e2073a01080063:"},
  {"n":"temp","u":"Cel","v":23.1},
  {"n":"heat","u":"/","v":1},
  {"n":"fan","u":"/","v":0}
]"""
SETTING_LIGHTS = """[
  {"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},
  {"n":"2001:db8::4","v":0.5},
  {"n":"2001:db8::3","t":0.1,"v":0},
  {"n":"2001:db8::4","t":0.1,"v":0}
]"""
CBOR_EXAMPLE = bytes.fromhex(
    "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120"
    "050067766f6c7461676501615602fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3"
    "006763757272656e74062302fb3ff4cccccccccccda3006763757272656e74062202fb3ff6666666666666a30067"
    "63757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999999aa3006763757272656e7406"
    "0002fb3ffb333333333333"
)


def decode(payload: str | bytes, keys: SensorKeys = NO_KEYS) -> list[Sample | Invalid]:
    raw = payload.encode() if isinstance(payload, str) else payload
    return decode_senml(Message("site/senml", raw, NOW), keys)


def values(found: Sequence[Sample | Invalid]) -> list[tuple[str, float]]:
    return [(each.quantity, each.value) for each in found if isinstance(each, Sample)]


def reasons(found: Sequence[Sample | Invalid | Decoded]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def test_a_single_datapoint_is_of_now_and_of_the_device_in_its_name() -> None:
    assert decode(SINGLE_DATAPOINT) == [Sample("temperature", 23.1, device=OW)]


@pytest.mark.parametrize("pack", [MULTIPLE_DATAPOINTS, MULTIPLE_DATAPOINTS_IN_TIME, CBOR_EXAMPLE])
def test_multiple_datapoints_of_other_quantities_are_not_read_unasked(pack: str | bytes) -> None:
    assert reasons(decode(pack)) == [InvalidReason.MISSING_FIELD]


@pytest.mark.parametrize("pack", [MULTIPLE_DATAPOINTS_IN_TIME, CBOR_EXAMPLE])
def test_multiple_datapoints_have_times_that_add_up_in_json_and_in_cbor(pack: str | bytes) -> None:
    found = decode(pack, SensorKeys({"current": "current", "voltage": "voltage"}))
    assert reasons(found) == []
    samples = [each for each in found if isinstance(each, Sample)]
    assert [(each.quantity, each.value) for each in samples] == [
        ("voltage", 120.1),
        *(("current", value) for value in (1.2, 1.3, 1.4, 1.5, 1.6, 1.7)),
    ]
    assert [each.time for each in samples] == [
        pytest.approx(1276020076.001 + offset) for offset in (0, -5, -4, -3, -2, -1, 0)
    ]
    assert {each.device for each in samples} == {"10e2073a0108006"}


@pytest.mark.parametrize("pack", [MULTIPLE_MEASUREMENTS, RESOLVED_DATA])
def test_multiple_measurements_take_the_base_unit_unless_they_have_one(pack: str) -> None:
    assert decode(pack) == [
        Sample("humidity", 20.0, EventTime(1320067464.0), OW),
        Sample("humidity", 20.3, EventTime(1320067524.0), OW),
        Sample("humidity", 20.7, EventTime(1320067584.0), OW),
        Sample("humidity", 21.2, EventTime(1320067644.0), OW),
    ]


def test_of_multiple_data_types_only_numbers_are_readings() -> None:
    assert decode(MULTIPLE_DATA_TYPES) == [Sample("temperature", 23.1, device=OW)]


def test_a_collection_of_resources_names_each_device_and_dates_all() -> None:
    """The last record has the base name of the third, but the base time of the first."""
    time = EventTime(1320078429.0)
    assert decode(COLLECTION_OF_RESOURCES) == [
        Sample("temperature", 25.2, time, "2001:db8::2"),
        Sample("humidity", 30.0, time, "2001:db8::2"),
        Sample("temperature", 12.3, time, "2001:db8::1"),
        Sample("humidity", 67.0, time, "2001:db8::1"),
    ]


def test_setting_an_actuator_is_no_measurement() -> None:
    assert decode(SETTING_AN_ACTUATOR) == [Sample("temperature", 23.1, device=OW)]
    assert reasons(decode(SETTING_LIGHTS)) == [InvalidReason.MISSING_FIELD]


def test_a_device_with_a_clock() -> None:
    pack = (
        '[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1320067464,"n":"humidity","u":"%RH","v":21.2},'
        '{"n":"temperature","u":"Cel","v":23.1,"t":10}]'
    )
    assert decode(pack) == [
        Sample("humidity", 21.2, EventTime(1320067464.0), OW),
        Sample("temperature", 23.1, EventTime(1320067474.0), OW),
    ]


def test_a_device_without_a_clock_says_how_long_ago() -> None:
    pack = (
        '[{"bn":"urn:dev:mac:0024befffe804ff1/","n":"temperature","u":"Cel","v":23.1,"t":-5},'
        '{"n":"temperature","u":"Cel","v":23.2}]'
    )
    assert decode(pack) == [
        Sample("temperature", 23.1, device="0024befffe804ff1", age=5.0),
        Sample("temperature", 23.2, device="0024befffe804ff1"),
    ]


def test_what_is_base_holds_until_it_is_replaced() -> None:
    pack = """[
      {"bn":"a:","bu":"Cel","bv":20,"bt":1795428000,"n":"temp","v":1.5},
      {"n":"temp","v":1.6,"t":1},
      {"bv":30,"n":"temp","v":1.7,"t":2},
      {"bn":"b:","bt":1795429000,"bu":"K","bv":0,"n":"temp","v":293.15},
      {"n":"temp","u":"Cel","v":3}
    ]"""
    assert decode(pack) == [
        Sample("temperature", 21.5, EventTime(1795428000.0), "a"),
        Sample("temperature", 21.6, EventTime(1795428001.0), "a"),
        Sample("temperature", 31.7, EventTime(1795428002.0), "a"),
        Sample("temperature", 20.0, EventTime(1795429000.0), "b"),
        Sample("temperature", 3.0, EventTime(1795429000.0), "b"),
    ]


@pytest.mark.parametrize(
    "record",
    ['"s":57.2', '"vs":"23.1"', '"vb":true', '"vd":"aGkgCg"', '"bv":20', '"v":null', '"v":"NaN"'],
)
def test_sums_and_other_kinds_of_value_are_no_readings(record: str) -> None:
    assert decode(f'[{{"n":"temperature","u":"Cel",{record}}}]') == []
    assert decode("[]") == []


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('"n":"x","u":"Cel","v":21.5', ("temperature", 21.5)),
        ('"n":"x","u":"K","v":294.65', ("temperature", 21.5)),
        ('"n":"x","u":"degF","v":70.7', ("temperature", 21.5)),
        ('"n":"x","u":"%RH","v":48', ("humidity", 48.0)),
        ('"n":"temperature","v":21.5', ("temperature", 21.5)),
        ('"n":"10e2/Temp","u":"C","v":21.5', ("temperature", 21.5)),
        ('"n":"outdoor-temp","u":"F","v":70.7', ("temperature", 21.5)),
        ('"n":"humidity","v":48', ("humidity", 48.0)),
        ('"n":"humidity","u":"/","v":0.48', ("humidity", 48.0)),
        ('"n":"humidity","u":"/100","v":48', ("humidity", 48.0)),
        ('"n":"humidity","u":"%","v":48', ("humidity", 48.0)),
        ('"n":"humidity","u":"%","v":0.48', ("humidity", 48.0)),
        ('"n":"a:relative_humidity","u":"%RH","v":104.7', ("humidity", 104.7)),
        ('"n":"temperature","u":"Cel","v":"21.5"', ("temperature", 21.5)),
    ],
)
def test_the_quantity_is_told_by_the_unit_else_by_the_name(
    record: str, expected: tuple[str, float]
) -> None:
    [(quantity, value)] = values(decode(f"[{{{record}}}]"))
    assert quantity == expected[0]
    assert value == pytest.approx(expected[1])


@pytest.mark.parametrize(
    "record",
    [
        '"n":"temperature","u":"V","v":0.7',
        '"n":"temperature","u":"%RH_","v":0.7',
        '"n":"charge","u":"C","v":21',
        '"n":"cpu_temp","v":61',
        '"n":"co2","u":"ppm","v":415',
        '"n":"humidity","u":"Cal","v":1',
        '"u":"lon","v":24.3',
    ],
)
def test_what_is_neither_by_unit_nor_by_name_is_not_read(record: str) -> None:
    assert reasons(decode(f"[{{{record}}}]")) == [InvalidReason.MISSING_FIELD]


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("urn:dev:ow:10e2073a01080063:temperature", OW),
        ("urn:dev:ow:10e2073a01080063_temperature", OW),
        ("urn:dev:ow:10e2073a01080063/air/temperature", OW),
        ("urn:dev:ow:10e2073a01080063:t", OW),
        ("URN:DEV:MAC:0024befffe804ff1", "0024befffe804ff1"),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("urn:dev:os:32473-123456/outdoor", "32473-123456/outdoor"),
        ("sensor1_temp", "sensor1"),
        ("temperature_2", "temperature_2"),
        ("temperature", None),
        ("", None),
        ("x" * 200 + ":temp", "x" * 200),
    ],
)
def test_the_device_is_the_name_without_the_quantity(name: str, device: str | None) -> None:
    assert decode(f'[{{"n":"{name}","u":"Cel","v":21.5}}]') == [
        Sample("temperature", 21.5, device=device)
    ]


def test_configured_names_are_ends_of_names_and_no_others_are_read() -> None:
    keys = SensorKeys(
        {"temperature": "outdoor", "co2": "air/co2"},
        units={"temperature": TemperatureUnit.FAHRENHEIT, "humidity": HumidityUnit.PERCENT},
    )
    pack = """[
      {"bn":"urn:dev:ow:10e2073a01080063:","n":"outdoor","v":70.7},
      {"n":"outdoor","u":"Cel","v":21.5},
      {"n":"frontdoor/outdoor2","v":1},
      {"n":"notoutdoor","v":2},
      {"n":"air/co2","u":"ppm","v":415},
      {"n":"humidity","u":"%RH","v":48}
    ]"""
    found = decode(pack, keys)
    assert values(found) == [
        ("temperature", pytest.approx(21.5)),
        ("temperature", 21.5),
        ("co2", 415.0),
    ]
    assert {each.device for each in found if isinstance(each, Sample)} == {OW}
    assert reasons(decode(SINGLE_DATAPOINT, keys)) == [InvalidReason.MISSING_FIELD]


@pytest.mark.parametrize(
    "time", ["0.1", "60", "268435455", "-1e30", '"soon"', "true", "[]", "1e30"]
)
def test_a_time_that_no_measurement_has_is_refused_alone(time: str) -> None:
    """Relative times may lie ahead for what is to be set, never for what was measured."""
    pack = f'[{{"n":"a:temp","u":"Cel","v":1,"t":{time}}},{{"n":"a:temp","u":"Cel","v":2}}]'
    bad, good = decode(pack)
    assert reasons([bad]) == [InvalidReason.TIME]
    assert good == Sample("temperature", 2.0, device="a")


def test_times_are_relative_below_2_to_the_28th() -> None:
    [sample] = decode('[{"n":"a","u":"Cel","v":1,"bt":268435455,"t":1}]')
    assert isinstance(sample, Sample)
    assert sample.time == 268435456.0


@pytest.mark.parametrize("value", ["true", "[1]", "{}", '"warm"', "Infinity"])
def test_a_value_that_is_none_does_not_cost_the_good_one(value: str) -> None:
    pack = f'[{{"bn":"a:","n":"temp","u":"Cel","v":{value}}},{{"n":"temp","u":"Cel","v":2}}]'
    bad, good = decode(pack)
    assert reasons([bad]) == [InvalidReason.NOT_A_NUMBER]
    assert good == Sample("temperature", 2.0, device="a")


def test_a_value_out_of_range_is_refused_with_its_base() -> None:
    assert reasons(decode('[{"n":"t","u":"Cel","bv":140,"v":20}]')) == [InvalidReason.OUT_OF_RANGE]
    assert reasons(decode('[{"n":"t","u":"Cel","bv":"x","v":20}]')) == [InvalidReason.NOT_A_NUMBER]


@pytest.mark.parametrize(
    "pack",
    [
        *["{", "nan", "21.5", '{"n":"temperature","u":"Cel","v":21}', "[1]", '["a"]', "[[]]"],
        *['[{"n":5,"u":"Cel","v":21}]', '[{"bn":null,"n":"t","v":1}]', '[{"u":["Cel"],"v":1}]'],
        *['[{"n":"t","v":1,"mtu_":2}]', '[{"bver":64,"n":"t","u":"Cel","v":1}]'],
        *['[{"bver":"5","n":"t","v":1}]', f'[{{"bn":"{"x" * 300}","v":1}}]'],
        b"\xff\xfe[",
    ],
)
def test_a_pack_that_is_not_understood_is_refused_as_a_whole(pack: str | bytes) -> None:
    assert reasons(decode(pack)) == [InvalidReason.SYNTAX]


def test_an_empty_payload_is_empty() -> None:
    assert reasons(decode(b"")) == [InvalidReason.EMPTY]


@pytest.mark.parametrize("version", [5, 10, 26])
def test_versions_up_to_the_secondary_units_are_known(version: int) -> None:
    assert values(decode(f'[{{"bver":{version},"n":"t","u":"Cel","v":1}}]')) == [("temperature", 1)]


@pytest.mark.parametrize("prefix", [b"", b"\xd9\xd9\xf7"])
@pytest.mark.parametrize("indefinite", [False, True])
def test_cbor_is_told_apart_by_its_first_byte(prefix: bytes, *, indefinite: bool) -> None:
    pack = [{-2: "urn:dev:ow:10e2073a01080063:", -3: 1795428000, 0: "temp", 1: "Cel", 2: 21}]
    payload = prefix + cbor2.dumps(pack, indefinite_containers=indefinite)
    assert decode(payload) == [Sample("temperature", 21.0, EventTime(1795428000.0), OW)]


def test_json_may_begin_with_blanks_or_a_byte_order_mark() -> None:
    for start in (b" \n", b"\xef\xbb\xbf"):
        assert values(decode(start + SINGLE_DATAPOINT.encode())) == [("temperature", 23.1)]


def test_a_decimal_fraction_is_a_number() -> None:
    payload = bytes.fromhex("81a3006174016343656c02c48220") + b"\x18\xd7"  # 215 * 10^-1
    assert values(decode(payload)) == [("temperature", 21.5)]


@pytest.mark.parametrize(
    "payload",
    [
        b"\x81" * 100_000,
        b"\x9f" * 100_000,
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\xbb\x00\x00\x01\x00\x00\x00\x00\x00",
        b"\x81\xa1\x00\x7b\x00\x00\x01\x00\x00\x00\x00\x00",
        b"\x81\xd8\x1c\x81\xd8\x1d\x00",
        b"\x81\xd8\x23\x61(",
        b"\x81\xd8\x1e\x82\x01\x00",
        b"\x81\xa1\x81\x01\xff",
        b"\xff",
        b"\xf6",
        b"\xa1\x02\x15",
    ],
)
def test_bombs_and_oddities_in_cbor_end_in_a_reason(payload: bytes) -> None:
    assert reasons(decode(payload)) == [InvalidReason.SYNTAX]


def test_a_pack_of_more_records_than_a_device_has_is_refused() -> None:
    pack = "[" + ",".join(['{"v":1}'] * 100_000) + "]"
    assert reasons(decode(pack)) == [InvalidReason.TOO_LARGE]


def decoder(topic: str) -> Decoder:
    return Decoder([SensorSource(TopicPattern.parse(topic), "senml", NO_KEYS)], [])


def names(found: Sequence[Decoded]) -> list[str]:
    return [each.device for each in found if isinstance(each, Reading)]


def test_names_in_the_pack_count_where_the_topic_has_none() -> None:
    found = decoder("+/senml").decode(Message("site/senml", SINGLE_DATAPOINT.encode(), NOW))
    assert names(found) == [OW]
    found = decoder("{site}/{device}").decode(Message("site/th1", SINGLE_DATAPOINT.encode(), NOW))
    assert names(found) == ["th1"]


def test_a_gateway_that_the_topic_names_keeps_its_devices_apart() -> None:
    """Else one device's temperature would be taken for a second copy of the other's."""
    message = Message("hall/gw", COLLECTION_OF_RESOURCES.encode(), NOW)
    assert names(decoder("{site}/{device}").decode(message)) == [
        *["gw.2001_db8__2"] * 2,
        *["gw.2001_db8__1"] * 2,
    ]
    assert names(decoder("+/+").decode(message)) == ["2001_db8__2"] * 2 + ["2001_db8__1"] * 2


def test_an_age_counts_back_from_the_arrival_and_makes_no_clock() -> None:
    pack = b'[{"n":"temperature","u":"Cel","v":23.1,"t":-5}]'
    [found] = decoder("{site}/{device}").decode(Message("hall/th1", pack, NOW))
    assert found == Reading(
        "hall", "th1", "temperature", 23.1, EventTime(NOW - 5), NOW, TimeSource.ARRIVAL
    )


def test_an_age_counts_back_from_the_time_of_the_message_if_that_has_one() -> None:
    pack = b'[{"n":"temperature","u":"Cel","v":23.1,"t":-5}]'
    message = Message("hall/th1", pack, NOW, properties={"time": "1795427990"})
    [found] = decoder("{site}/{device}").decode(message)
    assert isinstance(found, Reading)
    assert (found.time, found.time_source) == (1795427985.0, TimeSource.DEVICE)


def test_an_age_in_a_retained_message_is_no_time() -> None:
    pack = b'[{"n":"temperature","u":"Cel","v":23.1,"t":-5}]'
    found = decoder("{site}/{device}").decode(Message("hall/th1", pack, NOW, retained=True))
    assert reasons(found) == [InvalidReason.RETAINED]


LABELS = st.integers(-7, 9) | st.text(max_size=3) | st.binary(max_size=3) | st.floats()
ATOMS = st.one_of(
    *[st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals()],
    *[st.fractions(), st.sampled_from(["Cel", "%RH", "/", "a:temp", 2**28, 1795428000, 2**80])],
)
VALUES = ATOMS | st.lists(ATOMS, max_size=3)


@given(st.lists(st.dictionaries(LABELS, VALUES, max_size=8), max_size=5))
def test_any_cbor_ends_in_samples_or_reasons(pack: object) -> None:
    check(decode(cbor2.dumps(pack)))


@given(st.sampled_from([b"\x81", b"\x9f", b"\x81\xa2\x01\x63Cel\x02"]), st.binary())
def test_any_bytes_that_begin_as_cbor_end_in_samples_or_reasons(start: bytes, rest: bytes) -> None:
    check(decode(start + rest))


def check(found: Sequence[Sample | Invalid]) -> None:
    for each in found:
        if isinstance(each, Sample):
            assert math.isfinite(each.value)
            assert 0 <= each.age <= NOW
        else:
            assert each.detail.isprintable()
