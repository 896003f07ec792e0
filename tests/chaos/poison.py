"""Payloads of real devices, and what can be made of them: every format, both kinds of frames."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import sparkplug

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[windows]
size = "1s"
max_out_of_orderness = "200ms"
max_wait = "500ms"
allowed_lateness = "60s"
revision_epsilon = 0.0
[store]
path = "state.db"
{store}
[model]
path = "model.onnx"
[limits]
max_payload_bytes = "500kB"
max_devices = 1000
max_sites = 32
[web]
listen = "127.0.0.1:{web}"
[homeassistant]
discovery = false
[[sensors]]
topic = "good/{{site}}/{{device}}"
temperature = "t"
time = "at"
[[sensors]]
topic = "dt/{{site}}/{{device}}/telemetry"
quantities = {{ co2 = "air.0.co2" }}
time = "ts"
[[sensors]]
topic = "plain/{{site}}/{{device}}"
format = "plain"
quantity = "temperature"
[[sensors]]
topic = "zigbee2mqtt/{{site}}/{{device}}"
format = "zigbee2mqtt"
[[sensors]]
topic = "tele/{{device}}/SENSOR"
format = "tasmota"
timezone = "Europe/Berlin"
[[sensors]]
topic = "{{device}}/events/rpc"
format = "shelly"
[[sensors]]
topic = "esp/{{device}}/sensor/+/state"
format = "esphome"
[[sensors]]
topic = "{{site}}/{{device}}/senml"
format = "senml"
[[sensors]]
topic = "v3/app1@ttn/devices/{{device}}/up"
format = "ttn"
[[sensors]]
topic = "application/+/device/+/event/up"
format = "chirpstack"
[[sensors]]
topic = "home/+/BTtoMQTT/{{device}}"
format = "theengs"
[[sensors]]
topic = "ruuvi/+/+"
format = "ruuvi"
[[sensors]]
topic = "spBv1.0/{{site}}/#"
format = "sparkplug"
[[sensors]]
topic = "homie/#"
format = "homie"
[[sensors]]
topic = "edgex/events/device/#"
format = "edgex"
[[sensors]]
topic = "ha/sensor/#"
format = "homeassistant"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[[cameras]]
topic = "json-cams/{{site}}/{{camera}}"
format = "json"
"""

_SHELLY = "shellyplusht-b8d61a8b17cc"
_PLANT = "spBv1.0/Plant"

SENSORS: tuple[tuple[str, bytes], ...] = (
    ("dt/hall/probe7/telemetry", b'{"deviceId":"probe7","ts":1764000000123,"temperature":21.5}'),
    (
        "dt/hall/probe8/telemetry",
        b'{"ts":"2026-11-23T17:06:22.123Z","temperature":"21.5","humidity":null,"air":[{"co2":4}]}',
    ),
    ("plain/hall/sht", b"21.34"),
    ("plain/hall/dht", "70.1 °F".encode()),
    (
        "zigbee2mqtt/cellar/th1",
        b'{"battery":91,"humidity":44.72,"temperature":27.34,"last_seen":"2026-11-23T17:06:22Z"}',
    ),
    ("zigbee2mqtt/cellar/th1", b'{"humidity":52.11,"last_seen":1795453582123,"temperature":null}'),
    ("zigbee2mqtt/cellar/th1/availability", b'{"state":"offline"}'),
    (
        "tele/attic/SENSOR",
        (
            b'{"Time":"2026-11-23T11:00:00","AM2301-04":{"Temperature":71.1,"Humidity":48.2},'
            b'"DS18B20-1":{"Id":"01131B123456","Temperature":70.3},"TempUnit":"F"}'
        ),
    ),
    ("tele/attic/LWT", b"Offline"),
    (
        f"{_SHELLY}/events/rpc",
        (
            b'{"src":"shellyplusht-b8d61a8b17cc","method":"NotifyFullStatus","params":{"ts":1680962879'
            b'.62,"humidity:0":{"id":0,"rh":42.2},"temperature:0":{"id":0,"tC":19.8,"tF":67.6}}}'
        ),
    ),
    ("esp/livingroom/sensor/bme280_temperature/state", b"21.34"),
    ("esp/livingroom/sensor/bme280_humidity/state", b"nan"),
    (
        "site/gw/senml",
        (
            b'[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1320067464,"n":"humidity","u":"%RH","v":21.2},'
            b'{"n":"temperature","u":"Cel","v":23.1,"t":10}]'
        ),
    ),
    (
        "site/gw/senml",
        (
            b'[{"bn":"urn:dev:ow:10:","bu":"A","bver":5,"bv":20,"bs":1,"n":"temperature","u":"K",'
            b'"v":273.15,"s":2,"ut":60},{"n":"label","vs":"x","vb":true,"vd":"aGkgCg"}]'
        ),
    ),
    (
        "v3/app1@ttn/devices/dev1/up",
        (
            b'{"end_device_ids":{"device_id":"dev1"},"received_at":"2026-02-12T15:15:46.012345678Z",'
            b'"uplink_message":{"f_cnt":1,"decoded_payload":{"temperature":1.0,"humidity":64}}}'
        ),
    ),
    (
        "application/17c82e96/device/0101010101010101/event/up",
        (
            b'{"deduplicationId":"3ac7e3c4","time":"2022-07-18T09:34:15.775023242Z","deviceInfo"'
            b':{"deviceName":"Test","devEui":""},"object":{"temperature":21.5,"humidity":40}}'
        ),
    ),
    (
        "home/TheengsGateway/BTtoMQTT/F35285AABBCC",
        b'{"name":"F35285","id":"F3:52:85:AA:BB:CC","rssi":-82,"tempc":24.1,"hum":104.7}',
    ),
    (
        "ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23",
        (
            b'{"gw_mac":"AA:CC:EE:00:11:22","ts":1612358929,"data":"0201061BFF99040517037758C5C703FCFF'
            b'30FFF89416B7958AE375CF374E23","temperature":29.455,"humidity":76.38}'
        ),
    ),
    (
        "edgex/events/device/device-mqtt/climate/cellar/Temperature",
        (
            b'{"apiVersion":"v3","payload":{"event":{"deviceName":"cellar","origin":175500925024447742'
            b'0,"readings":[{"resourceName":"Temperature","valueType":"Float32","value":"2.15e+01"}]}}}'
        ),
    ),
)
"""Topic and payload for each format that remembers nothing."""

SESSIONS: tuple[tuple[str, bytes], ...] = (
    (f"{_PLANT}/NBIRTH/box1", sparkplug.birth(sparkplug.metric("Climate/Temperature", 21.5))),
    (f"{_PLANT}/DBIRTH/box1/th1", sparkplug.payload(sparkplug.metric("Temperature", 2.5), seq=1)),
    (f"{_PLANT}/DDATA/box1/th1", sparkplug.payload(sparkplug.metric("Temperature", 2.6), seq=2)),
    (f"{_PLANT}/NDATA/box1", sparkplug.payload(sparkplug.metric(alias=7, value=2.6), seq=3)),
    (f"{_PLANT}/NDEATH/box1", sparkplug.death()),
    ("homie/attic/$homie", b"4.0"),
    ("homie/attic/climate/temperature/$datatype", b"float"),
    ("homie/attic/climate/temperature", b"21.5"),
    ("homie/attic/$state", b"disconnected"),
    (
        "homie/5/cellar/$description",
        '{"homie":"5.0","version":7,"nodes":{"climate":{"properties":{"temperature":{"datatype":'
        '"float","unit":"°F"},"humidity":{"datatype":"integer","unit":"%"}}}}}'.encode(),
    ),
    ("homie/5/cellar/$state", b"ready"),
    ("homie/5/cellar/climate/humidity", b"48"),
    ("ha/sensor/hall_temperature/unit_of_measurement", '"°C"'.encode()),
    ("ha/sensor/hall_temperature/last_updated", b'"2026-11-23T10:00:00.123456+00:00"'),
    ("ha/sensor/hall_temperature/state", b"21.4"),
)
"""The same for formats that do: they must come in order, or nobody could say what they mean."""

_EXTREMES = (
    b"1e999", b"-1e-999", b"NaN", b"-Infinity", b"9" * 400, b"0x7f", b"1_000", b"true", b"null",
    b"[]", b"{}", b'""', b"\xd9\xa3\xd9\xab\xd9\xa5", b"-0", b"18446744073709551616",
    b"1e308", b"253402300800",
)  # fmt: skip
_STRUCTURE = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\\u0000",
    b"\r\n",
)
_NAMES = ("hall", "a" * 64, "a" * 65, "-", ".", "..", "ü", "a b", "%s", "$x", "\u202e", "{site}")


@dataclass(frozen=True, slots=True)
class Poison:
    """One message to send; `ordered`: with others before and after it."""

    topic: str
    payload: bytes
    qos: int
    properties: Sequence[tuple[str, str]] = ()
    ordered: bool = False


def cameras() -> tuple[tuple[str, bytes], ...]:
    picture = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    jpeg, png = (cv2.imencode(kind, picture)[1].tobytes() for kind in (".jpg", ".png"))
    envelope = {"image": base64.b64encode(jpeg).decode(), "time": "2026-11-23T10:00:00Z"}
    return (
        ("cams/hall/eye", jpeg),
        ("cams/hall/door", png),
        ("cams/cellar/eye", jpeg),
        ("json-cams/hall/json", json.dumps(envelope).encode()),
    )


def poison(count: int, seed: int) -> Iterator[Poison]:
    """`count` messages, of which one in eight is as a device sends it."""
    chance = random.Random(seed)
    frames = cameras()
    for _ in range(count):
        kind = chance.random()
        seeds = SENSORS if kind < 0.7 else SESSIONS if kind < 0.92 else frames
        topic, payload = chance.choice(seeds)
        ordered = seeds is SESSIONS
        if chance.random() < 7 / 8:
            payload = mutated(payload, chance)
        if chance.random() < 1 / 16:
            topic = renamed(topic, chance)
        qos = 1 if ordered else 0 if seeds is frames else chance.randrange(2)
        yield Poison(topic, payload, qos, _properties(chance), ordered)


def mutated(payload: bytes, chance: random.Random) -> bytes:
    """The payload after some accidents."""
    if chance.random() < 1 / 60:
        return b""
    if chance.random() < 1 / 400:
        return payload * (1 + chance.randrange(400_000, 1_200_000) // len(payload))
    if chance.random() < 1 / 200:
        return chance.choice((b"[", b'{"a":', b"\x9f", b"(")) * chance.randrange(1, 30_000)
    data = bytearray(payload)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        _hurt(data, chance)
    return bytes(data)


def _hurt(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.randrange(1, 20))
    match chance.randrange(8):
        case 0:
            del data[at:end]
        case 1:
            data[at:at] = data[at:end]
        case 2:
            del data[at:]
        case 3:
            data[at:end] = chance.randbytes(end - at)
        case 4:
            data[at:at] = chance.choice(_STRUCTURE)
        case 5:
            data[at:end] = chance.choice(_EXTREMES)
        case 6:
            other = chance.choice(SENSORS)[1]
            data[at:] = other[chance.randrange(len(other)) :]
        case _:
            _replace_number(data, chance)


def _replace_number(data: bytearray, chance: random.Random) -> None:
    digits = [at for at, byte in enumerate(data[:4096]) if 0x30 <= byte <= 0x39]
    if digits:
        start = end = chance.choice(digits)
        while end < len(data) and data[end] in b"0123456789.eE+-":
            end += 1
        data[start:end] = chance.choice(_EXTREMES)


def renamed(topic: str, chance: random.Random) -> str:
    """The topic with another name in one of its levels."""
    levels = topic.split("/")
    name = chance.choice((*_NAMES, f"device-{chance.randrange(5000)}"))
    levels[chance.randrange(1, len(levels))] = name
    return "/".join(levels)


def _properties(chance: random.Random) -> Sequence[tuple[str, str]]:
    if chance.random() < 0.9:
        return ()
    name = chance.choice(("time", "timestamp", "ts", "x", "", "ü" * 100))
    value = chance.choice(("2026-11-23T10:00:00Z", "1764000000", "yesterday", "", "9" * 300))
    return [(name, value)] * chance.randrange(1, 4)
