"""Dialect `homeassistant`: sensors of Home Assistant, by its integration `mqtt_statestream`.

The state of `sensor.kitchen_temperature` stands on `<base>/sensor/kitchen_temperature/state` as
bare text. It is of the device `kitchen`, to which `sensor.kitchen_humidity` belongs as well. With
`publish_attributes` its attributes follow on topics beside it, as JSON. Source:
home-assistant/core, components/mqtt_statestream.

All of it is retained, and a state comes without its time: what comes at subscription tells in
which units sensors measure, gives no reading, and is not counted as invalid.
"""

from __future__ import annotations

from typing import Final

from edge_fusion.codecs.dialect import Finding, Gone, SensorKeys
from edge_fusion.codecs.document import load
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import bare_text, is_no_reading
from edge_fusion.codecs.payload import Sender, measured_in
from edge_fusion.codecs.quantities import measures, named_quantity, quantity_of, without_quantity
from edge_fusion.codecs.roster import Roster
from edge_fusion.codecs.times import property_time
from edge_fusion.codecs.units import TemperatureUnit, stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message

MAX_SENSORS: Final = 4096
"""Sensors of which something is remembered; what finds no room is counted as NO_ROOM."""

_DOMAIN: Final = "sensor"
_LEVELS: Final = 3  # <base>/sensor/<name>
_LONGEST_TOPIC: Final = 512
_LONGEST_TEXT: Final = 64
_QUANTITIES: Final = frozenset({TEMPERATURE, HUMIDITY})


class _Sensor:
    """What is known of one sensor: unit and device class, None while nothing is told of them."""

    def __init__(self, topic: str) -> None:
        self.name = topic.rpartition("/")[2]
        self._unit: str | None = None
        self._class: str | None = None
        self._held: str | None = None

    @property
    def device(self) -> str:
        return without_quantity(self.name) or self.name

    def quantity(self, keys: SensorKeys) -> str | None:
        """What it measures: as configured, by its device class, else by its name."""
        if keys.paths:
            return quantity_of(self.name, keys.paths)
        if self._class is None:
            return named_quantity(self.name)
        return self._class if self._class in _QUANTITIES and measures(self.name) else None

    def tell(self, attribute: str, text: str, message: Message, keys: SensorKeys) -> list[Finding]:
        """Remember an attribute; the reading that had to wait for it."""
        if attribute == "device_class":
            self._class = text or None
            return []
        self._unit = text
        held, self._held = self._held, None
        quantity = self.quantity(keys)
        return [] if held is None or quantity is None else self._read(held, quantity, message, keys)

    def take(self, text: str, quantity: str, message: Message, keys: SensorKeys) -> list[Finding]:
        """The reading in a state.

        Attributes follow a state. So the first one of a temperature waits for its unit, if nobody
        has chosen one; that a second follows it instead shows that attributes are not published.
        """
        unit = keys.units.get(quantity, TemperatureUnit.AUTO)
        is_sure = self._unit is not None or unit is not TemperatureUnit.AUTO
        if is_sure or quantity != TEMPERATURE or is_no_reading(text):
            return self._read(text, quantity, message, keys)
        held, self._held = self._held, text
        if held is None:
            return []
        self._unit, self._held = "", None
        detail = f"no unit follows {held[:20]!r}, which is passed over: from now on it is °C"
        missed = invalid(message, InvalidReason.UNIT, detail)
        return [missed, *self._read(text, quantity, message, keys)]

    def _read(self, text: str, quantity: str, message: Message, keys: SensorKeys) -> list[Finding]:
        sender = Sender(self.device)
        return [*measured_in(message, quantity, text, self._unit or "", keys, sender=sender)]


class Statestream:
    """The dialect, and what it has been told of each sensor."""

    def __init__(self) -> None:
        self._sensors = Roster(_Sensor, MAX_SENSORS)

    def __call__(self, message: Message, keys: SensorKeys) -> list[Finding]:
        """The reading in a state; attributes are remembered, other topics are none of ours.

        Never raises.
        """
        topic, _, attribute = message.topic.rpartition("/")
        levels = topic.split("/")
        if len(levels) < _LEVELS or levels[-2] != _DOMAIN or len(topic) > _LONGEST_TOPIC:
            return []
        if attribute == "state":
            return self._hear_state(topic, message, keys)
        if attribute in {"unit_of_measurement", "device_class"}:
            return self._hear_attribute(topic, attribute, message, keys)
        return []

    def _hear_state(self, topic: str, message: Message, keys: SensorKeys) -> list[Finding]:
        sensor = self._sensors.get(topic) or _Sensor(topic)
        quantity, text = sensor.quantity(keys), bare_text(message.payload)
        if quantity is None:
            return []
        if text == "unavailable":
            return [Gone(sensor.device)]
        if message.retained and property_time(message.properties, keys.zone) is None:
            return []
        if text is None:
            return [invalid(message, InvalidReason.SYNTAX, "not UTF-8 text")]
        known = self._sensors.of(topic, message.arrival)
        return [_no_room(message)] if known is None else known.take(text, quantity, message, keys)

    def _hear_attribute(
        self, topic: str, attribute: str, message: Message, keys: SensorKeys
    ) -> list[Finding]:
        text = _attribute(message.payload)
        if _Sensor(topic).quantity(keys) is None and not _names_a_quantity(text):
            return []
        known = self._sensors.of(topic, message.arrival)
        return [_no_room(message)] if known is None else known.tell(attribute, text, message, keys)


def _names_a_quantity(text: str) -> bool:
    """Whether a device class or a unit is one of those that matter here."""
    return text in _QUANTITIES or any(stated_unit(each, text) for each in _QUANTITIES)


def _attribute(payload: bytes) -> str:
    """An attribute that is text; anything else is as good as none."""
    try:
        text = load(payload)
    except ValueError:
        return ""
    return text[:_LONGEST_TEXT] if isinstance(text, str) else ""


def _no_room(message: Message) -> Invalid:
    return invalid(message, InvalidReason.NO_ROOM, "one sensor too many")
