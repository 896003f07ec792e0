"""A broker of our own for the demo: mosquitto where it is installed, else amqtt in pure Python."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_fusion.errors import BrokerError

PATIENCE = 15.0
_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


class BrokerKind(Enum):
    """Which broker runs. amqtt speaks MQTT 3.1.1 only."""

    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"


class EmbeddedBroker:
    """A broker on a free port of the loopback address, from `start` to `stop`.

    Logs into `directory`. `kind` None takes the best that is there. Raises BrokerError when
    neither is, or when it does not come up.
    """

    def __init__(self, directory: Path, kind: BrokerKind | None = None) -> None:
        self.kind = kind or _best()
        self.host = "127.0.0.1"
        self.port = free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        log_path = self._directory / "broker.log"
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = log_path.read_text(errors="replace").strip().splitlines()[-1:]
                raise BrokerError(f"{self.kind.value} did not start: {said}", retry=False)
            time.sleep(0.05)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self) -> list[str]:
        if self.kind is BrokerKind.AMQTT:
            return [sys.executable, "-m", "edge_fusion.demo.amqtt_broker", str(self.port)]
        settings = self._directory / "mosquitto.conf"
        lines = [f"listener {self.port} {self.host}", "allow_anonymous true"]
        lines += ["set_tcp_nodelay true", "max_queued_messages 10000"]
        settings.write_text("\n".join(lines) + "\n")
        return [str(shutil.which("mosquitto", path=_SEARCH_PATH)), "-c", str(settings)]

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _best() -> BrokerKind:
    if shutil.which("mosquitto", path=_SEARCH_PATH):
        return BrokerKind.MOSQUITTO
    if find_spec("amqtt") is not None:
        return BrokerKind.AMQTT
    raise BrokerError(
        "the demo needs a broker: install mosquitto, or pip install 'edge-fusion[demo]'",
        retry=False,
    )


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
