"""The doctor at real things: a broker, a camera, a disk, a store that is none, wrong topics."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dynamic_security
import pytest
import tiny_model
from conftest import Broker, BrokerFactory, free_port
from filming import RtspCamera
from test_metrics_of_a_daemon import picture

from edge_fusion.doctor.examination import examine
from edge_fusion.doctor.finding import Finding, Verdict

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[store]
path = "state/state.db"
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
[[sensors]]
topic = "hoem/{{site}}/{{device}}"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
{more}
"""
OK, WARNING, PROBLEM = Verdict


def configure(directory: Path, port: int, mqtt: str = "", more: str = "") -> Path:
    tiny_model.write(directory / "model.onnx")
    path = directory / "edge-fusion.toml"
    path.write_text(CONFIGURATION.format(port=port, mqtt=mqtt, more=more))
    return path


def look(path: Path, duration: float = 1.0) -> list[Finding]:
    return list(examine(path, {}, duration=duration))


def of(findings: list[Finding], about: str) -> list[str]:
    return [f"{one.verdict}: {one.text}" for one in findings if one.about == about]


@contextmanager
def sending(broker: Broker) -> Iterator[None]:
    """Devices that speak ten times a second."""
    devices, over = broker.collect(), threading.Event()

    def send() -> None:
        while not over.wait(0.1):
            devices.publish("home/kitchen/probe", b'{"t": 21.5}')
            devices.publish("cams/kitchen/ceiling", picture(), qos=0)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_box_that_is_well_and_a_topic_that_is_misspelt(broker: Broker, tmp_path: Path) -> None:
    path = configure(tmp_path, broker.port)
    with sending(broker):
        findings = look(path)
    assert [one for one in findings if one.verdict is PROBLEM] == []
    takes, limits = of(findings, "broker")
    assert takes.startswith(f"ok: localhost:{broker.port} takes us: MQTT 5, mosquitto version 2")
    assert limits.startswith("ok: it takes 20 messages at a time")
    heard, misspelt, pictures = of(findings, "topic")
    assert heard.startswith('ok: sensors[0] "home/{site}/{device}": ')
    assert misspelt == 'warning: sensors[1] "hoem/{site}/{device}": not heard in 1s'
    assert pictures.startswith('ok: cameras[0] "cams/{site}/{camera}": ')
    assert [line.partition(": heard")[0] for line in of(findings, "device")] == [
        "ok: kitchen/ceiling",
        "ok: kitchen/probe",
    ]
    versions, model = of(findings, "model")
    assert versions.startswith("ok: Python 3.")
    assert model.startswith("ok: greenhouse, float32, on CPU: ")
    assert all(line.startswith("ok") for line in of(findings, "store") if "commit" in line)
    assert list(tmp_path.rglob("state*")) == []  # nothing was made


def test_it_goes_by_its_own_client_id_and_disturbs_no_session(
    broker: Broker, tmp_path: Path
) -> None:
    path = configure(tmp_path, broker.port, mqtt='client_id = "edge"')
    broker.collect(client_id="edge")
    look(path, duration=0.2)
    assert "already connected" not in broker.log()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("retain_available false", "problem: it keeps no retained messages"),
        ("max_packet_size 100000", "warning: it takes packets up to 100,000 bytes"),
        ("max_inflight_messages 1", "warning: it takes 1 messages at a time"),
    ],
)
def test_the_limits_of_a_broker_are_told(
    broker_factory: BrokerFactory, tmp_path: Path, setting: str, expected: str
) -> None:
    broker = broker_factory(extra=[setting])
    findings = look(configure(tmp_path, broker.port), duration=0.2)
    assert expected in of(findings, "broker")


def test_no_broker_is_one_problem_and_ends_it(tmp_path: Path) -> None:
    findings = look(configure(tmp_path, free_port()))
    (line,) = of(findings, "broker")
    assert line.startswith("problem: localhost:")
    assert "refused" in line
    assert of(findings, "topic") == []


def test_a_wrong_password_is_a_problem(broker_factory: BrokerFactory, tmp_path: Path) -> None:
    port = broker_factory(user=("box", "right")).port
    path = configure(tmp_path, port, mqtt='username = "box"\npassword = "wrong"')
    (line,) = of(look(path), "broker")
    assert line.startswith("problem: localhost:")
    assert "wrong" not in line.replace("wrong user", "")


def test_a_topic_that_the_broker_denies_is_a_problem(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    rules = [
        (kind, topic)
        for kind in ("publishClientSend", "publishClientReceive", "subscribePattern")
        for topic in ("edge_fusion/#", "home/#", "cams/#")
    ]
    extra = dynamic_security.settings(tmp_path / "rules.json", ("box", "right"), rules)
    port = broker_factory(extra=extra).port
    path = configure(tmp_path, port, mqtt='username = "box"\npassword = "right"')
    heard, denied, _ = of(look(path, duration=0.5), "topic")
    assert heard.startswith("warning")
    assert denied.startswith('problem: sensors[1] "hoem/{site}/{device}": ')


def test_cameras_are_opened_and_those_that_do_not_are_told_why(
    broker: Broker, tmp_path: Path
) -> None:
    camera = RtspCamera(size=(320, 240), fps=10)
    camera.start()
    section = '[[cameras]]\nurl = "{url}"\nsite = "yard"\ncamera = "{name}"\n'
    gone = f"rtsp://me:secret@127.0.0.1:{free_port()}/x"
    more = section.format(url=camera.url, name="gate") + section.format(url=gone, name="gone")
    try:
        gate, missing = of(look(configure(tmp_path, broker.port, more=more), 0.2), "camera")
    finally:
        camera.kill()
    assert gate.startswith(f"ok: yard/gate: rtsp://127.0.0.1:{camera.port}: 320 x 240, ")
    assert missing.startswith("problem: yard/gone: rtsp://127.0.0.1")


def test_a_store_that_is_none_is_left_as_it_is(broker: Broker, tmp_path: Path) -> None:
    path = configure(tmp_path, broker.port)
    store = tmp_path / "state" / "state.db"
    store.parent.mkdir()
    store.write_bytes(b"rubbish" * 1000)
    lines = of(look(path, duration=0.2), "store")
    assert "warning: the file there is not an SQLite file" in lines
    assert store.read_bytes() == b"rubbish" * 1000
    assert [file.name for file in store.parent.iterdir()] == ["state.db"]


def test_a_disk_that_is_full_is_a_problem(broker: Broker, small_disk: Path) -> None:
    lines = of(look(configure(small_disk, broker.port), duration=0.2), "store")
    assert any(line.startswith("problem: ") and "MB free at" in line for line in lines)


def test_a_model_that_cannot_be_used_is_a_problem_and_the_rest_goes_on(
    broker: Broker, tmp_path: Path
) -> None:
    path = configure(tmp_path, broker.port)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    findings = look(path, duration=0.2)
    assert "problem: " in of(findings, "model")[-1]
    assert of(findings, "broker")


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_fusion", "doctor", "-c", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_ends_with_0_when_no_problem_was_found(broker: Broker, tmp_path: Path) -> None:
    done = run(configure(tmp_path, broker.port), "--duration", "0.2", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    findings = json.loads(done.stdout)
    assert {tuple(one) for one in findings} == {("verdict", "about", "text", "next")}
    assert {one["verdict"] for one in findings} <= {"ok", "warning"}


def test_a_bad_configuration_is_found_by_key_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "edge-fusion.toml"
    path.write_text("[mqtt]\nprot = 1883\n")
    done = run(path)
    (line,) = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert line.startswith("problem  config   ")
    assert "mqtt.prot" in line
