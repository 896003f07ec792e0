"""A publisher in a process of its own: `flood.py readings|frames PORT NAME RATE SECONDS`.

Sends RATE messages a second for so many seconds, or as near to that as it can; then prints how many
there were and how long it took.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np
from chaos.blaster import Blaster, publish_packet

SITES = 4
STEP = 0.01
DEVICES = 32
NO_TIME = b"0000000000.000000"
CLIMATE = b'{"t": 21.5, "h": 40.5, "p": 1013.2, "co2": 612, "at": ' + NO_TIME + b"}"
"""What one device with a sensor for each measures."""

QUANTITIES = 4


def readings(blaster: Blaster, name: str) -> Iterator[int]:
    """Sends a message of each device at a time; they differ in their time alone."""
    blocks = itertools.cycle([_block(name, first) for first in range(1, 16 * DEVICES, DEVICES)])
    for block in blocks:
        blaster.blast(block.replace(NO_TIME, b"%.6f" % time.time()), DEVICES)
        yield DEVICES


def _block(name: str, first_id: int) -> bytes:
    return b"".join(
        publish_packet(
            f"home/flood-{number % SITES}/{name}-{number}".encode(),
            CLIMATE,
            packet_id=first_id + number,
        )
        for number in range(DEVICES)
    )


def frames(blaster: Blaster, name: str) -> Iterator[int]:
    """Sends a picture of each camera in turn."""
    noise = np.random.default_rng(1).integers(0, 80, (90, 160, 3), np.uint8)
    picture = cv2.resize(noise, (1280, 720), interpolation=cv2.INTER_LINEAR)
    payload = cv2.imencode(".jpg", picture)[1].tobytes()
    for number in itertools.count():
        blaster.publish(f"cams/flood-{number % SITES}/{name}", payload, 0)
        yield 1


def main() -> None:
    kind, port, name, rate, seconds = sys.argv[1:]
    blaster = Blaster(int(port), name, window=600)
    sending = (readings if kind == "readings" else frames)(blaster, name)
    sent, began = 0, time.monotonic()
    while (passed := time.monotonic() - began) < float(seconds):
        if sent < passed * float(rate):
            sent += next(sending)
        else:
            blaster.flush()
            time.sleep(STEP)
    blaster.finish()
    print(sent, time.monotonic() - began)
    blaster.close()


if __name__ == "__main__":
    main()
