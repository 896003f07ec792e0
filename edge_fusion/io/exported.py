"""Every metric that the program exports: names, labels and what they mean."""

from __future__ import annotations

from typing import Literal

from edge_fusion.events import InvalidReason, QuarantineReason, ShedReason
from edge_fusion.io.families import Factory, Fading

STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
COMMIT_BUCKETS = (0.00025, 0.0005, *STAGE_BUCKETS)
LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
DUPLICATE = "duplicate"
Kind = Literal["reading", "frame", "late", "window"]
UNNAMED: tuple[Kind, ...] = ("reading", "frame", "late", "window")
Stage = Literal["decode", "infer", "publish"]
STAGES: tuple[Stage, ...] = ("decode", "infer", "publish")


class EventMetrics:
    """What came in."""

    def __init__(self, make: Factory) -> None:
        counter, gauge = make.counter, make.gauge
        self.readings = counter("readings_total", "Readings taken in.", "site", "quantity")
        self.frames = counter("frames_total", "Frames taken in.", "site", "camera")
        self.decoded = counter("frames_decoded_total", "Frames decoded for the model.")
        self.dropped = counter("dropped_total", "Events let go, and why.", "reason")
        self.invalid = counter("invalid_total", "Messages that are no event, and why.", "reason")
        self.suspect = counter(
            "suspect_readings_total",
            "Readings with something odd about them, and what; used all but those out_of_range.",
            "site",
            "device",
            "reason",
        )
        self.stuck = gauge(
            "device_stuck", "1 while a value of a device no longer changes.", "site", "device"
        )
        self.late = counter("late_total", "Events past the allowed lateness.", "site")
        self.unnamed = counter(
            "unnamed_total",
            "What is in no other count by name, for want of room for its names.",
            "kind",
        )
        self.quarantined = counter(
            "clock_quarantined_total", "Device timestamps not believed, and why.", "reason"
        )
        self.temperature = Fading(gauge("temperature_celsius", "Last temperature.", "site"))
        self.humidity = Fading(gauge("relative_humidity_ratio", "Last humidity, 0 to 1.", "site"))
        self.reading = Fading(
            gauge("reading", "Last value of other quantities.", "site", "quantity")
        )
        self.last_seen = gauge(
            "device_last_seen_timestamp_seconds",
            "When the last event of a device or camera arrived.",
            "site",
            "device",
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """A rate over a series that begins with its first count would miss that count."""
        for reason in (DUPLICATE, *(each.value for each in ShedReason)):
            self.dropped(reason)
        for invalid in InvalidReason:
            self.invalid(invalid.value)
        for kind in UNNAMED:
            self.unnamed(kind)
        for quarantine in QuarantineReason:
            self.quarantined(quarantine.value)


class AlignmentMetrics:
    """How events became windows."""

    def __init__(self, make: Factory) -> None:
        counter, gauge = make.counter, make.gauge
        self.windows = counter("windows_total", "Windows closed, and by what.", "site", "closed_by")
        self.revisions = counter("revisions_total", "Revisions of closed windows by late events.")
        self.clock_offset = gauge(
            "device_clock_offset_seconds",
            "How far a device's clock is behind (+) or ahead (-) of arrival time.",
            "site",
            "device",
        )
        self.watermark = gauge(
            "watermark_timestamp_seconds", "The event time a site has come to.", "site"
        )
        self.idle = gauge("devices_idle", "Devices and cameras that hold up no window.", "site")
        self.catching_up = gauge("catching_up", "1 while a backlog is read after an outage.")


class AlertMetrics:
    """What the model and the rules made of the windows."""

    def __init__(self, make: Factory) -> None:
        self.score = Fading(
            make.gauge("score", "Last score of a label.", "site", "camera", "label")
        )
        self.changes = make.counter(
            "alerts_total", "Alerts that began to fire or were resolved.", "site", "label", "state"
        )
        self.active = make.gauge("alert_active", "1 while an alert fires.", "site", "label")
        self.silenced = make.gauge(
            "alert_silenced", "1 while an alert is silenced.", "site", "label"
        )
        self.latency = make.histogram(
            "alert_latency_seconds", "Window end to broker acknowledgement.", LATENCY_BUCKETS
        )


class CameraMetrics:
    """How the cameras are that are looked at."""

    def __init__(self, make: Factory) -> None:
        counter, labels = make.counter, ("site", "camera")
        self.up = make.gauge("camera_up", "1 while a camera gives pictures.", *labels)
        self.reconnects = counter("camera_reconnects_total", "Cameras regained.", *labels)
        self.grabbed = counter(
            "camera_grabbed_total", "Pictures read from a camera, wanted or not.", *labels
        )
        self.stale = counter(
            "camera_stale_total", "Pictures left out since they had waited or stood still.", *labels
        )
        self.all = (self.up, self.reconnects, self.grabbed, self.stale)


class BoxMetrics:
    """How the program itself is."""

    def __init__(self, make: Factory) -> None:
        gauge, histogram = make.gauge, make.histogram
        self.provider = gauge(
            "inference_provider_info",
            "The execution provider that was asked for, and the one that runs the model.",
            "requested",
            "provider",
            "fallback",
        )
        self.reloaded = gauge("config_last_reload_successful", "1 if the last reload was taken.")
        self.stage = histogram("stage_seconds", "Time a stage took.", STAGE_BUCKETS, "stage")
        self.commit = histogram(
            "store_commit_seconds", "Time a store transaction took.", COMMIT_BUCKETS
        )
        self.store_failing = gauge("store_failing", "1 while nothing can be kept.")
        self.queue = gauge("queue_length", "Items that wait in a queue.", "queue")
        self.outbox = gauge("outbox_pending", "Messages the broker has not acknowledged.")
        self.connected = gauge("mqtt_connected", "1 while connected to the broker.", "connection")
        self.refused = gauge(
            "mqtt_subscriptions_refused", "Topic filters the broker denies.", "connection"
        )
        self.reconnects = make.counter("mqtt_reconnects_total", "Connections regained.")
        self.unrecorded = make.counter(
            "recording_lost_total", "Events that `run --record` could not write down."
        )
        self.unrecorded()
        self.store_failing()
        self.reloaded().set(1)
        for stage in STAGES:
            self.stage(stage)
