from __future__ import annotations

import pytest

from edge_fusion.codecs.decoder import Decoded, Decoder, SensorSource
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.theengs import decode_theengs
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import ArrivalTime, Duplicate, Invalid, InvalidReason, Message, Reading

GATEWAY = "home/TheengsGateway/BTtoMQTT/F35285AABBCC"
MIJIA = (
    '{"id":"A4:C1:38:0A:0B:0C","name":"ATC_0A0B0C","model":"LYWSD03MMC","tempc":21.4,'
    '"tempf":70.5,"hum":48.2,"batt":95,"rssi":-70}'
)


def decode(payload: str, topic: str = GATEWAY) -> list[Sample | Invalid]:
    return decode_theengs(Message(topic, payload.encode(), ArrivalTime(1.8e9)), SensorKeys())


def test_an_advertisement_of_a_thermometer_is_read_in_celsius() -> None:
    assert decode(MIJIA) == [
        Sample("temperature", 21.4, device="A4C1380A0B0C"),
        Sample("humidity", 48.2, device="A4C1380A0B0C"),
    ]


def test_numbers_as_text_are_numbers_and_the_topic_names_who_does_not() -> None:
    """Older OpenMQTTGateways send everything as text."""
    payload = '{"hum":"52.6","tempc":"19.2","tempf":"66.56"}'
    assert decode(payload, "home/OpenMQTTGateway/BTtoMQTT/4C33A6603C79") == [
        Sample("temperature", 19.2, device="4C33A6603C79"),
        Sample("humidity", 52.6, device="4C33A6603C79"),
    ]


def test_a_humidity_a_little_above_100_is_for_the_decoder_to_clip() -> None:
    payload = (
        '{"name":"F35285","id":"F3:52:85:AA:BB:CC","rssi":-82,"brand":"BlueMaestro",'
        '"model_id":"BM_V23","tempc":24.1,"tempf":75.38,"hum":104.7}'
    )
    _, humid = decode(payload)
    assert isinstance(humid, Sample)
    assert humid.value == 104.7


def test_one_advertisement_may_hold_one_quantity_only() -> None:
    [humid] = decode('{"id":"A4:C1:38:0A:0B:0C","hum":48.2}')
    assert isinstance(humid, Sample)
    assert humid.quantity == "humidity"


def test_fahrenheit_alone_is_converted() -> None:
    [warm] = decode('{"id":"A4:C1:38:0A:0B:0C","tempf":70.7}')
    assert isinstance(warm, Sample)
    assert warm.value == pytest.approx(21.5)


@pytest.mark.parametrize(
    "payload",
    [
        '{"id":"5F:11:22:33:44:55","mac_type":1,"name":"phone","rssi":-61}',
        '{"id":"C1:02:03:04:05:06","model":"Tile","type":"TRACK","tracker":true,"rssi":-80}',
        '{"id":"A4:C1:38:0A:0B:0C","servicedata":"a4c1380a0b0c00d6","rssi":-70}',
        '{"id":"80:EA:CA:11:22:33","type":"TIRE","tempc":31.0,"pressurebar":2.3}',
        '{"model":"Toyota","type":"TPMS","id":"f7bc23a1","temperature_C":28,"pressure_kPa":250}',
        '{"id":"A4:C1:38:0A:0B:0C","tempc":null,"hum":"unavailable"}',
        "{}",
    ],
)
def test_phones_trackers_and_tyres_are_no_readings(payload: str) -> None:
    assert decode(payload) == []


def test_the_gateways_own_temperature_is_not_the_rooms() -> None:
    payload = '{"uptime":3662,"version":"v1.8.1","tempc":48.3,"freemem":112524}'
    assert decode(payload, "home/OpenMQTTGateway/SYStoMQTT") == []


def test_a_433_mhz_sensor_goes_by_model_channel_and_number() -> None:
    payload = (
        '{"model":"LaCrosse-TX141Bv3","id":182,"channel":1,"battery_ok":1,"temperature_C":21.4,'
        '"humidity":45,"test":"No","mic":"CRC","protocol":"LaCrosse TX141TH-Bv2","rssi":-60}'
    )
    device = "LaCrosse-TX141Bv3.1.182"
    assert decode(payload, "home/OMG_lilygo/RTL_433toMQTT/LaCrosse-TX141Bv3/1/182") == [
        Sample("temperature", 21.4, device=device),
        Sample("humidity", 45.0, device=device),
    ]


def test_a_lora_sensor_goes_by_its_number() -> None:
    payload = '{"rssi":-95,"snr":9.75,"model":"ESP32TEMP","id":"7C9EBD","tempc":21.4}'
    [warm] = decode(payload, "home/OMG_LORA/LORAtoMQTT/7C9EBD")
    assert isinstance(warm, Sample)
    assert warm.device == "ESP32TEMP.7C9EBD"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", InvalidReason.EMPTY),
        ("online", InvalidReason.SYNTAX),
        ("21.4", InvalidReason.SYNTAX),
        ('{"tempc":"warm"}', InvalidReason.NOT_A_NUMBER),
        ('{"hum":140}', InvalidReason.OUT_OF_RANGE),
        ('{"type":[],"tempc":{}}', InvalidReason.NOT_A_NUMBER),
    ],
)
def test_what_no_gateway_means_is_refused(payload: str, reason: InvalidReason) -> None:
    [found] = decode(payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason


def heard(decoder: Decoder, gateway: str, after: float, payload: str = MIJIA) -> list[Decoded]:
    topic = f"home/{gateway}/BTtoMQTT/A4C1380A0B0C"
    return decoder.decode(Message(topic, payload.encode(), ArrivalTime(1795428000.0 + after)))


@pytest.mark.parametrize("pattern", ["home/+/BTtoMQTT/+", "home/+/BTtoMQTT/{device}"])
def test_what_two_gateways_heard_is_one_reading(pattern: str) -> None:
    decoder = Decoder([SensorSource(TopicPattern.parse(pattern), "theengs", SensorKeys())], [])
    first, echo = heard(decoder, "attic", 0), heard(decoder, "cellar", 0.2)
    assert [type(each) for each in first] == [Reading, Reading]
    assert [type(each) for each in echo] == [Duplicate, Duplicate]
    assert {each.device for each in first if isinstance(each, Reading)} == {"A4C1380A0B0C"}
    assert [type(each) for each in heard(decoder, "attic", 1.0)] == [Reading, Reading]
    late = heard(decoder, "cellar", 4.0)
    assert [type(each) for each in late] == [Reading, Reading]


def test_two_entries_for_two_gateways_are_two_gateways_all_the_same() -> None:
    sources = [
        SensorSource(
            TopicPattern.parse(f"home/{name}/BTtoMQTT/{{device}}"), "theengs", SensorKeys()
        )
        for name in ("attic", "cellar")
    ]
    decoder = Decoder(sources, [])
    heard(decoder, "attic", 0)
    assert [type(each) for each in heard(decoder, "cellar", 0.2)] == [Duplicate, Duplicate]


def test_a_gateway_that_heard_another_value_gives_a_reading() -> None:
    pattern = TopicPattern.parse("home/+/BTtoMQTT/+")
    decoder = Decoder([SensorSource(pattern, "theengs", SensorKeys())], [])
    heard(decoder, "attic", 0)
    warm, humid = heard(decoder, "cellar", 0.2, MIJIA.replace("21.4", "21.5"))
    assert isinstance(warm, Reading)
    assert isinstance(humid, Duplicate)
