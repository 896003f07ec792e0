"""Dialect `plain`: one bare number a topic, as ESPHome, Homie and Shelly Gen 1 send it."""

from __future__ import annotations

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import is_no_reading, split_unit
from edge_fusion.codecs.units import Unit, canonical, has_known_units, stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message

# Programs in C often send the terminating NUL with the text.
_PADDING = " \t\r\n\0"


def decode_plain(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The payload as one number, with a unit after it or without: `21.4`, `21.4 °C`, `48 %`.

    The quantity is `keys.quantity`, else the one that the topic names, looking from its end. A
    stated unit wins over the configured one.
    """
    try:
        text = message.payload.decode().strip(_PADDING)
    except UnicodeDecodeError:
        return [invalid(message, InvalidReason.SYNTAX, "not UTF-8 text")]
    if is_no_reading(text):
        return []
    quantity = _quantity(message.topic, keys)
    if quantity is None:
        detail = "neither the configuration nor the topic says which quantity this is"
        return [invalid(message, InvalidReason.MISSING_FIELD, detail)]
    value = _value(text, quantity, keys.units.get(quantity))
    if isinstance(value, InvalidReason):
        return [invalid(message, value, f"{quantity} is {text[:80]!r}")]
    return [Sample(quantity, value)]


def _value(text: str, quantity: str, configured: Unit | None) -> float | InvalidReason:
    parts = split_unit(text)
    if parts is None:
        return InvalidReason.NOT_A_NUMBER
    number, suffix = parts
    unit = stated_unit(quantity, suffix)
    # "12:30" or "21.4 %" is no temperature; where units are not ours to know, any will do.
    if suffix and unit is None and (has_known_units(quantity) or not _is_unit(suffix)):
        return InvalidReason.NOT_A_NUMBER
    return canonical(quantity, number, unit or configured)


def _is_unit(suffix: str) -> bool:
    return suffix[0].isalpha() or suffix[0] in "%°"


def _quantity(topic: str, keys: SensorKeys) -> str | None:
    if keys.quantity is not None:
        return keys.quantity
    for level in reversed(topic.lower().split("/")):
        for quantity in (TEMPERATURE, HUMIDITY):
            if quantity in level:
                return quantity
    return None
