from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from discovery_schema import DISCOVERY_SCHEMA
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edge_fusion.codecs.alert import ModelIdentity, encode_alert, encode_window
from edge_fusion.codecs.homeassistant import discovery
from edge_fusion.events import (
    Alert,
    ArrivalTime,
    ClosedBy,
    EventTime,
    Pane,
    Publication,
    Row,
    Scores,
    Severity,
    Summary,
    Timing,
    Window,
)

MODEL = ModelIdentity("indoor-hazard", "ab" * 32)
LABELS = ["fire", "smoke", "steam", "camera_blocked"]
QUANTITIES = ["temperature", "humidity", "co2"]
START = 1795428020.0


def publication(site: str = "kitchen", **options: Any) -> Publication:
    return discovery(
        site,
        **{
            "labels": LABELS,
            "prefix": "edge_fusion",
            "box": "edge-7",
            "model": MODEL,
            "version": "0.1.0",
            "quantities": QUANTITIES,
            "unscored": ["device"],
            "fresh_for": 955,
            **options,
        },
    )


def payload(site: str = "kitchen", **options: Any) -> Any:
    return json.loads(publication(site, **options).payload)


def rendered(template: str, message: bytes) -> str:
    """The template as Home Assistant renders it, with a filter of its own that it adds."""
    home = ImmutableSandboxedEnvironment()
    home.filters["to_json"] = json.dumps
    return home.from_string(template).render(value_json=json.loads(message))


def window(
    rows: Mapping[str, dict[str, float]], readings: Mapping[str, float], revision: int = 0
) -> bytes:
    pane = Pane(
        "kitchen", Window(EventTime(START), EventTime(START + 10)), revision, Timing.ON_TIME,
        ClosedBy.WATERMARK, ArrivalTime(START + 12), (),
    )  # fmt: skip
    scores = Scores(pane, tuple(Row(camera, (), found) for camera, found in rows.items()))
    summaries = {name: Summary(1, last, last, last, last) for name, last in readings.items()}
    return encode_window(scores, summaries, [], MODEL)


def alert(*, firing: bool) -> bytes:
    return encode_alert(
        Alert(
            "5f0c", 3, "kitchen", "smoke", firing, Severity.CRITICAL, 0.5, 0.93, EventTime(START),
            ArrivalTime(START + 12), None if firing else ArrivalTime(START + 60), None,
        ),
        "edge-7",
        MODEL,
    )  # fmt: skip


@pytest.mark.parametrize("windows", [True, False])
@pytest.mark.parametrize("snapshots", [True, False])
@pytest.mark.parametrize("site", ["kitchen", "first.floor", "Hall-2"])
def test_home_assistant_takes_all_of_it(site: str, *, windows: bool, snapshots: bool) -> None:
    document = payload(site, windows=windows, snapshots=snapshots)
    jsonschema.Draft202012Validator(DISCOVERY_SCHEMA).validate(document)


def test_a_site_is_one_retained_device() -> None:
    found = publication()
    assert found.topic == "homeassistant/device/edge_fusion_kitchen/config"
    assert found.retain
    document = payload()
    assert document["dev"]["ids"] == ["edge_fusion_kitchen"]
    assert document["o"] == {"name": "edge-fusion", "sw": "0.1.0"}
    assert document["availability"] == [{"topic": "edge_fusion/box/edge-7/status"}]


def test_a_label_is_a_binary_sensor_with_its_score_and_the_picture_it_rests_on() -> None:
    components = payload()["cmps"]
    assert components["alert_smoke"] == {
        "p": "binary_sensor",
        "unique_id": "edge_fusion_kitchen_smoke",
        "default_entity_id": "binary_sensor.kitchen_smoke",
        "qos": 1,
        "name": "Smoke",
        "device_class": "smoke",
        "state_topic": "edge_fusion/kitchen/alert/smoke",
        "value_template": "{{ 'ON' if value_json.state == 'firing' else 'OFF' }}",
        "json_attributes_topic": "edge_fusion/kitchen/alert/smoke",
    }
    assert components["snapshot_smoke"] == {
        "p": "image",
        "unique_id": "edge_fusion_kitchen_smoke_snapshot",
        "default_entity_id": "image.kitchen_smoke_snapshot",
        "qos": 1,
        "name": "Smoke snapshot",
        "image_topic": "edge_fusion/kitchen/snapshot/smoke",
        "content_type": "image/jpeg",
    }
    assert components["score_smoke"]["state_topic"] == "edge_fusion/kitchen/window"
    classes = [components[f"alert_{label}"]["device_class"] for label in [*LABELS, "device"]]
    assert classes == ["heat", "smoke", "problem", "tamper", "problem"]


def test_a_label_that_no_model_scores_has_neither_score_nor_picture() -> None:
    assert {key for key in payload()["cmps"] if "device" in key} == {"alert_device"}


def test_a_binary_sensor_is_on_while_its_alert_fires() -> None:
    template = payload()["cmps"]["alert_smoke"]["value_template"]
    assert rendered(template, alert(firing=True)) == "ON"
    assert rendered(template, alert(firing=False)) == "OFF"


def test_the_event_of_a_site_says_what_has_begun_or_ended() -> None:
    event = payload()["cmps"]["event"]
    assert event["state_topic"] == "edge_fusion/kitchen/event"
    for firing, kind in ((True, "firing"), (False, "resolved")):
        said = json.loads(rendered(event["value_template"], alert(firing=firing)))
        assert said.pop("event_type") == kind
        assert kind in event["event_types"]
        assert said == json.loads(alert(firing=firing))


def test_a_score_is_that_of_the_camera_that_sees_most() -> None:
    template = payload(labels=["smoke", "a.b"])["cmps"]["score_smoke"]["value_template"]
    rows = {"a": {"smoke": 0.2}, "b": {"smoke": 0.93}, "c": {"smoke": 0.5}, "d": {"fire": 1.0}}
    assert rendered(template, window(rows, {})) == "0.93"
    assert rendered(template, window({"a": {"smoke": 0.0}}, {})) == "0.0"
    assert rendered(template, window({"a": {"fire": 1.0}}, {})) == ""
    assert rendered(template, window(rows, {}, revision=1)) == ""


def test_a_quantity_is_a_sensor_fed_by_the_window_topic() -> None:
    components = payload()["cmps"]
    warm = components["reading_temperature"]
    assert (warm["p"], warm["device_class"]) == ("sensor", "temperature")
    assert (warm["unit_of_measurement"], warm["state_class"]) == ("°C", "measurement")
    assert warm["state_topic"] == "edge_fusion/kitchen/window"
    assert rendered(warm["value_template"], window({}, {"temperature": 38.5})) == "38.5"
    assert rendered(warm["value_template"], window({}, {"humidity": 40.0})) == ""
    assert rendered(warm["value_template"], window({}, {"temperature": 38.5}, revision=1)) == ""
    assert components["reading_humidity"]["unit_of_measurement"] == "%"
    assert "device_class" not in components["reading_co2"]


def test_what_windows_say_is_out_of_date_some_day_and_an_alert_never_is() -> None:
    components = payload()["cmps"]
    expiring = {key for key, component in components.items() if "expire_after" in component}
    assert expiring == {f"score_{label}" for label in LABELS} | {
        f"reading_{quantity}" for quantity in QUANTITIES
    }
    assert components["reading_temperature"]["expire_after"] == 955


def test_without_windows_a_score_is_that_of_the_alert() -> None:
    components = payload(windows=False)["cmps"]
    score = components["score_smoke"]
    assert score["state_topic"] == "edge_fusion/kitchen/alert/smoke"
    assert rendered(score["value_template"], alert(firing=True)) == "0.93"
    assert "expire_after" not in score
    assert not [key for key in components if key.startswith("reading_")]


def test_pictures_that_are_not_published_are_no_entities() -> None:
    assert not [key for key in payload(snapshots=False)["cmps"] if key.startswith("snapshot_")]


def test_names_that_differ_in_letters_that_ids_may_not_have_are_told_apart() -> None:
    components = payload(labels=["a.b", "a_b", "a-b"])["cmps"]
    ids = [component["unique_id"] for component in components.values()]
    assert len(set(ids)) == len(ids) == 3 * 3 + len(QUANTITIES) + 2
    assert len([key for key in components if key.startswith("alert_")]) == 3 + 1


def test_every_component_has_platform_and_unique_id_in_allowed_letters() -> None:
    for site in ("kitchen", "first.floor", "Hall-2"):
        found = publication(site)
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", found.topic)
        components = payload(site)["cmps"]
        ids = [component["unique_id"] for component in components.values()]
        assert len(set(ids)) == len(ids) == 3 * len(LABELS) + len(QUANTITIES) + 2
        for key, component in components.items():
            assert re.fullmatch(r"[a-zA-Z0-9_-]+", key + component["unique_id"])
            domain, _, entity = component["default_entity_id"].partition(".")
            assert domain == component["p"]
            assert re.fullmatch(r"[a-z0-9_]+", entity)
