"""The alert rules for Prometheus: each fires when it should, and none on a box that is well."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parent.parent.parent / "deploy" / "prometheus"
RULES = DEPLOY / "edge-fusion.rules.yml"
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text())
BOX = 'instance="box:8337"'
HALL = f'{BOX},site="hall"'
PROBE = f'{HALL},device="probe"'
ON_CPU = f'{BOX},provider="CPU"'

WELL: Mapping[str, str] = {
    f"up{{{BOX}}}": "1x180",
    f'edge_fusion_mqtt_connected{{{BOX},connection="readings"}}': "1x180",
    f'edge_fusion_mqtt_connected{{{BOX},connection="frames"}}': "1x180",
    f'edge_fusion_mqtt_subscriptions_refused{{{BOX},connection="readings"}}': "0x180",
    f'edge_fusion_alert_active{{{HALL},label="smoke"}}': "0x180",
    f'edge_fusion_alert_active{{{HALL},label="steam"}}': "0x180",
    f"edge_fusion_device_last_seen_timestamp_seconds{{{PROBE}}}": "0+60x180",
    f'edge_fusion_device_last_seen_timestamp_seconds{{{HALL},device="door"}}': " ".join(
        f"{seconds}x29" for seconds in range(0, 10800, 1800)
    ),
    f"edge_fusion_device_clock_offset_seconds{{{PROBE}}}": "1.5x180",
    f"edge_fusion_device_stuck{{{PROBE}}}": "0x180",
    f'edge_fusion_camera_up{{{HALL},camera="door"}}': "1x180",
    f'edge_fusion_readings_total{{{HALL},quantity="temperature"}}': "0+60x180",
    f"edge_fusion_late_total{{{HALL}}}": "0+1x180",
    f'edge_fusion_clock_quarantined_total{{{BOX},reason="future"}}': "0+1x180",
    f'edge_fusion_invalid_total{{{BOX},reason="syntax"}}': "0x90 1x90",
    f'edge_fusion_invalid_total{{{BOX},reason="retained"}}': "0+60x180",
    f'edge_fusion_dropped_total{{{BOX},reason="duplicate"}}': "0+60x180",
    f'edge_fusion_dropped_total{{{BOX},reason="mailbox_full"}}': "0x90 5x90",
    f'edge_fusion_dropped_total{{{BOX},reason="outbox_full"}}': "0x180",
    f'edge_fusion_dropped_total{{{BOX},reason="max_sites"}}': "0x180",
    f"edge_fusion_outbox_pending{{{BOX}}}": "0 500 3 0x177",
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="10.0"}}': "0+2x180",
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="60.0"}}': "0+2x180",
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="+Inf"}}': "0+2x180",
    f"edge_fusion_store_failing{{{BOX}}}": "0x180",
    f"edge_fusion_config_last_reload_successful{{{BOX}}}": "1x180",
    f'edge_fusion_inference_provider_info{{{ON_CPU},requested="auto",fallback="false"}}': "1x180",
}

LOST_BROKER = {
    f'edge_fusion_mqtt_connected{{{BOX},connection="readings"}}': "1x20 0x160",
    f'edge_fusion_mqtt_connected{{{BOX},connection="frames"}}': "1x20 0x160",
    f"edge_fusion_device_last_seen_timestamp_seconds{{{PROBE}}}": "0+60x20 1200x160",
}
SILENT = {f"edge_fusion_device_last_seen_timestamp_seconds{{{PROBE}}}": "0+60x20 1200x160"}
DOOR_SILENT = {f'edge_fusion_device_last_seen_timestamp_seconds{{{HALL},device="door"}}': "0x180"}
SLOW = {
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="10.0"}}': "0x180",
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="60.0"}}': "0+2x180",
    f'edge_fusion_alert_latency_seconds_bucket{{{BOX},le="+Inf"}}': "0+2x180",
}
INSTEAD_OF_CUDA = {
    f'edge_fusion_inference_provider_info{{{ON_CPU},requested="CUDA",fallback="true"}}': "1x180"
}


def dropped(reason: str) -> dict[str, str]:
    return {f'edge_fusion_dropped_total{{{BOX},reason="{reason}"}}': "0x40 0+5x140"}


BROKEN: Mapping[str, tuple[Mapping[str, str], set[str]]] = {
    "there is smoke": (
        {f'edge_fusion_alert_active{{{HALL},label="smoke"}}': "0x40 1x140"},
        {"EdgeFusionHazard"},
    ),
    "there is steam": (
        {f'edge_fusion_alert_active{{{HALL},label="steam"}}': "0x40 1x140"},
        {"EdgeFusionNotice"},
    ),
    "the box is gone": (
        {f"up{{{BOX}}}": "1x20 0x160"}
        | dict.fromkeys((series for series in WELL if not series.startswith("up")), "_x180"),
        {"EdgeFusionDown"},
    ),
    "the broker is gone, which says nothing of the devices": (
        LOST_BROKER,
        {"EdgeFusionBrokerLost"},
    ),
    "a topic is denied": (
        {f'edge_fusion_mqtt_subscriptions_refused{{{BOX},connection="readings"}}': "2x180"},
        {"EdgeFusionTopicDenied"},
    ),
    "a device is silent": (DOOR_SILENT, {"EdgeFusionDeviceSilent"}),
    "a whole site is silent": (
        SILENT | DOOR_SILENT,
        {"EdgeFusionDeviceSilent", "EdgeFusionSiteBlind"},
    ),
    "a camera is down": (
        {f'edge_fusion_camera_up{{{HALL},camera="door"}}': "1x20 0x160"},
        {"EdgeFusionCameraDown"},
    ),
    "a sensor is stuck": (
        {f"edge_fusion_device_stuck{{{PROBE}}}": "0x20 1x160"},
        {"EdgeFusionDeviceStuck"},
    ),
    "a clock is behind": (
        {f"edge_fusion_device_clock_offset_seconds{{{PROBE}}}": "3600x180"},
        {"EdgeFusionClockOff"},
    ),
    "a clock is ahead": (
        {f"edge_fusion_device_clock_offset_seconds{{{PROBE}}}": "-7200x180"},
        {"EdgeFusionClockOff"},
    ),
    "times are not believed": (
        {f'edge_fusion_clock_quarantined_total{{{BOX},reason="future"}}': "0+30x180"},
        {"EdgeFusionTimesNotBelieved"},
    ),
    "the outbox grows": (
        {f"edge_fusion_outbox_pending{{{BOX}}}": "0x20 0+50x160"},
        {"EdgeFusionOutboxGrowing"},
    ),
    "the outbox is full and grows no more": (
        {f"edge_fusion_outbox_pending{{{BOX}}}": "100000x180"} | dropped("outbox_full"),
        {"EdgeFusionOutboxGrowing", "EdgeFusionMessagesLost"},
    ),
    "the broker refuses what is published": (
        dropped("refused_by_broker"),
        {"EdgeFusionMessagesLost"},
    ),
    "alerts come late": (SLOW, {"EdgeFusionLatencyHigh"}),
    "frames are shed": (dropped("mailbox_full"), {"EdgeFusionFramesShed"}),
    "a camera sends too much": (dropped("max_frames"), {"EdgeFusionFramesShed"}),
    "there are too many devices": (dropped("max_devices"), {"EdgeFusionNoRoom"}),
    "some data are late": (
        {f"edge_fusion_late_total{{{HALL}}}": "0+10x180"},
        {"EdgeFusionLateData"},
    ),
    "all data of a site are late": (
        {
            f"edge_fusion_late_total{{{HALL}}}": "0+60x180",
            f'edge_fusion_readings_total{{{HALL},quantity="temperature"}}': "_x180",
        },
        {"EdgeFusionLateData"},
    ),
    "messages are not understood": (
        {f'edge_fusion_invalid_total{{{BOX},reason="syntax"}}': "0+10x180"},
        {"EdgeFusionNotUnderstood"},
    ),
    "the store takes nothing": (
        {f"edge_fusion_store_failing{{{BOX}}}": "0x20 1x160"},
        {"EdgeFusionStoreFailing"},
    ),
    "a reload was refused": (
        {f"edge_fusion_config_last_reload_successful{{{BOX}}}": "1x20 0x160"},
        {"EdgeFusionReloadFailed"},
    ),
    "the GPU is not used": (INSTEAD_OF_CUDA, {"EdgeFusionProviderFallback"}),
}


def firing(series: Mapping[str, str], when: str) -> dict[str, object]:
    """A test for promtool: which rules fire then."""
    job = 'job="edge-fusion",'
    return {
        "interval": "1m",
        "input_series": [
            {"series": name.replace("{", "{" + job, 1), "values": values}
            for name, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": when,
                "exp_samples": [],
            }
        ],
    }


def promtool(tests: object, directory: Path) -> tuple[int, str]:
    file = directory / "tests.yml"
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests})
    )
    run = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout + run.stderr


def found(said: str) -> set[str]:
    """Rules that fired although none was expected, from what promtool says."""
    return set(re.findall(r'alertname=\\?"(\w+)', said))


def test_no_rule_fires_on_a_box_that_is_well(tmp_path: Path) -> None:
    tests = [firing(WELL, f"{minute}m") for minute in range(5, 180, 25)]
    status, said = promtool(tests, tmp_path)
    assert status == 0, said


@pytest.mark.parametrize("trouble", BROKEN)
def test_a_rule_fires_when_it_should_and_no_other_does(trouble: str, tmp_path: Path) -> None:
    change, expected = BROKEN[trouble]
    _, said = promtool([firing({**WELL, **change}, "90m")], tmp_path)
    assert found(said) == expected, said


def test_every_rule_is_tried() -> None:
    assert set().union(*(expected for _, expected in BROKEN.values())) == set(ALERTS)


def test_the_files_are_ones_that_prometheus_takes() -> None:
    for command in (["check", "rules", RULES], ["check", "config", DEPLOY / "prometheus.yml"]):
        subprocess.run(["promtool", *map(str, command)], check=True, capture_output=True)


def test_so_is_the_scrape_with_a_token_once_it_is_uncommented(tmp_path: Path) -> None:
    text = (DEPLOY / "prometheus.yml").read_text()
    head, _, rest = text.partition("  - job_name: edge-fusion # ")
    _, _, commented = rest.partition("  # - job_name")
    uncommented = re.sub(r"^  # ", "  ", f"  # - job_name{commented}", flags=re.MULTILINE)
    assert "credentials_file" in uncommented
    file = tmp_path / "prometheus.yml"
    file.write_text(head + uncommented)
    subprocess.run(
        ["promtool", "check", "config", "--syntax-only", str(file)], check=True, capture_output=True
    )


def test_the_rules_know_only_metrics_that_there_are() -> None:
    exported = (Path(__file__).parent.parent.parent / "edge_fusion/io/exported.py").read_text()
    for name in set(re.findall(r"edge_fusion_(\w+?)(?:_bucket)?[{\[\s)]", RULES.read_text())):
        assert f'"{name}"' in exported, name


def test_what_an_alert_says_names_the_device_and_how_long(tmp_path: Path) -> None:
    silent = firing({**WELL, **DOOR_SILENT}, "66m")
    silent["alert_rule_test"] = [
        {"eval_time": "66m", "alertname": "EdgeFusionDeviceSilent", "exp_alerts": []}
    ]
    _, said = promtool([silent], tmp_path)
    assert "door at hall is silent" in said
    assert "Nothing was heard of it for 1h 6m 0s" in said
