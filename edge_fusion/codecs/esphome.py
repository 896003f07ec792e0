"""Dialect `esphome`: sensors of ESPHome nodes, a bare number on `<node>/sensor/<object id>/state`.

https://esphome.io/components/mqtt.html. ESPHome retains its states and dates none of them. So what
a broker still holds when we subscribe says only that there was a value once, and is no reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import Gone, Sample, SensorKeys
from edge_fusion.codecs.payload import Sender, measured_text
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, Message

# Temperatures and humidities that are not those of a room: g/m³, the dew point, the colour of a
# light, the processor. ESPHome has a component for each, named so in its manual.
_OTHERS: Final = frozenset({"absolute", "dew", "color", "colour", "internal", "cpu", "chip"})


def decode_esphome(message: Message, keys: SensorKeys) -> Sequence[Sample | Gone | Invalid]:
    """The sample of a sensor that measures `keys.quantity`, else what its object id says.

    An id that says neither temperature nor humidity (`uptime`, `wifi_signal`), or one that says it
    of something else (`cpu_temperature`), gives no reading. What is left of the id without the
    quantity is the part: `bme280_temperature` and `dht_temperature` of one node are two series,
    and a temperature and a humidity of one chip are those of one part.
    """
    match message.topic.split("/"):
        case [*node, "sensor", object_id, "state"]:
            quantity = keys.quantity or _quantity(object_id)
            if quantity is None:
                return []
            sender = Sender("/".join(node) or None, _without(object_id, quantity))
            return measured_text(message, quantity, keys.units.get(quantity), sender)
        case [*node, "status"] if is_gone(message.payload):
            return [Gone("/".join(node) or None)]
    return []


def esphome_availability(topic: str) -> str | None:
    """`<node>/status`, a last will; None where the entry's own subscription covers that."""
    match topic.split("/"):
        case [*node, "sensor", _, "state"] | [*node, "sensor", "#"]:
            return "/".join([*node, "status"])
    return None


def _quantity(object_id: str) -> str | None:
    words = object_id.lower()
    if not _OTHERS.isdisjoint(words.split("_")):
        return None
    return next((name for name in (TEMPERATURE, HUMIDITY) if name in words), None)


def _without(object_id: str, quantity: str) -> str | None:
    """What else than `quantity` an object id says, None if that is nothing."""
    before, _, after = object_id.lower().partition(quantity)
    return "_".join(rest for side in (before, after) if (rest := side.strip("_-"))) or None
