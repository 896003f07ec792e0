"""Draws a dashboard as Grafana would lay it out, from the answers of a Prometheus, into a PNG.

    pip install 'edge-fusion[pictures]'
    python deploy/grafana/render.py overview http://127.0.0.1:9090 overview.png --minutes 30

The same panels, places and queries; only the drawing is matplotlib's.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MultipleLocator

UNIT, WIDTH, GAP = 34, 1200, 8  # pixels: of a panel's height, of the whole, between panels
BACK, PANEL, TEXT, FAINT = "#111217", "#1c1e24", "#ccccdc", "#33353b"
COLORS = {"green": "#56a64b", "red": "#e02f44", "orange": "#ff9830", "blue": "#5794f2"}
COLORS |= {"transparent": PANEL, "rgba(128, 128, 128, 0.15)": "#2c2e35"}
CYCLE = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffee52"]
CYCLE += ["#56a64b", "#fa6400", "#705da0", "#c4162a"]

TICKS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)

Json = dict[str, Any]
Series = tuple[dict[str, str], list[float], list[float]]
"""Labels, moments and values of one line."""


@dataclass(frozen=True)
class Source:
    """A Prometheus, and what stands for the variables."""

    url: str
    start: float
    end: float
    site: str = ".+"

    def filled(self, text: str) -> str:
        span = f"{int(self.end - self.start)}s"
        known = {"$__rate_interval": "30s", "$__range": span, "$site": self.site, "$camera": ".*"}
        for name, value in known.items():
            text = text.replace(name, value)
        return re.sub(r"\$\w+", ".+", text)

    def lines(self, expr: str) -> list[Series]:
        step = max(2, int((self.end - self.start) / 600))
        answer = self._get("query_range", expr, start=self.start, end=self.end, step=step)
        found = ((one["metric"], [_numbers(each) for each in one["values"]]) for one in answer)
        known = ((labels, [n for n in numbers if n[1] == n[1]]) for labels, numbers in found)
        return [
            (labels, [at for at, _ in numbers], [value for _, value in numbers])
            for labels, numbers in known
            if numbers
        ]

    def now(self, expr: str) -> list[tuple[dict[str, str], float]]:
        answer = self._get("query", expr, time=self.end)
        return [(one["metric"], float(one["value"][1])) for one in answer]

    def _get(self, kind: str, expr: str, **more: float) -> Any:
        query = urllib.parse.urlencode({"query": self.filled(expr), **more})
        with urllib.request.urlopen(f"{self.url}/api/v1/{kind}?{query}", timeout=10) as answer:  # noqa: S310
            return json.load(answer)["data"]["result"]


def _numbers(sample: list[Any]) -> tuple[float, float]:
    return float(sample[0]), float(sample[1])


def named(legend: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend).strip()


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    digits = "{:.0f}" if value % 1 == 0 or decimals == 0 else "{:.3g}"
    text = digits.format(value)
    return {
        "percentunit": f"{digits.format(100 * value)} %",
        "celsius": f"{value:.1f} °C",
        "s": f"{1000 * value:.3g} ms" if abs(value) < 1 else f"{value:.3g} s",
        "cps": f"{text} /s",
        "bytes": f"{value / 2**20:.0f} MiB",
        "dateTimeFromNow": f"{time.time() - value / 1000:.0f} s ago",
        "bool_on_off": "on" if value else "off",
    }.get(unit, text)


def step_color(steps: list[Json], value: float) -> str:
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return COLORS.get(str(reached[-1]), str(reached[-1]))


def draw_stat(ax: Axes, panel: Json, source: Source) -> None:
    field, target = panel["fieldConfig"]["defaults"], panel["targets"][0]
    found = source.now(target["expr"])
    labels, value = found[0] if found else ({}, float("nan"))
    words = {k: v for m in field.get("mappings", []) for k, v in m["options"].items()}
    text = shown(value, field["unit"]) if found else field.get("noValue", "-")
    text = words.get(f"{value:.0f}", {}).get("text", text)
    if panel["options"]["textMode"] == "name":
        text = named(target["legendFormat"], labels)
    ax.add_patch(Rectangle((0, 0), 1, 1, color=step_color(field["thresholds"]["steps"], value)))
    ax.text(0.5, 0.45, text, ha="center", va="center", fontsize=19, color="white", weight="bold")
    ax.set_axis_off()


def draw_lines(ax: Axes, panel: Json, source: Source) -> None:
    field = panel["fieldConfig"]["defaults"]
    fixed = field.get("color", {}).get("fixedColor")
    number = 0
    for target in panel["targets"]:
        for labels, moments, values in source.lines(target["expr"]):
            if target["refId"] == "Z":
                _shade(ax, moments)
                continue
            color = COLORS.get(fixed, CYCLE[number % len(CYCLE)])
            number += 1
            name = f"{named(target['legendFormat'], labels)}  {shown(values[-1], field['unit'])}"
            ax.plot(moments, values, color=color, lw=1.4, label=name)
            ax.fill_between(moments, values, min(values), color=color, alpha=0.06, lw=0)
    if "min" in field:
        ax.set_ylim(field["min"], field.get("max"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: shown(v, field["unit"])))
    _axes_of_time(ax, source)
    if number:
        columns = min(number, 4 if panel["gridPos"]["w"] > 12 else 3)
        ax.legend(
            handles=ax.get_legend_handles_labels()[0][:9],
            loc="upper left", bbox_to_anchor=(0, -0.13), ncols=columns,
            fontsize=7.5, frameon=False, labelcolor=TEXT, handlelength=1.2, columnspacing=1.4,
            borderaxespad=0,
        )  # fmt: skip
    else:
        ax.text(0.5, 0.5, field.get("noValue", ""), ha="center", color=TEXT,
                transform=ax.transAxes)  # fmt: skip


def _shade(ax: Axes, moments: list[float]) -> None:
    for begin, end in _spans(moments):
        ax.axvspan(begin, end, color=COLORS["red"], alpha=0.16, lw=0)


def _spans(moments: list[float], gap: float = 15.0) -> Iterator[tuple[float, float]]:
    begin = last = moments[0]
    for moment in [*moments[1:], float("inf")]:
        if moment - last > gap:
            yield begin, last
            begin = moment
        last = moment


def draw_states(ax: Axes, panel: Json, source: Source) -> None:
    target = panel["targets"][0]
    found = sorted(source.lines(target["expr"]), key=lambda one: str(one[0]), reverse=True)
    for place, (_, moments, values) in enumerate(found):
        known = [(moments[0], moments[-1] - moments[0])]
        ax.broken_barh(known, (place - 0.4, 0.8), color="#2c2e35")
        on = [moment for moment, value in zip(moments, values, strict=True) if value]
        bars = [(begin, end - begin) for begin, end in _spans(on)] if on else []
        ax.broken_barh(bars, (place - 0.4, 0.8), color=COLORS["red"])
    ax.set_yticks(range(len(found)), [named(target["legendFormat"], one[0]) for one in found])
    _axes_of_time(ax, source)
    ax.grid(visible=False)


def draw_table(ax: Axes, panel: Json, source: Source) -> None:
    ax.set_axis_off()
    organize = panel["transformations"][-1]["options"]["renameByName"]
    units = {
        override["matcher"]["options"]: one["value"]
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "unit"
    }
    columns = {organize[f"Value #{t['refId']}"]: source.now(t["expr"]) for t in panel["targets"]}
    sites = sorted({labels["site"] for found in columns.values() for labels, _ in found})
    for x, name in enumerate(["Site", *columns]):
        ax.text(x / (len(columns) + 1), 0.97, name, va="top", color="#6e9fff", fontsize=9)
    for y, site in enumerate(sites):
        top = 0.97 - (y + 1.2) * 0.16
        ax.text(0, top, site, va="top", fontsize=10)
        for x, (name, found) in enumerate(columns.items(), 1):
            value = next((v for labels, v in found if labels["site"] == site), None)
            place = x / (len(columns) + 1)
            if name == "Firing" and value:
                ax.add_patch(Rectangle((place - 0.01, top - 0.12), 0.12, 0.15, color=COLORS["red"]))
            text = "-" if value is None else shown(value, units.get(name, "short"), decimals=0)
            ax.text(place, top, text, va="top", fontsize=10)


def draw_bars(ax: Axes, panel: Json, source: Source) -> None:
    target = panel["targets"][0]
    found = sorted(source.now(target["expr"]), key=lambda one: one[1])
    names = [named(target["legendFormat"], labels) for labels, _ in found]
    ax.barh(names, [value for _, value in found], color=COLORS["orange"], height=0.6)
    for place, (_, value) in enumerate(found):
        ax.text(value, place, f" {value:.0f}", va="center", fontsize=9)
    ax.set_xticks([])
    ax.grid(visible=False)


def _axes_of_time(ax: Axes, source: Source) -> None:
    ax.set_xlim(source.start, source.end)
    span = source.end - source.start
    ax.xaxis.set_major_locator(MultipleLocator(next(s for s in TICKS if span / s < 9)))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda t, _: datetime.fromtimestamp(t, UTC).strftime("%H:%M"))
    )


DRAWN = {"stat": draw_stat, "timeseries": draw_lines, "state-timeline": draw_states}
DRAWN |= {"table": draw_table, "bargauge": draw_bars}
MARGINS = {"stat": (0, 0), "table": (10, 10), "bargauge": (150, 10), "state-timeline": (170, 24)}


def laid_out(dashboard: Json, sites: list[str]) -> Iterator[tuple[Json, int, str | None]]:
    """Each panel with its top, and the site that it repeats for; rows that repeat are copied."""
    panels = dashboard["panels"]
    at = next((n for n, one in enumerate(panels) if one.get("repeat")), len(panels))
    yield from ((one, one["gridPos"]["y"], None) for one in panels[:at])
    if at == len(panels):
        return
    first = panels[at]["gridPos"]["y"]
    height = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels) - first
    for number, site in enumerate(sites):
        for one in panels[at:]:
            copied = copy.deepcopy(one)
            copied["title"] = one["title"].replace("$site", site)
            yield copied, one["gridPos"]["y"] + number * height, site


def draw(dashboard: Json, source: Source, sites: list[str], units: int | None) -> plt.Figure:
    placed = list(laid_out(dashboard, sites))
    units = units or max(top + one["gridPos"]["h"] for one, top, _ in placed)
    height = units * UNIT
    figure = plt.figure(figsize=(WIDTH / 100, height / 100), dpi=100, facecolor=BACK)
    for panel, top, site in placed:
        place = panel["gridPos"]
        if top + place["h"] > units:
            continue
        x, w = place["x"] * WIDTH / 24 + GAP / 2, place["w"] * WIDTH / 24 - GAP
        y, h = height - (top + place["h"]) * UNIT + GAP / 2, place["h"] * UNIT - GAP
        if panel["type"] == "row":
            figure.text(x / WIDTH, (y + 6) / height, f"⌄ {panel['title']}", fontsize=11)
            continue
        frame = Rectangle((x / WIDTH, y / height), w / WIDTH, h / height, color=PANEL, zorder=-1)
        figure.add_artist(frame)
        title = (x + 8) / WIDTH, (y + h - 17) / height
        figure.text(*title, panel["title"], fontsize=9, weight="bold")
        left, bottom = MARGINS.get(panel["type"], (62, 62))
        box = (x + left, y + bottom, w - left - (12 if left else 0), h - bottom - 26)
        ax = figure.add_axes((box[0] / WIDTH, box[1] / height, box[2] / WIDTH, box[3] / height))
        ax.set_facecolor(PANEL)
        own = Source(source.url, source.start, source.end, site or source.site)
        DRAWN[panel["type"]](ax, panel, own)
    return figure


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("dashboard", choices=["overview", "health"])
    options.add_argument("prometheus", metavar="URL")
    options.add_argument("picture", metavar="PNG")
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--sites", nargs="*", default=[], help="to repeat rows for")
    options.add_argument("--units", type=int, help="cut off below so many units of height")
    given = options.parse_args()
    mpl.rcParams.update({
        "text.color": TEXT, "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT,
        "axes.edgecolor": FAINT, "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.5,
        "xtick.labelsize": 8, "ytick.labelsize": 8, "xtick.major.size": 0, "ytick.major.size": 0,
        "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    })  # fmt: skip
    end = time.time()
    source = Source(given.prometheus, end - 60 * given.minutes, end)
    path = Path(__file__).parent / "dashboards" / f"{given.dashboard}.json"
    figure = draw(json.loads(path.read_text()), source, given.sites, given.units)
    figure.savefig(given.picture, facecolor=BACK)


if __name__ == "__main__":
    main()
