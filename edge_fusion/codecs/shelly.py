"""Dialect `shelly`: sensors of Shelly, of the first generation and of those since.

Since the second: notifications on `<id>/events/rpc` and, where `status_ntf` is turned on, the
status of each component on `<id>/status/<component>`:
https://shelly-api-docs.shelly.cloud/gen2/General/Notifications and
https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt. Before: bare values on
`shellies/<id>/sensor/temperature`, and on `shellies/<id>/ext_temperature/0` of an add-on:
https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import Gone, Sample, SensorKeys
from edge_fusion.codecs.payload import (
    UNDATED,
    Sender,
    Stamp,
    json_object_of,
    measured,
    measured_text,
    stamp_of,
)
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit, Unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, Message

_COMPONENT: Final = re.compile(r"(temperature|humidity):([0-9]{1,9})")
# tC comes first: tF is the same value, rounded once more.
_FIELDS: Final[Mapping[str, tuple[tuple[str, Unit], ...]]] = {
    TEMPERATURE: (("tC", TemperatureUnit.CELSIUS), ("tF", TemperatureUnit.FAHRENHEIT)),
    HUMIDITY: (("rh", HumidityUnit.PERCENT),),
}


def decode_shelly(message: Message, keys: SensorKeys) -> Sequence[Sample | Gone | Invalid]:
    """The samples of the temperature and humidity components; what else a device says is none.

    Component 0 is the device's own sensor. Another, such as 100 of an add-on, is the part of its
    number, even where it is alone: a notification holds what has changed, never what there is.
    """
    match message.topic.split("/"):
        case [*prefix, "events", "rpc"]:
            return _notification(message, keys, _device(prefix))
        case [*prefix, "status", component] if _COMPONENT.fullmatch(component):
            return _status(message, component, _device(prefix))
        case [*prefix, "online"] if is_gone(message.payload):
            return [Gone(_device(prefix))]
        case [*prefix, "sensor", ("temperature" | "humidity") as quantity]:
            return _bare(message, keys, quantity, Sender(_device(prefix)))
        case [*prefix, ("ext_temperature" | "ext_humidity") as name, index]:
            sender = Sender(_device(prefix), _part(index))
            return _bare(message, keys, name.removeprefix("ext_"), sender)
    return []


def shelly_availability(topic: str) -> str | None:
    """`<id>/online` beside the topics of readings; None where the subscription covers that."""
    match topic.split("/"):
        case [*prefix, "events" | "status" | "sensor" | "ext_temperature" | "ext_humidity", _]:
            return "/".join([*prefix, "online"])
    return None


def _notification(message: Message, keys: SensorKeys, device: str | None) -> list[Sample | Invalid]:
    frame = json_object_of(message)
    if isinstance(frame, Invalid):
        return [frame]
    params, source = frame.get("params"), frame.get("src")
    if not isinstance(params, dict):
        return []
    components = [name for name in params if _COMPONENT.fullmatch(name)]
    if not components:
        return []
    stamp = stamp_of(message, params, "ts", keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    if isinstance(source, str):
        device = source
    return [
        finding
        for name in components
        for finding in _component(message, name, params[name], device, stamp)
    ]


def _status(message: Message, component: str, device: str | None) -> list[Sample | Invalid]:
    status = json_object_of(message)
    if isinstance(status, Invalid):
        return [status]
    return _component(message, component, status, device)


def _component(
    message: Message, name: str, status: Any, device: str | None, stamp: Stamp = UNDATED
) -> list[Sample | Invalid]:
    """The value of one component; nothing where its status has none, as when an error came up."""
    quantity, _, index = name.partition(":")
    for field, unit in _FIELDS[quantity]:
        if isinstance(status, dict) and field in status:
            sender = Sender(device, _part(index))
            return measured(message, quantity, status[field], unit, stamp, sender)
    return []


def _bare(
    message: Message, keys: SensorKeys, quantity: str, sender: Sender
) -> list[Sample | Invalid]:
    return measured_text(message, quantity, keys.units.get(quantity), sender)


def _part(index: str) -> str | None:
    return None if index == "0" else index


def _device(prefix: list[str]) -> str | None:
    return "/".join(prefix).removeprefix("shellies/") or None
