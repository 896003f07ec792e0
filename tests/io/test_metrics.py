from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_fusion.events import (
    Alert,
    AlertChange,
    ArrivalTime,
    ClosedBy,
    Doubt,
    Duplicate,
    EventTime,
    Frame,
    Invalid,
    InvalidReason,
    Outcome,
    Pane,
    Quarantined,
    QuarantineReason,
    Reading,
    Row,
    Scores,
    Severity,
    Shed,
    ShedReason,
    Suspect,
    Timing,
    TooLate,
    Window,
)
from edge_fusion.io.exported import UNNAMED
from edge_fusion.io.metrics import Metrics

CONTRACT = {
    "build_info": {"version"},
    "inference_provider_info": {"requested", "provider", "fallback"},
    "config_last_reload_successful": set(),
    "readings_total": {"site", "quantity"},
    "unnamed_total": {"kind"},
    "frames_total": {"site", "camera"},
    "frames_decoded_total": set(),
    "dropped_total": {"reason"},
    "invalid_total": {"reason"},
    "late_total": {"site"},
    "windows_total": {"site", "closed_by"},
    "revisions_total": set(),
    "alerts_total": {"site", "label", "state"},
    "alert_active": {"site", "label"},
    "score": {"site", "camera", "label"},
    "temperature_celsius": {"site"},
    "relative_humidity_ratio": {"site"},
    "reading": {"site", "quantity"},
    "device_clock_offset_seconds": {"site", "device"},
    "device_last_seen_timestamp_seconds": {"site", "device"},
    "watermark_timestamp_seconds": {"site"},
    "clock_quarantined_total": {"reason"},
    "devices_idle": {"site"},
    "catching_up": set(),
    "stage_seconds_count": {"stage"},
    "alert_latency_seconds_count": set(),
    "queue_length": {"queue"},
    "outbox_pending": set(),
    "mqtt_connected": {"connection"},
    "mqtt_reconnects_total": set(),
    "recording_lost_total": set(),
    "store_failing": set(),
    "store_commit_seconds_count": set(),
    "suspect_readings_total": {"site", "device", "reason"},
    "device_stuck": {"site", "device"},
}


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, _ = metrics.exposition()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((f"edge_fusion_{name}", frozenset(labels.items())))


def reading(
    quantity: str = "temperature", number: float = 21.5, site: str = "hall", device: str = "sht"
) -> Reading:
    return Reading(site, device, quantity, number, EventTime(100.0), ArrivalTime(101.5))


def frame(camera: str = "ceiling", site: str = "hall") -> Frame:
    return Frame(site, camera, b"", EventTime(100.0), ArrivalTime(102.5))


def pane(index: int = 0, site: str = "hall") -> Pane:
    window = Window(EventTime(100.0), EventTime(110.0))
    timing = Timing.LATE if index else Timing.ON_TIME
    return Pane(site, window, index, timing, ClosedBy.MAX_WAIT, ArrivalTime(115.0), ())


def scores(rows: Mapping[str | None, Mapping[str, float]], site: str = "hall") -> Scores:
    return Scores(pane(site=site), tuple(Row(camera, (), s) for camera, s in rows.items()))


def change(*, firing: bool, lifecycle: bool = True, site: str = "hall") -> AlertChange:
    alert = Alert(
        id="1",
        sequence=1,
        site=site,
        label="smoke",
        firing=firing,
        severity=Severity.INFO,
        threshold=0.5,
        score=0.9,
        started_at=None,
        updated_at=ArrivalTime(1.0),
        ended_at=None,
        evidence=None,
    )
    return AlertChange(alert, lifecycle)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def use_all(metrics: Metrics) -> None:
    outcomes: list[Outcome] = [
        reading(),
        reading("humidity", 40.0),
        reading("pressure", 990.0),
        frame(),
        TooLate(reading(), EventTime(200.0)),
        pane(),
        Suspect(reading(), Doubt.STUCK),
    ]
    for outcome in outcomes:
        metrics.observe(outcome)
    metrics.scored(scores({"ceiling": {"smoke": 0.9}}))
    metrics.alert_changed(change(firing=True))
    metrics.seen("hall", "sht", 101.5)
    metrics.clock_offset("hall", "sht", 0.2)
    metrics.stuck("hall", "sht", stuck=True)
    metrics.watermark("hall", 98.0)
    metrics.idle("hall", 1)
    metrics.connection("readings", connected=True)
    metrics.queue("mailbox", 3)
    metrics.provider("auto", "CPU", fallback=False)


def test_every_metric_of_the_contract_is_exported_with_its_labels(metrics: Metrics) -> None:
    use_all(metrics)
    found: dict[str, set[str]] = {}
    for name, labels in samples(metrics):
        found.setdefault(name, {label for label, _ in labels})
    own = {name.removeprefix("edge_fusion_"): labels for name, labels in found.items()}
    assert {name: own.get(name) for name in CONTRACT} == CONTRACT
    histograms = {"stage_seconds", "alert_latency_seconds", "store_commit_seconds"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    exported = {name for name in found if name.startswith("edge_fusion_")}
    assert {name.removeprefix("edge_fusion_") for name in exported} == set(CONTRACT) | parts


def test_the_process_and_python_are_exported_and_no_created_series(metrics: Metrics) -> None:
    use_all(metrics)
    names = {name for name, _ in samples(metrics)}
    assert {"process_cpu_seconds_total", "python_info", "python_gc_collections_total"} <= names
    assert not any(name.endswith("_created") for name in names)


def test_an_admitted_reading_is_counted_and_shown_in_its_unit(metrics: Metrics) -> None:
    for event in (reading(), reading(number=22.0), reading("humidity", 40.0), reading("co2", 800)):
        metrics.observe(event)
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 2
    assert value(metrics, "temperature_celsius", site="hall") == 22.0
    assert value(metrics, "relative_humidity_ratio", site="hall") == 0.4
    assert value(metrics, "reading", site="hall", quantity="co2") == 800


def test_frames_are_counted_by_camera(metrics: Metrics) -> None:
    metrics.observe(frame())
    assert value(metrics, "frames_total", site="hall", camera="ceiling") == 1


def test_a_quarantined_event_is_counted_as_taken_in_and_as_quarantined(metrics: Metrics) -> None:
    metrics.observe(Quarantined(reading(), QuarantineReason.FUTURE, EventTime(9e9)))
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 1
    assert value(metrics, "clock_quarantined_total", reason="future") == 1
    assert value(metrics, "clock_quarantined_total", reason="jump") == 0


def test_a_late_event_is_late_and_nothing_else(metrics: Metrics) -> None:
    metrics.observe(TooLate(reading(), EventTime(200.0)))
    assert value(metrics, "late_total", site="hall") == 1
    assert value(metrics, "readings_total", site="hall", quantity="temperature") is None


def test_what_is_let_go_is_counted_by_reason(metrics: Metrics) -> None:
    metrics.observe(Duplicate(reading()))
    metrics.observe(Shed(None, ShedReason.MAILBOX_FULL, count=7))
    metrics.observe(Shed(frame(), ShedReason.MAX_FRAMES))
    metrics.observe(Invalid("a/b", InvalidReason.SYNTAX, "no JSON"))
    assert value(metrics, "dropped_total", reason="duplicate") == 1
    assert value(metrics, "dropped_total", reason="mailbox_full") == 7
    assert value(metrics, "dropped_total", reason="max_frames") == 1
    assert value(metrics, "invalid_total", reason="syntax") == 1


def test_what_is_odd_about_readings_is_counted_by_device(metrics: Metrics) -> None:
    metrics.observe(Suspect(reading(), Doubt.STEP))
    metrics.observe(Suspect(reading(device="dht"), Doubt.CLIPPED))
    hot = Invalid("a/b", InvalidReason.OUT_OF_RANGE, "850", site="hall", source="sht")
    for invalid in (hot, hot, Invalid("a/b", InvalidReason.SYNTAX, "{", site="hall", source="sht")):
        metrics.observe(invalid)
    counted = {
        (labels["device"], labels["reason"]): number
        for (name, pairs), number in samples(metrics).items()
        if name == "edge_fusion_suspect_readings_total" and (labels := dict(pairs))
    }
    assert counted == {("sht", "step"): 1, ("dht", "clipped"): 1, ("sht", "out_of_range"): 2}
    assert value(metrics, "invalid_total", reason="out_of_range") == 2


def test_a_value_out_of_range_of_nobody_known_is_counted_all_the_same(metrics: Metrics) -> None:
    metrics.observe(Invalid("a/b", InvalidReason.OUT_OF_RANGE, "850"))
    assert value(metrics, "invalid_total", reason="out_of_range") == 1


def test_a_device_is_shown_as_stuck_until_it_moves(metrics: Metrics) -> None:
    for stuck in (True, False):
        metrics.stuck("hall", "sht", stuck)
        assert value(metrics, "device_stuck", site="hall", device="sht") == stuck


def test_every_reason_begins_at_zero(metrics: Metrics) -> None:
    assert all(value(metrics, "invalid_total", reason=each.value) == 0 for each in InvalidReason)
    assert all(value(metrics, "dropped_total", reason=each.value) == 0 for each in ShedReason)


def test_a_window_is_counted_once_and_its_revisions_apart(metrics: Metrics) -> None:
    for index in range(3):
        metrics.observe(pane(index))
    assert value(metrics, "windows_total", site="hall", closed_by="max_wait") == 1
    assert value(metrics, "revisions_total") == 2


def test_what_is_no_outcome_is_refused(metrics: Metrics) -> None:
    with pytest.raises(AssertionError):
        metrics.observe("reading")  # type: ignore[arg-type]


def test_scores_are_shown_per_camera_and_without_one(metrics: Metrics) -> None:
    metrics.scored(scores({"door": {"smoke": 0.1, "fire": 0.2}, None: {"smoke": 0.3}}))
    assert value(metrics, "score", site="hall", camera="door", label="fire") == 0.2
    assert value(metrics, "score", site="hall", camera="", label="smoke") == 0.3


def test_only_lifecycle_changes_are_counted_but_all_are_shown(metrics: Metrics) -> None:
    metrics.alert_changed(change(firing=False, lifecycle=False))
    assert value(metrics, "alert_active", site="hall", label="smoke") == 0
    metrics.alert_changed(change(firing=True))
    metrics.alert_changed(change(firing=True, lifecycle=False))
    assert value(metrics, "alert_active", site="hall", label="smoke") == 1
    metrics.alert_changed(change(firing=False))
    assert value(metrics, "alert_active", site="hall", label="smoke") == 0
    counts = [
        value(metrics, "alerts_total", site="hall", label="smoke", state=state)
        for state in ("firing", "resolved")
    ]
    assert counts == [1, 1]


def test_the_first_alert_and_the_first_late_event_of_a_site_are_seen_by_a_rate(
    metrics: Metrics,
) -> None:
    metrics.alert_changed(change(firing=False, lifecycle=False))
    metrics.watermark("hall", 98.0)
    for state in ("firing", "resolved"):
        assert value(metrics, "alerts_total", site="hall", label="smoke", state=state) == 0
    assert value(metrics, "late_total", site="hall") == 0


def test_stages_and_commits_are_timed(metrics: Metrics) -> None:
    with metrics.stage("infer"):
        pass
    with metrics.store_commit():
        pass
    assert value(metrics, "stage_seconds_count", stage="infer") == 1
    assert value(metrics, "stage_seconds_count", stage="decode") == 0
    assert value(metrics, "store_commit_seconds_count") == 1


def test_a_latency_falls_into_its_bucket(metrics: Metrics) -> None:
    metrics.published(4.0)
    assert value(metrics, "alert_latency_seconds_bucket", le="2.0") == 0
    assert value(metrics, "alert_latency_seconds_bucket", le="5.0") == 1


def test_the_box_shows_how_it_is(metrics: Metrics) -> None:
    metrics.decoded()
    metrics.decoded(3)
    metrics.reconnected()
    metrics.outbox(5)
    metrics.queue("mailbox", 9)
    metrics.catching_up(active=True)
    metrics.connection("frames", connected=False)
    metrics.clock_offset("hall", "sht", -1.5)
    metrics.idle("hall", 2)
    assert value(metrics, "frames_decoded_total") == 4
    assert value(metrics, "mqtt_reconnects_total") == 1
    assert value(metrics, "outbox_pending") == 5
    assert value(metrics, "queue_length", queue="mailbox") == 9
    assert value(metrics, "catching_up") == 1
    assert value(metrics, "mqtt_connected", connection="frames") == 0
    assert value(metrics, "device_clock_offset_seconds", site="hall", device="sht") == -1.5
    assert value(metrics, "devices_idle", site="hall") == 2
    assert value(metrics, "build_info", version="1.2.3") == 1


def test_a_configuration_counts_as_taken_until_a_reload_fails(metrics: Metrics) -> None:
    assert value(metrics, "config_last_reload_successful") == 1
    metrics.reloaded(ok=False)
    assert value(metrics, "config_last_reload_successful") == 0


def test_one_provider_runs_at_a_time(metrics: Metrics) -> None:
    name = "inference_provider_info"
    metrics.provider("auto", "CUDA", fallback=False)
    metrics.provider("auto", "CPU", fallback=True)
    assert value(metrics, name, requested="auto", provider="CUDA", fallback="false") == 0
    assert value(metrics, name, requested="auto", provider="CPU", fallback="true") == 1


def test_a_site_without_events_has_no_watermark(metrics: Metrics) -> None:
    metrics.watermark("hall", float("-inf"))
    assert value(metrics, "watermark_timestamp_seconds", site="hall") is None


def test_sites_past_the_bound_are_not_exported() -> None:
    metrics = Metrics("1", max_sites=2)
    for site in ("a", "b", "c", "d"):
        metrics.observe(reading(site=site))
        metrics.observe(frame(site=site))
        metrics.observe(TooLate(reading(site=site), EventTime(1.0)))
        metrics.observe(pane(site=site))
        metrics.alert_changed(change(firing=True, site=site))
        metrics.scored(scores({None: {"smoke": 0.1}, "door": {"smoke": 0.1}}, site))
        metrics.watermark(site, 1.0)
        metrics.idle(site, 1)
        metrics.clock_offset(site, "sht", 0.0)
        metrics.stuck(site, "sht", stuck=False)
        metrics.observe(Suspect(reading(site=site), Doubt.STEP))
    labels = [pair for _, of_sample in samples(metrics) for pair in of_sample]
    assert {site for name, site in labels if name == "site"} == {"a", "b"}


def test_devices_past_the_bound_are_counted_but_not_named() -> None:
    metrics = Metrics("1", max_devices=3)
    for number in range(10):
        metrics.observe(reading(device=f"d{number}"))
        metrics.seen("hall", f"d{number}", 1.0)
        metrics.observe(frame(camera=f"c{number}"))
    labels = {pair for _, of_sample in samples(metrics) for pair in of_sample}
    assert {name for label, name in labels if label == "device"} == {"d0", "d1"}
    assert {name for label, name in labels if label == "camera"} == {"c0"}
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 10


def test_a_device_that_invents_quantities_does_not_grow_the_page(metrics: Metrics) -> None:
    for number in range(500):
        metrics.observe(reading(f"q{number}", 1.0))
    assert len([1 for name, _ in samples(metrics) if name == "edge_fusion_reading"]) == 64


def test_what_has_no_name_on_the_page_is_counted_all_the_same() -> None:
    metrics = Metrics("1", max_sites=1, max_devices=1)
    metrics.observe(reading())
    metrics.seen("hall", "sht", 1.0)
    for site in ("attic", "cellar"):
        metrics.observe(reading(site=site))
        metrics.observe(TooLate(reading(site=site), EventTime(1.0)))
        metrics.observe(pane(site=site))
    for number in range(3):
        metrics.observe(frame(camera=f"c{number}"))
    counts = {kind: value(metrics, "unnamed_total", kind=kind) for kind in UNNAMED}
    assert counts == {"reading": 2, "late": 2, "window": 2, "frame": 3}


def test_a_camera_is_up_or_down_and_each_return_is_counted(metrics: Metrics) -> None:
    def shown(name: str) -> float | None:
        return value(metrics, name, site="hall", camera="door")

    metrics.watch_cameras({("hall", "door")})
    assert shown("camera_up") == 0
    for up, is_up, returns in ((False, 0, 0), (True, 1, 0), (False, 0, 0), (True, 1, 1)):
        metrics.camera("hall", "door", up)
        assert (shown("camera_up"), shown("camera_reconnects_total")) == (is_up, returns)


def test_pictures_of_a_camera_are_counted_from_its_totals(metrics: Metrics) -> None:
    metrics.watch_cameras({("hall", "door")})
    for grabbed, stale in ((10, 1), (10, 1), (25, 4)):
        metrics.pictures("hall", "door", grabbed, stale)
    assert value(metrics, "camera_grabbed_total", site="hall", camera="door") == 25
    assert value(metrics, "camera_stale_total", site="hall", camera="door") == 4


def test_a_camera_that_is_begun_anew_goes_on_counting(metrics: Metrics) -> None:
    metrics.watch_cameras({("hall", "door")})
    for grabbed, stale in ((10, 3), (2, 0), (5, 1)):
        metrics.pictures("hall", "door", grabbed, stale)
    assert value(metrics, "camera_grabbed_total", site="hall", camera="door") == 15
    assert value(metrics, "camera_stale_total", site="hall", camera="door") == 4


def test_a_camera_that_is_no_longer_wanted_is_shown_no_more(metrics: Metrics) -> None:
    metrics.watch_cameras({("hall", "door"), ("hall", "ceiling")})
    metrics.camera("hall", "door", up=True)
    metrics.watch_cameras({("hall", "ceiling")})
    metrics.camera("hall", "door", up=False)  # the last word of its thread
    metrics.pictures("hall", "door", 7, 0)
    cameras = {dict(labels).get("camera") for _, labels in samples(metrics)}
    assert cameras == {None, "ceiling"}


def of_site(metrics: Metrics, site: str) -> set[str]:
    """The names of the series that a site has."""
    return {name for name, labels in samples(metrics) if ("site", site) in labels}


def test_nothing_of_a_site_remains_once_it_is_let_go_of(metrics: Metrics) -> None:
    use_all(metrics)
    metrics.observe(reading(site="attic"))
    metrics.alert_changed(change(firing=False))
    metrics.forget_site("hall")
    assert of_site(metrics, "hall") == set()
    assert value(metrics, "readings_total", site="attic", quantity="temperature") == 1
    assert value(metrics, "frames_decoded_total") == 0


def test_a_site_that_comes_back_counts_from_zero(metrics: Metrics) -> None:
    metrics.observe(reading())
    metrics.forget_site("hall")
    metrics.observe(reading())
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 1


def test_a_site_that_goes_makes_room_for_another() -> None:
    metrics = Metrics("1", max_sites=1)
    for site in ("hall", "attic"):
        metrics.observe(reading(site=site))
    assert not of_site(metrics, "attic")
    metrics.forget_site("hall")
    metrics.observe(reading(site="attic"))
    assert of_site(metrics, "attic")


def test_a_device_that_goes_leaves_its_site_and_makes_room_for_another() -> None:
    metrics = Metrics("1", max_devices=2)
    for camera in ("ceiling", "door", "window"):
        metrics.observe(frame(camera=camera))
        metrics.scored(scores({camera: {"smoke": 0.1}}))
        metrics.seen("hall", camera, 1.0)
        metrics.clock_offset("hall", camera, 0.0)
    metrics.observe(reading())
    metrics.forget_device("hall", "ceiling")
    metrics.observe(frame(camera="window"))
    names = {
        name
        for _, labels in samples(metrics)
        for label, name in labels
        if label in {"camera", "device"}
    }
    assert names == {"door", "window"}
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 1


def test_readings_and_scores_are_not_shown_for_ever(metrics: Metrics) -> None:
    for one in (reading(), reading("humidity", 40.0), reading("co2", 800)):
        metrics.observe(one)  # arrived at 101.5
    metrics.scored(scores({"ceiling": {"smoke": 0.9}}))  # of a window that fired at 115
    values = {f"edge_fusion_{name}" for name in (
        "temperature_celsius", "relative_humidity_ratio", "reading", "score"
    )}  # fmt: skip
    metrics.fade(101.5)
    assert of_site(metrics, "hall") >= values
    metrics.fade(101.6)
    assert of_site(metrics, "hall") & values == {"edge_fusion_score"}
    metrics.fade(115.1)
    assert of_site(metrics, "hall") == {"edge_fusion_readings_total"}
    metrics.observe(reading())
    assert value(metrics, "temperature_celsius", site="hall") == 21.5


def test_an_alert_without_a_rule_is_shown_no_more(metrics: Metrics) -> None:
    metrics.alert_changed(change(firing=True))
    metrics.keep_labels({"smoke", "fire"})
    assert value(metrics, "alert_active", site="hall", label="smoke") == 1
    assert metrics.fires("hall")
    metrics.keep_labels({"fire"})
    assert of_site(metrics, "hall") == set()
    assert not metrics.fires("hall")


def test_what_is_silenced_is_shown_until_its_site_or_rule_is_gone(metrics: Metrics) -> None:
    metrics.silenced({("hall", "smoke"), ("attic", "device")})
    assert value(metrics, "alert_silenced", site="hall", label="smoke") == 1
    metrics.silenced({("attic", "device")})
    assert value(metrics, "alert_silenced", site="hall", label="smoke") == 0
    metrics.keep_labels({"device"})
    assert of_site(metrics, "hall") == set()
    metrics.silenced(set())
    assert value(metrics, "alert_silenced", site="attic", label="device") == 0
    metrics.forget_site("attic")
    metrics.silenced(set())
    assert of_site(metrics, "attic") == set()


def test_two_daemons_in_one_process_count_apart() -> None:
    one, other = Metrics("1"), Metrics("1")
    one.decoded()
    assert value(other, "frames_decoded_total") == 0


def test_counts_from_many_threads_add_up(metrics: Metrics) -> None:
    def count() -> None:
        for _ in range(200):
            metrics.observe(reading())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(metrics, "readings_total", site="hall", quantity="temperature") == 800


def test_the_body_is_the_text_format(metrics: Metrics) -> None:
    body, content_type = metrics.exposition()
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b"# TYPE edge_fusion_readings_total counter" in body
