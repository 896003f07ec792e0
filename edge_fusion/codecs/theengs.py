"""Dialect `theengs`: what OpenMQTTGateway or Theengs Gateway heard of Bluetooth or 433 MHz sensors.

Topics are `home/<gateway>/BTtoMQTT/<address>`, `…/RTL_433toMQTT/…`, `…/LORAtoMQTT/…`; rtl_433
itself names its fields likewise. Sources: decoder.theengs.io, docs.openmqttgateway.com,
rtl_433 docs/DATA_FORMAT.md. There is no time in them, and every gateway in reach tells the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from edge_fusion.codecs.bluetooth import address_name, topic_address
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.payload import UNDATED, Sender, json_object_of, measured
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit, Unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, Message

# Most gateways give a temperature in both units; the first one that is there is taken.
_FIELDS: Final[Mapping[str, tuple[tuple[str, Unit], ...]]] = MappingProxyType(
    {
        TEMPERATURE: (
            ("tempc", TemperatureUnit.CELSIUS),
            ("temperature_C", TemperatureUnit.CELSIUS),
            ("tempf", TemperatureUnit.FAHRENHEIT),
            ("temperature_F", TemperatureUnit.FAHRENHEIT),
        ),
        HUMIDITY: (("hum", HumidityUnit.PERCENT), ("humidity", HumidityUnit.PERCENT)),
    }
)
# Tyres that drive by, meat and people have temperatures that are not the room's.
_NOT_OF_ROOMS: Final = frozenset({"TIRE", "TPMS", "BBQ", "BODY"})
_OF_THE_GATEWAY: Final = "SYStoMQTT"
_MODEL: Final = ("model", "channel", "id")


def decode_theengs(message: Message, _keys: SensorKeys) -> list[Sample | Invalid]:
    """The temperature and humidity that an advertisement holds; phones and trackers hold none."""
    if _OF_THE_GATEWAY in message.topic:
        return []
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    kind = document.get("type")
    if isinstance(kind, str) and kind in _NOT_OF_ROOMS:
        return []
    sender = Sender(_device(message.topic, document))
    return [
        finding
        for quantity, fields in _FIELDS.items()
        for name, unit in [each for each in fields if each[0] in document][:1]
        for finding in measured(message, quantity, document[name], unit, UNDATED, sender)
    ]


def _device(topic: str, document: dict[str, Any]) -> str | None:
    """The address; of a radio without one the model with its channel and changing number."""
    own = address_name(document.get("id")) or address_name(document.get("mac"))
    if own is not None:
        return own
    stated = (document.get(name) for name in _MODEL)
    parts = [str(part)[:32] for part in stated if isinstance(part, str | int)]
    return topic_address(topic) or ".".join(parts) or None
