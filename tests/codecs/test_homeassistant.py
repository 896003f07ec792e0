from __future__ import annotations

import json
import re
from typing import Any

from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.homeassistant import discovery
from edge_fusion.events import Publication

MODEL = ModelIdentity("indoor-hazard", "ab" * 32)
LABELS = ["fire", "smoke", "steam", "camera_blocked"]


def publication(site: str = "kitchen") -> Publication:
    return discovery(
        site,
        LABELS,
        prefix="edge_fusion",
        box="edge-7",
        model=MODEL,
        version="0.1.0",
        quantities=["temperature", "humidity", "co2"],
    )


def payload(site: str = "kitchen") -> Any:
    return json.loads(publication(site).payload)


def test_a_site_is_one_retained_device() -> None:
    found = publication()
    assert found.topic == "homeassistant/device/edge_fusion_kitchen/config"
    assert found.retain
    document = payload()
    assert document["dev"]["ids"] == ["edge_fusion_kitchen"]
    assert document["o"] == {"name": "edge-fusion", "sw": "0.1.0"}
    assert document["availability"] == [{"topic": "edge_fusion/box/edge-7/status"}]


def test_a_label_is_a_binary_sensor_and_the_picture_it_rests_on() -> None:
    components = payload()["cmps"]
    assert components["alert_smoke"] == {
        "p": "binary_sensor",
        "unique_id": "edge_fusion_kitchen_smoke",
        "default_entity_id": "binary_sensor.kitchen_smoke",
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
        "name": "Smoke snapshot",
        "image_topic": "edge_fusion/kitchen/snapshot/smoke",
        "content_type": "image/jpeg",
    }
    classes = [components[f"alert_{label}"]["device_class"] for label in LABELS]
    assert classes == ["heat", "smoke", "problem", "tamper"]


def test_a_quantity_is_a_sensor_fed_by_the_window_topic() -> None:
    components = payload()["cmps"]
    warm = components["reading_temperature"]
    assert (warm["p"], warm["device_class"]) == ("sensor", "temperature")
    assert (warm["unit_of_measurement"], warm["state_class"]) == ("°C", "measurement")
    assert warm["state_topic"] == "edge_fusion/kitchen/window"
    assert "value_json.readings['temperature'].last" in warm["value_template"]
    assert components["reading_humidity"]["unit_of_measurement"] == "%"
    assert "device_class" not in components["reading_co2"]


def test_every_component_has_platform_and_unique_id_in_allowed_letters() -> None:
    for site in ("kitchen", "first.floor", "Hall-2"):
        found = publication(site)
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", found.topic)
        components = payload(site)["cmps"]
        ids = [component["unique_id"] for component in components.values()]
        assert len(set(ids)) == len(ids) == 2 * len(LABELS) + 3
        for key, component in components.items():
            assert re.fullmatch(r"[a-zA-Z0-9_-]+", key + component["unique_id"])
            domain, _, entity = component["default_entity_id"].partition(".")
            assert domain == component["p"]
            assert re.fullmatch(r"[a-z0-9_]+", entity)
