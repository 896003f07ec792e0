"""The dashboards: valid, as the linter wants them, readable on a phone, and none of it empty."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Broker, eventually
from filming import clip
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_server import Prometheus
from running import Running, patiently
from test_metrics_of_a_daemon import CONFIGURATION, picture, values

DEPLOY = Path(__file__).parent.parent.parent / "deploy" / "grafana"
NAMES = ["overview", "health"]
DASHBOARDS: dict[str, dict[str, Any]] = {
    name: json.loads((DEPLOY / "dashboards" / f"{name}.json").read_text()) for name in NAMES
}
NAMED = {
    f"{name}: {panel['title']}": panel
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
}
PANELS = [pytest.param(panel, id=name) for name, panel in NAMED.items()]
TARGETS = [
    pytest.param(target["expr"], id=f"{name}: {target['refId']}")
    for name, panel in NAMED.items()
    for target in panel["targets"]
]
ANNOTATIONS = [
    pytest.param(annotation["expr"], id=f"{name}: {annotation['name']}")
    for name, dashboard in DASHBOARDS.items()
    for annotation in dashboard["annotations"]["list"]
    if "expr" in annotation
]
QUERIES = [
    pytest.param(variable["query"], id=f"{name}: {variable['name']}")
    for name, dashboard in DASHBOARDS.items()
    for variable in dashboard["templating"]["list"]
    if variable["type"] == "query"
]
INSTEAD = {"$__rate_interval": "4s", "$__range": "60s", "$camera": ".*"}
OF_THE_PLUGIN = {"titleFormat", "tagKeys", "step"}
"""Fields of an annotation that the Prometheus data source reads, and the schema leaves to it."""

TROUBLED = (
    CONFIGURATION.replace("[limits]", "[limits]\nmax_frames = 2")
    + '[[cameras]]\nurl = "film.mp4"\nsite = "yard"\ncamera = "gate"\nfps = 5.0\n'
)


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_what_its_source_says(name: str, tmp_path: Path) -> None:
    shutil.copytree(DEPLOY / "source", tmp_path / "source", ignore=shutil.ignore_patterns("__*c*"))
    (tmp_path / "dashboards").mkdir()
    subprocess.run([sys.executable, tmp_path / "source"], check=True)
    written = (tmp_path / "dashboards" / f"{name}.json").read_text()
    assert written == (DEPLOY / "dashboards" / f"{name}.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_keeps_the_schema_of_grafana(name: str) -> None:
    register_default_plugins()
    understood = JSONEncoder().encode(Dashboard.from_json(DASHBOARDS[name]))
    assert set(_lost(DASHBOARDS[name], json.loads(understood))) <= OF_THE_PLUGIN


def _lost(given: Any, understood: Any, key: str = "") -> Iterator[str]:
    """Keys of which the schema knows nothing, or something else."""
    match given, understood:
        case dict(), dict():
            for name, value in given.items():
                yield from _lost(value, understood.get(name), name)
        case list(), list() if len(given) == len(understood):
            for one, other in zip(given, understood, strict=True):
                yield from _lost(one, other, key)
        case _ if given != understood:
            yield key


# The rules of github.com/grafana/dashboard-linter, by their names there.


@pytest.mark.parametrize("name", NAMES)
def test_template_datasource_rule(name: str) -> None:
    (source,) = [v for v in _variables(name) if v["type"] == "datasource"]
    assert (source["name"], source["query"]) == ("datasource", "prometheus")
    assert source["label"] == "Data source"


@pytest.mark.parametrize("label", ["job", "instance"])
@pytest.mark.parametrize("name", NAMES)
def test_template_job_and_instance_rules(name: str, label: str) -> None:
    (variable,) = [v for v in _variables(name) if v["name"] == label]
    assert variable["label"] == label.capitalize()
    assert (variable["type"], variable["datasource"]["uid"]) == ("query", "$datasource")
    assert variable["multi"]
    assert variable["allValue"] == ".+"


@pytest.mark.parametrize("name", NAMES)
def test_template_on_time_change_reload_rule(name: str) -> None:
    assert all(v["refresh"] == 2 for v in _variables(name) if v["type"] == "query")


@pytest.mark.parametrize("name", NAMES)
def test_uneditable_dashboard_rule(name: str) -> None:
    assert DASHBOARDS[name]["editable"] is False


@pytest.mark.parametrize("panel", PANELS)
def test_panel_rules(panel: dict[str, Any]) -> None:
    """panel-datasource, -title-description, -units and -no-targets."""
    assert panel["datasource"] == {"type": "prometheus", "uid": "$datasource"}
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["targets"]
    # All are in categories.ts of Grafana, the list that the rule has, too.
    assert panel["fieldConfig"]["defaults"]["unit"] in {
        "short", "percentunit", "celsius", "s", "cps", "bytes", "bool_on_off",
    }  # fmt: skip


@pytest.mark.parametrize("expr", [*TARGETS, *ANNOTATIONS])
def test_target_rules(expr: str) -> None:
    """target-job, -instance, -rate-interval and -counter-agg."""
    selectors = re.findall(r"\b(?:edge_fusion_\w+|process_\w+|up)(\{[^}]*\})?", expr)
    assert selectors
    for selector in selectors:
        assert selector.startswith('{job=~"$job",instance=~"$instance"')
    for call in re.findall(r"\bi?rate\([^)]*\[([^\]]+)\]", expr):
        assert call == "$__rate_interval"
    for before, after in re.findall(r"(\w*)\(?edge_fusion_\w+_total\{[^}]*\}(\[?)", expr):
        assert (before, after) in {("rate", "["), ("increase", "[")}


def _variables(name: str) -> list[dict[str, Any]]:
    return list(DASHBOARDS[name]["templating"]["list"])


def test_both_dashboards_ask_for_the_site_and_the_overview_for_camera_and_label() -> None:
    asked = {name: [v["name"] for v in _variables(name)] for name in NAMES}
    assert asked["overview"] == ["datasource", "job", "instance", "site", "camera", "label"]
    assert asked["health"] == ["datasource", "job", "instance", "site", "camera"]


@pytest.mark.parametrize("name", NAMES)
def test_panels_lie_side_by_side_and_none_on_another(name: str) -> None:
    cells: list[tuple[int, int]] = []
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns, rows = range(place["w"]), range(place["h"])
        cells += [(place["x"] + x, place["y"] + y) for x in columns for y in rows]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARDS[name]["panels"]}) == len(
        DASHBOARDS[name]["panels"]
    )


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_can_be_read_on_a_phone(panel: dict[str, Any]) -> None:
    """There it has the full width to itself, 360 px: so a legend takes none of it."""
    assert panel["gridPos"]["w"] >= (4 if panel["type"] == "stat" else 12)
    assert panel["gridPos"]["h"] <= 8
    assert panel["options"].get("legend", {}).get("placement", "bottom") == "bottom"
    assert len(panel["title"]) <= 32


def test_what_is_provisioned_is_what_there_is() -> None:
    provisioning = DEPLOY / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "edge-fusion.yaml").read_text())[
        "providers"
    ]
    assert (provider["type"], Path(provider["options"]["path"]).name) == ("file", "dashboards")
    (source,) = yaml.safe_load((provisioning / "datasources" / "edge-fusion.yaml").read_text())[
        "datasources"
    ]
    assert source["type"] == "prometheus"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has watched a daemon that had a hard time of it, with alerts and losses of all kinds."""
    directory = tmp_path_factory.mktemp("watched")
    broker = Broker(directory / "broker")
    broker.start()
    clip(directory / "film.mp4", pictures=200)
    daemon = Running(directory, broker.port, configuration=TROUBLED)
    over = threading.Event()
    load = threading.Thread(target=_trouble, args=(broker, over))
    try:
        eventually(daemon.ready, "readiness")
        watching = Prometheus(directory / "prometheus", daemon.web)
        load.start()
        try:
            patiently(lambda: _has_seen_it_all(watching), "all that can happen")
            yield watching
        finally:
            over.set()
            load.join()
            watching.stop()
    finally:
        daemon.process.kill()
        daemon.process.wait()
        broker.close()


def _trouble(broker: Broker, over: threading.Event) -> None:
    devices, begun = broker.collect(), time.monotonic()
    while not over.is_set():
        air = 19.0 if (time.monotonic() - begun) % 6.0 < 3.0 else 39.0
        for site in ("hall", "attic"):
            devices.publish(f"home/{site}/probe", values(air))
            devices.publish(f"cams/{site}/ceiling", picture(), qos=0)
        now = time.time()
        for moment in (now, now - 4.0):  # by less than max_skew: no clock is blamed
            devices.publish("home/hall/late", values(20.0, time=moment))
        devices.publish("home/hall/ahead", values(20.0, time=4e9))
        devices.publish("home/hall/broken", b"{")
        over.wait(0.1)


def _has_seen_it_all(watching: Prometheus) -> bool:
    signs = (
        'increase(edge_fusion_alerts_total{state="firing"}[10s]) > 0',
        'increase(edge_fusion_alerts_total{state="resolved"}[10s]) > 0',
        'increase(edge_fusion_dropped_total{reason="max_frames"}[4s]) > 0',
        "increase(edge_fusion_late_total[4s]) > 0",
        "increase(edge_fusion_clock_quarantined_total[4s]) > 0",
        "edge_fusion_camera_up == 1",
    )
    return all(watching.values(sign) for sign in signs)


@pytest.mark.parametrize("expr", [*TARGETS, *ANNOTATIONS])
def test_a_query_finds_something(prometheus: Prometheus, expr: str) -> None:
    for variable, value in INSTEAD.items():
        expr = expr.replace(variable, value)
    assert prometheus.values(re.sub(r"\$\w+", ".+", expr))


@pytest.mark.parametrize("query", QUERIES)
def test_a_variable_offers_something_to_choose(prometheus: Prometheus, query: str) -> None:
    assert prometheus.names(re.sub(r"\$\w+", ".+", query))
