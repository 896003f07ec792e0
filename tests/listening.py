"""`mosquitto_sub` as its users run it: each message as it prints it, MQTT 5 properties and all."""

from __future__ import annotations

import json
import subprocess
import threading
from types import TracebackType
from typing import Any, Self

from conftest import Broker, eventually


class MosquittoSub:
    """The program with subscriptions; `protocol` is mqttv5 or mqttv311."""

    def __init__(self, broker: Broker, *filters: str, protocol: str = "mqttv5") -> None:
        self.messages: list[dict[str, Any]] = []
        topics = [word for one in (*filters, _READY) for word in ("-t", one)]
        output = '{"about":%j,"hex":"%x"}'
        command = ["mosquitto_sub", "-p", str(broker.port), "-V", protocol, "-q", "1", "-F", output]
        self._process = subprocess.Popen([*command, *topics], stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._subscribed(broker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._reader.join(5)

    def on(self, topic: str) -> list[dict[str, Any]]:
        """What has come on a topic: `payload`, `properties`, `retain`, `topic`."""
        return [message for message in list(self.messages) if message["topic"] == topic]

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                printed = json.loads(line.decode(errors="replace"))  # of a picture, see hex
                about = printed["about"]
                about["payload"] = bytes.fromhex(printed["hex"])
                about.setdefault("properties", {})
                self.messages.append(about)

    def _subscribed(self, broker: Broker) -> None:
        def ready() -> bool:
            broker.publish(_READY, b"?")
            return bool(self.on(_READY))

        eventually(ready, "a subscription of mosquitto_sub")


_READY = "mosquitto_sub/ready"
