"""Simulated devices: what a sensor and a camera would publish, as values; nothing is sent here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.codecs.times import format_time
from edge_fusion.events import HUMIDITY, TEMPERATURE, EventTime, Publication
from edge_fusion.simulator.live import LiveRoom
from edge_fusion.simulator.sensors import Sensor

JPEG_QUALITY = 80


class Device(Protocol):
    """Something with a rhythm that publishes; `emit` gives its message at `now`."""

    name: str
    interval: float

    def emit(self, now: EventTime) -> Publication: ...


@dataclass(slots=True)
class SensorDevice:
    """A sensor that sends JSON every `interval` seconds. `paths`: quantity or "time" -> path."""

    name: str
    topic: str
    room: LiveRoom
    sensor: Sensor
    paths: Mapping[str, str]
    interval: float = 1.0
    felt_at: float = 0.0

    def emit(self, now: EventTime) -> Publication:
        self.sensor.feel(*self.room.air(), max(0.0, self.room.time - self.felt_at))
        self.felt_at = self.room.time
        temperature, humidity = self.sensor.read()
        values: dict[str, Any] = {
            TEMPERATURE: temperature,
            HUMIDITY: humidity,
            "time": format_time(now),
        }
        payload: dict[str, Any] = {}
        for name, path in self.paths.items():
            _put(payload, path, values[name])
        return Publication(self.topic, json.dumps(payload).encode(), qos=1)


@dataclass(slots=True)
class CameraDevice:
    """A camera that sends a JPEG every `interval` seconds, dated by a user property (MQTT 5)."""

    name: str
    topic: str
    room: LiveRoom
    interval: float = 1.0

    def emit(self, now: EventTime) -> Publication:
        return Publication(
            self.topic,
            encode_jpeg(self.room.draw(), JPEG_QUALITY),
            qos=0,
            content_type="image/jpeg",
            properties={"time": format_time(now)},
        )


def _put(payload: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for key in parents:
        payload = payload.setdefault(key, {})
    payload[last] = value
