from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exif_data import in_jpeg, tiff

from edge_fusion.assembly import camera_subscriptions, decoder, sensor_subscriptions
from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Frame, Message, Offline, Reading, TimeSource
from edge_fusion.io.broker import Subscription

TWO_TOPICS_A_DEVICE = """
[[sensors]]
topic = "{site}/{device}/temperature"
format = "plain"
availability = "{site}/{device}/status"
qos = 0
[[sensors]]
topic = "{site}/{device}/humidity"
format = "plain"
availability = "{site}/{device}/status"
[[cameras]]
topic = "cameras/{site}/{camera}"
"""


def test_availability_is_subscribed_to_once_at_the_highest_quality_of_service(
    tmp_path: Path,
) -> None:
    (tmp_path / "e.toml").write_text(TWO_TOPICS_A_DEVICE)
    settings = load(tmp_path / "e.toml", {})
    assert sensor_subscriptions(settings) == (
        Subscription("+/+/temperature", 0),
        Subscription("+/+/status", 1),
        Subscription("+/+/humidity", 1),
    )
    assert camera_subscriptions(settings) == (Subscription("cameras/+/+", 0),)
    dead = Message("hall/th/status", b"offline", ArrivalTime(1.8e9))
    assert decoder(settings).decode(dead) == [Offline("hall", "th", dead.arrival)]


Sent = tuple[str, bytes]

DEVICES: dict[str, tuple[str, str, Sent, Sent]] = {
    "named by a placeholder": (
        "zigbee2mqtt", "zigbee2mqtt/{site}/{device}",
        ("zigbee2mqtt/cellar/th1", b'{"temperature":21.5}'),
        ("zigbee2mqtt/cellar/th1/availability", b'{"state":"offline"}'),
    ),
    "named by its format": (
        "zigbee2mqtt", "zigbee2mqtt/+",
        ("zigbee2mqtt/th1", b'{"temperature":21.5}'), ("zigbee2mqtt/th1/availability", b"offline"),
    ),
    "under a wildcard": (
        "zigbee2mqtt", "zigbee2mqtt/#",
        ("zigbee2mqtt/cellar/th1", b'{"temperature":21.5}'),
        ("zigbee2mqtt/cellar/th1/availability", b'{"state":"offline"}'),
    ),
    "tasmota": (
        "tasmota", "tele/{device}/SENSOR",
        ("tele/cellar/SENSOR", b'{"BME280":{"Temperature":21.1}}'), ("tele/cellar/LWT", b"Offline"),
    ),
    "a chip of tasmota": (
        "tasmota", "tele/+/SENSOR",
        ("tele/cellar/SENSOR", b'{"DS18B20-1":{"Temperature":21.1}}'),
        ("tele/cellar/LWT", b"Offline"),
    ),
    "shelly": (
        "shelly", "{device}/status/+",
        ("shellyplusht-1/status/temperature:0", b'{"id":0,"tC":19.8,"tF":67.6}'),
        ("shellyplusht-1/online", b"false"),
    ),
    "a chip of esphome": (
        "esphome", "+/sensor/+/state",
        ("livingroom/sensor/bme280_temperature/state", b"21.34"), ("livingroom/status", b"offline"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
def test_whoever_was_heard_is_the_one_that_dies(tmp_path: Path, device: str) -> None:
    form, topic, alive, dead = DEVICES[device]
    entry = f'[[sensors]]\ntopic = "{topic}"\nformat = "{form}"\n'
    arrival = ArrivalTime(1.8e9)
    for believed in (True, False):
        path = tmp_path / "e.toml"
        path.write_text(entry + ("" if believed else "availability = false\n"))
        reads = decoder(load(path, {}))
        [reading] = reads.decode(Message(*alive, arrival))
        assert isinstance(reading, Reading)
        gone = reads.decode(Message(*dead, arrival))
        assert (Offline(reading.site, reading.device, arrival) in gone) == believed


JPEG = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
DATED = in_jpeg(tiff("<", 1, "2026:11:23 11:00:00"), JPEG)


@pytest.mark.parametrize(("told", "source"), [("true", "DEVICE"), ("false", "ARRIVAL")])
def test_pictures_are_dated_by_their_exif_if_the_configuration_says_so(
    tmp_path: Path, told: str, source: str
) -> None:
    path = tmp_path / "edge-fusion.toml"
    path.write_text(f"""
        [[cameras]]
        topic = "cameras/{{site}}/{{camera}}"
        exif_time = {told}
        timezone = "Europe/Berlin"
    """)
    message = Message("cameras/hall/door", DATED, ArrivalTime(1795428007.0))
    [frame] = decoder(load(path, {})).decode(message)
    assert isinstance(frame, Frame)
    assert frame.time_source is TimeSource[source]
    assert frame.time == (1795428000.0 if told == "true" else 1795428007.0)
