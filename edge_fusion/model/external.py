"""Whether an ONNX file keeps tensors in other files, which no digest of its own would cover.

Only what leads to a tensor is read, in the wire format of protocol buffers
(https://protobuf.dev/programming-guides/encoding/), with the field numbers of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_32_BITS = 0xFFFFFFFF
"""Of longer keys and enumerations readers keep this much, so a file may hide behind more."""
_NAME, _DATA_LOCATION, _EXTERNAL = 8, 14, 1


class _Kind(Enum):
    """The messages of onnx.proto in which there may be a tensor."""

    MODEL = auto()
    TRAINING = auto()
    FUNCTION = auto()
    GRAPH = auto()
    NODE = auto()
    ATTRIBUTE = auto()
    SPARSE_TENSOR = auto()
    TENSOR = auto()


_PARTS: Final[Mapping[_Kind, Mapping[int, _Kind]]] = {
    _Kind.MODEL: {7: _Kind.GRAPH, 20: _Kind.TRAINING, 25: _Kind.FUNCTION},
    _Kind.TRAINING: {1: _Kind.GRAPH, 2: _Kind.GRAPH},
    _Kind.FUNCTION: {7: _Kind.NODE, 11: _Kind.ATTRIBUTE},
    _Kind.GRAPH: {1: _Kind.NODE, 5: _Kind.TENSOR, 15: _Kind.SPARSE_TENSOR},
    _Kind.NODE: {5: _Kind.ATTRIBUTE},
    _Kind.ATTRIBUTE: {
        5: _Kind.TENSOR,
        6: _Kind.GRAPH,
        10: _Kind.TENSOR,
        11: _Kind.GRAPH,
        22: _Kind.SPARSE_TENSOR,
        23: _Kind.SPARSE_TENSOR,
    },
    _Kind.SPARSE_TENSOR: {1: _Kind.TENSOR, 2: _Kind.TENSOR},
}


def external_tensor(content: bytes) -> str | None:
    """The name of the first tensor that an ONNX file keeps elsewhere, or None.

    Raises ValueError for what is no protocol buffer.
    """
    names = (_name_if_external(tensor) for tensor in tensors(content))
    return next((name for name in names if name is not None), None)


def tensors(content: bytes) -> Iterator[memoryview]:
    """Every tensor in an ONNX file. Raises ValueError for what is no protocol buffer."""
    pending = [(_Kind.MODEL, memoryview(content))]
    while pending:
        kind, message = pending.pop()
        if kind is _Kind.TENSOR:
            yield message
            continue
        parts = _PARTS[kind]
        for number, value in fields(message):
            part = parts.get(number)
            if part is not None and isinstance(value, memoryview):
                pending.append((part, value))


def _name_if_external(tensor: memoryview) -> str | None:
    name, external = b"", False
    for number, value in fields(tensor):
        if number == _NAME and isinstance(value, memoryview):
            name = bytes(value)
        elif number == _DATA_LOCATION:
            external |= value == _EXTERNAL
    return name.decode(errors="replace") if external else None


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; of fixed-width numbers the bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = (key & _32_BITS) >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value & _32_BITS
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _LENGTH:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("no protocol buffer")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another byte follows
            return value, at + index + 1
    raise ValueError("no protocol buffer")
