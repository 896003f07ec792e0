"""Messages as a broker's clients publish them, for whatever listens to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_fusion.codecs.decoder import CameraSource, SensorSource
from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.events import ArrivalTime, Message
from edge_fusion.recognition.heard import Heard, Hearing

NOW = 1_795_428_000.0  # 2026-11-23T10:00:00Z
PICTURE = encode_jpeg(np.full((48, 64, 3), 90, np.uint8), 90)

Loaded = Callable[[str], list[SensorSource | CameraSource]]
"""From the text of a configuration to the sources in it."""

Published = tuple[str, Any] | tuple[str, Any, bool]
"""Topic, payload (bytes, text, or what becomes JSON), whether it is retained."""


def heard(*published: Published) -> list[Heard]:
    """What is kept of messages that came a tenth of a second apart."""
    hearing = Hearing("edge_fusion")
    for index, (topic, content, *retained) in enumerate(published):
        arrival = ArrivalTime(NOW + index / 10)
        hearing.take(Message(topic, payload(content), arrival, retained=bool(retained)))
    return hearing.heard()


def payload(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
