"""The sample broker configuration, by starting mosquitto on it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from conftest import end, eventually, free_port
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

SAMPLE = Path(__file__).parents[2] / "deploy" / "mosquitto" / "edge-fusion.conf"


def test_the_sample_starts_and_wants_a_password(tmp_path: Path) -> None:
    port = free_port()
    passwords = tmp_path / "passwords"
    make = ["mosquitto_passwd", "-b", "-c", str(passwords), "edge-fusion", "secret"]
    subprocess.run(make, check=True, capture_output=True)
    text = SAMPLE.read_text()
    for sample, here in (
        ("listener 1883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/edge-fusion.passwd", str(passwords)),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert sample in text
        text = text.replace(sample, here)
    path = tmp_path / "mosquitto.conf"
    path.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(path)])
    try:
        eventually(lambda: answer(port, "secret") == "Success", "a client that knows the password")
        assert answer(port, "wrong") == "Not authorized"
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(10)


def answer(port: int, password: str) -> str:
    """The broker's word on a connection, or "" if it is not there."""
    said: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("edge-fusion", password)
    client.on_connect = lambda *arguments: said.append(str(arguments[3]))
    try:
        client.connect("127.0.0.1", port)
    except OSError:
        return ""
    client.loop_start()
    eventually(lambda: said, "an answer")
    end(client)
    return said[0]
