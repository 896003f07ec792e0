"""Sparkplug B for tests: payloads, and the host application that hears them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_fusion.codecs.dialect import Dialect, Finding, Sample, SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.sparkplug.payload_pb2 import Payload
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message, Publication

KEYS = SensorKeys()

INT8, INT16, INT32, INT64, UINT8 = 1, 2, 3, 4, 5
FLOAT, DOUBLE, BOOLEAN, STRING, DATE_TIME, TEMPLATE = 9, 10, 11, 12, 13, 19

Metric = Payload.Metric


def metric(
    name: str | None = None,
    value: float | str | bool | None = None,  # noqa: FBT001 - it is the value
    *,
    alias: int | None = None,
    ms: int | None = None,
    type_: int | None = None,
    unit: str | None = None,
    quality: int | None = None,
) -> Metric:
    """One metric; the value goes where its Python type and `type_` have it go."""
    found = Metric(name=name, alias=alias, timestamp=ms, datatype=type_)
    if value is None:
        found.is_null = True
    elif isinstance(value, bool):
        found.boolean_value = value
    elif isinstance(value, str):
        found.string_value = value
    elif isinstance(value, int):
        found.int_value = value % (1 << 32)
    elif type_ == DOUBLE:
        found.double_value = value
    else:
        found.float_value = value
    properties: dict[str, Any] = {"engUnit": unit, "Quality": quality}
    for key, each in properties.items():
        if each is not None:
            found.properties.keys.append(key)
            kind = "string_value" if isinstance(each, str) else "int_value"
            found.properties.values.append(Payload.PropertyValue(**{kind: each}))
    return found


def template(name: str | None, *members: Metric, alias: int | None = None) -> Metric:
    """An instance of a user's type."""
    value = Payload.Template(template_ref="Room", is_definition=False, metrics=members)
    return Metric(name=name, alias=alias, datatype=TEMPLATE, template_value=value)


def payload(*metrics: Metric, ms: int | None = None, seq: int | None = None) -> bytes:
    data: bytes = Payload(metrics=metrics, timestamp=ms, seq=seq).SerializeToString()
    return data


def birth(*metrics: Metric, ms: int | None = None, bd_seq: int = 0) -> bytes:
    """An NBIRTH with the metrics that the specification wants in each."""
    head = (
        metric("bdSeq", bd_seq, type_=INT64),
        metric("Node Control/Rebirth", False, type_=BOOLEAN),
    )
    return payload(*head, *metrics, ms=ms, seq=0)


def death(bd_seq: int = 0) -> bytes:
    """An NDEATH, as it is left with the broker as last will."""
    return payload(metric("bdSeq", bd_seq, type_=INT64))


class Host:
    """A dialect with its memory, and a clock that tests set."""

    def __init__(self, keys: SensorKeys = KEYS, dialect: Dialect | None = None) -> None:
        self._dialect = dialect or SENSOR_FORMATS["sparkplug"].make()
        self._keys = keys
        self.now = 1486144503.0

    def hear(self, topic: str, data: bytes) -> Sequence[Finding]:
        message = Message(f"spBv1.0/Plant/{topic}", data, ArrivalTime(self.now))
        return self._dialect(message, self._keys)

    def samples(self, topic: str, data: bytes) -> list[Sample]:
        return [each for each in self.hear(topic, data) if isinstance(each, Sample)]


def values(found: Sequence[Finding]) -> list[tuple[str, float]]:
    return [(each.quantity, each.value) for each in found if isinstance(each, Sample)]


def reasons(found: Sequence[Finding]) -> list[InvalidReason]:
    return [each.reason for each in found if isinstance(each, Invalid)]


def requests(found: Sequence[Finding]) -> list[Publication]:
    return [each for each in found if isinstance(each, Publication)]
