"""Secrets, looked for in all that the program says, at its most talkative."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_model
from conftest import Broker, BrokerFactory, eventually
from running import CONFIGURATION, Running

DEBUG = ("--log-level", "debug")
PASSWORD = "unmistakable-password"
WRONG = "another-unmistakable-password"
TOKEN = "unmistakable-token-0123456789"
SECRETS = (PASSWORD, WRONG, TOKEN, "unmistakable")


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(user=("box", PASSWORD))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the secrets are, as systemd would have them."""
    tiny_model.write(tmp_path / "model.onnx")
    for name, secret in (("mqtt.password", PASSWORD), ("web.token", TOKEN)):
        (tmp_path / name).write_text(f"{secret}\n")
        (tmp_path / name).chmod(0o400)
    return tmp_path


def configuration(folder: Path, broker: Broker, mqtt: str = "") -> Path:
    path = folder / "edge-fusion.toml"
    mqtt = f'username = "box"\n{mqtt}'
    path.write_text(CONFIGURATION.format(port=broker.port, web=0, mqtt=mqtt))
    return path


def said(folder: Path, *arguments: object, **environ: str) -> str:
    """All that a command printed and logged."""
    done = subprocess.run(
        [sys.executable, "-m", "edge_fusion", *DEBUG, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**os.environ, **environ},
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


def assert_silent(text: str) -> None:
    assert text
    assert not [secret for secret in SECRETS if secret in text]


CAMERA = f"""
[[cameras]]
url = "rtsp://me:{WRONG}@127.0.0.1:1/stream?key=unmistakable"
site = "kitchen"
camera = "ceiling"
"""


@pytest.fixture
def daemon(folder: Path, broker: Broker) -> Iterator[Running]:
    running = Running(
        folder,
        broker.port,
        options=DEBUG,
        configuration=CONFIGURATION + CAMERA,
        mqtt='username = "box"',
        environ={"CREDENTIALS_DIRECTORY": str(folder)},
    )
    yield running
    running.process.kill()
    running.process.wait()


def test_the_daemon_says_no_secret_in_its_log_its_pages_or_its_messages(
    broker: Broker, daemon: Running
) -> None:
    listener = broker.collect("#")
    eventually(lambda: daemon.page("/readyz", TOKEN)[0] == 200, "readiness")

    def fire() -> object:
        broker.publish("home/kitchen/probe", b'{"t": 39.0}')
        return listener.payloads("edge_fusion/kitchen/event")

    eventually(fire, "an alert")
    pages = [daemon.page(path, TOKEN) for path in ("/", "/metrics", "/healthz", "/readyz")]
    pages += [daemon.page(f"/metrics?token={TOKEN}"), daemon.page("/metrics", WRONG)]
    assert [status for status, _ in pages] == [200, 200, 200, 200, 401, 401]
    assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert "GET /metrics: 401" in log
    assert "kitchen/ceiling: rtsp://127.0.0.1:1: connection refused" in log
    assert_silent(log)
    assert_silent(repr(pages))
    assert_silent(repr([(message.topic, message.payload) for message in listener.messages]))


def test_a_password_that_is_not_taken_is_not_said(folder: Path, broker: Broker) -> None:
    path = configuration(folder, broker)
    text = said(folder, "check", "-c", path, EDGE_FUSION_MQTT__PASSWORD=WRONG)
    assert "does not let in user 'box'" in text
    assert_silent(text)


def test_checking_recording_and_simulating_say_no_secret(folder: Path, broker: Broker) -> None:
    path = configuration(folder, broker, 'password_file = "mqtt.password"')
    check = said(folder, "check", "-c", path)
    assert check == f"0 {path}: OK\n"
    record = said(folder, "record", "-c", path, folder / "monday", "--duration", "1")
    assert "0 readings" in record
    simulate = said(folder, "simulate", "-c", path, "--sites", "1", "--duration", "1")
    assert_silent(check + record + simulate)
    assert_silent("".join(file.read_text() for file in (folder / "monday").iterdir()))


FAILING = """
[[sensors]]
topic = "home/{site}/{device}"
[[cameras]]
url = "ftp://me:unmistakable@camera/1"
[[cameras]]
url = ["rtsp://me:unmistakable@camera/1"]
[mqtt]
host = "mqtt://box:unmistakable@broker"
password = ["unmistakable"]
passwort = "unmistakable"
[web]
token = "unmistakable !!!!!!!!!!!!"
"""


@pytest.mark.parametrize(("command", "status"), [("run", "78"), ("check", "1")])
def test_what_is_wrong_with_a_configuration_is_said_without_what_is_secret(
    folder: Path, command: str, status: str
) -> None:
    path = folder / "edge-fusion.toml"
    path.write_text(FAILING)
    first, *lines = said(folder, command, "-c", path).splitlines()
    assert first.startswith(f"{status} {path}: ")
    assert len(lines) == 5
    assert_silent("\n".join((first, *lines)))


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('[mqtt]\npassword = "unmistakable', ""),
        ('[mqtt]\npassword = "unmistakable"\npassword_file = "mqtt.password"', ""),
        ("", '{password = "unmistakable", host = }'),
    ],
    ids=["no TOML", "a password twice", "a table in the environment"],
)
def test_what_cannot_be_read_at_all_is_not_shown(folder: Path, text: str, table: str) -> None:
    path = folder / "edge-fusion.toml"
    path.write_text(f'[[sensors]]\ntopic = "home/{{site}}/{{device}}"\n{text}\n')
    complaint = said(folder, "run", "-c", path, **({"EDGE_FUSION_MQTT": table} if table else {}))
    assert complaint.startswith("78 ")
    assert_silent(complaint)
