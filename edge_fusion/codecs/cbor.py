"""CBOR documents from the network (RFC 8949), as JSON would have them."""

from __future__ import annotations

import base64
from typing import Any, Final

import cbor2
import orjson

_DEEPEST: Final = 16
_LENIENT: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def is_cbor(payload: bytes) -> bool:
    """Whether it may be an array, a map or a tagged value; no JSON begins with such a byte."""
    return payload[:1] >= b"\x80"


def load_cbor(payload: bytes) -> Any:
    """Parse a CBOR document; raises ValueError with a short reason.

    Only what JSON has comes out: keys are text, bytes are base64, and other types, which tags
    make, are null.
    """
    try:
        document = cbor2.loads(payload, max_depth=_DEEPEST)
        return orjson.loads(orjson.dumps(document, default=_as_json, option=_LENIENT))
    except (cbor2.CBORDecodeError, orjson.JSONEncodeError) as error:
        raise ValueError(str(error)) from None


def _as_json(value: object) -> str | None:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else None
