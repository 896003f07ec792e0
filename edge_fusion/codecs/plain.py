"""Dialect `plain`: one bare number a topic, as many sketches and programs send it."""

from __future__ import annotations

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import bare_text, is_no_reading
from edge_fusion.codecs.payload import measured_text
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message


def decode_plain(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The payload as one number, with a unit after it or without.

    The quantity is `keys.quantity`, else the one that the topic names, looking from its end. A
    stated unit wins over the configured one.
    """
    quantity = keys.quantity or _named_quantity(message.topic)
    if quantity is not None:
        return measured_text(message, quantity, keys.units.get(quantity))
    text = bare_text(message.payload)
    if text is not None and is_no_reading(text):
        return []
    detail = "neither the configuration nor the topic says which quantity this is"
    return [invalid(message, InvalidReason.MISSING_FIELD, detail)]


def _named_quantity(topic: str) -> str | None:
    for level in reversed(topic.lower().split("/")):
        for quantity in (TEMPERATURE, HUMIDITY):
            if quantity in level:
                return quantity
    return None
