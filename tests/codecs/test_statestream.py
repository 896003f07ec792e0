"""What Home Assistant's mqtt_statestream publishes, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.statestream import MAX_SENSORS
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message

FAHRENHEIT = '"\\u00b0F"'
CELSIUS = '"\\u00b0C"'


class Listener:
    """A dialect with what it has been told."""

    def __init__(self, keys: SensorKeys | None = None) -> None:
        self._dialect = SENSOR_FORMATS["homeassistant"].make()
        self._keys = keys or SensorKeys(units={"temperature": TemperatureUnit.AUTO})

    def hear(
        self,
        topic: str,
        payload: str | bytes,
        *,
        retained: bool = False,
        properties: dict[str, str] | None = None,
    ) -> Sequence[Finding]:
        data = payload.encode() if isinstance(payload, str) else payload
        topic = f"homeassistant/{topic}"
        message = Message(topic, data, ArrivalTime(1.8e9), retained, properties or {})
        return self._dialect(message, self._keys)

    def tell(self, sensor: str, **attributes: str) -> None:
        for key, value in attributes.items():
            assert self.hear(f"sensor/{sensor}/{key}", value, retained=True) == []


def reasons(found: Sequence[Finding]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def values(found: Sequence[Finding]) -> list[tuple[str, float]]:
    return [(each.quantity, round(each.value, 9)) for each in found if isinstance(each, Sample)]


def test_temperature_and_humidity_of_one_place_are_of_one_device() -> None:
    home = Listener()
    home.tell("kitchen_temperature", unit_of_measurement=CELSIUS, device_class='"temperature"')
    home.tell("kitchen_humidity", unit_of_measurement='"%"', device_class='"humidity"')
    assert home.hear("sensor/kitchen_temperature/state", "21.4") == [
        Sample("temperature", 21.4, device="kitchen")
    ]
    assert home.hear("sensor/kitchen_humidity/state", "48.2") == [
        Sample("humidity", 48.2, device="kitchen")
    ]


def test_a_unit_that_was_retained_holds_for_what_comes() -> None:
    home = Listener()
    home.tell("kitchen_temperature", state="70.7", unit_of_measurement=FAHRENHEIT)
    assert values(home.hear("sensor/kitchen_temperature/state", "70.7")) == [("temperature", 21.5)]


def test_the_first_state_of_a_new_sensor_waits_for_its_unit() -> None:
    home = Listener()
    assert home.hear("sensor/kitchen_temperature/state", "70.7") == []
    assert home.hear("sensor/kitchen_temperature/last_updated", "2026-11-23T10:00:00+00:00") == []
    assert home.hear("sensor/kitchen_temperature/state_class", '"measurement"') == []
    found = home.hear("sensor/kitchen_temperature/unit_of_measurement", FAHRENHEIT)
    assert values(found) == [("temperature", 21.5)]
    assert home.hear("sensor/kitchen_temperature/unit_of_measurement", FAHRENHEIT) == []
    assert values(home.hear("sensor/kitchen_temperature/state", "71.6")) == [("temperature", 22.0)]


def test_without_attributes_the_second_state_is_taken_and_the_first_is_counted() -> None:
    home = Listener()
    assert home.hear("sensor/kitchen_temperature/state", "21.4") == []
    found = home.hear("sensor/kitchen_temperature/state", "21.5")
    assert reasons(found) == [InvalidReason.UNIT]
    assert values(found) == [("temperature", 21.5)]
    assert home.hear("sensor/kitchen_temperature/state", "21.6") == [
        Sample("temperature", 21.6, device="kitchen")
    ]


def test_nothing_waits_where_the_configuration_names_the_unit() -> None:
    home = Listener(SensorKeys(units={"temperature": TemperatureUnit.FAHRENHEIT}))
    assert values(home.hear("sensor/kitchen_temperature/state", "70.7")) == [("temperature", 21.5)]
    home.tell("kitchen_temperature", unit_of_measurement=CELSIUS)
    assert values(home.hear("sensor/kitchen_temperature/state", "21.5")) == [("temperature", 21.5)]


def test_humidity_is_in_percent_and_waits_for_nothing() -> None:
    assert values(Listener().hear("sensor/hall_humidity/state", "48")) == [("humidity", 48.0)]


def test_the_device_class_says_what_a_sensor_measures_whatever_it_is_called() -> None:
    home = Listener()
    home.tell("living_room_climate", device_class='"temperature"', unit_of_measurement=CELSIUS)
    home.tell("cellar_humidity", device_class='"moisture"')
    assert home.hear("sensor/living_room_climate/state", "21.4") == [
        Sample("temperature", 21.4, device="living_room_climate")
    ]
    assert home.hear("sensor/cellar_humidity/state", "21.4") == []


@pytest.mark.parametrize(
    "sensor",
    ["kitchen_temperature_battery", "processor_temperature", "hall_pressure", "sun_next_dawn"],
)
def test_what_is_no_room_climate_gives_no_reading(sensor: str) -> None:
    home = Listener()
    home.tell(sensor, device_class='"temperature"')
    assert Listener().hear(f"sensor/{sensor}/state", "21.4") == []


@pytest.mark.parametrize("state", ["unknown", "", "None", "nan"])
def test_a_sensor_without_a_value_gives_no_reading_and_no_error(state: str) -> None:
    assert Listener().hear("sensor/hall_humidity/state", state) == []
    assert Listener().hear("sensor/hall_temperature/state", state) == []


def test_a_sensor_that_is_unavailable_is_gone() -> None:
    home = Listener()
    assert home.hear("sensor/hall_humidity/state", "unavailable") == [Gone("hall")]
    assert home.hear("sensor/hall_humidity/state", "unavailable", retained=True) == [Gone("hall")]
    assert home.hear("sensor/sun_next_dawn/state", "unavailable") == []


def test_a_retained_state_says_nothing_of_now_unless_it_is_dated() -> None:
    home = Listener()
    assert home.hear("sensor/hall_humidity/state", "48", retained=True) == []
    dated = {"time": "1795427990"}
    found = home.hear("sensor/hall_humidity/state", "48", retained=True, properties=dated)
    assert values(found) == [("humidity", 48.0)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"on", InvalidReason.NOT_A_NUMBER),
        (b"850", InvalidReason.OUT_OF_RANGE),
        (b"\xff", InvalidReason.SYNTAX),
    ],
)
def test_anything_else_is_refused_with_its_reason(payload: bytes, reason: InvalidReason) -> None:
    home = Listener()
    home.tell("hall_temperature", unit_of_measurement=CELSIUS)
    assert reasons(home.hear("sensor/hall_temperature/state", payload)) == [reason]


def test_what_has_the_unit_of_something_else_is_something_else() -> None:
    home = Listener()
    home.tell("hall_humidity", unit_of_measurement='"g/m\\u00b3"')
    assert reasons(home.hear("sensor/hall_humidity/state", "9.4")) == [InvalidReason.UNIT]


@pytest.mark.parametrize(
    "topic",
    [
        "status",
        "light/hall_temperature/state",
        "climate/hall/current_temperature",
        "device/edge_fusion_hall/config",
        "sensor/hall_temperature/config",
        "sensor/node/hall_temperature/config",
        "sensor/" + "x" * 600 + "_humidity/state",
    ],
)
def test_other_entities_and_discovery_messages_are_none_of_ours(topic: str) -> None:
    assert Listener().hear(topic, "21.4") == []


def test_the_base_topic_may_have_levels_but_not_none() -> None:
    message = Message("my/home/sensor/hall_humidity/state", b"48", ArrivalTime(0))
    assert len(SENSOR_FORMATS["homeassistant"].make()(message, SensorKeys())) == 1
    message = Message("sensor/hall_humidity/state", b"48", ArrivalTime(0))
    assert SENSOR_FORMATS["homeassistant"].make()(message, SensorKeys()) == []


@pytest.mark.parametrize("odd", ["°F", "7", "null", "{", ""])
def test_an_attribute_that_is_no_text_is_none(odd: str) -> None:
    home = Listener()
    home.tell("hall_humidity", unit_of_measurement=odd, device_class=odd)
    home.tell("sun_next_dawn", unit_of_measurement=odd, device_class=odd)
    assert values(home.hear("sensor/hall_humidity/state", "48")) == [("humidity", 48.0)]
    assert home.hear("sensor/sun_next_dawn/state", "48") == []


def test_configured_sensors_are_exact() -> None:
    home = Listener(SensorKeys({"humidity": "hall_rh_2", "co2": "hall_air"}))
    assert values(home.hear("sensor/hall_rh_2/state", "48")) == [("humidity", 48.0)]
    assert values(home.hear("sensor/hall_air/state", "415")) == [("co2", 415.0)]
    assert home.hear("sensor/hall_humidity/state", "48") == []


def test_more_sensors_than_there_is_room_for_are_counted() -> None:
    home = Listener()
    for number in range(MAX_SENSORS):
        assert len(home.hear(f"sensor/humidity_{number}/state", "48")) == 1
    found = home.hear("sensor/new_humidity/state", "48")
    assert reasons(found) == [InvalidReason.NO_ROOM]
    found = home.hear("sensor/new_humidity/unit_of_measurement", '"%"')
    assert reasons(found) == [InvalidReason.NO_ROOM]
