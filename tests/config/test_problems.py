from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.config import Settings, config_schema, load
from edge_fusion.errors import ConfigError

SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'
VIDEO = '[[cameras]]\nurl = "rtsp://me:secret@10.0.0.7/1"\n'
CAMERA = '[[cameras]]\ntopic = "c/{site}/{camera}"\n'

Read = Callable[..., Settings]


# What is wrong: the text, then what the one line about it says.
BAD = [
    (
        SENSOR + '[windows]\nsizze = "10s"',
        'edge.toml: windows.sizze is no known key: did you mean "size"?',
    ),
    (
        SENSOR + "[mqtt]\nzzz = 1",
        "edge.toml: mqtt.zzz is no known key: expected one of host, tls, port",
    ),
    (SENSOR + "[window]", 'edge.toml: window is no known key: did you mean "windows"?'),
    (
        SENSOR + 'temprature = "t"',
        'edge.toml: sensors[0].temprature is no known key: did you mean "temperature"?',
    ),
    (SENSOR + "[[alerts]]\nlabel='a'\nfor_windows=2", "alerts[0].for_windows is no known key"),
    (SENSOR + "[mqtt]\ntls = {cca = 'x'}", 'mqtt.tls.cca is no known key: did you mean "ca"?'),
    (
        SENSOR + '[windows]\nsize = "10 minutes"',
        'windows.size is "10 minutes": expected a duration',
    ),
    (SENSOR + "[windows]\nsize = 0", "windows.size is 0: expected a duration from"),
    (SENSOR + "[windows]\nmax_wait = -1", "windows.max_wait is -1: expected a duration"),
    (SENSOR + "[windows]\nmax_gap = true", "windows.max_gap is true: expected a duration"),
    (
        SENSOR + "[windows]\nmax_gap = 2026-01-01",
        "windows.max_gap is 2026-01-01: expected a duration",
    ),
    (
        SENSOR + '[windows]\nsize = "10s"\nevery = "20s"',
        'windows.every is "20s": expected the size, "10s", or a whole part',
    ),
    (
        SENSOR + '[windows]\nsize = "10s"\nevery = "3s"',
        'windows.every is "3s": expected the size, "10s", or a whole part',
    ),
    (
        SENSOR + "[windows]\nrevision_epsilon = 2",
        "windows.revision_epsilon is 2: expected at most 1",
    ),
    (SENSOR + "[mqtt]\nport = 70000", "mqtt.port is 70000: expected at most 65535"),
    (SENSOR + '[mqtt]\nport = "1883"', 'mqtt.port is "1883": expected a whole number'),
    (SENSOR + '[mqtt]\nhost = ""', 'mqtt.host is "": expected a text that is not empty'),
    (SENSOR + '[mqtt]\nprotocol = "4"', "mqtt.protocol is \"4\": expected 'auto', '5' or '3.1.1'"),
    (SENSOR + '[mqtt]\nprefix = "a/+"', 'mqtt.prefix is "a/+": expected topic levels without +'),
    (SENSOR + '[mqtt]\nprefix = "/a"', 'mqtt.prefix is "/a": expected topic levels'),
    (SENSOR + '[mqtt]\nbox = "a b"', 'mqtt.box is "a b": expected 1 to 64 letters, digits, _ - .'),
    (SENSOR + '[mqtt]\nkeepalive = "1d"', 'mqtt.keepalive is "1d": expected "1s" to "65535s"'),
    (SENSOR + '[mqtt]\npublish_late = "yes"', 'mqtt.publish_late is "yes": expected true or false'),
    (SENSOR + '[mqtt]\ntls = "yes"', 'mqtt.tls is "yes": expected a table'),
    (
        SENSOR + '[mqtt]\ntls = {ca = "none.pem"}',
        'mqtt.tls.ca is "none.pem": expected a file that exists',
    ),
    (
        SENSOR + '[mqtt]\ntls = {key = "edge.toml"}',
        "mqtt.tls.key given without cert: expected both",
    ),
    (SENSOR + '[mqtt]\npassword_file = "no"', "mqtt.password_file is"),
    (
        SENSOR + "availability = true",
        'sensors[0].availability is true: expected a topic such as "zigbee2mqtt/{device}',
    ),
    (
        SENSOR + 'availability = "z/{site}/LWT"',
        'sensors[0].availability is "z/{site}/LWT": expected a topic with {device}',
    ),
    (
        SENSOR + 'availability = "z/{device}/LWT"',
        'sensors[0].availability is "z/{device}/LWT": expected a topic with {site}',
    ),
    (
        SENSOR + 'availability = "z/{site}/{device}/{camera}"',
        "expected no {camera}: topic has none",
    ),
    (
        '[[sensors]]\ntopic = "z/t"\ndevice = "a"\navailability = "z/{device}/LWT"',
        "expected no {device}: topic has none",
    ),
    (
        '[[sensors]]\ntopic = "z/+"\navailability = "z/+/LWT"',
        'sensors[0].availability is "z/+/LWT": expected a topic with {device}',
    ),
    (
        SENSOR + 'availability = "z/#/{site}/{device}"',
        'sensors[0].availability topic "z/#/{site}/{device}" has # before its end',
    ),
    ("", "edge.toml: sensors there is none: expected at least one [[sensors]] or [[cameras]]"),
    (
        '[sensors]\ntopic = "a"',
        "sensors is a table: expected a list, with two brackets: [[sensors]]",
    ),
    ('[[sensors]]\nformat = "json"', "sensors[0].topic is absent: expected a value"),
    ('[[sensors]]\ntopic = ""', "sensors[0].topic the topic is empty: expected something like"),
    (
        '[[sensors]]\ntopic = "a/{room}"',
        'sensors[0].topic topic "a/{room}" has unknown placeholder {room}: allowed are',
    ),
    (
        '[[sensors]]\ntopic = "a/{camera}"',
        'sensors[0].topic "a/{camera}" has {camera}: expected only {site}, {device}',
    ),
    (
        SENSOR + 'site = "hall"',
        'sensors[0].site is "hall" while the topic has {site}: expected one of them',
    ),
    (SENSOR + 'format = "xml"', 'sensors[0].format is "xml": expected one of json, plain'),
    (
        SENSOR + 'format = "plain"',
        "sensors[0].quantity is absent: expected what the payload measures",
    ),
    (
        '[[sensors]]\ntopic = "x/humidity"\nformat = "plain"\nhumidity = "a"',
        'sensors[0].humidity given with format "plain"',
    ),
    (
        '[[sensors]]\ntopic = "x/humidity"\nformat = "plain"\ntime = "ts"',
        'sensors[0].time given with format "plain", which has no fields',
    ),
    (
        SENSOR + 'quantity = "co2"',
        'sensors[0].quantity given with format "json": expected only with',
    ),
    (
        SENSOR + 'format = "tasmota"\ntemperature = "AM2301.Temperature"',
        'sensors[0].temperature given with format "tasmota", which says itself where its values',
    ),
    (
        SENSOR + 'format = "ruuvi"\ntime = "ts"',
        'sensors[0].time given with format "ruuvi", which says itself where its values',
    ),
    (
        SENSOR + 'format = "senml"\ntime = "t"',
        'sensors[0].time given with format "senml", which dates each value by itself',
    ),
    (
        SENSOR + 'format = "sparkplug"\ntemperature = "A/T"\ntime = "ts"',
        'sensors[0].time given with format "sparkplug", which says itself where its values',
    ),
    (
        SENSOR + 'quantities = { "a b" = "c" }',
        'sensors[0].quantities "a b" = "c": expected a quantity',
    ),
    (
        SENSOR + 'temperature = "a"\nquantities = {temperature = "b"}',
        "sensors[0].quantities given beside the key temperature",
    ),
    (SENSOR + "qos = 2", "sensors[0].qos is 2: expected at most 1"),
    (SENSOR + 'unit = "R"', "sensors[0].unit is \"R\": expected 'C', 'F', 'K' or 'auto'"),
    (
        SENSOR + 'timezone = "Mars/Base"',
        'sensors[0].timezone is "Mars/Base": expected an IANA time zone',
    ),
    (SENSOR + "time = 5", "sensors[0].time is 5: expected a text in quotes"),
    ("[[cameras]]", "cameras[0].topic is absent: expected the topic of the camera, or its url"),
    (
        CAMERA + 'url = "rtsp://me:secret@x"',
        "cameras[0].url given together with topic: expected one of them",
    ),
    (
        '[[cameras]]\nurl = "ftp://me:secret@x"',
        "cameras[0].url is of the wrong kind: expected rtsp://…, http://…, a device such as",
    ),
    ("[[cameras]]\nurl = 0", "cameras[0].url is of the wrong kind: expected a text in quotes"),
    ('[[cameras]]\nurl = ""', "cameras[0].url is of the wrong kind: expected rtsp://…"),
    (
        '[[cameras]]\nurl = "rtsp://me:sec/ret@x/1"',
        "cameras[0].url is of the wrong kind: expected scheme://user:password@host:port/path",
    ),
    (
        VIDEO + "qos = 1",
        "cameras[0].qos given with url: expected only with topic",
    ),
    (VIDEO + 'format = "raw"', "cameras[0].format given with url: expected only with topic"),
    (VIDEO + "exif_time = true", "cameras[0].exif_time given with url: expected only with topic"),
    (CAMERA + "fps = 1", "cameras[0].fps given with topic: expected only with url"),
    (CAMERA + 'latency = "1s"', "cameras[0].latency given with topic: expected only with url"),
    (VIDEO + "fps = 0", "cameras[0].fps is 0: expected more than 0"),
    (VIDEO + 'camera = "a b"', 'cameras[0].camera is "a b": expected 1 to 64 letters'),
    (
        VIDEO + VIDEO.replace("/1", "/2"),
        'cameras[0].camera is "default/10.0.0.7", given 2 times: expected names that differ',
    ),
    (CAMERA + 'camera = "a"', 'cameras[0].camera is "a" while the topic has {camera}'),
    (CAMERA + 'format = "gif"', "cameras[0].format is \"gif\": expected 'auto', 'raw' or 'json'"),
    (
        SENSOR + '[model]\npath = "no-such-model"',
        'model.path is "no-such-model": expected a path to an ONNX file, or a shipped',
    ),
    (
        SENSOR + '[model]\nproviders = ["GPU"]',
        'model.providers[0] is "GPU": expected one of auto, TensorRT',
    ),
    (SENSOR + '[model]\nproviders = "CUDA"', 'model.providers is "CUDA": expected a list'),
    (SENSOR + "[model]\nproviders = []", "model.providers is a list: expected at least one entry"),
    (SENSOR + '[model]\nsha256 = "12"', 'model.sha256 is "12": expected 64 hexadecimal digits'),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\nthreshold = 1.5',
        "alerts[0].threshold is 1.5: expected at most 1",
    ),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\nthreshold = nan',
        "alerts[0].threshold is NaN: expected a number",
    ),
    (SENSOR + '[[alerts]]\nlabel = "a"\nfor = 0', "alerts[0].for is 0: expected at least 1"),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\nfor = 1.5',
        "alerts[0].for is 1.5: expected a whole number",
    ),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\nthreshold = 0.5\nclear = 0.6',
        "alerts[0].clear is 0.6: expected at most the threshold, 0.5",
    ),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\n[[alerts]]\nlabel = "a"',
        'alerts[0].label is "a", given 2 times: expected once',
    ),
    (
        SENSOR + '[[alerts]]\nlabel = "a"\nseverity = "bad"',
        "alerts[0].severity is \"bad\": expected 'info', 'warning' or 'critical'",
    ),
    (
        SENSOR + '[store]\ndurability = "full"',
        "store.durability is \"full\": expected 'power-loss', 'crash' or 'none'",
    ),
    (SENSOR + '[web]\nlisten = "8337"', 'web.listen is "8337": expected host:port'),
    (SENSOR + '[web]\nlisten = "a:99999"', 'web.listen is "a:99999": expected host:port'),
    (
        SENSOR + '[limits]\nmax_frame_bytes = "8 Mb"',
        'limits.max_frame_bytes is "8 Mb": expected a size',
    ),
    (SENSOR + "[limits]\nmax_sites = 0", "limits.max_sites is 0: expected at least 1"),
    (SENSOR + "[mqtt\n", "edge.toml: line 3, column 6: Expected"),
]


@pytest.mark.parametrize(("text", "expected"), BAD, ids=[line[:60] for _, line in BAD])
def test_one_line_says_where_what_and_what_is_allowed(
    problems: Callable[..., list[str]], text: str, expected: str
) -> None:
    lines = problems(text)
    assert len(lines) == 1
    assert lines[0].startswith("edge.toml: ")
    assert expected in lines[0]
    assert "secret" not in lines[0]


def test_every_problem_gets_its_line(problems: Callable[..., list[str]]) -> None:
    lines = problems(SENSOR + "qos = 3\n[mqtt]\nport = 0\n[web]\nlisten = 'x'")
    assert [line.split()[1] for line in lines] == ["mqtt.port", "sensors[0].qos", "web.listen"]


@cache
def tables() -> dict[str, tuple[bool, list[str]]]:
    """The keys of each table, and whether there may be many of it."""
    schema = config_schema()
    found = {}
    for name, key in schema["properties"].items():
        many = "items" in key
        reference = (key["items"] if many else key)["$ref"].rpartition("/")[2]
        found[name] = (many, list(schema["$defs"][reference]["properties"]))
    return found


VALUES = st.sampled_from(
    ["0", "1", "-1", "0.5", "1e400", "nan", "true", "[]", "{}", "[1]", '["auto"]', "{ a = 1 }",
     "2026-01-01", "10:00:00", '""', '"x"', '"a/{site}"', '"10s"', '"1ms"', '"json"', '"plain"',
     '"8MB"', '"\\u0000"', '"ü/+/#"', '"127.0.0.1:0"', '"temperature"', "9" * 30]
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of known and unknown keys with values of all kinds."""
    lines = []
    for name, (many, keys) in draw(st.permutations(sorted(tables().items())))[:4]:
        lines.append(f"[[{name}]]" if many else f"[{name}]")
        pairs = draw(st.dictionaries(st.sampled_from([*keys, "topik"]), VALUES, max_size=4))
        lines += [f"{key} = {value}" for key, value in pairs.items()]
    return "\n".join(lines)


@given(text=files())
def test_whatever_the_values_are_there_are_settings_or_one_line_a_problem(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "edge.toml"
        path.write_text(text, "utf-8")
        lines = problems_of(path)
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in lines)


def problems_of(path: Path) -> list[str]:
    try:
        load(path, {})
    except ConfigError as error:
        return error.problems
    return []
