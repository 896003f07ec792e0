"""Sensor Measurement Lists as such, RFC 8428: from bytes, JSON or CBOR, to resolved records.

A pack is a list of records. What is base in one (name, time, unit, value) holds for it and all
that follow, until another replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import cbor2

from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.payload import json_of
from edge_fusion.events import Invalid, InvalidReason, Message

_BASE: Final = ("bn", "bt", "bu", "bv")
_TEXT: Final = frozenset({"bn", "bu", "n", "u"})
_LONGEST_TEXT: Final = 256
"""A base name is repeated for every record: a long one would fill the memory."""

_MOST_RECORDS: Final = 10_000
"""An hour of two quantities once a second is less."""

_KNOWN_FEATURES: Final = 0b11111
"""RFC 9100: a version is a sum of features. 10 is that of RFC 8428, 16 the units of RFC 8798."""

_LABELS: Final[Mapping[int, str]] = MappingProxyType(
    dict(enumerate(("bs", "bv", "bu", "bt", "bn", "bver"), -6))
    | dict(enumerate(("n", "u", "v", "vs", "vb", "s", "t", "ut", "vd")))
)
_CBOR: Final = b"\x80"
"""Every CBOR array begins with this byte or a greater one, and no JSON does but for a BOM."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
_DEEPEST: Final = 4  # a pack, a record, a decimal fraction; and what a later RFC may add


class Record(NamedTuple):
    """A record that has a value, resolved: nothing in it depends on others any more.

    time: in seconds, from the epoch or from now, 0 if there is none. Time and value are their sum
    with what is base, or whichever of the two is no number.
    """

    name: str
    unit: str | None
    time: Any
    value: Any


def read_pack(message: Message) -> list[Record] | Invalid:
    """The records that have a `v`; other kinds of value and mere sums are left out.

    A pack is refused as a whole where a part of it might change the meaning of the rest.
    """
    payload = message.payload.removeprefix(_BYTE_ORDER_MARK)
    binary = payload[:1] >= _CBOR
    pack = _from_cbor(message, payload) if binary else json_of(replace(message, payload=payload))
    if isinstance(pack, Invalid):
        return pack
    if not isinstance(pack, list):
        return invalid(message, InvalidReason.SYNTAX, "not a list of records")
    if len(pack) > _MOST_RECORDS:
        detail = f"{len(pack)} records, limit {_MOST_RECORDS}"
        return invalid(message, InvalidReason.TOO_LARGE, detail)
    fault = next((fault for record in pack if (fault := _fault(record)) is not None), None)
    if fault is not None:
        return invalid(message, InvalidReason.SYNTAX, fault)
    return list(_resolved(pack))


def _from_cbor(message: Message, payload: bytes) -> Any | Invalid:
    """A CBOR pack with the labels that JSON has. Lengths that are claimed allocate nothing."""
    try:
        pack = cbor2.loads(payload.removeprefix(_SELF_DESCRIBED), max_depth=_DEEPEST)
    except cbor2.CBORDecodeError as error:
        return invalid(message, InvalidReason.SYNTAX, f"not CBOR: {error}")
    if not isinstance(pack, list):
        return pack
    return [_labelled(record) if isinstance(record, dict) else record for record in pack]


def _labelled(record: dict[Any, Any]) -> dict[Any, Any]:
    return {
        _LABELS.get(key, key) if isinstance(key, int) else key: _plain(value)
        for key, value in record.items()
    }


def _plain(value: Any) -> Any:
    """Decimal fractions, CBOR's tag 4, as floats."""
    return float(value) if isinstance(value, Decimal) and value.is_finite() else value


def _fault(record: Any) -> str | None:
    """Why nothing may be read from the pack that holds `record`, if so."""
    if not isinstance(record, dict):
        return "a record is not an object"
    for label, value in record.items():
        if isinstance(label, str) and label.endswith("_"):
            return f"{label[:20]!r} must be understood, and is not"
        if label in _TEXT and not (isinstance(value, str) and len(value) <= _LONGEST_TEXT):
            return f'"{label}" is not a short text'
    version = record.get("bver", 0)
    if not isinstance(version, int) or not 0 <= version <= _KNOWN_FEATURES:
        return '"bver" is a version that is not known'
    return None


def _resolved(pack: list[dict[str, Any]]) -> Iterator[Record]:
    base: dict[str, Any] = {}
    for record in pack:
        base |= {label: record[label] for label in _BASE if label in record}
        if "v" in record:
            yield Record(
                base.get("bn", "") + record.get("n", ""),
                record.get("u", base.get("bu")) or None,
                _sum(_or_zero(base.get("bt")), _or_zero(record.get("t"))),
                _sum(_or_zero(base.get("bv")), record["v"]),
            )


def _or_zero(value: Any) -> Any:
    return 0 if value is None else value


def _sum(base: Any, own: Any) -> Any:
    first, second = read_number(base), read_number(own)
    if isinstance(first, float) and isinstance(second, float):
        return first + second
    return base if isinstance(second, float) else own
