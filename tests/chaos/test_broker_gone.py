"""A broker that is gone for long: what alerts there were meanwhile is said after."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chaos.traffic import CONFIGURATION, HOT, PERSISTENT
from conftest import BrokerFactory
from running import Running, patiently

GONE_SECONDS = int(os.environ.get("GONE_SECONDS", "12"))

BRIGHT_SECONDS, DARK_SECONDS, FPS = 4, 5, 5.0

WITH_A_CAMERA = CONFIGURATION.replace(
    "[[alerts]]",
    """
[[cameras]]
url = "film.avi"
site = "kitchen"
camera = "ceiling"
fps = 5.0
[[alerts]]
label = "bright"
threshold = 0.8
for = 1
keep_firing = "2s"
[[alerts]]""",
)


def film(path: Path, seconds: float) -> None:
    """White for a while, then black for a while, and so on."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (320, 240))
    for number in range(int(seconds * FPS)):
        bright = number / FPS % (BRIGHT_SECONDS + DARK_SECONDS) < BRIGHT_SECONDS
        writer.write(np.full((240, 320, 3), 255 if bright else 0, np.uint8))
    writer.release()


@pytest.mark.timeout(120 + GONE_SECONDS)
def test_alerts_of_a_time_without_a_broker_come_after_in_order_with_their_own_times(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    broker = broker_factory(persistent=True, extra=PERSISTENT)
    listener = broker.collect("edge_fusion/+/event", client_id="listener")
    film(tmp_path / "film.avi", GONE_SECONDS + 120)
    daemon = Running(tmp_path, broker.port, configuration=WITH_A_CAMERA)

    def changes(of: str) -> list[dict[str, Any]]:
        """Each change once, in order."""
        events = map(json.loads, dict.fromkeys(listener.payloads()))
        return [event for event in events if event["label"] == of]

    def heat() -> bool:
        broker.publish("home/cellar/probe", json.dumps({"t": HOT, "at": time.time()}).encode())
        return bool(changes("hot"))

    try:
        patiently(heat, "a hot cellar")
        patiently(lambda: changes("bright"), "a bright kitchen")
        gone = time.time()
        broker.stop()
        patiently(lambda: time.time() > gone + GONE_SECONDS, "the time without", 2 * GONE_SECONDS)
        back = time.time()
        broker.start()
        patiently(daemon.ready, "the daemon's return to the broker", 90)
        patiently(lambda: daemon.metric("outbox_pending") == 0, "an empty outbox")
        said = daemon.metric("alerts_total", label="bright")
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        daemon.process.wait()
    within = [e for e in changes("bright") if gone < seconds(e["updated_at"]) < back]
    print(
        f"\nthe broker was gone for {back - gone:.0f} s: {len(within)} changes of alerts of that "
        f"time came after, in order"
    )
    assert len(changes("bright")) >= said
    for message in listener.messages:
        told = dict(message.properties.UserProperty)  # type: ignore[union-attr]
        assert told["time"] == json.loads(message.payload)["updated_at"]
    for before, after in pairwise(changes("bright")):
        assert before["state"] != after["state"]
        assert (before["id"] == after["id"]) == (after["state"] == "resolved")
        assert before["sequence"] < after["sequence"] or after["state"] == "firing"
    for of in ("bright", "hot"):
        times = [seconds(event["updated_at"]) for event in changes(of)]
        assert times == sorted(times)
    assert len(within) >= 2 * (GONE_SECONDS // (BRIGHT_SECONDS + DARK_SECONDS)) - 1
    fired, resolved = changes("hot")
    assert gone < seconds(resolved["updated_at"]) < back
    assert (fired["id"], resolved["state"]) == (resolved["id"], "resolved")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
