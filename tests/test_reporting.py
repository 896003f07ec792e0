"""What is shown of sites and devices, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_model

from edge_fusion import assembly
from edge_fusion.align.sites import Sites
from edge_fusion.config import load
from edge_fusion.config.settings import Settings
from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Pane,
    Reading,
    Row,
    Scores,
    Severity,
    Timing,
    Window,
)
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.reporting import SHOWN_FOR, begin_metrics

NOW = ArrivalTime(1_795_428_000.0)
CONFIGURATION = """
[model]
path = "model.onnx"
[[sensors]]
topic = "sensors/{site}/{device}"
[[cameras]]
url = "rtsp://127.0.0.1/x"
site = "yard"
camera = "gate"
[[alerts]]
label = "hot"
"""


class Box:
    """The metrics of a daemon that knows these sites."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "edge-fusion.toml"
        tiny_model.write(directory / "model.onnx")
        self.settings, self.model = self._load(CONFIGURATION)
        self.metrics, self.report = begin_metrics(self.settings, self.model)
        self.sites = self._sites()

    def hear(self, site: str, device: str, now: float = NOW) -> None:
        at = ArrivalTime(now)
        reading = Reading(site, device, "temperature", 21.5, EventTime(now), at)
        for outcome in self.sites.feed([reading]):
            self.metrics.observe(outcome)

    def show(self, now: float = NOW) -> None:
        self.sites.advance(ArrivalTime(now))
        self.report.show(self.sites, {}, ArrivalTime(now))

    def let_go(self, now: float) -> None:
        """The sites make room."""
        self.sites._make_room(ArrivalTime(now))

    def reload(self, configuration: str) -> None:
        self.report.follow(*self._load(configuration))

    def shown(self, label: str) -> set[str]:
        lines = self.metrics.exposition()[0].decode().splitlines()
        parts = [line.split(f'{label}="')[1] for line in lines if f'{label}="' in line]
        return {part.partition('"')[0] for part in parts}

    def _load(self, text: str) -> tuple[Settings, OnnxModel]:
        self._path.write_text(text)
        settings = load(self._path, {})
        return settings, assembly.configured_model(settings.model)

    def _sites(self) -> Sites:
        return assembly.sites(self.settings, self.model.spec)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_device_is_shown_with_when_it_was_heard_last(box: Box) -> None:
    box.hear("hall", "sht")
    box.hear("hall", "sht", NOW + 3.0)
    box.show(NOW + 10.0)
    page = box.metrics.exposition()[0].decode()
    _, _, seen = page.partition('last_seen_timestamp_seconds{device="sht",site="hall"} ')
    assert float(seen.split()[0]) == NOW + 3.0
    assert 'edge_fusion_device_clock_offset_seconds{device="sht",site="hall"} 0.0' in page


def test_devices_that_a_restart_brought_back_are_shown_before_they_speak(box: Box) -> None:
    box.hear("hall", "sht")
    (site,) = box.sites
    box.sites = box._sites()
    box.sites.restore("hall", site.snapshot())
    box.show(NOW + 60.0)
    assert box.shown("device") == {"sht"}


def test_a_device_that_the_sites_let_go_of_is_shown_no_more(box: Box) -> None:
    day = 86_400.0
    box.hear("hall", "sht")
    box.hear("hall", "dht", NOW + day)
    box.show(NOW + day)
    assert box.shown("device") == {"sht", "dht"}
    box.let_go(NOW + day + 60.0)
    box.show(NOW + day + 60.0)
    assert box.shown("device") == {"dht"}


def test_a_site_that_was_let_go_of_is_shown_no_more(box: Box) -> None:
    box.hear("hall", "sht")
    box.hear("attic", "sht", NOW + 90_000.0)
    box.show(NOW + 90_000.0)
    assert box.shown("site") == {"hall", "attic", "yard"}
    box.let_go(NOW + 90_000.0)
    box.show(NOW + 90_000.0)
    assert box.shown("site") == {"attic", "yard"}


def test_a_device_is_missed_for_a_week_and_then_gone(box: Box) -> None:
    box.hear("hall", "sht")
    box.show(NOW + SHOWN_FOR)
    assert box.shown("device") == {"sht"}
    box.show(NOW + SHOWN_FOR + 1.0)
    assert (box.shown("device"), box.shown("site")) == (set(), {"yard"})


def test_a_site_whose_alert_fires_stays_until_it_is_over(box: Box) -> None:
    def change(*, firing: bool) -> AlertChange:
        alert = Alert(
            id="1", sequence=1, site="hall", label="hot", firing=firing, severity=Severity.INFO,
            threshold=0.5, score=0.9, started_at=None, updated_at=NOW, ended_at=None, evidence=None,
        )  # fmt: skip
        return AlertChange(alert, lifecycle=True)

    box.hear("hall", "sht")
    box.show()
    box.metrics.alert_changed(change(firing=True))
    box.show(NOW + SHOWN_FOR + 1.0)
    assert "hall" in box.shown("site")
    box.metrics.alert_changed(change(firing=False))
    box.show(NOW + SHOWN_FOR + 2.0)
    assert "hall" not in box.shown("site")


def test_what_is_shown_of_a_value_ends_when_the_model_no_longer_uses_it(box: Box) -> None:
    box.hear("hall", "sht")
    carry = box.settings.windows.carry
    box.show(NOW + carry)
    assert b'temperature_celsius{site="hall"}' in box.metrics.exposition()[0]
    box.show(NOW + carry + 1.0)
    page = box.metrics.exposition()[0]
    assert b'temperature_celsius{site="hall"}' not in page
    assert b'readings_total{quantity="temperature",site="hall"} 1.0' in page


def test_with_long_windows_a_score_is_shown_until_the_next_one_should_be_there(box: Box) -> None:
    box.reload(CONFIGURATION + '[windows]\nsize = "1h"\n')
    window = Window(EventTime(NOW - 3600), EventTime(NOW))
    pane = Pane("hall", window, 0, Timing.ON_TIME, ClosedBy.WATERMARK, NOW, ())
    box.metrics.scored(Scores(pane, (Row("door", (), {"hot": 0.1}),)))
    for now, is_shown in ((NOW + 3600.0, True), (NOW + 3 * 3600.0, False)):
        box.show(now)
        assert ("door" in box.shown("camera")) is is_shown


def test_a_configured_camera_is_shown_as_down_and_never_as_gone(box: Box) -> None:
    down = b'edge_fusion_camera_up{camera="gate",site="yard"} 0.0'
    for now in (NOW, NOW + 2 * SHOWN_FOR):
        box.show(now)
        assert down in box.metrics.exposition()[0]


def test_a_camera_that_a_reload_took_away_is_gone(box: Box) -> None:
    box.show()
    box.reload(CONFIGURATION.replace('"gate"', '"door"'))
    box.show()
    assert box.shown("camera") == {"door"}


def test_only_devices_that_are_shown_can_be_stuck(box: Box) -> None:
    box.hear("hall", "sht")
    stuck = {("hall", "sht"): True, ("hall", "dht"): True, ("attic", "sht"): False}
    box.report.show(box.sites, stuck, NOW)
    page = box.metrics.exposition()[0].decode()
    assert [line for line in page.splitlines() if line.startswith("edge_fusion_device_stuck")] == [
        'edge_fusion_device_stuck{device="sht",site="hall"} 1.0'
    ]
