from __future__ import annotations

import json

import numpy as np

from edge_fusion.codecs.jpeg import header_size
from edge_fusion.events import HUMIDITY, TEMPERATURE, EventTime
from edge_fusion.simulator.devices import CameraDevice, SensorDevice
from edge_fusion.simulator.live import demo_room
from edge_fusion.simulator.sensors import Sensor, SensorModel

NOW = EventTime(1_764_000_000.5)
PLAIN = {TEMPERATURE: TEMPERATURE, HUMIDITY: HUMIDITY, "time": "time"}


def sensor_device(paths: dict[str, str], tau: float = 10.0) -> SensorDevice:
    room = demo_room("kitchen")
    room.advance(0.0)
    model = SensorModel(tau_temperature=tau, tau_humidity=tau)
    sensor = Sensor(model, *room.air(), np.random.default_rng(1))
    return SensorDevice("climate-1", "sensors/kitchen/climate-1", room, sensor, paths)


def test_a_sensor_sends_tenths_of_its_quantities_and_the_time_in_utc() -> None:
    publication = sensor_device(PLAIN).emit(NOW)
    payload = json.loads(publication.payload)
    assert (publication.topic, publication.qos) == ("sensors/kitchen/climate-1", 1)
    assert set(payload) == {"temperature", "humidity", "time"}
    assert payload["time"].endswith("Z")
    assert all(round(payload[name], 1) == payload[name] for name in ("temperature", "humidity"))


def test_quantities_stand_at_the_paths_that_were_asked_for() -> None:
    paths = {TEMPERATURE: "air.t", HUMIDITY: "air.h"}
    payload = json.loads(sensor_device(paths).emit(NOW).payload)
    assert set(payload) == {"air"}
    assert set(payload["air"]) == {"t", "h"}


def test_a_sensor_feels_what_happens_in_its_room() -> None:
    device = sensor_device(PLAIN, tau=3.0)
    before = json.loads(device.emit(NOW).payload)["humidity"]
    for second in range(1, 25):
        device.room.advance(float(second))
        after = json.loads(device.emit(NOW).payload)["humidity"]
    assert after > before + 1


def test_a_camera_sends_a_jpeg_of_640_by_480_dated_by_a_property() -> None:
    room = demo_room("hall")
    room.advance(3.0)
    publication = CameraDevice("ceiling", "cameras/hall/ceiling", room).emit(NOW)
    assert header_size(publication.payload) == (480, 640)
    assert publication.content_type == "image/jpeg"
    assert publication.qos == 0
    assert publication.properties["time"].endswith("Z")
