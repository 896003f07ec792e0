from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fusion.codecs.frames import FrameFormat
from edge_fusion.codecs.units import TemperatureUnit
from edge_fusion.config import Settings, load, model_problems
from edge_fusion.config.keys import Provider, shipped_model
from edge_fusion.errors import ConfigError
from edge_fusion.events import Severity
from edge_fusion.io.address import CameraAddress, Medium
from edge_fusion.io.retry import ProtocolChoice
from edge_fusion.io.store import Durability
from edge_fusion.model.spec import ModelSpec

SAMPLE = Path(__file__).parents[2] / "deploy" / "edge-fusion.toml"
SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'
CAMERA = '[[cameras]]\ntopic = "c/{site}/{camera}"\n'
SPEC = ModelSpec("m", 10.0, 20, ("temperature",), 2, (8, 8), ("fire", "smoke"), {"fire": 0.4})

DESIGN = """
[mqtt]
host = "localhost"
prefix = "edge_fusion"
[windows]
size = "10s"
every = "10s"
max_out_of_orderness = "2s"
allowed_lateness = "30s"
idle_timeout = "30s"
max_wait = "5s"
max_skew = "5s"
max_gap = "5s"
carry = "15m"
[[sensors]]
topic = "zigbee2mqtt/{site}/{device}"
format = "json"
temperature = "temperature"
humidity = "humidity"
time = "last_seen"
[[cameras]]
topic = "cameras/{site}/{camera}"
[[cameras]]
url = "rtsp://10.0.0.7/stream1"
site = "kitchen"
camera = "ceiling"
fps = 1.0
[model]
path = "models/indoor-hazard/model.onnx"
providers = ["auto"]
[[alerts]]
label = "smoke"
threshold = 0.7
clear = 0.5
for = 2
keep_firing = "30s"
severity = "critical"
[store]
path = "/var/lib/edge-fusion/state.db"
durability = "power-loss"
[web]
listen = "127.0.0.1:8337"
[homeassistant]
discovery = true
[limits]
max_sites = 256
max_frame_bytes = "8MB"
max_pixels = 50_000_000
"""

Read = Callable[..., Settings]


def test_the_configuration_of_the_design_is_read(read: Read, tmp_path: Path) -> None:
    settings = read(DESIGN)
    assert settings.windows.size == 10.0
    assert settings.windows.carry == 900.0
    assert settings.sensors[0].paths == {"temperature": "temperature", "humidity": "humidity"}
    assert settings.sensors[0].time == "last_seen"
    assert settings.sensors[0].pattern.filter == "zigbee2mqtt/+/+"
    assert settings.cameras[0].qos == 0
    assert [camera.topic for camera in settings.camera_topics] == ["cameras/{site}/{camera}"]
    assert str(settings.cameras[1].video) == "rtsp://10.0.0.7"
    assert settings.cameras[1].video_name == ("kitchen", "ceiling")
    assert settings.model.path == tmp_path / "models/indoor-hazard/model.onnx"
    alert = settings.alerts[0]
    assert (alert.for_windows, alert.keep_firing, alert.severity) == (2, 30.0, Severity.CRITICAL)
    assert settings.limits.max_frame_bytes == 8_000_000


def test_one_sensor_is_a_whole_configuration(read: Read) -> None:
    settings = read(SENSOR)
    assert (settings.mqtt.host, settings.mqtt.port) == ("localhost", 1883)
    assert settings.mqtt.protocol is ProtocolChoice.AUTO
    assert settings.mqtt.client_id.startswith("edge-fusion-")
    assert settings.windows.size is None
    assert settings.windows.size_and_every(10.0) == (10.0, 10.0)
    assert settings.model.path == shipped_model("indoor-hazard")
    assert settings.model.providers == (Provider.AUTO,)
    assert settings.store.durability is Durability.POWER_LOSS
    assert settings.web.address == ("127.0.0.1", 8337)
    assert settings.sensors[0].unit is TemperatureUnit.AUTO
    assert settings.alerts == ()


def test_settings_do_not_change_once_read(read: Read) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(SENSOR).mqtt.port = 1


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: No such file or directory: expected a read"):
        load(tmp_path / "no.toml", {})


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"[mqtt]\nhost = '\xff'")
    with pytest.raises(ConfigError, match=r"x.toml: line 2 is not UTF-8"):
        load(tmp_path / "x.toml", {})


def test_tls_moves_the_default_port(read: Read) -> None:
    assert read(SENSOR + "[mqtt]\ntls = {}").mqtt.port == 8883
    assert read(SENSOR + "[mqtt]\ntls = {}\nport = 1884").mqtt.port == 1884


def test_tls_files_are_found_beside_the_configuration(read: Read, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    settings = read(SENSOR + '[mqtt]\ntls = { ca = "ca.pem" }')
    tls = settings.mqtt.tls
    assert tls is not None
    assert tls.ca == tmp_path / "ca.pem"


def test_a_plain_sensor_finds_its_quantity_in_the_topic(read: Read) -> None:
    def quantity(topic: str) -> str | None:
        return read(f'[[sensors]]\ntopic = "{topic}"\nformat = "plain"').sensors[0].quantity

    assert quantity("a/{device}/temperature") == "temperature"
    assert quantity("a/Room_Humidity/state") == "humidity"
    assert quantity("temperature/humidity") == "humidity"


def test_availability_is_where_the_configuration_says_or_nowhere(read: Read) -> None:
    def filters(text: str, **environ: str) -> list[str]:
        patterns = [sensor.availability_pattern for sensor in read(text, **environ).sensors]
        return [pattern.filter for pattern in patterns if pattern is not None]

    assert filters(SENSOR) == []
    assert filters(SENSOR + "availability = false") == []
    assert filters(SENSOR + 'availability = "z/{site}/{device}/up"') == ["z/+/+/up"]
    named = '[[sensors]]\ntopic = "z/t"\nsite = "hall"\ndevice = "a"\navailability = "z/up"'
    assert filters(named) == ["z/up"]
    assert filters(named, EDGE_FUSION_SENSORS__0__AVAILABILITY="false") == []


@pytest.mark.parametrize(
    ("form", "topic", "availability"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/{site}/{device}", "zigbee2mqtt/{site}/{device}/availability"),
        ("zigbee2mqtt", "zigbee2mqtt/+", "zigbee2mqtt/+/availability"),
        ("tasmota", "tele/{device}/SENSOR", "tele/{device}/LWT"),
        ("shelly", "{site}/{device}/events/rpc", "{site}/{device}/online"),
        ("esphome", "{device}/sensor/+/state", "{device}/status"),
        ("zigbee2mqtt", "zigbee2mqtt/#", None),  # its own subscription covers that
        ("esphome", "hall/sensor/{device}/state", None),  # hall/status is of no one device
        ("json", "zigbee2mqtt/{site}/{device}", None),
    ],
)
def test_a_format_knows_where_its_devices_are_said_to_be_gone(
    read: Read, form: str, topic: str, availability: str | None
) -> None:
    text = f'[[sensors]]\ntopic = "{topic}"\nformat = "{form}"\n'
    pattern = read(text).sensors[0].availability_pattern
    assert (pattern and pattern.text) == availability
    assert read(text + "availability = false").sensors[0].availability_pattern is None


def test_a_path_of_ones_own_replaces_the_usual_ones(read: Read) -> None:
    assert read(SENSOR + 'humidity = "h"').sensors[0].paths == {"humidity": "h"}
    assert read(SENSOR + 'quantities = {co2 = "a.b"}').sensors[0].paths == {"co2": "a.b"}


def test_camera_keys_are_read(read: Read) -> None:
    camera = read(CAMERA + 'format = "json"\nimage = "a.b"\nqos = 1').cameras[0]
    assert (camera.format, camera.image, camera.qos) == (FrameFormat.JSON, "a.b", 1)


def test_a_camera_that_is_looked_at_needs_no_name(read: Read, tmp_path: Path) -> None:
    camera = read('[[cameras]]\nurl = "clips/night.mp4"\nlatency = "300ms"').cameras[0]
    assert camera.video_name == ("default", "night.mp4")
    assert camera.video == CameraAddress(str(tmp_path / "clips/night.mp4"), Medium.FILE)
    assert (camera.fps, camera.latency) == (1.0, 0.3)


def test_an_address_with_a_password_may_come_from_the_environment_and_is_not_shown(
    read: Read,
) -> None:
    settings = read(
        '[[cameras]]\nsite = "hall"',
        EDGE_FUSION_CAMERAS__0__URL="rtsp://me:secret@10.0.0.7/1",
    )
    video = settings.cameras[0].video
    assert video is not None
    assert video.location == "rtsp://me:secret@10.0.0.7/1"
    assert "secret" not in repr(settings)


def test_a_bare_model_name_is_a_shipped_model_and_a_path_is_not(read: Read, tmp_path: Path) -> None:
    shipped = read(SENSOR + '[model]\npath = "indoor-hazard"').model.path
    assert shipped.parts[-3:] == ("models", "indoor-hazard", "model.onnx")
    assert read(SENSOR + '[model]\npath = "my.onnx"').model.path == tmp_path / "my.onnx"
    assert read(SENSOR + '[model]\npath = "/x/my"').model.path == Path("/x/my")


def test_alert_levels_come_from_the_model_where_none_are_given(read: Read) -> None:
    alert = read(SENSOR + '[[alerts]]\nlabel = "fire"').alerts[0]
    assert alert.levels(0.4) == pytest.approx((0.4, 0.28))


def test_what_does_not_fit_the_model_is_named(read: Read) -> None:
    settings = read(
        SENSOR + '[[alerts]]\nlabel = "steam"\n[[alerts]]\nlabel = "fire"\nclear = 0.45\n'
        '[windows]\nevery = "4s"'
    )
    assert model_problems(settings, SPEC, Path("e.toml")) == [
        'e.toml: alerts[0].label is "steam": expected a label of m: fire, smoke; or device',
        "e.toml: alerts[1].clear is 0.45: expected at most the threshold, 0.4",
        (
            'e.toml: windows.every is "4s": expected the size, "10s", or a whole part of it, '
            "down to a 1000th"
        ),
    ]
    assert model_problems(read(DESIGN), SPEC, Path("e.toml")) == []
