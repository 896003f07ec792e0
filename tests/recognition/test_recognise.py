from __future__ import annotations

import base64
from typing import Any

import pytest
from traffic import PICTURE, heard

from edge_fusion.codecs.frames import FrameFormat, FrameKeys
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.recognition.recognise import CameraTopic, Recognised, SensorTopic, recognise

BASE64 = base64.b64encode(PICTURE).decode()
CLIMATE = {"temperature": 21.5, "humidity": 41}


def recognised(topic: str, *contents: Any) -> Recognised | None:
    found = recognise(heard(*((topic, content) for content in contents)))
    assert len(found) <= 1
    return found[0] if found else None


def sensor(topic: str, *contents: Any) -> SensorTopic | None:
    found = recognised(topic, *contents)
    assert not isinstance(found, CameraTopic)
    return found


def test_json_of_no_known_format_is_read_at_its_paths() -> None:
    found = sensor(
        "dt/plant1/line2/probe7/telemetry",
        {"deviceId": "probe7", "ts": 1795428000123, "temperature": 21.5, "humidity": 41},
    )
    assert found is not None
    assert (found.format, found.usual, found.names_device) == ("json", None, False)
    assert found.keys.paths == {TEMPERATURE: "temperature", HUMIDITY: "humidity"}
    assert found.keys.time == "ts"
    assert found.quantities == {TEMPERATURE, HUMIDITY}


@pytest.mark.parametrize(
    ("topic", "payload", "quantity", "unit"),
    [
        ("kitchen/temperature", "21.4", TEMPERATURE, TemperatureUnit.AUTO),
        ("kitchen/temperature", "21.4 °C", TEMPERATURE, TemperatureUnit.AUTO),
        ("kitchen/temp_f", "70.5", TEMPERATURE, TemperatureUnit.FAHRENHEIT),
        ("temperature/kitchen", "21.4", TEMPERATURE, TemperatureUnit.AUTO),
        ("kitchen/dht22_humidity/value", "48", HUMIDITY, TemperatureUnit.AUTO),
        ("kitchen/Luftfeuchte", "48 %", HUMIDITY, TemperatureUnit.AUTO),
        ("kitchen/air", "21.4 °C", TEMPERATURE, TemperatureUnit.AUTO),
    ],
)
def test_a_bare_number_is_what_its_topic_or_its_unit_says(
    topic: str, payload: str, quantity: str, unit: TemperatureUnit
) -> None:
    found = sensor(topic, payload)
    assert found is not None
    assert (found.format, found.keys.quantity) == ("plain", quantity)
    assert found.keys.units[TEMPERATURE] is unit
    assert found.quantities == {quantity}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("kitchen/air", "21.4"),
        ("kitchen/air", "48 %"),
        ("kitchen/capacitor", "12 F"),
        ("kitchen/temperature/battery", "97"),
        ("kitchen/th_temperature/probe2", "97"),
        ("kitchen/target/temperature", "21"),
        ("cpu/temperature", "61"),
        ("kitchen/temperature", "warm"),
        ("kitchen/temperature", "1500"),
        ("kitchen/temperature", "nan"),
        ("kitchen/lamp", "ON"),
        ("kitchen/lamp", b"\xff\x00"),
        ("kitchen/lamp", b""),
        ("kitchen/lamp", "{"),
        ("kitchen/lamp", {"state": "ON", "brightness": 40}),
        ("kitchen/lamp", {"image": "not base64!"}),
    ],
)
def test_what_is_neither_reading_nor_picture_is_left_out(topic: str, payload: Any) -> None:
    assert recognised(topic, payload) is None


def test_one_good_message_is_enough() -> None:
    assert sensor("kitchen/temperature", "nan", "", "21.4") is not None
    assert sensor("kitchen/th", b"{", {"temperature": None}, CLIMATE) is not None


def test_a_retained_message_shows_the_format_too() -> None:
    assert recognise(heard(("kitchen/temperature", "21.4", True)))


@pytest.mark.parametrize(
    ("payload", "form", "keys"),
    [
        (PICTURE, FrameFormat.AUTO, FrameKeys()),
        (BASE64, FrameFormat.AUTO, FrameKeys()),
        (f"data:image/jpeg;base64,{BASE64}", FrameFormat.AUTO, FrameKeys()),
        ({"image": BASE64, "ts": 1795428000.15}, FrameFormat.AUTO, FrameKeys(time="ts")),
        ({"jpg": BASE64, "camera": "door"}, FrameFormat.JSON, FrameKeys("jpg")),
        (
            {"frame": {"data": BASE64, "at": "2026-11-23T10:00:00Z"}},
            FrameFormat.JSON,
            FrameKeys("frame.data", "frame.at"),
        ),
    ],
)
def test_pictures_are_known_by_their_bytes(
    payload: Any, form: FrameFormat, keys: FrameKeys
) -> None:
    found = recognised("yard/cam", payload)
    assert isinstance(found, CameraTopic)
    assert (found.format, found.keys, found.usual) == (form, keys, None)


def test_a_topic_with_pictures_is_a_camera_even_if_it_says_how_warm_it_is() -> None:
    assert isinstance(recognised("yard/cam", {"image": BASE64, **CLIMATE}), CameraTopic)


def test_programs_that_publish_pictures_are_known_by_their_topics() -> None:
    found = recognised("frigate/front_door/person/snapshot", PICTURE)
    assert isinstance(found, CameraTopic)
    assert found.usual == "frigate/{camera}/+/snapshot"
