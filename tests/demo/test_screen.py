"""What a person reads on the screen."""

from __future__ import annotations

import io

from rich.console import Console

from edge_fusion.demo.screen import Surroundings, line, render
from edge_fusion.demo.state import Change, DemoState, Site

CHANGE = Change(
    "2026-11-23T10:00:40Z", "kitchen", "smoke", "firing", 0.93, {"image": 0.41, "humidity": -0.05}
)


def drawn(state: DemoState, left: float | None = None) -> str:
    console = Console(file=io.StringIO(), width=140, record=True)
    console.print(render(state, Surroundings("mosquitto", "http://127.0.0.1:1"), left))
    return console.export_text()


def test_a_site_shows_its_values_scores_and_what_fires() -> None:
    site = Site(
        readings={"temperature": 31.25, "humidity": 40.0},
        scores={"smoke": 0.93, "steam": 0.1},
        thresholds={"smoke": 0.7, "steam": 0.7},
        firing={"smoke": "2026-11-23T10:00:20Z"},
    )
    text = drawn(DemoState(online=True, model="indoor-hazard", sites={"kitchen": site}))
    assert "31.2 °C   40.0 %RH" in text
    assert "smoke █████████· 0.93 ▲ 10:00:20" in text
    assert "steam █········· 0.10" in text


def test_the_log_says_why() -> None:
    text = drawn(DemoState(log=(CHANGE,)))
    assert "because of image +0.41, humidity -0.05" in text


def test_a_line_of_plain_text_says_the_same() -> None:
    assert line(CHANGE) == (
        "10:00:40 kitchen smoke firing score 0.93  because of image +0.41, humidity -0.05"
    )


def test_the_footer_says_how_long_it_runs() -> None:
    assert "12 s left" in drawn(DemoState(), left=12.3)
    assert "Ctrl-C ends it" in drawn(DemoState())
