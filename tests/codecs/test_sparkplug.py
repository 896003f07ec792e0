"""Payloads of edge nodes by the Sparkplug 3.0 specification, and what is made of them."""

from __future__ import annotations

import gzip
import zlib

import pytest
from sparkplug import (
    BOOLEAN,
    DATE_TIME,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    STRING,
    UINT8,
    Host,
    birth,
    death,
    metric,
    payload,
    reasons,
    requests,
    template,
    values,
)

from edge_fusion.codecs.decoder import Decoder, SensorSource
from edge_fusion.codecs.dialect import Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.sparkplug.dialect import Sparkplug
from edge_fusion.codecs.sparkplug.payload_pb2 import Payload
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import (
    ArrivalTime,
    EventTime,
    InvalidReason,
    Message,
    Offline,
    Publication,
    Reading,
)

# Encoded with the schema of Eclipse Tahu, from the JSON that is shown in the specification.
NBIRTH = bytes.fromhex(
    "08eaf2f5a8a02b12120a05626453657118eaf2f5a8a02b2004580012210a144e6f646520436f6e74726f6c2f"
    "5265626972746818eaf2f5a8a02b200b700012250a13436c696d6174652f54656d7065726174757265100118"
    "eaf2f5a8a02b2009650000ac411800"
)
NDATA = bytes.fromhex("088af9f5a8a02b120e100118f4f8f5a8a02b659a99ad411801")
NDEATH = bytes.fromhex("120b0a05626453657120045800")
EVERYTHING = bytes.fromhex(  # a file, a data set, a template with parameters, nested properties
    "08eaf2f5a8a02b12120a05626453657118eaf2f5a8a02b2008580312210a034c6f67100118eaf2f5a8a02b20"
    "12420918032a05612e747874820103616263122f0a055461626c65100218eaf2f5a8a02b20108a011a080112"
    "0b54656d7065726174757265180922070a051d0000803f127f0a0a526f6f6d732f48616c6c100318eaf2f5a8"
    "a02b20139201650a0131123f0a0b54656d706572617475726520094a290a07656e67556e69740a064e657374"
    "65641207080c4203c2b046120d08144a090a01611204080318016566668d42120e0a0848756d696469747920"
    "0350301a070a0170100318012204526f6f6d280018002201782a0179"
)


def test_a_birth_names_what_its_data_only_alias() -> None:
    host = Host()
    assert host.hear("NBIRTH/box1", NBIRTH) == [
        Sample("temperature", 21.5, EventTime(1486144502.122), "box1")
    ]
    assert host.hear("NDATA/box1", NDATA) == [
        Sample("temperature", 21.7, EventTime(1486144502.9), "box1")
    ]


def test_the_death_of_an_edge_node_is_that_of_all_its_devices() -> None:
    host = Host()
    host.hear("NBIRTH/box1", NBIRTH)
    host.hear("DBIRTH/box1/th1", payload(metric("Temperature", 20.0, type_=FLOAT), seq=1))
    host.hear("DBIRTH/box1/th2", payload(metric("Temperature", 20.0, type_=FLOAT), seq=2))
    assert host.hear("NDEATH/box1", NDEATH) == [Gone("box1"), Gone("box1.th1"), Gone("box1.th2")]


def test_what_the_schema_leaves_out_is_passed_over() -> None:
    host = Host()
    warm, humid = host.samples("NBIRTH/box1", EVERYTHING)
    assert warm.value == pytest.approx(21.5)
    assert humid == Sample("humidity", 48.0, EventTime(1486144502.122), "box1")


def test_devices_of_two_edge_nodes_may_have_one_name() -> None:
    host = Host()
    data = payload(metric("Inputs/humidity_rh", 48.0, type_=FLOAT), seq=1)
    (one,) = host.samples("DBIRTH/box1/th", data)
    (two,) = host.samples("DBIRTH/box2/th", data)
    assert (one.device, two.device) == ("box1.th", "box2.th")


def test_a_metric_is_dated_by_itself_else_by_its_payload_else_by_nobody() -> None:
    host = Host()
    own = metric("A/Temperature", 20.0, ms=1486144502900)
    host.hear("NBIRTH/box1", birth())
    dated = host.samples("NDATA/box1", payload(own, metric("A/Humidity", 40.0), ms=1486144503000))
    assert [each.time for each in dated] == [1486144502.9, 1486144503.0]
    (undated,) = host.samples("NDATA/box1", payload(metric("A/Temperature", 20.0)))
    assert undated.time is None
    late = payload(metric("A/Temperature", 20.0, ms=10**17))
    assert reasons(host.hear("NDATA/box1", late)) == [InvalidReason.TIME]


def test_history_counts_by_its_own_time() -> None:
    host = Host()
    host.hear("NBIRTH/box1", NBIRTH)
    old = metric(alias=1, value=19.0, ms=1486140000000)
    old.is_historical = True
    old.is_transient = True
    assert [each.time for each in host.samples("NDATA/box1", payload(old, seq=1))] == [1486140000.0]


@pytest.mark.parametrize(
    ("type_", "sent", "meant"),
    [
        (INT8, -5, -5.0),
        (INT8, 0xFB, -5.0),  # cut to the width of the type by some
        (INT16, 0xFFFB, -5.0),
        (INT32, -5, -5.0),
        (UINT8, 0x7F, 127.0),
        (None, -5, -5.0),
        (FLOAT, 21, 21.0),
    ],
)
def test_negative_integers_are_twos_complement(type_: int | None, sent: int, meant: float) -> None:
    host = Host()
    host.hear("NBIRTH/box1", birth(metric("Temperature", 1, alias=7, type_=type_)))
    found = host.hear("NDATA/box1", payload(metric(alias=7, value=sent), seq=1))
    assert values(found) == [("temperature", meant)]


def test_negative_long_integers_too() -> None:
    host = Host()
    long = Payload.Metric(alias=7, long_value=(1 << 64) - 5)
    for type_ in (4, None):
        host.hear("NBIRTH/box1", birth(metric("Temperature", 1, alias=7, type_=type_)))
        assert values(host.hear("NDATA/box1", payload(long, seq=1))) == [("temperature", -5.0)]


def test_doubles_and_text_that_spells_a_number_are_values() -> None:
    host = Host()
    found = host.hear(
        "NBIRTH/box1",
        birth(
            metric("A/Temperature", 21.25, type_=DOUBLE), metric("A/Humidity", "48.5", type_=STRING)
        ),
    )
    assert values(found) == [("temperature", 21.25), ("humidity", 48.5)]


@pytest.mark.parametrize(
    "silent",
    [
        metric("Temperature", None, type_=FLOAT),
        metric("Temperature", "unavailable", type_=STRING),
        metric("Temperature", True, type_=BOOLEAN),
        metric("Temperature", "DS18B20", type_=STRING),
        metric("Temperature", 20.0, type_=FLOAT, quality=0),
        metric("Temperature", 20.0, type_=FLOAT, quality=500),
        metric("Temperature Setpoint", 80.0, type_=FLOAT),
        metric("Temperature/Unit", "C", type_=STRING),
        metric("Temperature", 5, type_=DATE_TIME),
        metric("T" * 300 + " Temperature", 5, type_=INT32),
    ],
)
def test_null_bad_quality_and_what_is_no_measurement_give_no_reading(
    silent: Payload.Metric,
) -> None:
    host = Host()
    assert host.hear("NBIRTH/box1", birth(silent)) == []
    assert host.hear("NDATA/box1", payload(silent, seq=1)) == []


def test_a_value_of_good_quality_is_one() -> None:
    good = metric("Temperature", 20.0, type_=FLOAT, quality=192)
    assert values(Host().hear("NBIRTH/box1", birth(good))) == [("temperature", 20.0)]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("Celsius", 21.5, 21.5),
        ("°C", 21.5, 21.5),
        ("degF", 70.7, 21.5),
        ("°F", 70.7, 21.5),
        ("K", 294.65, 21.5),
        ("", 21.5, 21.5),
    ],
)
def test_the_unit_of_the_birth_holds_for_the_data(unit: str, value: float, expected: float) -> None:
    host = Host()
    first = metric("Temperature", value, alias=7, type_=DOUBLE, unit=unit)
    later = metric(alias=7, value=value, type_=DOUBLE)
    for topic, data in (("NBIRTH", birth(first)), ("NDATA", payload(later, seq=1))):
        (sample,) = host.samples(f"{topic}/box1", data)
        assert sample.value == pytest.approx(expected)


def test_a_unit_in_latin_1_is_read_too() -> None:
    raw = bytearray(birth(metric("Temperature", 70.7, type_=DOUBLE, unit="~F")))
    raw[raw.index(b"~F")] = 0xB0
    (sample,) = Host().samples("NBIRTH/box1", bytes(raw))
    assert sample.value == pytest.approx(21.5)


def test_what_has_the_unit_of_something_else_is_something_else() -> None:
    absolute = birth(metric("Humidity", 9.4, type_=FLOAT, unit="g/m³"))
    assert reasons(Host().hear("NBIRTH/box1", absolute)) == [InvalidReason.UNIT]
    odd = birth(metric("Temperature", 70.7, type_=DOUBLE, unit="Grad"))
    assert reasons(Host().hear("NBIRTH/box1", odd)) == [InvalidReason.UNIT]
    chosen = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    (sample,) = Host(chosen).samples("NBIRTH/box1", odd)
    assert sample.value == pytest.approx(21.5)


def test_a_value_that_is_none_or_out_of_range_is_refused_alone() -> None:
    found = Host().hear(
        "NBIRTH/box1",
        birth(
            metric("A/Temperature", float("nan"), type_=FLOAT),
            metric("B/Temperature", 850.0, type_=FLOAT),
            metric("C/Temperature", 20.0, type_=FLOAT),
        ),
    )
    assert reasons(found) == [InvalidReason.NOT_A_NUMBER, InvalidReason.OUT_OF_RANGE]
    assert values(found) == [("temperature", 20.0)]


def test_configured_names_of_metrics_are_exact() -> None:
    host = Host(SensorKeys({"temperature": "Inputs/AI 3", "co2": "Air/CO2"}))
    found = host.hear(
        "DBIRTH/box1/plc",
        payload(
            metric("Inputs/AI 3", 20.0, type_=FLOAT),
            metric("Air/CO2", 415, type_=INT32, unit="ppm"),
            metric("Air/Temperature", 99.0, type_=FLOAT),
            seq=1,
        ),
    )
    assert values(found) == [("temperature", 20.0), ("co2", 415.0)]


def test_several_values_of_a_quantity_are_of_parts_that_the_birth_decides() -> None:
    host = Host()
    host.hear(
        "DBIRTH/box1/hall",
        payload(
            metric("Zone1/Temperature", None, alias=1, type_=FLOAT),
            metric("Zone1/Humidity", None, alias=2, type_=FLOAT),
            metric("Zone2/Temperature", None, alias=3, type_=FLOAT),
            seq=1,
        ),
    )
    for alias, part in ((3, "Zone2"), (1, "Zone1"), (2, "Zone1")):
        data = payload(metric(alias=alias, value=20.0))
        (sample,) = host.samples("DDATA/box1/hall", data)
        assert (sample.device, sample.part) == ("box1.hall", part)


def test_members_of_a_template_are_metrics_below_it() -> None:
    host = Host()
    members = (metric("Temperature", 20.0, type_=FLOAT), metric("Humidity", 48, type_=INT32))
    definition = template("_types_/Room", *members)
    definition.template_value.is_definition = True
    hall = template("Rooms/Hall", *members, alias=4)
    attic = template("Rooms/Attic", *members, alias=5)
    found = host.samples("NBIRTH/box1", birth(definition, hall, attic))
    assert [each.part for each in found] == [
        "Rooms/Hall",
        "Rooms/Hall",
        "Rooms/Attic",
        "Rooms/Attic",
    ]
    changed = template(None, metric("Temperature", 25.0), alias=5)
    (sample,) = host.samples("NDATA/box1", payload(changed, seq=1))
    assert (sample.value, sample.part) == (25.0, "Rooms/Attic")


@pytest.mark.parametrize("body", [gzip.compress(NBIRTH), zlib.compress(NBIRTH)])
def test_a_compressed_payload_is_read(body: bytes) -> None:
    algorithm = metric("algorithm", "GZIP", type_=STRING)
    wrapped = Payload(uuid="SPBV1.0_COMPRESSED", body=body, metrics=[algorithm])
    found = Host().hear("NBIRTH/box1", wrapped.SerializeToString())
    assert values(found) == [("temperature", 21.5)]


def test_a_compressed_payload_may_not_come_to_much_more_than_it_seems() -> None:
    for body in (gzip.compress(bytes(50_000_000)), b"not compressed"):
        wrapped = Payload(uuid="SPBV1.0_COMPRESSED", body=body).SerializeToString()
        assert reasons(Host().hear("NBIRTH/box1", wrapped)) == [InvalidReason.SYNTAX]


def test_a_payload_of_half_a_million_metrics_is_refused() -> None:
    assert reasons(Host().hear("NBIRTH/box1", b"\x12\x00" * 500_000)) == [InvalidReason.SYNTAX]


@pytest.mark.parametrize("topic", ["STATE/scada", "Plant/NCMD/box1", "Plant/DCMD/box1/th1"])
def test_what_host_applications_say_is_not_read(topic: str) -> None:
    message = Message(f"spBv1.0/{topic}", b'{"online":true}', ArrivalTime(0))
    assert SENSOR_FORMATS["sparkplug"].make()(message, SensorKeys()) == []


@pytest.mark.parametrize(
    "topic", ["NDATA/box1/th1", "DDATA/box1", "DDATA", "XDATA/box1", "NDATA/" + "x" * 600]
)
def test_what_is_no_topic_of_sparkplug_is_refused(topic: str) -> None:
    assert reasons(Host().hear(topic, NDATA)) == [InvalidReason.TOPIC]


def test_levels_may_come_before_the_namespace() -> None:
    dialect = SENSOR_FORMATS["sparkplug"].make()
    message = Message("bridge/a/spBv1.0/Plant/NDATA/box1", NDATA, ArrivalTime(0))
    *_, request = dialect(message, SensorKeys())
    assert isinstance(request, Publication)
    assert request.topic == "bridge/a/spBv1.0/Plant/NCMD/box1"


@pytest.mark.parametrize("data", [b"21.5", b'{"temperature":21.5}', b"\xff" * 9])
def test_what_is_no_payload_is_a_matter_of_syntax(data: bytes) -> None:
    assert reasons(Host().hear("NDATA/box1", data)) == [InvalidReason.SYNTAX]


def test_a_message_of_nothing_is_empty_but_one_with_a_number_is_counted_in() -> None:
    host = Host()
    assert reasons(host.hear("NDATA/box1", b"")) == [InvalidReason.EMPTY]
    host.hear("NBIRTH/box1", NBIRTH)
    assert host.hear("DBIRTH/box1/bare", payload(seq=1)) == []
    host.now += 10
    assert host.hear("NDATA/box1", payload(metric(alias=1, value=None), seq=2)) == []


def test_more_edge_nodes_than_there_is_room_for_wait_until_others_were_silent_for_a_day() -> None:
    host = Host(dialect=Sparkplug(max_senders=3))
    data = payload(metric("Temperature", 20.0))
    for number in range(3):
        assert values(host.hear(f"NDATA/box{number}", data)) == [("temperature", 20.0)]
    assert reasons(host.hear("NDATA/new", data)) == [InvalidReason.NO_ROOM]
    assert reasons(host.hear("DDATA/box0/new", data)) == [InvalidReason.NO_ROOM]
    host.now += 86_000
    assert values(host.hear("NDATA/box1", data)) == [("temperature", 20.0)]
    host.now += 1_000
    assert values(host.hear("NDATA/new", data)) == [("temperature", 20.0)]
    assert values(host.hear("NDATA/box2", data)) == [("temperature", 20.0)]
    assert reasons(host.hear("NDATA/box0", data)) == [InvalidReason.NO_ROOM]
    assert values(host.hear("NDATA/box1", data)) == [("temperature", 20.0)]


def test_more_metrics_than_there_is_room_for_are_counted_and_no_reason_for_a_rebirth() -> None:
    host = Host(dialect=Sparkplug(max_remembered=100))
    many = [metric(f"T{n}/Pressure", 1, alias=n) for n in range(30)]
    for number in range(3):
        assert host.hear(f"NBIRTH/box{number}", birth(*many)) == []
    climate = metric("Temperature", 20.0, alias=99, type_=FLOAT)
    found = host.hear("NBIRTH/last", birth(*many, climate))
    assert reasons(found) == [InvalidReason.NO_ROOM]
    assert values(found) == [("temperature", 20.0)]
    found = host.hear(
        "NDATA/last", payload(metric(alias=99, value=21.0), metric(alias=29, value=3), seq=1)
    )
    assert values(found) == [("temperature", 21.0)]
    assert reasons(found) == [InvalidReason.NO_ROOM]
    assert requests(found) == []
    host.hear("NDEATH/box0", death())
    assert reasons(host.hear("NBIRTH/last", birth(*many, climate))) == []


def test_a_measurement_without_room_is_not_read_by_half_its_definition() -> None:
    host = Host(dialect=Sparkplug(max_remembered=5))
    hot = metric("B/Temperature", 70.0, alias=2, type_=FLOAT, unit="°F")
    cold = metric("A/Humidity", 40.0, alias=1, type_=FLOAT)
    nameless = metric(alias=3, value=5.0, type_=FLOAT)
    found = host.hear("NBIRTH/box1", birth(cold, hot, nameless))
    assert (len(values(found)), reasons(found)) == (2, [])
    found = host.hear("NBIRTH/box2", birth(hot))
    assert (values(found), reasons(found)) == ([], [InvalidReason.NO_ROOM])
    assert host.hear("NDATA/box2", payload(metric("B/Temperature", 70.0), seq=1)) == []


def decoder(topic: str) -> Decoder:
    return Decoder([SensorSource(TopicPattern.parse(topic), "sparkplug", SensorKeys())], [])


def test_a_group_is_a_site_and_parts_are_devices_of_their_own() -> None:
    source = decoder("spBv1.0/{site}/#")
    zones = payload(
        metric("Zone 1/Temperature", 20.0, type_=FLOAT),
        metric("Zone 2/Temperature", 21.0, type_=FLOAT),
        seq=1,
    )
    at = ArrivalTime(1.8e9)
    found = source.decode(Message("spBv1.0/Plant/DBIRTH/box1/hall", zones, at))
    devices = ["box1.hall.Zone_1", "box1.hall.Zone_2"]
    assert [(each.site, each.device) for each in found if isinstance(each, Reading)] == [
        ("Plant", device) for device in devices
    ]


def test_a_device_named_in_the_topic_is_called_that() -> None:
    source = decoder("spBv1.0/{site}/+/+/{device}")
    at = ArrivalTime(1.8e9)
    data = payload(metric("Temperature", 20.0, type_=FLOAT), seq=1)
    (reading,) = source.decode(Message("spBv1.0/Plant/DBIRTH/box1/hall", data, at))
    assert isinstance(reading, Reading)
    assert reading.device == "hall"
    found = source.decode(Message("spBv1.0/Plant/DDEATH/box1/hall", payload(seq=2), at))
    assert found == [Offline("Plant", "hall", at)]
