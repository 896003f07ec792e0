"""`edge-fusion sniff` as a newcomer uses it, against a real broker."""

from __future__ import annotations

import base64
import os
import pty
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from conftest import Broker, BrokerFactory, Certificates, eventually, free_port
from traffic import NOW, PICTURE, payload

from edge_fusion import assembly
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Frame, Message, Reading
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.mailbox import Disconnected, Notice, Subscribed
from edge_fusion.sniff import _wait

ESPHOME = "livingroom/sensor/bme280"
SHELLY = "shellyplusht-b8d61a8b17cc"
RUUVI = "0201061BFF99040517037758C5C703FCFF30FFF89416B7958AE375CF374E23"
# Of the Sparkplug specification: a birth that gives a temperature the alias by which data name it.
NBIRTH = bytes.fromhex(
    "08eaf2f5a8a02b12120a05626453657118eaf2f5a8a02b2004580012210a144e6f646520436f6e74726f6c2f"
    "5265626972746818eaf2f5a8a02b200b700012250a13436c696d6174652f54656d7065726174757265100118"
    "eaf2f5a8a02b2009650000ac411800"
)
NDATA = bytes.fromhex("088af9f5a8a02b120e100118f4f8f5a8a02b659a99ad411801")
HOME: dict[str, Any] = {
    "zigbee2mqtt/kitchen/th1": {"battery": 91, "humidity": 44.72, "temperature": 27.34},
    "zigbee2mqtt/hall/th2": {"humidity": 40.1, "temperature": 19.5, "linkquality": 120},
    "zigbee2mqtt/hall/door": {"contact": True, "linkquality": 80},
    "zigbee2mqtt/bridge/state": {"state": "online"},
    "tele/cellar/SENSOR": {
        "Time": "2026-11-23T18:06:22",
        "BME280": {"Temperature": 21.1, "Humidity": 58.0, "DewPoint": 12.5},
        "TempUnit": "C",
    },
    "tele/cellar/LWT": "Online",
    f"{ESPHOME}_temperature/state": "21.34",
    f"{ESPHOME}_humidity/state": "48",
    f"{SHELLY}/events/rpc": {
        "src": SHELLY,
        "dst": f"{SHELLY}/events",
        "method": "NotifyFullStatus",
        "params": {
            "ts": 1680962879.62,
            "humidity:0": {"id": 0, "rh": 42.2},
            "temperature:0": {"id": 0, "tC": 19.8, "tF": 67.6},
        },
    },
    f"{SHELLY}/status/temperature:0": {"id": 0, "tC": 19.8, "tF": 67.6},
    "homie/5/loft/climate/temperature": "18.5",
    "spBv1.0/Plant/NBIRTH/box1": NBIRTH,
    "spBv1.0/Plant/NDATA/box1": NDATA,
    "ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23": {"ts": "1795428000", "data": RUUVI},
    "plant/line2/probe7/telemetry": {"deviceId": "probe7", "air": {"tempF": 70.7, "rh": 0.41}},
    "attic/dht22/temperature": "12.5",
    "cams/hall/ceiling": PICTURE,
    "cams/attic/door": PICTURE,
    "esp32/door": base64.b64encode(PICTURE),
    "noise/lamp": "ON",
    "noise/bytes": bytes(range(256)),
    "edge_fusion/hall/window": {"temperature": 21.5},
}
"""What a home says, by topic."""
READ = {
    ("kitchen", "th1", "temperature", 27.34),
    ("kitchen", "th1", "humidity", 44.72),
    ("hall", "th2", "temperature", 19.5),
    ("hall", "th2", "humidity", 40.1),
    ("default", "cellar", "temperature", 21.1),
    ("default", "cellar", "humidity", 58.0),
    ("default", "livingroom.bme280", "temperature", 21.34),
    ("default", "livingroom.bme280", "humidity", 48.0),
    ("default", SHELLY, "temperature", 19.8),
    ("default", SHELLY, "humidity", 42.2),
    ("default", "loft", "temperature", 18.5),
    ("Plant", "box1", "temperature", 21.5),
    ("Plant", "box1", "temperature", 21.7),
    ("default", "E375CF374E23", "temperature", 29.455),
    ("default", "E375CF374E23", "humidity", 76.38),
    ("line2", "probe7", "temperature", 21.5),
    ("line2", "probe7", "humidity", 41.0),
    ("default", "dht22", "temperature", 12.5),
    ("hall", "ceiling"),
    ("attic", "door"),
    ("default", "door"),
}


@contextmanager
def sniffing(*options: object, **environ: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "edge_fusion", "sniff", *map(str, options)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    with process:
        yield process
        process.kill()


Sniffed = tuple[int, str, str]
"""Exit code, output and complaints."""


def sniff(*options: object, **environ: str) -> Sniffed:
    with sniffing(*options, **environ) as process:
        said, complaints = process.communicate(timeout=30)
    return process.returncode, said, complaints


def sniff_while(broker: Broker, home: dict[str, Any], *options: object) -> Sniffed:
    """Sniff while a home goes on saying what it says."""
    devices = broker.collect()
    with sniffing(*options) as process:

        def live() -> bool:
            for topic, content in home.items():
                devices.publish(topic, payload(content), qos=0)
            return process.poll() is not None

        eventually(live, "an end")
        said, complaints = process.communicate(timeout=30)
    return process.returncode, said, complaints


def read(config: Path, home: dict[str, Any]) -> set[tuple[object, ...]]:
    """What the daemon makes of the home with a configuration."""
    decoder = assembly.decoder(load(config, {}))
    found: set[tuple[object, ...]] = set()
    for topic, content in home.items():
        for event in decoder.decode(Message(topic, payload(content), ArrivalTime(NOW))):
            if isinstance(event, Reading):
                found.add((event.site, event.device, event.quantity, round(event.value, 3)))
            elif isinstance(event, Frame):
                found.add((event.site, event.camera))
    return found


def test_a_newcomer_gets_a_configuration_that_reads_the_whole_home(
    broker: Broker, tmp_path: Path
) -> None:
    code, said, complaints = sniff_while(broker, HOME, "--port", broker.port, "--duration", 1)
    assert (code, complaints) == (0, "2 topics not recognised: noise/bytes, noise/lamp\n")
    config = tmp_path / "edge-fusion.toml"
    config.write_text(f'[mqtt]\nhost = "localhost"\n\n{said}', "utf-8")
    assert read(config, HOME) == READ
    assert "window" not in said
    assert "said above already" in said
    formats = {sensor["format"] for sensor in tomllib.loads(said)["sensors"]}
    named = "esphome homie json plain ruuvi shelly sparkplug tasmota zigbee2mqtt"
    assert sorted(formats) == named.split()


def test_what_the_file_configures_already_is_left_out(broker: Broker, tmp_path: Path) -> None:
    config = tmp_path / "edge-fusion.toml"
    config.write_text(
        f'[mqtt]\nport = {broker.port}\n[[sensors]]\ntopic = "base/{{device}}/climate"\n'
        '[[cameras]]\ntopic = "cams/{site}/{camera}"\n',
        "utf-8",
    )
    climate = {"temperature": 21.5}
    home = {"base/th1/climate": climate, "cams/hall/door": PICTURE, "base/th2/air": climate}
    code, said, complaints = sniff_while(broker, home, "-c", config, "--duration", 0.5)
    assert (code, complaints) == (0, "")
    assert said.splitlines()[0].endswith("on 3 topics; 2 of these are configured already.")
    assert [sensor["topic"] for sensor in tomllib.loads(said)["sensors"]] == ["base/th2/air"]
    del home["base/th2/air"]
    code, said, complaints = sniff_while(broker, home, "-c", config, "--duration", 0.5)
    assert (code, said.count("\n"), complaints) == (0, 1, "")


def test_a_file_with_nothing_but_a_broker_is_enough(broker: Broker, tmp_path: Path) -> None:
    config = tmp_path / "edge-fusion.toml"
    config.write_text(f"[mqtt]\nport = {broker.port}\n", "utf-8")
    broker.publish("base/th1", b'{"temperature": 21.5}', retain=True)
    code, said, _ = sniff("-c", config, "--duration", 0.5)
    assert code == 0
    assert "# all retained and without a time" in said


def test_only_the_named_topics_are_listened_to(broker: Broker) -> None:
    for topic in ("base/th1", "other/th2", "third/a/th3"):
        broker.publish(topic, b'{"temperature": 21.5}', retain=True)
    options = ["--port", broker.port, "--duration", 0.5]
    code, said, _ = sniff(*options, "--topic", "base/#", "--topic", "third/{site}/+")
    assert code == 0
    topics = [sensor["topic"] for sensor in tomllib.loads(said)["sensors"]]
    assert topics == ["base/th1", "third/a/th3"]


def test_a_signal_ends_it_early_with_what_it_has(broker: Broker) -> None:
    broker.publish("base/th1", b'{"temperature": 21.5}', retain=True)
    with sniffing("--port", broker.port, "--duration", 600) as process:
        eventually(lambda: "-sniff 0 #" in broker.log(), "a subscription")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert 'topic = "base/th1"' in said


def test_silence_is_one_line_that_says_what_to_try(broker: Broker) -> None:
    broker.publish("edge_fusion/hall/alert/smoke", b"{}", retain=True)
    code, said, complaints = sniff("--port", broker.port, "--duration", 0.5)
    assert (code, said) == (1, "")
    assert complaints == (
        f"broker localhost:{broker.port}: nothing heard in 500ms: try a longer --duration, since "
        "devices with batteries are silent for minutes, or a --topic that this user may read\n"
    )


def test_noise_alone_is_one_line_that_names_it(broker: Broker) -> None:
    for number in range(7):
        broker.publish(f"noise/{number}", b"ON", retain=True)
    code, said, complaints = sniff("--port", broker.port, "--duration", 0.5)
    assert (code, said) == (1, "")
    assert complaints == (
        f"broker localhost:{broker.port}: 7 messages on 7 topics, none with temperature, humidity "
        "or pictures: noise/0, noise/1, noise/2, noise/3, noise/4, …\n"
    )


def test_a_broker_that_does_not_take_us_is_one_line(broker_factory: BrokerFactory) -> None:
    nobody = free_port()
    code, said, complaints = sniff("--host", "127.0.0.1", "--port", nobody)
    assert (code, said) == (1, "")
    assert complaints == f"broker 127.0.0.1:{nobody}: connection refused; no broker listens there\n"
    strict = broker_factory(user=("box", "right"))
    options = ["--port", strict.port, "--username", "box"]
    code, said, complaints = sniff(*options, EDGE_FUSION_MQTT__PASSWORD="wrong")
    assert (code, said, complaints.count("\n")) == (1, "", 1)
    assert "does not let in user 'box'" in complaints


def test_passwords_come_from_the_environment_or_a_file_and_tls_from_options(
    broker_factory: BrokerFactory, certificates: Certificates, tmp_path: Path
) -> None:
    broker = broker_factory(user=("box", "right"), certificates=certificates)
    broker.publish("base/th1", b'{"temperature": 21.5}', retain=True)
    options = ["--port", broker.port, "--username", "box", "--duration", 0.5]
    secret = tmp_path / "password"
    secret.write_text("right\n")
    trusted = sniff(*options, "--ca", certificates.ca, EDGE_FUSION_MQTT__PASSWORD="right")
    assert (trusted[0], trusted[2]) == (0, "")
    assert sniff(*options, "--ca", certificates.ca, "--password-file", secret)[0] == 0
    code, _, complaints = sniff(*options, "--tls", "--password-file", secret)
    assert (code, complaints.count("\n")) == (1, 1)
    assert "certificate" in complaints


@pytest.mark.parametrize(
    "options",
    [
        ["-c", "edge-fusion.toml", "--host", "broker"],
        ["-c", "edge-fusion.toml", "--tls"],
        ["--topic", "a/#/b"],
        ["--topic", ""],
        ["--port", "0"],
        ["--duration", "0"],
    ],
)
def test_wrong_usage_exits_with_2(options: list[str]) -> None:
    assert sniff(*options)[0] == 2


def test_a_bad_option_is_named_as_it_was_given(tmp_path: Path) -> None:
    code, _, complaints = sniff("--ca", tmp_path / "no.pem")
    assert code == 1
    assert complaints.startswith(f'--ca: mqtt.tls.ca is "{tmp_path}/no.pem": expected a file')


def test_a_terminal_shows_how_far_it_is_and_keeps_the_output_clean(broker: Broker) -> None:
    broker.publish("base/th1", b'{"temperature": 21.5}', retain=True)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edge_fusion", "sniff", "--port", str(broker.port)]
    done = subprocess.run(
        [*command, "--duration", "0.7"], stdout=subprocess.PIPE, stderr=theirs, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert b"1 message on 1 topic, 0 s to go" in shown
    assert tomllib.loads(done.stdout.decode())["sensors"][0]["topic"] == "base/th1"


@pytest.mark.parametrize(
    ("notice", "fault"),
    [
        (
            Subscribed("sniff", {"#": "Not authorized"}),
            'the broker lets this user have no "#" (Not authorized): try a --topic',
        ),
        (Disconnected("sniff", "connection lost"), "connection lost"),
    ],
)
def test_a_broker_that_keeps_its_messages_back_is_said_to(notice: Notice, fault: str) -> None:
    clock: ArrivalClock = ArrivalClock()
    notices: SimpleQueue[Notice] = SimpleQueue()
    notices.put(notice)
    deadline = ArrivalTime(clock.stamp() + 0.05)
    show: Callable[[float], None] = lambda _left: None  # noqa: E731
    assert _wait(notices, clock, deadline, show) == fault
