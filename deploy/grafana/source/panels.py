"""What dashboards are made of, in Grafana's classic model.

Panels flow from left to right over 24 columns. On a phone Grafana puts one below the other at full
width, so each is readable by itself and has its legend below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA_VERSION = 41  # of Grafana 11.6; later ones migrate it
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
COLUMNS = 24
BOX = 'job=~"$job",instance=~"$instance"'
SITE = f'{BOX},site=~"$site"'
SILENT = 3600
"""Seconds, as in the alert rules."""

GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "#808080"
QUIET = "rgba(128, 128, 128, 0.15)"

Json = dict[str, Any]
Step = tuple[float | None, str]


def target(expr: str, legend: str = "", *, instant: bool = False) -> Json:
    query: Json = {"datasource": DATASOURCE, "expr": expr, "legendFormat": legend, "range": True}
    return query | {"instant": True, "range": False, "format": "table"} if instant else query


def metric(name: str, selector: str = SITE, **labels: str) -> str:
    more = "".join(f',{label}=~"${variable}"' for label, variable in labels.items())
    return f"edge_fusion_{name}{{{selector}{more}}}"


def rate(name: str, selector: str = SITE, *, by: str) -> str:
    return f"sum by ({by}) (rate({metric(name, selector)}[$__rate_interval]))"


def quantile(share: float, name: str, *, by: str = "le", window: str = "$__rate_interval") -> str:
    buckets = metric(f"{name}_bucket", BOX)
    return f"histogram_quantile({share}, sum by ({by}) (increase({buckets}[{window}])))"


def panel(
    kind: str, title: str, description: str, *targets: Json, size: tuple[int, int], unit: str,
    **more: Any,
) -> Json:  # fmt: skip
    """A panel; `more` are `defaults` and `overrides` of its fields, and its `options`."""
    for letter, one in zip("ABCDEFGH", targets, strict=False):
        one["refId"] = letter
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "targets": list(targets),
        "fieldConfig": {
            "defaults": {"unit": unit, **more.pop("defaults", {})},
            "overrides": more.pop("overrides", []),
        },
        "options": more.pop("options", {}),
        **more,
    }


def steps(*levels: Step) -> Json:
    """Colours by value; the first is that of everything below the second."""
    listed = [{"value": value, "color": color} for value, color in levels]
    return {"mode": "absolute", "steps": listed}


def words(**named: tuple[str, str]) -> list[Json]:
    """Text and colour in place of numbers, which are written `_0`, `_1`."""
    options = {
        number.removeprefix("_"): {"text": text, "color": color, "index": index}
        for index, (number, (text, color)) in enumerate(named.items())
    }
    return [{"type": "value", "options": options}]


def stat(
    title: str, description: str, expr: str, *levels: Step, width: int = 6, unit: str = "short",
    mappings: Sequence[Json] = (), legend: str = "", text: str = "value",
) -> Json:  # fmt: skip
    defaults = {
        "thresholds": steps(*levels),
        "mappings": list(mappings),
        "color": {"mode": "thresholds"},
        "noValue": "-",
    }
    options = {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "textMode": text,
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel(
        "stat", title, description, target(expr, legend), size=(width, 4), unit=unit,
        defaults=defaults, options=options,
    )  # fmt: skip


def lines(
    title: str, description: str, *targets: Json, unit: str = "short", width: int = 12,
    height: int = 8, empty: str = "nothing in this time", **bounds: float,
) -> Json:  # fmt: skip
    custom = {"lineWidth": 2, "fillOpacity": 10, "showPoints": "auto", "spanNulls": False}
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "calcs": ["lastNotNull", "max"],
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries", title, description, *targets, size=(width, height), unit=unit,
        defaults={"custom": custom, "noValue": empty, **bounds}, options=options,
    )  # fmt: skip


def row(title: str, *, repeat: str | None = None) -> Json:
    one: Json = {"type": "row", "title": title, "collapsed": False, "panels": []}
    return one | {"gridPos": {"w": COLUMNS, "h": 1}} | ({"repeat": repeat} if repeat else {})


def placed(panels: Sequence[Json]) -> list[Json]:
    """The panels with their numbers and places, each row of them as high as its highest."""
    x = y = height = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > COLUMNS:
            x, y, height = 0, y + height, 0
        one["id"] = number
        place |= {"x": x, "y": y}
        x, height = x + place["w"], max(height, place["h"])
    return list(panels)


def variable(name: str, query: str, *, every: str = ".+") -> Json:
    return {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "datasource": DATASOURCE,
        "query": query,
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": every,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "options": [],
        "regex": "",
    }


def variables(*more: Json) -> list[Json]:
    source = {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }
    info = "edge_fusion_build_info"
    return [
        source,
        variable("job", f"label_values({info}, job)"),
        variable("instance", f'label_values({info}{{job=~"$job"}}, instance)'),
        variable("site", f"label_values({metric('readings_total', BOX)}, site)"),
        *more,
    ]


def annotation(name: str, expr: str, title: str, tags: str, color: str) -> Json:
    """A switch above the panels, off at first: it marks all panels while the expression is true.

    Points that follow each other become one region.
    """
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": False,
        "hide": False,
        "iconColor": color,
        "expr": expr,
        "titleFormat": title,
        "tagKeys": tags,
        "step": "10s",
    }


BUILT_IN: Mapping[str, Any] = {
    "builtIn": 1,
    "name": "Annotations & Alerts",
    "type": "dashboard",
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
}


def dashboard(
    uid: str, title: str, description: str, panels: Sequence[Json],
    templating: Sequence[Json], annotations: Sequence[Json], other: tuple[str, str],
) -> Json:  # fmt: skip
    link = {
        "type": "link",
        "title": other[1],
        "url": f"/d/{other[0]}",
        "icon": "dashboard",
        "tooltip": "",
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["edge-fusion"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": list(templating)},
        "annotations": {"list": [dict(BUILT_IN), *annotations]},
        "links": [link],
        "panels": placed(panels),
    }
