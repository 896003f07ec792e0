"""THE table of sensor formats: what may stand after `format =`, and what decodes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edge_fusion.codecs.dialect import Dialect
from edge_fusion.codecs.esphome import decode_esphome, esphome_availability
from edge_fusion.codecs.json_reading import decode_json
from edge_fusion.codecs.plain import decode_plain
from edge_fusion.codecs.shelly import decode_shelly, shelly_availability
from edge_fusion.codecs.tasmota import decode_tasmota, tasmota_availability
from edge_fusion.codecs.zigbee2mqtt import decode_zigbee2mqtt, zigbee2mqtt_availability


def _nowhere(_topic: str) -> None:
    """Devices of this format have no topic that says whether they are there."""


@dataclass(frozen=True, slots=True)
class SensorFormat:
    """How one format is read.

    make: makes the dialect, once for each `[[sensors]]` entry, since some remember what came
    before. availability: from the entry's topic pattern to that of the topics on which its
    devices are said to be there or gone, None if there is none. quantity: whether a payload is
    one bare value, so that the configuration or the topic must say of what; names_quantity: the
    dialect finds that in the topic by itself. paths: whether values lie at dotted paths, which the
    configuration may give.
    """

    make: Callable[[], Dialect]
    availability: Callable[[str], str | None] = _nowhere
    quantity: bool = False
    names_quantity: bool = False
    paths: bool = False


SENSOR_FORMATS: Final[Mapping[str, SensorFormat]] = MappingProxyType(
    {
        "json": SensorFormat(lambda: decode_json, paths=True),
        "plain": SensorFormat(lambda: decode_plain, quantity=True),
        "zigbee2mqtt": SensorFormat(
            lambda: decode_zigbee2mqtt, zigbee2mqtt_availability, paths=True
        ),
        "tasmota": SensorFormat(lambda: decode_tasmota, tasmota_availability),
        "shelly": SensorFormat(lambda: decode_shelly, shelly_availability),
        "esphome": SensorFormat(
            lambda: decode_esphome, esphome_availability, quantity=True, names_quantity=True
        ),
    }
)
