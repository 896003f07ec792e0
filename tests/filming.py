"""Cameras to look at: a real RTSP server, and pictures that say when they were drawn."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from conftest import eventually, free_port
from numpy.typing import NDArray

SERVER = Path(__file__).with_name("rtsp_server.py")
ROWS, COLUMNS = 4, 8
WRAP = 1 << 32


class RtspCamera:
    """An RTSP server in a process of its own that can be commanded, killed and started again."""

    def __init__(
        self,
        *,
        size: tuple[int, int] = (320, 240),
        fps: int = 10,
        guard: tuple[str, str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.clients = 0
        self._arguments = [self.port, *size, fps, *(guard or ())]
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/camera"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), *map(str, self._arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process = process
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(process, ready), daemon=True).start()
        eventually(lambda: ready.is_set() or process.poll() is not None, "the RTSP server's start")
        assert ready.is_set(), "no RTSP server: install what `make test` asks for"

    def command(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                ready.set()
                self.clients += line == "client\n"


def now() -> int:
    """Milliseconds of the wall clock, as pictures say them."""
    return int(time.time() * 1000) % WRAP


def number_in(image: bytes) -> int:
    """The number that a picture of the RTSP server spells."""
    picture = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    height, width = picture.shape
    bits = ""
    for row in range(ROWS):
        for column in range(COLUMNS):
            y, x = (2 * row + 1) * height // (2 * ROWS), (2 * column + 1) * width // (2 * COLUMNS)
            bits += "1" if picture[y - 2 : y + 3, x - 2 : x + 3].mean() > 125 else "0"
    return int(bits, 2)


def age(image: bytes, arrival: float) -> float:
    """Seconds from the drawing of a picture to its arrival."""
    ahead = (int(arrival * 1000) - number_in(image) + WRAP // 2) % WRAP - WRAP // 2
    return ahead / 1000


def noise(seed: int, size: tuple[int, int] = (240, 320)) -> NDArray[np.uint8]:
    """A picture that is like no other."""
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)


def clip(path: Path, pictures: int = 10, fps: float = 10.0) -> Path:
    """A video file, MP4 or AVI by its name."""
    code = {".mp4": "mp4v", ".avi": "MJPG"}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, (320, 240))
    for seed in range(pictures):
        writer.write(noise(seed))
    writer.release()
    return path
