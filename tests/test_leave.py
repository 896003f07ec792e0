from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filming import clip

PROGRAM = """
import sys, threading
import cv2
from edge_fusion.leave import leave

def look():
    video = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
    while True:
        video.grab() or video.open(sys.argv[1], cv2.CAP_FFMPEG)
        looking.set()

looking = threading.Event()
if sys.argv[2:]:
    threading.Thread(target=look, daemon=True).start()
    looking.wait()
print("said")
leave(3)
"""


@pytest.mark.parametrize("busy", [["busy"], []])
def test_the_process_ends_with_its_code_although_a_thread_is_deep_in_opencv(
    tmp_path: Path, busy: list[str]
) -> None:
    film = clip(tmp_path / "film.avi")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(film), *busy],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (3, "said\n")
