"""README.md, followed to the letter by somebody with mosquitto and files of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from conftest import Broker, eventually, free_port

from edge_fusion.config import load

README = (Path(__file__).parent.parent / "README.md").read_text()


def block(language: str, holding: str) -> str:
    """The one fenced block of a language that holds a text."""
    found = [b for b in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if holding in b]
    assert len(found) == 1, holding
    return str(found[0])


@contextmanager
def running(*command: str, cwd: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def test_the_configuration_most_people_need_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "edge-fusion.toml"
    path.write_text(block("toml", "zigbee2mqtt"))
    settings = load(path, {})
    assert settings.sensors[0].pattern.filter == "zigbee2mqtt/+/+"
    assert settings.alerts[0].label == "smoke"


def test_a_model_readings_and_pictures_of_ones_own_give_an_alert(
    broker: Broker, tmp_path: Path
) -> None:
    port = str(broker.port)
    subprocess.run([sys.executable, "-c", block("python", "onnx.save")], cwd=tmp_path, check=True)
    toml = block("toml", "greenhouse.onnx").replace("1883", port)
    toml += f'[web]\nlisten = "127.0.0.1:{free_port()}"\n[store]\npath = "state.db"\n'
    assert tomllib.loads(toml)["model"]["path"] == "greenhouse.onnx"
    (tmp_path / "greenhouse.toml").write_text(toml)
    cv2.imwrite(str(tmp_path / "photo.jpg"), np.full((480, 640, 3), 90, np.uint8))
    listen = block("sh", "edge_fusion/+/event").replace("1883", port)
    publish = block("sh", "photo.jpg").replace("1883", port)
    heard, daemon_log = tmp_path / "heard.txt", tmp_path / "daemon.log"
    daemon = (sys.executable, "-m", "edge_fusion", "run", "-c", "greenhouse.toml")
    with (
        running("sh", "-c", f"exec {listen}", cwd=tmp_path, log=heard),
        running(*daemon, cwd=tmp_path, log=daemon_log),
    ):
        eventually(lambda: "readings: connected" in daemon_log.read_text(), "the daemon's start")
        subprocess.run(["sh", "-ec", publish], cwd=tmp_path, check=True, timeout=60)
        eventually(lambda: heard.read_text().strip(), "an alert")
    topic, _, payload = heard.read_text().splitlines()[0].partition(" ")
    alert = json.loads(payload)
    assert topic == "edge_fusion/greenhouse/event"
    assert (alert["label"], alert["state"], alert["camera"]) == ("hot", "firing", "roof")
    assert alert["readings"]["temperature"]["last"] == 36.5
