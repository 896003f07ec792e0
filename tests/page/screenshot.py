"""Makes the picture of the live page that README shows: python tests/page/screenshot.py FILE.

It starts the demo, waits until something burns in it, and takes the page as it then is.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PORT = 8339
SIZE = ViewportSize(width=1280, height=1150)
COLOURS = 256
PATIENCE = 60_000


def main(path: Path) -> None:
    command = [sys.executable, "-m", "edge_fusion", "demo", "--port", str(PORT)]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM)
            page = browser.new_page(viewport=SIZE, color_scheme="dark")
            visit(page)
            page.screenshot(path=path, animations="disabled")
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)  # as Ctrl-C does
        demo.wait()
    squeeze(path)


def visit(page: Page) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        try:
            page.goto(f"http://127.0.0.1:{PORT}/")
            break
        except Exception:  # noqa: BLE001 - it is not up yet
            time.sleep(0.2)
    expect(page.locator("#firing")).to_contain_text("fire", timeout=PATIENCE)
    for summary in page.locator("summary").all():
        summary.click()
    time.sleep(6)  # the sparklines get a past
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")


def squeeze(path: Path) -> None:
    """Fewer colours: the noise of the simulated cameras is most of the file."""
    few = Image.open(path).quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
