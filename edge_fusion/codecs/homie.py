"""Dialect `homie`: devices that describe themselves, by the Homie convention, versions 4 and 5.

A value stands on `<base>/<device>/<node>/<property>`; in version 5 the base ends with a level `5`.
What it is stands on topics whose last level begins with `$`: in version 4 attributes of each
property (`$unit`), in version 5 one JSON document of the device (`$description`).

All of it is retained. So what comes at subscription tells everything about the devices, but not
when they measured: such values are to be expected, give no reading, and are not counted as invalid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from edge_fusion.codecs.availability import is_gone
from edge_fusion.codecs.dialect import Finding, Gone, SensorKeys
from edge_fusion.codecs.document import load
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import bare_text
from edge_fusion.codecs.payload import Sender, measured_in
from edge_fusion.codecs.quantities import measures, named_quantity, parts, quantity_of
from edge_fusion.codecs.roster import Roster
from edge_fusion.codecs.times import property_time
from edge_fusion.codecs.units import stated_unit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message

MAX_DEVICES: Final = 1024
MAX_PROPERTIES: Final = 128
"""Of one device. What finds no room is counted as NO_ROOM."""
MAX_DESCRIBED: Final = 2048
"""Properties in one `$description`; a longer one is not read."""

_DEPTHS: Final = {
    "": 2,
    "$state": 0,
    "$description": 0,
    "$properties": 1,
    "$unit": 2,
    "$datatype": 2,
    "$settable": 2,
}
"""How many levels below the device a value stands, or what an attribute is about."""
_BASE_AND_DEVICE: Final = 2
_NUMERIC: Final = frozenset({"", "integer", "float"})
_LONGEST_TOPIC: Final = 256
_LONGEST_TEXT: Final = 64
_LONGEST_LIST: Final = 4096
_PADDING: Final = " \t\r\n\0"


@dataclass(frozen=True, slots=True)
class Property:
    """What a device tells of one of its properties; empty where it does not."""

    name: str = ""
    unit: str = ""
    datatype: str = ""
    settable: bool = False


UNTOLD: Final = Property()


def quantity_of_property(path: str, told: Property, keys: SensorKeys) -> str | None:
    """What `node/property` measures: by its id, its name, its unit, or the id of its node."""
    if keys.paths:
        return quantity_of(path, keys.paths)
    node, _, id_ = path.partition("/")
    if told.settable or told.datatype not in _NUMERIC:
        return None
    if not measures(id_) or not measures(told.name):
        return None
    return named_quantity(id_) or named_quantity(told.name) or _by_unit(told.unit.lower(), node)


def _by_unit(unit: str, node: str) -> str | None:
    if len(unit) > 1 and stated_unit(TEMPERATURE, unit) is not None:  # C may be coulombs
        return TEMPERATURE
    # Batteries and lamps are in percent too.
    is_percent = stated_unit(HUMIDITY, unit) is not None
    return HUMIDITY if is_percent and ("rh" in unit or named_quantity(node) == HUMIDITY) else None


class _Device:
    """What is known of one device."""

    def __init__(self, topic: str) -> None:
        self._domain, _, self._name = topic.rpartition("/")
        self._above: tuple[str, ...] = ()
        self._told: dict[str, Property] = {}
        self._quantities: dict[str, str] = {}
        self._parts: dict[str, str | None] = {}

    def hangs_on(self, other: _Device) -> bool:
        """Whether `other` is its parent or its root, and so the one whose will speaks for it."""
        return other._name in self._above and other._domain == self._domain

    def gone(self) -> Gone:
        return Gone(self._name)

    def tell(self, attribute: str, path: str, payload: bytes, keys: SensorKeys) -> bool:
        """Take in an attribute of the device, of one of its nodes or properties.

        False if there is no room for a measurement. Raises ValueError where a description is none.
        """
        if attribute == "$description":
            document = load(payload) if payload else {}
            described = dict(islice(_described(document), MAX_DESCRIBED + 1))
            if len(described) > MAX_DESCRIBED:
                raise ValueError(f"more than {MAX_DESCRIBED} properties")
            self._above = (_words(document, "parent"), _words(document, "root"))
            self._told = described
        elif attribute == "$properties":
            listed = _text(payload, _LONGEST_LIST).split(",")
            paths = (f"{path}/{each.partition(':')[0].strip()}" for each in listed)
            self._told.update({each: UNTOLD for each in paths if each not in self._told})
        else:
            told = self._told.get(path, UNTOLD)
            self._told[path] = _with_attribute(told, attribute, _text(payload))
        return self._weigh(keys)

    def meet(self, path: str, keys: SensorKeys) -> bool:
        """Take note that a property exists; False if there is no room for it."""
        if path in self._told or quantity_of_property(path, UNTOLD, keys) is None:
            return True
        self._told[path] = UNTOLD
        return self._weigh(keys)

    def read(self, path: str, message: Message, keys: SensorKeys) -> list[Finding]:
        """The value of a property, if that is a measurement."""
        quantity, text = self._quantities.get(path), bare_text(message.payload)
        if quantity is None:
            return []
        if text is None:
            return [invalid(message, InvalidReason.SYNTAX, "not UTF-8 text")]
        unit, sender = self._told[path].unit, Sender(self._name, self._parts[path])
        return [*measured_in(message, quantity, text, unit, keys, sender=sender)]

    def _weigh(self, keys: SensorKeys) -> bool:
        """Find the measurements among what is told. False if there is not room for all of them."""
        found = {path: quantity_of_property(path, told, keys) for path, told in self._told.items()}
        kept = sorted(found, key=lambda path: found[path] is None)[:MAX_PROPERTIES]
        if len(kept) < len(found):
            self._told = {path: self._told[path] for path in kept}
        quantities = {path: each for path, each in found.items() if each is not None}
        self._quantities = {path: each for path, each in quantities.items() if path in self._told}
        self._parts = parts(self._quantities)
        return len(self._quantities) == len(quantities)


@dataclass(frozen=True, slots=True)
class _Place:
    """What a topic is about: an attribute, or "" for the value, of `path` below the device."""

    device: str
    path: str
    attribute: str


class Homie:
    """The dialect, and what devices have told."""

    def __init__(self) -> None:
        self._devices = Roster(_Device, MAX_DEVICES)

    def __call__(self, message: Message, keys: SensorKeys) -> list[Finding]:
        """The reading on the topic of a property; what other topics tell is remembered.

        Never raises.
        """
        place = _place(message.topic)
        if place is None:
            return []
        if isinstance(place, InvalidReason):
            return [invalid(message, place, "no topic of Homie")]
        match place.attribute:
            case "":
                return self._read(message, place, keys)
            case "$state":
                return self._die(place) if is_gone(message.payload) else []
            case _:
                return self._learn(message, place, keys)

    def _die(self, place: _Place) -> list[Finding]:
        """A device is gone, and in version 5 with it those for which it speaks."""
        device = self._devices.get(place.device)
        if device is None:
            return [Gone(place.device.rpartition("/")[2])]
        children = [each for each in self._devices if each.hangs_on(device)]
        return [each.gone() for each in (device, *children)]

    def _learn(self, message: Message, place: _Place, keys: SensorKeys) -> list[Finding]:
        device = self._devices.of(place.device, message.arrival)
        if device is None:
            return [_no_room(message)]
        try:
            fits = device.tell(place.attribute, place.path, message.payload, keys)
        except ValueError as error:
            return [invalid(message, InvalidReason.SYNTAX, f"{place.attribute}: {error}")]
        return [] if fits else [_no_room(message)]

    def _read(self, message: Message, place: _Place, keys: SensorKeys) -> list[Finding]:
        is_known = self._devices.get(place.device) is not None
        if not is_known and quantity_of_property(place.path, UNTOLD, keys) is None:
            return []
        device = self._devices.of(place.device, message.arrival)
        if device is None or not device.meet(place.path, keys):
            return [_no_room(message)]
        if message.retained and property_time(message.properties, keys.zone) is None:
            return []
        return device.read(place.path, message, keys)


def _place(topic: str) -> _Place | InvalidReason | None:
    """What a topic is about; None for what does not matter here, such as commands."""
    *levels, last = topic.split("/")
    attribute = last if last.startswith("$") else ""
    depth = _DEPTHS.get(attribute)
    if not attribute:
        levels.append(last)
    if depth is None or last == "set" or any(level.startswith("$") for level in levels):
        return None
    below = len(levels) - depth
    if below < _BASE_AND_DEVICE or len(topic) > _LONGEST_TOPIC:
        return InvalidReason.TOPIC
    return _Place("/".join(levels[:below]), "/".join(levels[below:]), attribute)


def _no_room(message: Message) -> Invalid:
    return invalid(message, InvalidReason.NO_ROOM, "one device or property too many")


def _with_attribute(told: Property, attribute: str, text: str) -> Property:
    if attribute == "$unit":
        return replace(told, unit=text)
    if attribute == "$datatype":
        return replace(told, datatype=text)
    return replace(told, settable=text == "true")


def _described(document: Any) -> Iterator[tuple[str, Property]]:
    """All properties in a `$description`, by `node/property`."""
    for node, about_node in _members(_field(document, "nodes")):
        for id_, about in _members(_field(about_node, "properties")):
            if len(node) + len(id_) < _LONGEST_TOPIC:
                name, unit, datatype = (_words(about, key) for key in ("name", "unit", "datatype"))
                settable = _field(about, "settable") is True
                yield f"{node}/{id_}", Property(name, unit, datatype, settable)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """By id: of an object, as in version 5, or of a list whose members have one, as in drafts."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(_field(each, "id")), each) for each in value)


def _field(document: Any, key: str) -> Any:
    return document.get(key) if isinstance(document, dict) else None


def _words(document: Any, key: str) -> str:
    text = _field(document, key)
    return text[:_LONGEST_TEXT] if isinstance(text, str) else ""


def _text(payload: bytes, longest: int = _LONGEST_TEXT) -> str:
    return payload[:longest].decode(errors="replace").strip(_PADDING)
