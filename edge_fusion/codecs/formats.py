"""THE table of sensor formats: what may stand after `format =`, and what decodes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from edge_fusion.codecs.dialect import Dialect
from edge_fusion.codecs.json_reading import decode_json
from edge_fusion.codecs.plain import decode_plain

SENSOR_FORMATS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "json": decode_json,
        "plain": decode_plain,
    }
)
