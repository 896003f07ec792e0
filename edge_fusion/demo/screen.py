"""The demo's screen: a picture of a `DemoState`, drawn with rich; and the same as plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge_fusion.demo.state import Change, DemoState, Site

BAR = 10
COLUMNS = 3
UNITS = {"temperature": "°C", "humidity": "%RH"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What runs beside the daemon: said in the title."""

    broker: str
    web: str


def render(state: DemoState, surroundings: Surroundings, left: float | None) -> RenderableType:
    """The whole screen; `left` is how many seconds it still runs, None: until Ctrl-C."""
    status = "[green]online[/]" if state.online else "[yellow]starting[/]"
    title = (
        f"[bold]edge-fusion[/]  daemon {status}  model [cyan]{state.model or '…'}[/]  "
        f"broker [cyan]{surroundings.broker}[/]  page [cyan]{surroundings.web}/[/]"
    )
    sites = [_site(name, site) for name, site in sorted(state.sites.items())]
    ending = "Ctrl-C ends it" if left is None else f"{max(0.0, left):.0f} s left"
    return Group(
        Panel(Text.from_markup(title), border_style="dim"),
        _side_by_side(sites) if sites else Text("waiting for readings …", style="dim"),
        Panel(_log(state.log), title="alerts, as they came from the broker", border_style="dim"),
        Text(f"{state.windows} windows  ·  {ending}", style="dim"),
    )


def line(change: Change) -> str:
    """One change as a line of plain text."""
    return (
        f"{_clock(change.time)} {change.site} {change.label} {change.state} "
        f"score {change.score:.2f}{_why(change.contributions)}"
    )


def _site(name: str, site: Site) -> Panel:
    values = "   ".join(
        f"{value:.1f} {UNITS.get(quantity, quantity)}"
        for quantity, value in sorted(site.readings.items(), reverse=True)
    )
    grid = Table.grid(padding=(0, 1))
    for label, score in site.scores.items():
        grid.add_row(label, _bar(score, site.thresholds.get(label, 1.0)), _mark(site, label))
    style = "bold red" if site.firing else "green"
    return Panel(Group(Text(values or "no reading yet"), grid), title=name, border_style=style)


def _side_by_side(panels: Sequence[Panel]) -> Table:
    grid = Table.grid(expand=True)
    for _ in range(COLUMNS):
        grid.add_column(ratio=1)
    for first in range(0, len(panels), COLUMNS):
        grid.add_row(*panels[first : first + COLUMNS])
    return grid


def _bar(score: float, threshold: float) -> Text:
    full = round(score * BAR)
    colour = "red" if score >= threshold else "yellow" if score >= threshold / 2 else "green"
    bar = Text("█" * full, style=colour)
    bar.append("·" * (BAR - full), style="dim")
    bar.append(f" {score:4.2f}", style=colour)
    return bar


def _mark(site: Site, label: str) -> Text:
    since = site.firing.get(label)
    return Text("" if since is None else f"▲ {_clock(since)}", style="bold red")


def _log(changes: tuple[Change, ...]) -> RenderableType:
    if not changes:
        return Text("none yet", style="dim")
    grid = Table.grid(padding=(0, 2))
    for change in changes:
        style = "bold red" if change.state == "firing" else "green"
        grid.add_row(
            _clock(change.time),
            change.site,
            change.label,
            Text(change.state, style=style),
            f"{change.score:.2f}",
            Text(_why(change.contributions), style="dim"),
        )
    return grid


def _why(contributions: Mapping[str, float]) -> str:
    """What each input added to the score."""
    told = [f"{name} {share:+.2f}" for name, share in contributions.items() if abs(share) >= 0.01]
    return f"  because of {', '.join(told)}" if told else ""


def _clock(time: str) -> str:
    return time[11:19]
