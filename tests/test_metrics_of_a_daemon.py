"""What Prometheus gets from a daemon at work: all that was promised, and right at every moment."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Broker, BrokerFactory, Collector, eventually
from prometheus_client.parser import text_string_to_metric_families
from running import Running
from test_restart import BRISK

CONTRACT = """
build_info{version} inference_provider_info{requested,provider,fallback}
config_last_reload_successful readings_total{site,quantity} frames_total{site,camera}
frames_decoded_total dropped_total{reason} invalid_total{reason} late_total{site}
windows_total{site,closed_by} revisions_total alerts_total{site,label,state}
alert_active{site,label} score{site,camera,label} temperature_celsius{site}
relative_humidity_ratio{site} reading{site,quantity} device_clock_offset_seconds{site,device}
device_last_seen_timestamp_seconds{site,device} watermark_timestamp_seconds{site}
clock_quarantined_total{reason} devices_idle{site} catching_up stage_seconds{stage}
alert_latency_seconds queue_length{queue} outbox_pending mqtt_connected{connection}
mqtt_reconnects_total store_commit_seconds
"""
HISTOGRAMS = {"stage_seconds", "alert_latency_seconds", "store_commit_seconds"}
CONFIGURATION = (
    BRISK.replace('temperature = "t"', 'temperature = "t"\nhumidity = "h"')
    .replace('[windows]\nsize = "1s"', '[windows]\nsize = "1s"\nallowed_lateness = "1s"')
    .replace("quantities = {{", 'time = "time"\nquantities = {{')
)
SITES = [f"site-{number}" for number in range(8)]

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def picture() -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))
    assert ok
    return data.tobytes()


def values(air: float, **more: object) -> bytes:
    return json.dumps({"t": air, "h": 40.0, "air": {"co2": 800}, **more}).encode()


def scrape(daemon: Running) -> Series:
    status, body = daemon.page("/metrics")
    assert status == 200
    return {
        (
            sample.name.removeprefix("edge_fusion_"),
            tuple(sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def total(series: Series, name: str, **labels: str) -> float:
    return sum(
        value
        for (found, pairs), value in series.items()
        if found == name and labels.items() <= dict(pairs).items()
    )


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    """One that queues all that the daemon is too slow for; by default 1,000 messages are."""
    return broker_factory(extra=("max_queued_messages 100000", "max_inflight_messages 200"))


@pytest.fixture
def daemon(tmp_path: Path, broker: Broker) -> Iterator[Running]:
    running = Running(tmp_path, broker.port, configuration=CONFIGURATION)
    eventually(running.ready, "readiness")
    yield running
    running.process.kill()
    running.process.wait()


class Load:
    """Devices of eight sites, and how many of their messages the broker has."""

    def __init__(self, broker: Broker) -> None:
        self.sent = dict.fromkeys(SITES, 0)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(broker.collect(), SITES[place::2]))
            for place in range(2)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, devices: Collector, sites: list[str]) -> None:
        while not self._over.is_set():
            for site in sites:
                hot = 39.0 if self.sent[site] % 400 > 200 else 19.0
                devices.publish(f"home/{site}/probe", values(hot))
                self.sent[site] += 1


def test_every_metric_of_the_contract_is_there_with_its_labels(
    broker: Broker, daemon: Running
) -> None:
    devices = broker.collect()
    wanted = dict(_parse(each) for each in CONTRACT.split())

    def found() -> dict[str, set[str]]:
        for payload in (values(39.0), values(39.0, time=time.time() - 60.0)):
            devices.publish("home/hall/probe", payload)
        devices.publish("cams/hall/ceiling", picture(), qos=0)
        series = scrape(daemon)
        return {name: {label for label, _ in pairs if label != "le"} for name, pairs in series}

    def missing() -> dict[str, set[str]]:
        there = found()
        return {name: labels for name, labels in wanted.items() if there.get(name) != labels}

    eventually(lambda: not missing(), "all metrics")
    lint = subprocess.run(
        ["promtool", "check", "metrics"],
        input=daemon.page("/metrics")[1],
        capture_output=True,
        check=False,
    )
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, b"")


def _parse(text: str) -> tuple[str, set[str]]:
    name, _, labels = text.removesuffix("}").partition("{")
    return (f"{name}_count" if name in HISTOGRAMS else name), set(filter(None, labels.split(",")))


def test_under_load_no_count_goes_back_and_each_scrape_is_whole(
    broker: Broker, daemon: Running
) -> None:
    load = Load(broker)
    before: Series = {}
    try:
        until = time.monotonic() + 4.0
        while time.monotonic() < until:
            after = scrape(daemon)
            assert _gone_back(before, after) == []
            _assert_histograms_are_whole(after)
            before = after
    finally:
        load.end()
    sent = sum(load.sent.values())
    assert sent > 500
    eventually(lambda: total(scrape(daemon), "readings_total") >= 3 * sent, "all readings")
    eventually(lambda: total(scrape(daemon), "alerts_total", state="firing") >= 1, "an alert")
    series = scrape(daemon)
    for site, count in load.sent.items():
        for quantity in ("temperature", "humidity", "co2"):
            assert total(series, "readings_total", site=site, quantity=quantity) == count
    for name in ("dropped_total", "late_total", "invalid_total"):
        assert total(series, name) == 0
    fired = total(series, "alerts_total", state="firing")
    active = total(series, "alert_active")
    assert fired - total(series, "alerts_total", state="resolved") == active


COUNTERS = ("_total", "_count", "_bucket", "_sum")


def _gone_back(before: Series, after: Series) -> list[str]:
    return [
        f"{name}{dict(pairs)}: {value} -> {after.get((name, pairs))}"
        for (name, pairs), value in before.items()
        if name.endswith(COUNTERS) and after.get((name, pairs), -1.0) < value
    ]


def _assert_histograms_are_whole(series: Series) -> None:
    for (name, pairs), count in series.items():
        if name.removesuffix("_count") not in HISTOGRAMS:
            continue
        family = name.removesuffix("_count")
        buckets = [
            (float(dict(labels)["le"]), value)
            for (found, labels), value in series.items()
            if found == f"{family}_bucket" and set(pairs) <= set(labels)
        ]
        heights = [height for _, height in sorted(buckets)]
        assert heights == sorted(heights)
        assert heights[-1] == count
