"""A daemon with a model of one's own, as its users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import tiny_model
from conftest import free_port
from prometheus_client.parser import text_string_to_metric_families

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[windows]
max_out_of_orderness = "200ms"
max_wait = "300ms"
[store]
path = "state.db"
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
quantities = {{ co2 = "air.co2" }}
[[sensors]]
topic = "plain/{{site}}/temperature"
format = "plain"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
keep_firing = "1s"
severity = "critical"
[limits]
max_payload_bytes = "100kB"
[web]
listen = "127.0.0.1:{web}"
"""


def patiently(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Wait until `condition()` is true, for what takes longer than `eventually` has patience."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.05)


class Running:
    """A daemon in a process of its own."""

    def __init__(
        self,
        directory: Path,
        broker_port: int,
        *arguments: object,
        mqtt: str = "",
        store: str = "",
        configuration: str = CONFIGURATION,
        fails_on_pictures: bool = False,
        hangs_on_pictures: bool = False,
        options: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.web = free_port()
        tiny_model.write(
            directory / "model.onnx",
            fails_on_pictures=fails_on_pictures,
            hangs_on_pictures=hangs_on_pictures,
        )
        self.path = directory / "edge-fusion.toml"
        text = configuration.format(port=broker_port, web=self.web, mqtt=mqtt, store=store)
        self.path.write_text(text)
        self.log = directory / "daemon.log"
        self._arguments = [*options, "run", "-c", str(self.path), *map(str, arguments)]
        self._command = [*self.command(), *self._arguments]
        self._environ = {**os.environ, **(environ or {})}
        self.start()

    def command(self) -> list[str]:
        """What to run, but for its arguments."""
        return [sys.executable, "-m", "edge_fusion"]

    def start(self) -> None:
        """Start it, or start it again after its end."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environ
            )

    def page(self, path: str, token: str | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except urllib.error.URLError:
            return 0, b""

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.page("/readyz")[0] == 200

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of a metric that have these labels."""
        families = text_string_to_metric_families(self.page("/metrics")[1].decode())
        samples = [sample for family in families for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"edge_fusion_{name}" and labels.items() <= sample.labels.items()
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)
