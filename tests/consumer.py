"""Consumers that know nothing of us: mosquitto_sub and mosquitto_pub."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

from schemas import KINDS, valid

SUB, PUB = "/usr/bin/mosquitto_sub", "/usr/bin/mosquitto_pub"


def publish(port: int, topic: str, payload: str) -> None:
    """Publish at QoS 1, as a person would on the command line."""
    command = [PUB, "-p", str(port), "-q", "1", "-t", topic, "-m", payload]
    subprocess.run(command, check=True, timeout=15)


class Consumer:
    """mosquitto_sub; what it prints is held against the published schemas."""

    def __init__(self, port: int, *filters: str) -> None:
        topics = [argument for each in filters for argument in ("-t", each)]
        command = [SUB, "-p", str(port), "-q", "1", *topics, "-F", "%r %t %p"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._lines: list[tuple[bool, str, Any]] = []
        self._faults: list[Exception] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def got(self, topic: str, *, retained: bool | None = None) -> list[Any]:
        """The documents that came on a topic; which must all be as published."""
        assert not self._faults, self._faults
        return [
            document
            for was_retained, found, document in [*self._lines]
            if found == topic and retained in {None, was_retained}
        ]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._thread.join(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                retained, topic, payload = line.decode().rstrip("\n").split(" ", 2)
                if topic.split("/")[2] in KINDS:
                    try:
                        self._lines.append((retained == "1", topic, valid(topic, payload.encode())))
                    except Exception as error:  # noqa: BLE001 - told where somebody looks
                        self._faults.append(error)
