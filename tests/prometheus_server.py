"""A real Prometheus on a free port that scrapes one daemon every half second."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from conftest import free_port
from running import patiently

CONFIGURATION = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
- job_name: edge-fusion
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """Started at once; whoever made it ends it."""

    def __init__(self, directory: Path, target: int) -> None:
        directory.mkdir()
        self._url = f"http://127.0.0.1:{free_port()}"
        settings = directory / "prometheus.yml"
        settings.write_text(CONFIGURATION.format(port=target))
        with (directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={settings}",
                    f"--storage.tsdb.path={directory / 'data'}",
                    f"--web.listen-address={self._url.removeprefix('http://')}",
                ],
                stdout=log,
                stderr=log,
            )
        patiently(lambda: self.values("up == 1"), "the first scrape")

    def values(self, expr: str, seconds: float = 30.0) -> list[float]:
        """All numbers that an expression had in the last so many seconds, NaN left out."""
        now = time.time()
        try:
            answer = self._get("query_range", query=expr, start=now - seconds, end=now, step=0.5)
        except urllib.error.URLError:
            return []
        series = answer["data"]["result"]
        numbers = [float(value) for one in series for _, value in one["values"]]
        return [number for number in numbers if number == number]  # noqa: PLR0124 - NaN is not

    def names(self, query: str) -> list[str]:
        """What Grafana's `label_values(selector, label)` gives."""
        selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        answer = self._get(f"label/{label}/values", **{"match[]": selector})
        return list(answer["data"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(15)

    def _get(self, path: str, **query: object) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
