"""The live page in a real browser, before a real daemon and a real broker."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import Broker, Collector, eventually
from observed import EVIDENCE, Place, at, fired, frame, reading, scores
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
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


class Home:
    """A daemon with its broker; who lives in its sites, and who looks at its page."""

    def __init__(self, directory: Path, browser: Browser, configuration: str) -> None:
        self.broker = Broker(directory / "broker")
        self.broker.start()
        self.daemon = Running(directory, self.broker.port, configuration=configuration)
        self._browser = browser
        self._houses: list[House] = []
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []
        eventually(lambda: self.daemon.page("/readyz", TOKEN)[0] == 200, "readiness")

    def inhabit(self, *sites: str, every: float = 0.3) -> House:
        self._houses.append(House(self.broker.collect(), *sites, every=every))
        return self._houses[-1]

    def visit(self, size: Any = DESK, **options: Any) -> Page:
        """The page, newly opened."""
        self._contexts.append(self._browser.new_context(viewport=size, **options))
        page = self._contexts[-1].new_page()
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", lambda message: self._complaints.append(message.text))
        page.goto(f"http://127.0.0.1:{self.daemon.web}/")
        return page

    def rest(self) -> None:
        """Everybody leaves; nothing that the browser had to complain of may stand."""
        while self._houses:
            self._houses.pop().close()
        while self._contexts:
            self._contexts.pop().close()
        away = "Failed to load resource"  # as while a daemon is gone, or new
        assert [text for text in self._complaints if not text.startswith(away)] == []

    def close(self) -> None:
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.broker.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with closing(Home(tmp_path_factory.mktemp("home"), browser, CONFIGURATION)) as built:
        yield built


@pytest.fixture
def home(shared: Home) -> Iterator[Home]:
    """One for many tests, since a daemon takes seconds to start: each has sites of its own."""
    yield shared
    shared.rest()


@pytest.fixture
def own(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home for one test alone."""
    configuration = getattr(request, "param", CONFIGURATION)
    with closing(Home(tmp_path, browser, configuration)) as built:
        yield built
        built.rest()


def tile(page: Page, site: str) -> Any:
    return page.locator(f"#site-{site}")


def has_picture(image: Any) -> bool:
    width: int = image.evaluate("image => image.naturalWidth")
    return width > 0


def test_an_alert_appears_and_goes_without_a_reload(home: Home) -> None:
    house, page = home.inhabit("kitchen", "hall"), home.visit()
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


def test_a_site_that_falls_silent_goes_quiet_and_then_stale(home: Home) -> None:
    house, page = home.inhabit("cellar"), home.visit()
    cellar = tile(page, "cellar")
    expect(cellar).to_have_attribute("data-state", "live")
    cellar.locator("summary").click()
    expect(cellar.locator(".devices li").first).to_contain_text("heard 0 s ago")
    expect(cellar.locator(".devices")).to_contain_text("clock ±0 s")
    house.close()
    expect(cellar).to_have_attribute("data-state", "quiet", timeout=15_000)
    expect(cellar).to_have_attribute("data-state", "stale", timeout=15_000)
    expect(cellar.locator(".state")).to_contain_text(re.compile(r"stale [45] s"))
    expect(cellar.locator("figure")).to_have_attribute("data-old", "")
    expect(cellar.locator("summary")).to_have_text("2 devices, 2 silent")
    expect(page.locator("#facts")).to_contain_text("stale")


def test_on_a_phone_nothing_lies_beside_the_screen(home: Home) -> None:
    longest = "x" * 64
    house, page = home.inhabit("porch", longest), home.visit(PHONE)
    house.temperatures[longest] = 39.0
    expect(page.locator("#firing")).to_contain_text(longest, timeout=15_000)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#density").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_two_hundred_sites_stay_live_and_only_what_is_seen_is_fetched(own: Home) -> None:
    names = [f"site-{number}" for number in range(200)]
    house = own.inhabit(*names, every=1.0)
    eventually(lambda: own.daemon.metric("frames_total") >= 200, "all sites")
    page, cameras = own.visit(), set()

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
    expect(last).to_be_in_viewport()
    expect(last.locator(".values")).to_contain_text("20.0 °C")
    house.temperatures["site-199"] = 25.0
    expect(last.locator(".values")).to_contain_text("25.0 °C", timeout=15_000)
    eventually(lambda: has_picture(last.locator("img")), "the last camera's picture")
    assert "site-199" in cameras
    assert "site-100" not in cameras
    page.locator("#filter").fill("site-19")
    expect(page.locator(".tile:visible")).to_have_count(11)


def test_the_keyboard_reaches_everything(home: Home) -> None:
    home.inhabit("key-1", "key-2")
    page = home.visit()
    for site in ("key-1", "key-2"):
        expect(tile(page, site).locator("summary")).to_have_text("2 devices")

    def focused() -> str:
        text: str = page.evaluate(
            "document.activeElement.id || document.activeElement.textContent.trim()"
        )
        return text

    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(focused())
        if reached[-1] == "filter":
            page.keyboard.type("key-")
            expect(page.locator(".tile:visible")).to_have_count(2)
    assert reached == ["Skip to the sites", "filter", "show", "density",
                       "key-1", "2 devices", "key-2", "2 devices"]  # fmt: skip
    page.keyboard.press("Enter")
    assert tile(page, "key-2").locator("details").evaluate("details => details.open")
    name = tile(page, "key-1").locator(".name")
    name.focus()
    assert name.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")
    assert focused() == "key-2"
    expect(tile(page, "key-2").locator(".name")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(tile(page, "key-2").locator(".name")).to_have_attribute("aria-expanded", "false")
    expect(tile(page, "key-2").locator("details")).to_be_hidden()


def test_every_text_has_contrast_in_dark_and_in_light(home: Home) -> None:
    house, page = home.inhabit("warm", "mute"), home.visit()
    expect(tile(page, "mute")).to_have_attribute("data-state", "live")
    house.temperatures["warm"] = 39.0
    del house.temperatures["mute"]
    expect(page.locator("#firing")).to_contain_text("warm", timeout=15_000)
    expect(tile(page, "mute")).to_have_attribute("data-state", "stale", timeout=15_000)
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


def test_it_says_that_broker_or_daemon_are_gone_and_goes_on_when_they_come_back(own: Home) -> None:
    house, page = own.inhabit("hall"), own.visit()
    image = tile(page, "hall").locator("figure img")
    eventually(lambda: has_picture(image), "the picture")
    house.close()
    expect(page.locator("#facts")).to_contain_text("broker connected")
    own.broker.stop()
    expect(page.locator("#facts")).to_contain_text("not connected", timeout=15_000)
    own.broker.start()
    own.daemon.process.kill()
    own.daemon.process.wait()
    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("Connection to the daemon lost", timeout=15_000)
    expect(page.locator("body")).to_have_attribute("data-lost", "")
    assert has_picture(image), "what was seen last stays"
    own.daemon.start()
    expect(trouble).to_be_hidden(timeout=20_000)
    expect(page.locator(".tile")).to_have_count(0)
    own.inhabit("hall")
    expect(tile(page, "hall")).to_have_attribute("data-state", "live", timeout=15_000)


@pytest.mark.parametrize("own", [GUARDED], indirect=True)
def test_with_a_token_a_browser_shows_it_as_password_and_all_goes_through(own: Home) -> None:
    own.inhabit("hall")
    page = own.visit(http_credentials={"username": "me", "password": TOKEN})
    expect(tile(page, "hall").locator(".values")).to_contain_text("20.0 °C")
    eventually(lambda: has_picture(tile(page, "hall").locator("figure img")), "the picture")


def is_served(page: Page, address: str, image: bytes) -> bool:
    return page.request.get(address).body() == image


def test_pictures_are_served_as_what_they_are(home: Home) -> None:
    """A picture may hold anything after its head; and not each is a JPEG."""
    house, page = home.inhabit("studio", every=0.1), home.visit()
    address = page.url + "frame/studio/ceiling"
    for image, kind in ((JPEG + b"<script>alert(1)</script>", "image/jpeg"), (PNG, "image/png")):
        house.image = image
        eventually(partial(is_served, page, address, image), "the picture")
        assert page.request.get(address).headers["content-type"] == kind
    other = page.context.new_page()
    other.goto(address)
    assert other.evaluate("document.contentType") == "image/png"


EVIL = """'"><img src=x onerror="document.body.remove()"><script>document.body.remove()</script>"""


def test_names_of_all_kinds_are_text_and_never_a_program(home: Home) -> None:
    """The daemon takes harmless names only; the page does not rely on that."""
    board = Board(900.0)
    board.observe(reading(20.0, site=EVIL, device=EVIL))
    board.observe(reading(20.0, site=EVIL, device=EVIL, quantity=EVIL))
    board.observe(frame(JPEG, site=EVIL, camera=EVIL))
    board.scored(scores((EVIL, {EVIL: 0.9}), site=EVIL))
    evidence = replace(EVIDENCE, contributions={EVIL: 0.4}, missing=(EVIL,), camera=EVIL)
    board.alert_changed(fired(site=EVIL, label=EVIL, evidence=evidence))
    place, box = Place(EVIL, devices=(EVIL,), cameras=(EVIL,)), BoxView({EVIL: False}, EVIL)
    board.show([place], at(10), box)
    told = Script().whole(board.snapshot, About(EVIL, EVIL, EVIL, 45.0, 900.0, {EVIL: 0.5}))
    page = home.visit()
    page.route("**/live", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
    page.route("**/frame/**", lambda route: route.fulfill(body=JPEG, content_type="image/jpeg"))
    page.route("**/snapshot/**", lambda route: route.fulfill(body=JPEG, content_type="image/jpeg"))
    page.reload()
    page.locator("summary").click()
    expect(page.locator(".devices")).to_contain_text(EVIL)
    expect(page.locator("#firing")).to_contain_text(f"because of {EVIL} +0.40; without {EVIL}")
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 2
