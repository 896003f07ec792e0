"""The live page in a real browser, before a real daemon and a real broker."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import Broker, Collector, eventually
from observed import FIRED, Place, at, fired, frame, reading, scores
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from running import Running

from edge_fusion.page.board import Board
from edge_fusion.page.document import About, Script
from edge_fusion.page.views import BoxView

CHROMIUM = "/usr/bin/chromium"
CONTRASTS = Path(__file__).with_name("contrasts.js")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
TOKEN = "0123456789abcdef"

CONFIGURATION = """
[mqtt]
port = {port}
box = "box-1"
{mqtt}
[windows]
size = "1s"
max_out_of_orderness = "100ms"
max_wait = "300ms"
idle_timeout = "600ms"
carry = "4s"
[store]
durability = "none"
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
humidity = "h"
[[sensors]]
topic = "senml/{{site}}/{{device}}"
format = "senml"
[[cameras]]
topic = "cams/{{site}}/{{camera}}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
keep_firing = "1s"
severity = "critical"
[web]
listen = "127.0.0.1:{web}"
"""
GUARDED = f'{CONFIGURATION}token = "{TOKEN}"\n'


def picture(extension: str, colour: tuple[int, int, int] = (150, 120, 90)) -> bytes:
    ok, data = cv2.imencode(extension, np.full((96, 128, 3), colour, np.uint8))
    assert ok
    return data.tobytes()


JPEG, PNG = picture(".jpg"), picture(".png")


class House:
    """Sites with a sensor and a camera each, published a few times a second until it is closed."""

    def __init__(self, devices: Collector, *sites: str, every: float = 0.3) -> None:
        self.temperatures = dict.fromkeys(sites, 20.0)
        self.image = JPEG
        self._devices = devices
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(every,))
        self._thread.start()

    def _run(self, every: float) -> None:
        while not self._stop.wait(every):
            for site, temperature in self.temperatures.copy().items():
                reading = json.dumps({"t": temperature, "h": 45}).encode()
                self._devices.publish(f"home/{site}/probe", reading, qos=0)
                self._devices.publish(f"cams/{site}/ceiling", self.image, qos=0)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def daemon(broker: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    configuration = getattr(request, "param", CONFIGURATION)
    running = Running(tmp_path, broker.port, configuration=configuration)
    eventually(lambda: running.page("/readyz", TOKEN)[0] == 200, "readiness")
    yield running
    running.process.kill()
    running.process.wait()


Inhabit = Callable[..., House]


@pytest.fixture
def inhabit(broker: Broker, daemon: Running) -> Iterator[Inhabit]:
    houses: list[House] = []

    def live_in(*sites: str, **options: Any) -> House:
        houses.append(House(broker.collect(), *sites, **options))
        return houses[-1]

    yield live_in
    for house in houses:
        house.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, daemon: Running) -> Iterator[Visit]:
    """Opens the page; whatever the browser has to complain of fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(size: Any = DESK, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport=size, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"http://127.0.0.1:{daemon.web}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if "net::ERR_" not in text] == []


def tile(page: Page, site: str) -> Any:
    return page.locator(f"#site-{site}")


def has_picture(image: Any) -> bool:
    width: int = image.evaluate("image => image.naturalWidth")
    return width > 0


def test_an_alert_appears_and_goes_without_a_reload(inhabit: Inhabit, visit: Visit) -> None:
    house, page = inhabit("kitchen", "hall"), visit()
    kitchen = tile(page, "kitchen")
    expect(kitchen).to_have_attribute("data-state", "live")
    expect(page.locator("#calm")).to_contain_text("Nothing")
    expect(kitchen.locator(".values")).to_contain_text("20.0 °C")
    expect(kitchen.locator(".values")).to_contain_text("45 %")
    eventually(lambda: has_picture(kitchen.locator("figure img")), "the camera's picture")
    page.evaluate("window.sameAsBefore = true")

    house.temperatures["kitchen"] = 39.0
    alert = page.locator("#firing li")
    expect(alert).to_contain_text("hot", timeout=15_000)
    expect(alert).to_contain_text("because of temperature +0.9")
    expect(alert.locator("a")).to_have_attribute("href", "#site-kitchen")
    expect(kitchen).to_have_attribute("data-state", "firing")
    expect(kitchen.locator(".site-alerts")).to_contain_text("since ")
    expect(page.locator("#said")).to_have_text("hot fires at kitchen")
    eventually(lambda: has_picture(kitchen.locator(".site-alerts img")), "the snapshot")
    row = kitchen.locator(".scores li", has_text="hot")
    expect(row).to_contain_text("alerts from 0.60")
    expect(row.locator(".mark")).to_have_attribute("style", re.compile("60%"))
    expect(tile(page, "hall")).to_have_attribute("data-state", "live")

    house.temperatures["kitchen"] = 20.0
    expect(alert).to_have_count(0, timeout=15_000)
    expect(kitchen.locator(".site-alerts")).to_contain_text("resolved")
    assert page.evaluate("window.sameAsBefore") is True


def test_a_site_that_falls_silent_goes_quiet_and_then_stale(inhabit: Inhabit, visit: Visit) -> None:
    house, page = inhabit("kitchen"), visit()
    kitchen = tile(page, "kitchen")
    expect(kitchen).to_have_attribute("data-state", "live")
    kitchen.locator("summary").click()
    expect(kitchen.locator(".devices li").first).to_contain_text("heard 0 s ago")
    expect(kitchen.locator(".devices")).to_contain_text("clock ±0 s")
    house.close()
    expect(kitchen).to_have_attribute("data-state", "quiet", timeout=15_000)
    expect(kitchen).to_have_attribute("data-state", "stale", timeout=15_000)
    expect(kitchen.locator(".state")).to_contain_text(re.compile(r"stale [45] s"))
    expect(kitchen.locator("figure")).to_have_attribute("data-old", "")
    expect(kitchen.locator("summary")).to_have_text("2 devices, 2 silent")
    expect(page.locator("#facts")).to_contain_text("1 stale")


def test_on_a_phone_nothing_lies_beside_the_screen(inhabit: Inhabit, visit: Visit) -> None:
    longest = "x" * 64
    house, page = inhabit("hall", longest), visit(PHONE)
    house.temperatures[longest] = 39.0
    expect(page.locator("#firing li")).to_have_count(1, timeout=15_000)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#density").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_two_hundred_sites_stay_live_and_only_what_is_seen_is_fetched(
    inhabit: Inhabit, visit: Visit, daemon: Running
) -> None:
    names = [f"site-{number}" for number in range(200)]
    house = inhabit(*names, every=1.0)
    eventually(lambda: daemon.metric("frames_total") >= 200, "all sites")
    page, cameras = visit(), set()

    def note(request: Request) -> None:
        if "/frame/" in request.url:
            cameras.add(request.url.split("/")[-2])

    page.on("request", note)
    expect(page.locator(".tile")).to_have_count(200)
    expect(page.locator("#count")).to_have_text("200")
    shown = page.locator(".tile .name").all_text_contents()
    assert shown == names, "in the order of their numbers"
    last = tile(page, "site-199")
    last.scroll_into_view_if_needed()
    expect(last.locator(".values")).to_contain_text("20.0 °C")
    house.temperatures["site-199"] = 25.0
    expect(last.locator(".values")).to_contain_text("25.0 °C", timeout=15_000)
    eventually(lambda: has_picture(last.locator("img")), "the last camera's picture")
    assert "site-199" in cameras
    assert "site-100" not in cameras
    page.locator("#filter").fill("site-19")
    expect(page.locator(".tile:visible")).to_have_count(11)


def test_the_keyboard_reaches_everything(inhabit: Inhabit, visit: Visit) -> None:
    inhabit("attic", "hall")
    page = visit()
    expect(page.locator(".tile")).to_have_count(2)

    def focused() -> str:
        text: str = page.evaluate(
            "document.activeElement.id || document.activeElement.textContent.trim()"
        )
        return text

    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(focused())
    assert reached == ["Skip to the sites", "filter", "show", "density",
                       "attic", "2 devices", "hall", "2 devices"]  # fmt: skip
    page.keyboard.press("Enter")
    assert tile(page, "hall").locator("details").evaluate("details => details.open")
    name = tile(page, "attic").locator(".name")
    name.focus()
    assert name.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")
    assert focused() == "hall"
    expect(tile(page, "hall").locator(".name")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(tile(page, "hall").locator(".name")).to_have_attribute("aria-expanded", "false")
    expect(tile(page, "hall").locator("details")).to_be_hidden()


def test_every_text_has_contrast_in_dark_and_in_light(inhabit: Inhabit, visit: Visit) -> None:
    house, page = inhabit("attic", "hall"), visit()
    expect(page.locator(".tile")).to_have_count(2)
    house.temperatures["attic"] = 39.0
    del house.temperatures["hall"]
    expect(page.locator("#firing li")).to_have_count(1, timeout=15_000)
    expect(tile(page, "hall")).to_have_attribute("data-state", "stale", timeout=15_000)
    for summary in page.locator("summary").all():
        summary.click()
    grounds = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        contrasts: dict[str, float] = page.evaluate(CONTRASTS.read_text())
        assert len(contrasts) > 20
        assert {what: contrast for what, contrast in contrasts.items() if contrast < 4.5} == {}
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        grounds.append(sum(map(int, re.findall(r"\d+", ground))))
    assert grounds[0] < 3 * 64 < 3 * 192 < grounds[1]


def test_that_broker_or_daemon_are_gone_is_said_and_when_they_come_back_all_goes_on(
    inhabit: Inhabit, visit: Visit, daemon: Running, broker: Broker
) -> None:
    inhabit("hall").close()
    page = visit()
    expect(page.locator("#facts")).to_contain_text("broker connected")
    broker.stop()
    expect(page.locator("#facts")).to_contain_text("not connected", timeout=15_000)
    broker.start()
    daemon.process.kill()
    daemon.process.wait()
    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("Connection to the daemon lost", timeout=15_000)
    expect(page.locator("body")).to_have_attribute("data-lost", "")
    daemon.start()
    expect(trouble).to_be_hidden(timeout=20_000)
    expect(page.locator(".tile")).to_have_count(0)
    inhabit("hall")
    expect(tile(page, "hall")).to_have_attribute("data-state", "live", timeout=15_000)


@pytest.mark.parametrize("daemon", [GUARDED], indirect=True)
def test_with_a_token_a_browser_shows_it_as_password_and_all_goes_through(
    inhabit: Inhabit, visit: Visit
) -> None:
    inhabit("hall")
    page = visit(http_credentials={"username": "me", "password": TOKEN})
    expect(tile(page, "hall").locator(".values")).to_contain_text("20.0 °C")
    eventually(lambda: has_picture(tile(page, "hall").locator("figure img")), "the picture")


def is_served(page: Page, address: str, image: bytes) -> bool:
    return page.request.get(address).body() == image


def test_pictures_are_served_as_what_they_are(inhabit: Inhabit, visit: Visit) -> None:
    """A picture may hold anything after its head; and not each is a JPEG."""
    house, page = inhabit("hall", every=0.1), visit()
    address = page.url + "frame/hall/ceiling"
    for image, kind in ((JPEG + b"<script>alert(1)</script>", "image/jpeg"), (PNG, "image/png")):
        house.image = image
        eventually(partial(is_served, page, address, image), "the picture")
        assert page.request.get(address).headers["content-type"] == kind
    other = page.context.new_page()
    other.goto(address)
    assert other.evaluate("document.contentType") == "image/png"


EVIL = """'"><img src=x onerror="document.body.remove()"><script>document.body.remove()</script>"""


def test_names_of_all_kinds_are_text_and_never_a_program(visit: Visit) -> None:
    """The daemon takes harmless names only; the page does not rely on that."""
    board = Board(900.0)
    board.observe(reading(20.0, site=EVIL, device=EVIL))
    board.observe(reading(20.0, site=EVIL, device=EVIL, quantity=EVIL))
    board.observe(frame(JPEG, site=EVIL, camera=EVIL))
    board.scored(scores((EVIL, {EVIL: 0.9}), site=EVIL))
    evidence = replace(FIRED.evidence, contributions={EVIL: 0.4}, missing=(EVIL,), camera=EVIL)  # type: ignore[type-var]
    board.alert_changed(fired(site=EVIL, label=EVIL, evidence=evidence))
    place, box = Place(EVIL, devices=(EVIL,), cameras=(EVIL,)), BoxView({EVIL: False}, EVIL)
    board.show([place], at(10), box)
    told = Script().whole(board.snapshot, About(EVIL, EVIL, EVIL, 45.0, 900.0, {EVIL: 0.5}))
    page = visit()
    page.route("**/live", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
    page.route("**/frame/**", lambda route: route.fulfill(body=JPEG, content_type="image/jpeg"))
    page.route("**/snapshot/**", lambda route: route.fulfill(body=JPEG, content_type="image/jpeg"))
    page.reload()
    page.locator("summary").click()
    expect(page.locator(".devices")).to_contain_text(EVIL)
    expect(page.locator("#firing")).to_contain_text(f"because of {EVIL} +0.40; without {EVIL}")
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 2
