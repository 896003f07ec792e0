"""What LoRaWAN network servers have in common: the object that a payload formatter made.

Formatters name their fields as they like. So either the configuration says where the values lie,
or they are known by their names: see `field_names`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.field_names import FieldName, field_name, is_elsewhere
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import Sender, Stamp, measured, stamp_of, values_at
from edge_fusion.codecs.units import Unit, stated_unit
from edge_fusion.events import Invalid, InvalidReason, Message

_MOST_NODES: Final = 1024
_DEEPEST: Final = 5
_SHOWN_FIELDS: Final = 8


class Uplink(NamedTuple):
    """One uplink of a device.

    objects: what formatters made of it, in order of preference, at least one; stamp: when it came,
    by the server's clock; identity: as of a `Sample`.
    """

    objects: Sequence[dict[str, Any]]
    stamp: Stamp
    device: str | None
    identity: str | None


class _Value(NamedTuple):
    """A value of the object. part: as of a `Sample`."""

    quantity: str
    value: Any
    unit: Unit | None = None
    part: str | None = None


class _Leaf(NamedTuple):
    """A value that is no container; path: the keys that lead to it; unit: what stands beside it."""

    path: tuple[str, ...]
    value: Any
    unit: Any


def read_uplink(message: Message, keys: SensorKeys, uplink: Uplink) -> list[Sample | Invalid]:
    """The samples at `keys.paths`, which begin in the formatter's object, else those found by name.

    They are dated by `keys.time` in that object, else by the server. That none is there is
    MISSING_FIELD, as it would be for a device whose formatter has names of its own.
    """
    stamp: Stamp | Invalid = uplink.stamp
    if keys.time is not None:
        own = stamp_of(message, uplink.objects[0], keys.time, keys)
        stamp = own if isinstance(own, Invalid) or own.time is not None else stamp
    if isinstance(stamp, Invalid):
        return [stamp]
    values = _configured(uplink, keys) if keys.paths else _recognised(uplink)
    if not values:
        return [_nothing_known(message, keys, uplink)]
    findings = (
        finding
        for each in values
        for finding in measured(
            message,
            each.quantity,
            each.value,
            each.unit or keys.units.get(each.quantity),
            stamp,
            Sender(uplink.device, each.part),
        )
    )
    return [
        replace(finding, identity=uplink.identity) if isinstance(finding, Sample) else finding
        for finding in findings
    ]


def _nothing_known(message: Message, keys: SensorKeys, uplink: Uplink) -> Invalid:
    if keys.paths:
        detail = f"none of: {', '.join(keys.paths.values())}"
    else:
        names = [name[:20] for name in list(uplink.objects[0])[:_SHOWN_FIELDS]]
        detail = f"no temperature or humidity by name in: {', '.join(names)}"
    return invalid(message, InvalidReason.MISSING_FIELD, detail)


def _configured(uplink: Uplink, keys: SensorKeys) -> list[_Value]:
    found = values_at(uplink.objects[0], keys.paths)
    return [_Value(quantity, value) for quantity, value in found.items()]


def _recognised(uplink: Uplink) -> list[_Value]:
    return next((found for each in uplink.objects if (found := _by_name(each))), [])


def _by_name(document: dict[str, Any]) -> list[_Value]:
    """For each quantity the values with the best name: more than one only if channels differ."""
    best: dict[str, tuple[tuple[bool, bool, int], dict[str, _Value]]] = {}
    for leaf in _leaves(document):
        own = next((key for key in reversed(leaf.path) if not _is_mere_index(key)), "")
        name = field_name(own)
        if name is None:
            continue
        rank, found = best.get(name.quantity, (name.rank, {}))
        if name.rank < rank:
            found = {}
        if name.rank <= rank:
            part = ".".join(
                (*(key for key in leaf.path if key not in (own, "value")), name.channel)
            )
            found.setdefault(part.strip("."), _value(name, leaf))
            best[name.quantity] = (name.rank, found)
    return [
        value._replace(part=part if len(found) > 1 and part else None)
        for _, found in best.values()
        for part, value in found.items()
    ]


def _value(name: FieldName, leaf: _Leaf) -> _Value:
    stated = stated_unit(name.quantity, leaf.unit) if isinstance(leaf.unit, str) else None
    return _Value(name.quantity, leaf.value, stated or name.unit)


def _is_mere_index(key: str) -> bool:
    return key.isdigit() or key == "value"


def _leaves(document: dict[str, Any]) -> Iterator[_Leaf]:
    """Values in order of appearance, as far as a device's own object may reach."""
    pending = [_Leaf((), document, None)]
    for _ in range(_MOST_NODES):
        if not pending:
            return
        node = pending.pop()
        inner = _inner(node.value)
        if inner is None:
            yield node
        elif len(node.path) < _DEEPEST:
            unit = node.value.get("unit") if isinstance(node.value, dict) else None
            pending += [
                _Leaf((*node.path, key), value, unit)
                for key, value in reversed(inner)
                if not is_elsewhere(key)
            ]


def _inner(value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, dict):
        return list(value.items())[:_MOST_NODES]
    if isinstance(value, list):
        return [(str(index), inner) for index, inner in enumerate(value[:_MOST_NODES])]
    return None
