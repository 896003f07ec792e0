"""Sparkplug B payloads as plain values, and back. `payload.proto` is the schema.

What programs in C send is taken as well: text that is not UTF-8 is read as Latin-1, and negative
numbers may or may not be cut to the width of their type.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from google.protobuf.message import DecodeError

from edge_fusion.codecs.sparkplug.payload_pb2 import Payload as WirePayload
from edge_fusion.events import ArrivalTime, EventTime, InvalidReason

REBIRTH: Final = "Node Control/Rebirth"
MAX_INFLATED: Final = 1_000_000
"""Bytes that a compressed payload may come to."""
MAX_METRICS: Final = 20_000
"""Metrics of one payload. The smallest takes two bytes there, and a hundred times that here."""

_COMPRESSED: Final = "SPBV1.0_COMPRESSED"
_EITHER_FORMAT: Final = 32 + zlib.MAX_WBITS  # gzip or deflate, whichever the header says
_LATEST: Final = 10**14  # the year 5138, in milliseconds

# Datatypes of the specification, 6.4.16.
_BOOLEAN: Final = 11
_BITS_OF_SIGNED: Final = {1: 8, 2: 16, 3: 32, 4: 64}
_UNTOLD: Final = 0
_MEASURING: Final = frozenset({_UNTOLD, *range(1, 11), 12, 14})

_UNIT_PROPERTIES: Final = frozenset({"engunit", "engunits", "engineering units", "unit", "units"})
_GOOD_QUALITIES: Final = range(192, 256)  # as in OPC; BAD is 0, STALE is 500


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, or one member of a template.

    name: absent where the alias stands for it; member: what is then to be added to either. time:
    of the metric, else of the payload. datatype: 0 where it is untold, as mostly in DATA. value:
    an integer as it stands on the wire; None for null and for what is no scalar. unit: what the
    properties name, or empty. good: False where the properties say that the quality is not.
    """

    name: str | None
    alias: int | None
    member: str
    time: EventTime | InvalidReason | None
    datatype: int
    value: int | float | str | bool | None
    unit: str
    good: bool

    def read(self, datatype: int) -> float | str | bool | None:
        """The value, as one of `datatype` where the metric itself tells none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            return self.value
        return _signed(self.value, self.datatype or datatype)

    @property
    def measures(self) -> bool:
        """Whether its type is one of measurements: a number, or text that may spell one."""
        return self.datatype in _MEASURING and not isinstance(self.value, bool)


@dataclass(frozen=True, slots=True)
class Payload:
    """seq: counts 0 to 255 and again; None in an NDEATH."""

    seq: int | None
    metrics: tuple[Metric, ...]


def parse(payload: bytes) -> Payload:
    """Read a payload, compressed or not. Raises ValueError with a short reason."""
    found = _parse(payload)
    if _text(found.uuid) == _COMPRESSED:
        found = _parse(_inflate(found.body))
    metrics = tuple(islice(_all_metrics(found.metrics, found.timestamp), MAX_METRICS + 1))
    if len(metrics) > MAX_METRICS:
        raise ValueError(f"more than {MAX_METRICS} metrics")
    return Payload(found.seq if found.HasField("seq") else None, metrics)


def rebirth_request(now: ArrivalTime) -> bytes:
    """The payload of the NCMD that has an edge node send all of its BIRTHs again."""
    milliseconds = round(now * 1000)
    metric = WirePayload.Metric(
        name=REBIRTH, timestamp=milliseconds, datatype=_BOOLEAN, boolean_value=True
    )
    request: bytes = WirePayload(timestamp=milliseconds, metrics=[metric]).SerializeToString()
    return request


def _parse(payload: bytes) -> WirePayload:
    found = WirePayload()
    try:
        found.ParseFromString(payload)
    except DecodeError:
        raise ValueError("not a Sparkplug payload") from None
    return found


def _inflate(body: bytes) -> bytes:
    inflating = zlib.decompressobj(_EITHER_FORMAT)
    try:
        inflated = inflating.decompress(body, MAX_INFLATED)
    except zlib.error:
        raise ValueError("compressed, but neither by gzip nor by deflate") from None
    if inflating.unconsumed_tail:
        raise ValueError(f"more than {MAX_INFLATED} bytes, compressed")
    return inflated


def _all_metrics(metrics: Iterable[WirePayload.Metric], timestamp: int) -> Iterator[Metric]:
    for metric in metrics:
        name = _text(metric.name) if metric.HasField("name") else None
        alias = metric.alias if metric.HasField("alias") else None
        yield from _with_members(metric, name, alias, "", timestamp)


def _with_members(
    metric: WirePayload.Metric, name: str | None, alias: int | None, member: str, timestamp: int
) -> Iterator[Metric]:
    """A metric and, if it is an instance of a template, all that is in it."""
    timestamp = metric.timestamp or timestamp
    kind = metric.WhichOneof("value")
    is_template = kind == "template_value"
    if is_template and metric.template_value.is_definition:
        return
    unit, good = _properties(metric.properties) if metric.HasField("properties") else ("", True)
    value = None if is_template else _value(metric, kind)
    yield Metric(name, alias, member, _time(timestamp), metric.datatype, value, unit, good)
    if is_template:
        for inner in metric.template_value.metrics:
            path = f"{member}/{_text(inner.name)}"
            yield from _with_members(inner, name, alias, path, timestamp)


def _value(metric: WirePayload.Metric, kind: str | None) -> float | str | bool | None:
    if metric.is_null or kind is None:
        return None
    if kind == "string_value":
        return _text(metric.string_value)
    if kind == "float_value":
        return float(f"{metric.float_value:.7g}")  # 21.7, not 21.700000762939453
    value: float | bool = getattr(metric, kind)
    return value


def _properties(properties: WirePayload.PropertySet) -> tuple[str, bool]:
    unit, good = "", True
    for key, value in zip(properties.keys, properties.values, strict=False):
        name = _text(key).lower()
        if name in _UNIT_PROPERTIES and not value.is_null:
            unit = unit or _text(value.string_value).strip()
        elif name == "quality" and value.HasField("int_value"):
            good = value.int_value in _GOOD_QUALITIES
    return unit, good


def _time(milliseconds: int) -> EventTime | InvalidReason | None:
    if milliseconds >= _LATEST:
        return InvalidReason.TIME
    return EventTime(milliseconds / 1000) if milliseconds else None


def _signed(value: int, datatype: int) -> int:
    if datatype == _UNTOLD:
        # What is above half of the range can be no measurement unless it is negative.
        datatype = 4 if value >= 1 << 63 else 3 if 1 << 31 <= value < 1 << 32 else _UNTOLD
    bits = _BITS_OF_SIGNED.get(datatype)
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _text(text: str | bytes) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else text
