"""The precision of a model's weights, as its file has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from edge_fusion.model.external import fields, tensors

_DATA_TYPE, _RAW_DATA = 2, 9
_TYPES: Final[Mapping[int, str]] = {
    1: "float32", 2: "uint8", 3: "int8", 10: "float16", 11: "float64", 16: "bfloat16",
    17: "float8", 18: "float8", 19: "float8", 20: "float8", 21: "uint4", 22: "int4",
}  # fmt: skip
"""By `TensorProto.DataType` of onnx.proto: those in which weights are kept, and no indices."""


def precision(content: bytes) -> str:
    """The type that holds most of the bytes of the weights; "float32" where nothing is said.

    Raises ValueError for what is no protocol buffer.
    """
    sizes: Counter[str] = Counter()
    for tensor in tensors(content):
        name, size = None, 0
        for number, value in fields(tensor):
            if number == _DATA_TYPE and isinstance(value, int):
                name = _TYPES.get(value)
            elif number == _RAW_DATA and isinstance(value, memoryview):
                size = len(value)
        if name is not None:
            sizes[name] += size
    return sizes.most_common(1)[0][0] if sizes else "float32"
