"""The overview: what fires where, how each site is, readings and scores over time."""

from __future__ import annotations

from panels import (
    BLUE,
    BOX,
    GREEN,
    ORANGE,
    QUIET,
    RED,
    SILENT,
    SITE,
    Json,
    annotation,
    dashboard,
    lines,
    metric,
    panel,
    row,
    stat,
    steps,
    target,
    variable,
    variables,
    words,
)

LAST_SEEN = metric("device_last_seen_timestamp_seconds")
ACTIVE = metric("alert_active", label="label")
SCORE = metric("score", camera="camera", label="label")


def overview() -> Json:
    cameras = f"label_values({metric('score', SITE)}, camera)"
    labels = f"label_values({metric('alert_active', SITE)}, label)"
    return dashboard(
        "edge-fusion-overview",
        "Edge fusion: overview",
        "What fires where, how each site is, readings and scores over time.",
        [*at_a_glance(), firing(), latest(), begun(), *of_each_site()],
        variables(variable("camera", cameras, every=".*"), variable("label", labels)),
        [
            annotation(
                "Alerts of the model", f"{ACTIVE} == 1", "{{label}} at {{site}}", "site,label", RED
            ),
        ],
        ("edge-fusion-health", "Health"),
    )


def at_a_glance() -> list[Json]:
    return [
        stat(
            "Firing now",
            "Alerts of the model that fire at this moment.",
            f"sum({ACTIVE})",
            (None, GREEN),
            (1, RED),
        ),
        stat(
            "Sites heard",
            "Sites of which a device or camera was heard within the last hour.",
            f"count(count by (instance, site) (time() - {LAST_SEEN} < {SILENT})) or vector(0)",
            (None, RED),
            (1, GREEN),
        ),
        stat(
            "Devices silent",
            "Devices and cameras not heard for an hour. Those gone for a week are left out.",
            f"count(time() - {LAST_SEEN} > {SILENT}) or vector(0)",
            (None, GREEN),
            (1, ORANGE),
        ),
        stat(
            "Broker",
            "Whether all boxes are connected to their broker.",
            f"min({metric('mqtt_connected', BOX)})",
            (None, RED),
            (1, GREEN),
            mappings=words(_0=("lost", RED), _1=("connected", GREEN)),
        ),
    ]


def firing() -> Json:
    options = {
        "showValue": "never",
        "rowHeight": 0.8,
        "mergeValues": True,
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    ever = f"max by (site, label) (max_over_time({ACTIVE}[$__range] @ end())) == 1"
    return panel(
        "state-timeline",
        "What fires where",
        "One line for each site and label that fired in this time.",
        target(
            f"max by (site, label) ({ACTIVE}) and on (site, label) ({ever})", "{{site}}: {{label}}"
        ),
        size=(24, 8),
        unit="short",
        defaults={
            "mappings": words(_0=("quiet", QUIET), _1=("fires", RED)),
            "thresholds": steps((None, QUIET), (1, RED)),
            "color": {"mode": "thresholds"},
            "custom": {"fillOpacity": 80, "lineWidth": 0},
            "noValue": "nothing fired",
        },
        options=options,
    )


def latest() -> Json:
    """A table with a line for each site; columns are told apart by the query's letter."""
    columns = {
        "Firing": f"sum by (site) ({ACTIVE})",
        "Highest score": f"max by (site) ({SCORE})",
        "Temperature": f"max by (site) ({metric('temperature_celsius')})",
        "Humidity": f"max by (site) ({metric('relative_humidity_ratio')})",
        "Heard": f"max by (site) ({LAST_SEEN}) * 1000",
    }
    units = {"Temperature": "celsius", "Humidity": "percentunit", "Highest score": "percentunit"}
    units["Heard"] = "dateTimeFromNow"
    alarm = {"id": "custom.cellOptions", "value": {"type": "color-background"}}
    bad = {"id": "thresholds", "value": steps((None, "transparent"), (1, RED))}
    return panel(
        "table",
        "Sites now",
        "How each site is. Empty is what was not measured while the model would carry it.",
        *(target(expr, instant=True) for expr in columns.values()),
        size=(24, 6),
        unit="short",
        defaults={"custom": {"align": "auto", "minWidth": 90}, "decimals": 0, "noValue": "-"},
        overrides=[
            *(_override(name, {"id": "unit", "value": unit}) for name, unit in units.items()),
            _override("Temperature", {"id": "decimals", "value": 1}),
            _override("Firing", alarm, bad),
        ],
        options={"showHeader": True, "cellHeight": "sm"},
        transformations=[
            {"id": "joinByField", "options": {"byField": "site", "mode": "outer"}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {
                        "Time": True,
                        **{f"Time {n}": True for n in range(1, len(columns) + 1)},
                    },
                    "renameByName": {
                        "site": "Site",
                        **{
                            f"Value #{letter}": name
                            for letter, name in zip("ABCDE", columns, strict=True)
                        },
                    },
                    "indexByName": {},
                },
            },
        ],
    )


def begun() -> Json:
    return panel(
        "bargauge",
        "Alerts begun",
        "How often each alert began to fire in this time.",
        target(
            "sum by (site, label) (increase("
            f'{metric("alerts_total", SITE, label="label")[:-1]},state="firing"}}[$__range])) > 0',
            "{{site}}: {{label}}",
        ),
        size=(24, 6),
        unit="short",
        defaults={
            "min": 0,
            "decimals": 0,
            "color": {"mode": "fixed", "fixedColor": ORANGE},
            "noValue": "none",
        },
        options={
            "orientation": "horizontal",
            "displayMode": "basic",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
    )


def of_each_site() -> list[Json]:
    scores = lines(
        "Scores at $site",
        "What the model says, by camera and label. Shaded while an alert fires.",
        target(f"max by (camera, label) ({SCORE})", "{{label}} {{camera}}"),
        unit="percentunit",
        width=24,
        min=0,
        max=1,
    )
    temperature = lines(
        "Temperature at $site",
        "The last one of any device. Shaded while an alert fires.",
        target(f"max by (instance) ({metric('temperature_celsius')})", "temperature"),
        unit="celsius",
        height=7,
    )
    humidity = lines(
        "Humidity at $site",
        "The last one of any device, relative. Shaded while an alert fires.",
        target(f"max by (instance) ({metric('relative_humidity_ratio')})", "humidity"),
        unit="percentunit",
        height=7,
    )
    for one, color in ((temperature, ORANGE), (humidity, BLUE)):
        one["fieldConfig"]["defaults"]["color"] = {"mode": "fixed", "fixedColor": color}
    return [row("$site", repeat="site"), *map(_shaded, (scores, temperature, humidity))]


def _shaded(panel: Json) -> Json:
    """With a shade behind it while an alert of this site fires.

    The annotations are of all sites that are chosen, and would stand in the panels of each.
    """
    fires = target(f"max by (label) ({ACTIVE}) == 1", "{{label}} fires")
    fires["refId"] = "Z"
    panel["targets"].append(fires)
    shade = {
        "color": {"mode": "fixed", "fixedColor": RED},
        "custom.lineWidth": 0,
        "custom.fillOpacity": 12,
        "custom.showPoints": "never",
        "custom.axisPlacement": "hidden",
        "unit": "bool_yes_no",
        "min": 0,
        "max": 1,
    }
    properties = [{"id": name, "value": value} for name, value in shade.items()]
    matcher = {"id": "byFrameRefID", "options": "Z"}
    panel["fieldConfig"]["overrides"].append({"matcher": matcher, "properties": properties})
    return panel


def _override(name: str, *properties: Json) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": list(properties)}
