"""A publisher in a process of its own: `flood.py readings|frames PORT NAME RATE SECONDS`.

Sends RATE messages a second for so many seconds, or as near to that as it can; then prints how many
there were and how long it took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from chaos.blaster import Blaster

SITES = 4
STEP = 0.02


def readings(blaster: Blaster, name: str) -> Callable[[int], None]:
    def send(number: int) -> None:
        topic = f"home/flood-{number % SITES}/{name}-{number // SITES % 8}"
        blaster.publish(topic, b'{"t": 21.5, "at": %.6f}' % time.time(), 1)

    return send


def frames(blaster: Blaster, name: str) -> Callable[[int], None]:
    noise = np.random.default_rng(1).integers(0, 80, (90, 160, 3), np.uint8)
    picture = cv2.resize(noise, (1280, 720), interpolation=cv2.INTER_LINEAR)
    payload = cv2.imencode(".jpg", picture)[1].tobytes()

    def send(number: int) -> None:
        blaster.publish(f"cams/flood-{number % SITES}/{name}", payload, 0)

    return send


def main() -> None:
    kind, port, name, rate, seconds = sys.argv[1:]
    blaster = Blaster(int(port), name)
    send = (readings if kind == "readings" else frames)(blaster, name)
    sent, began = 0, time.monotonic()
    while (passed := time.monotonic() - began) < float(seconds):
        due = int(passed * float(rate))
        for number in range(sent, min(due, sent + 2000)):
            send(number)
        sent = min(due, sent + 2000) if due > sent else sent
        blaster.flush()
        if due - sent < 1:
            time.sleep(STEP)
    blaster.finish()
    print(sent, time.monotonic() - began)
    blaster.close()


if __name__ == "__main__":
    main()
