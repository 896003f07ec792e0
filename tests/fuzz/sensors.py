"""Sensor formats: every format of the table, message after message.

An input is what one device sends: messages with a line `%%` between them, each a line "format
topic" and then the payload. So an input is readable, and a real payload is a seed as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32
from zoneinfo import ZoneInfo

from fuzz.sound import LIMITS, check_decoded

from edge_fusion.codecs.decoder import AvailabilitySource, Decoder, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE, ArrivalTime, Message

SEPARATOR = b"\n%%\n"
NOW = ArrivalTime(1795428000.0)
AVAILABILITY = AvailabilitySource(TopicPattern.parse("available/{device}"))
_EVERYTHING = TopicPattern.parse("#")
_FORMATS = sorted(SENSOR_FORMATS)
_MOST_MESSAGES = 8
_FORBIDDEN = str.maketrans("+#\0", "___")  # no broker delivers these in a topic
_BERLIN = ZoneInfo("Europe/Berlin")


def check(data: bytes) -> None:
    """Whatever devices send, one after the other, is sound."""
    decoders: dict[str, Decoder] = {}
    for form, message in messages(data):
        if form not in decoders:
            sensor = source(form, peculiar=message.retained)
            decoders[form] = Decoder([sensor], [], LIMITS, [AVAILABILITY])
        check_decoded(decoders[form].decode(message), message)


def messages(data: bytes) -> Iterator[tuple[str, Message]]:
    """The messages of an input with their formats. What is no format stands for some format.

    They come up to 99 s apart, so that what a dialect remembers may also be forgotten.
    """
    arrival = NOW
    for part in data.split(SEPARATOR)[:_MOST_MESSAGES]:
        head, _, payload = part.partition(b"\n")
        form, _, topic = head.decode("utf-8", "replace").partition(" ")
        lot = crc32(head)
        if form not in SENSOR_FORMATS:
            form = _FORMATS[lot % len(_FORMATS)]
        arrival = ArrivalTime(arrival + lot % 100)
        yield form, Message(topic.translate(_FORBIDDEN), payload, arrival, retained=lot % 8 == 7)


def source(form: str, *, peculiar: bool = False) -> SensorSource:
    """A `[[sensors]]` entry that reads every topic; a peculiar one has all keys that it may."""
    if peculiar:
        return SensorSource(_EVERYTHING, form, _all_keys(form), site="hall", device="probe")
    return SensorSource(_EVERYTHING, form, SensorKeys())


def _all_keys(form: str) -> SensorKeys:
    table = SENSOR_FORMATS[form]
    paths = {TEMPERATURE: "temperature", HUMIDITY: "humidity", "co2": "air.0.co2"}
    return SensorKeys(
        paths=paths if table.paths else {},
        time="ts" if table.paths else None,
        quantity=TEMPERATURE if table.quantity else None,
        units={TEMPERATURE: TemperatureUnit.FAHRENHEIT, HUMIDITY: HumidityUnit.FRACTION},
        zone=_BERLIN,
    )
