from __future__ import annotations

import pytest

from edge_fusion.codecs.decoder import Decoder, SensorSource
from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.esphome import decode_esphome, esphome_availability
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message, Reading

NOW = ArrivalTime(1.8e9)
DEFAULTS = SensorKeys()


def decode(topic: str, payload: str, keys: SensorKeys = DEFAULTS) -> list[Finding]:
    return list(decode_esphome(Message(topic, payload.encode(), NOW), keys))


def state(object_id: str, payload: str, keys: SensorKeys = DEFAULTS) -> list[Finding]:
    return decode(f"livingroom/sensor/{object_id}/state", payload, keys)


@pytest.mark.parametrize(
    ("object_id", "quantity", "part"),
    [
        ("bme280_temperature", "temperature", "bme280"),
        ("bme280_humidity", "humidity", "bme280"),
        ("dht_temperature", "temperature", "dht"),
        ("temperature", "temperature", None),
        ("humidity", "humidity", None),
        ("living_room_temperature_2", "temperature", "living_room_2"),
        ("temperature_outside", "temperature", "outside"),
        ("relative_humidity", "humidity", "relative"),
    ],
)
def test_the_object_id_says_what_is_measured_and_by_which_sensor(
    object_id: str, quantity: str, part: str | None
) -> None:
    assert state(object_id, "21.34") == [Sample(quantity, 21.34, None, "livingroom", part)]


def test_a_node_may_have_a_topic_of_several_levels() -> None:
    assert decode("home/attic/node/sensor/temperature/state", "21.34") == [
        Sample("temperature", 21.34, None, "home/attic/node")
    ]


@pytest.mark.parametrize("payload", ["nan", "NaN", "None", ""])
def test_a_sensor_without_a_value_gives_no_reading(payload: str) -> None:
    assert state("bme280_humidity", payload) == []


@pytest.mark.parametrize(
    ("object_id", "payload"),
    [
        ("uptime", "3600"),
        ("wifi_signal", "-61"),
        ("bme280_pressure", "1013.2"),
        ("absolute_humidity", "8.2"),
        ("dew_point_temperature", "12.5"),
        ("tcs34725_color_temperature", "4000"),
        ("internal_temperature", "53.3"),
        ("cpu_temperature", "53.3"),
    ],
)
def test_a_sensor_of_something_else_gives_no_reading(object_id: str, payload: str) -> None:
    assert state(object_id, payload) == []


def test_a_configured_quantity_wins_over_the_object_id() -> None:
    celsius = SensorKeys(quantity="temperature")
    assert state("probe", "21.34", celsius) == [
        Sample("temperature", 21.34, None, "livingroom", "probe")
    ]
    assert state("internal_temperature", "21.34", celsius) == [
        Sample("temperature", 21.34, None, "livingroom", "internal")
    ]
    assert state("scd40_co2", "415", SensorKeys(quantity="co2")) == [
        Sample("co2", 415.0, None, "livingroom", "scd40")
    ]


def test_a_unit_that_the_node_was_set_to_is_converted() -> None:
    keys = SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT})
    [sample] = state("temperature", "70.7", keys)
    assert isinstance(sample, Sample)
    assert sample.value == pytest.approx(21.5)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("livingroom/status", "online"),
        ("livingroom/status", ""),
        ("livingroom/debug", "[D][sensor:094]: 'Temperature': Sending state 21.3 °C"),
        ("livingroom/binary_sensor/high_temperature/state", "ON"),
        ("livingroom/climate/temperature/state", "21.5"),
        ("livingroom/sensor/bme280_temperature/command", "21.5"),
        ("esphome/discover/livingroom", '{"ip":"192.168.1.7","name":"livingroom"}'),
    ],
)
def test_what_else_a_node_says_is_no_reading(topic: str, payload: str) -> None:
    assert decode(topic, payload) == []


def test_a_node_whose_last_will_is_out_is_gone() -> None:
    assert decode("livingroom/status", "offline") == [Gone("livingroom")]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("warm", InvalidReason.NOT_A_NUMBER),
        ("ON", InvalidReason.NOT_A_NUMBER),
        ("850", InvalidReason.OUT_OF_RANGE),
    ],
)
def test_anything_else_is_refused_with_its_reason(payload: str, reason: InvalidReason) -> None:
    [found] = state("bme280_temperature", payload)
    assert isinstance(found, Invalid)
    assert found.reason is reason


def test_a_retained_state_is_no_reading_and_the_next_one_is() -> None:
    source = SensorSource(TopicPattern.parse("{device}/sensor/+/state"), "esphome", SensorKeys())
    decoder, topic = Decoder([source], []), "livingroom/sensor/bme280_temperature/state"
    [retained] = decoder.decode(Message(topic, b"21.34", NOW, retained=True))
    [live] = decoder.decode(Message(topic, b"21.34", NOW))
    assert isinstance(retained, Invalid)
    assert retained.reason is InvalidReason.RETAINED
    assert isinstance(live, Reading)
    assert live.device == "livingroom.bme280"


@pytest.mark.parametrize(
    ("topic", "availability"),
    [
        ("{device}/sensor/+/state", "{device}/status"),
        ("{site}/{device}/sensor/temperature/state", "{site}/{device}/status"),
        ("{device}/sensor/#", "{device}/status"),
        ("{device}/#", None),
        ("#", None),
    ],
)
def test_a_node_says_on_its_status_topic_whether_it_is_there(
    topic: str, availability: str | None
) -> None:
    assert esphome_availability(topic) == availability
