"""`edge-fusion alerts` with a real broker, on which is what a daemon would have published."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Broker, eventually, free_port

from edge_fusion.codecs.alert import AlertPayload, ModelIdentity
from edge_fusion.codecs.publications import alert_publications
from edge_fusion.events import (
    DEVICE,
    Alert,
    AlertChange,
    ArrivalTime,
    DeviceTrouble,
    EventTime,
    Evidence,
    Severity,
    Trouble,
    Window,
)
from edge_fusion.following import describe

MODEL = ModelIdentity("indoor-hazard", "ab" * 32)
AT = ArrivalTime(1795428032.5)
EVIDENCE = Evidence(
    Window(EventTime(1795428020.0), EventTime(1795428030.0)), 0, 0.93, "ceiling", {}, (), (),
    {"humidity": 0.01, "temperature": 0.38, "image": 0.41},
)  # fmt: skip
DOOR = DeviceTrouble("door", camera=False, trouble=Trouble.SILENT, since=ArrivalTime(AT - 7200))


def alert(site: str, label: str, *, firing: bool = True, sequence: int = 1) -> Alert:
    devices = label == DEVICE
    return Alert(
        "5f0c", sequence, site, label, firing, Severity.CRITICAL, 0.7, 0.93, EventTime(AT - 12.5),
        AT, None if firing else AT, None if devices else EVIDENCE, (DOOR,) if devices else (),
    )  # fmt: skip


def tell(broker: Broker, said: Alert) -> None:
    change = AlertChange(said)
    for each in alert_publications(change, prefix="edge_fusion", box="box-1", model=MODEL):
        broker.publish(each.topic, each.payload, retain=each.retain)


Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def config(broker: Broker, tmp_path: Path) -> Path:
    path = tmp_path / "e.toml"
    path.write_text(f'[mqtt]\nport = {broker.port}\n[[sensors]]\ntopic = "z/{{site}}/{{device}}"\n')
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_fusion", "alerts", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), check=False, capture_output=True, text=True, timeout=60
    )


def test_what_fires_now_is_listed_and_nothing_else(broker: Broker, config: Path) -> None:
    tell(broker, alert("kitchen", "smoke"))
    tell(broker, alert("attic", DEVICE))
    tell(broker, alert("attic", "steam", firing=False, sequence=2))
    broker.publish("edge_fusion/hall/alert/broken", b"no alert", retain=True)
    done = run("list", "-c", config)
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert re.fullmatch(
        r"[0-9-]{10} [0-9:]{8} attic/device firing critical "
        r"\(sensor door silent since 2026-11-23T08:00:32\.500Z\)",
        first,
    )
    assert second.endswith(
        "kitchen/smoke firing critical score 0.93 (camera ceiling; by image +0.41, "
        "temperature +0.38)"
    )
    assert done.stderr == "edge_fusion/hall/alert/broken: no alert of ours\n"


def test_as_json_it_is_what_was_published(broker: Broker, config: Path) -> None:
    tell(broker, alert("kitchen", "smoke"))
    done = run("list", "-c", config, "--json")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["site"] == "kitchen"
    assert AlertPayload.model_validate_json(line).sequence == 1


def test_where_nothing_fires_that_is_said(config: Path) -> None:
    assert run("list", "-c", config).stdout == "nothing fires\n"
    assert run("list", "-c", config, "--json").stdout == ""


@pytest.mark.parametrize("what", ["list", "tail"])
def test_a_missing_broker_is_one_line(what: str, tmp_path: Path) -> None:
    path, port = tmp_path / "e.toml", free_port()
    path.write_text(f"[mqtt]\nport = {port}\n")
    done = run(what, "-c", path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(rf"broker localhost:{port}: .+\n", done.stderr)


class Tail:
    """`alerts tail`, and the lines that it has printed."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            command("tail", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def end(self, number: signal.Signals | None = None) -> tuple[int, list[str], str]:
        """Exit status, lines and complaints."""
        if number is not None:
            self._process.send_signal(number)
        out, complaints = self._process.communicate(timeout=60)
        return self._process.returncode, out.splitlines(), complaints

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def tail() -> Iterator[Callable[..., Tail]]:
    begun: list[Tail] = []

    def begin(*arguments: object) -> Tail:
        begun.append(Tail(*arguments))
        return begun[-1]

    yield begin
    for each in begun:
        each.kill()


def test_changes_are_followed_until_somebody_has_seen_enough(
    broker: Broker, config: Path, tail: Callable[..., Tail]
) -> None:
    tell(broker, alert("kitchen", "smoke"))  # before anybody looks: no news
    following = tail("-c", config)
    eventually(lambda: "edge_fusion/+/event" in broker.log(), "a subscription")
    tell(broker, alert("hall", "smoke"))
    tell(broker, alert("hall", "smoke", firing=False, sequence=2))
    eventually(lambda: broker.log().count("Received PUBACK from edge-fusion") == 2, "two lines")
    status, lines, complaints = following.end(signal.SIGINT)
    assert (status, complaints) == (0, "")
    assert [line.split()[2:4] for line in lines] == [
        ["hall/smoke", "firing"],
        ["hall/smoke", "resolved"],
    ]
    assert lines[1].endswith("began 2026-11-23T10:00:20.000Z)")


def test_as_json_each_change_is_a_line(
    broker: Broker, config: Path, tail: Callable[..., Tail]
) -> None:
    following = tail("-c", config, "--json", "--duration", "4")
    eventually(lambda: "edge_fusion/+/event" in broker.log(), "a subscription")
    tell(broker, alert("hall", DEVICE))
    status, lines, _ = following.end()
    assert status == 0
    documents: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert [each["devices"][0]["device"] for each in documents] == ["door"]


def test_a_broker_that_comes_back_is_followed_again(
    broker: Broker, config: Path, tail: Callable[..., Tail]
) -> None:
    following = tail("-c", config)
    eventually(lambda: "edge_fusion/+/event" in broker.log(), "a subscription")
    before = broker.log().count("edge_fusion/+/event")
    broker.restart()
    eventually(lambda: broker.log().count("edge_fusion/+/event") > before, "another subscription")
    tell(broker, alert("hall", "smoke"))
    eventually(lambda: "Received PUBACK from edge-fusion" in broker.log(), "a line")
    status, lines, complaints = following.end(signal.SIGTERM)
    assert (status, len(lines)) == (0, 1)
    assert complaints.startswith("disconnected: ")


def test_nothing_that_was_published_can_move_the_cursor() -> None:
    payload = json.loads(_payload(alert("hall", "smoke")))
    payload["site"] = "hall\x1b[2J\n"
    line = describe(AlertPayload.model_validate(payload))
    assert line.isprintable()


def _payload(said: Alert) -> bytes:
    change = AlertChange(said)
    return alert_publications(change, prefix="ef", box="b", model=MODEL)[0].payload
