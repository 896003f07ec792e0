"""Scored panes as assemblers and models make them, in any order that may be."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import strategies as st

from edge_fusion.alerts.rules import Rule
from edge_fusion.events import (
    ArrivalTime,
    ClosedBy,
    EventTime,
    Pane,
    Row,
    Scores,
    Severity,
    Timing,
    Window,
)

SILENT_AFTER = 35.0
THRESHOLD, CLEAR = 0.7, 0.5
SITES = st.sampled_from(["hall", "attic"])
SCORES = st.sampled_from([0.1, 0.49, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
RULES = st.builds(
    Rule,
    label=st.just("smoke"),
    threshold=st.just(THRESHOLD),
    clear=st.sampled_from([CLEAR, THRESHOLD]),
    for_windows=st.integers(1, 3),
    keep_firing=st.sampled_from([0.0, 5.0, 12.0, 40.0]),
    severity=st.just(Severity.WARNING),
)


def pane(site: str, number: int, index: int, at: float, score: float | None) -> Scores:
    window = Window(EventTime(number * 10.0), EventTime(number * 10.0 + 10))
    timing = Timing.LATE if index else Timing.ON_TIME
    rows = () if score is None else (Row(None, (), {"smoke": score}),)
    fired_at = ArrivalTime(at)
    return Scores(Pane(site, window, index, timing, ClosedBy.WATERMARK, fired_at, ()), rows)


@st.composite
def histories(draw: st.DrawFn, *, revisions: bool = True) -> list[Scores]:
    """Panes as assemblers make them: windows of a site in order, revisions of any between."""
    numbers: dict[str, list[int]] = defaultdict(list)
    at, panes = 0.0, []
    for _ in range(draw(st.integers(0, 25))):
        site = draw(SITES)
        at += draw(st.sampled_from([0.0, 1.0, 5.0, 10.0, 30.0, 100.0]))
        score = draw(st.none() | SCORES)
        own = numbers[site]
        if revisions and own and draw(st.booleans()):
            number = draw(st.sampled_from(own[-3:]))
            panes.append(pane(site, number, 1, at, score))
        else:
            own.append((own[-1] if own else 0) + draw(st.integers(1, 2)))
            panes.append(pane(site, own[-1], 0, at, score))
    return panes
