"""THE table of sensor formats: what may stand after `format =`, and what decodes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edge_fusion.codecs.dialect import Dialect
from edge_fusion.codecs.json_reading import decode_json
from edge_fusion.codecs.plain import decode_plain


def _nowhere(_topic: str) -> None:
    """Devices of this format have no topic that says whether they are there."""


@dataclass(frozen=True, slots=True)
class SensorFormat:
    """How one format is read.

    make: makes the dialect, once for each `[[sensors]]` entry, since some remember what came
    before. availability: from the entry's topic pattern to that of the topics on which its
    devices are said to be there or gone, None if there is none. quantity: whether a payload is
    one bare value, so that the configuration or the topic must say of what. paths: whether values
    lie at dotted paths, which the configuration may give. usual_topics: patterns of the topics on
    which devices of this format speak unless told otherwise. telling: whether readings can be
    found in payloads of this format only, so that it is recognised on any other topic too.
    """

    make: Callable[[], Dialect]
    availability: Callable[[str], str | None] = _nowhere
    quantity: bool = False
    paths: bool = False
    usual_topics: tuple[str, ...] = ()
    telling: bool = False


SENSOR_FORMATS: Final[Mapping[str, SensorFormat]] = MappingProxyType(
    {
        "json": SensorFormat(lambda: decode_json, paths=True),
        "plain": SensorFormat(
            lambda: decode_plain,
            quantity=True,
            usual_topics=(  # of Shelly's first generation
                "shellies/{device}/sensor/temperature",
                "shellies/{device}/sensor/humidity",
            ),
        ),
    }
)
