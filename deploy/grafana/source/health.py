"""The health view: what holds alerts up, what is let go of, and how devices and boxes are."""

from __future__ import annotations

from panels import (
    BLUE,
    BOX,
    GREEN,
    RED,
    SITE,
    Json,
    dashboard,
    lines,
    metric,
    quantile,
    rate,
    row,
    stat,
    target,
    variable,
    variables,
    words,
)


def health() -> Json:
    cameras = f"label_values({metric('frames_total', SITE)}, camera)"
    return dashboard(
        "edge-fusion-health",
        "Edge fusion: health",
        "What holds alerts up, what is let go of, and how devices and boxes are.",
        [
            *at_a_glance(),
            row("How fast"),
            *pace(),
            row("What is let go of"),
            *losses(),
            row("What comes in"),
            *intake(),
            row("Devices"),
            *devices(),
            row("The box"),
            *box(),
        ],
        variables(variable("camera", cameras)),
        [],
        ("edge-fusion-overview", "Overview"),
    )


def at_a_glance() -> list[Json]:
    state = {"_0": ("ok", GREEN), "_1": ("failing", RED)}
    return [
        stat(
            "Boxes",
            "Whether Prometheus reaches all boxes.",
            f"min(up{{{BOX}}})",
            (None, RED),
            (1, GREEN),
            mappings=words(_0=("down", RED), _1=("up", GREEN)),
            width=4,
        ),
        stat(
            "Broker",
            "Whether all connections to the broker stand.",
            f"min({metric('mqtt_connected', BOX)})",
            (None, RED),
            (1, GREEN),
            mappings=words(_0=("lost", RED), _1=("connected", GREEN)),
            width=4,
        ),
        stat(
            "Store",
            "Whether what comes can be kept on disk.",
            f"max({metric('store_failing', BOX)})",
            (None, GREEN),
            (1, RED),
            mappings=words(**state),
            width=4,
        ),
        stat(
            "Configuration",
            "Whether the last reload was taken; if not, the one before it goes on.",
            f"min({metric('config_last_reload_successful', BOX)})",
            (None, RED),
            (1, GREEN),
            mappings=words(_0=("refused", RED), _1=("taken", GREEN)),
            width=4,
        ),
        stat(
            "Backlog",
            "Whether a box is reading what the broker held back for it.",
            f"max({metric('catching_up', BOX)})",
            (None, GREEN),
            (1, BLUE),
            mappings=words(_0=("none", GREEN), _1=("catching up", BLUE)),
            width=4,
        ),
        stat(
            "Model runs on",
            "The execution provider of the model, one for each in use.",
            f"max by (provider) ({metric('inference_provider_info', BOX)} == 1)",
            (None, GREEN),
            legend="{{provider}}",
            text="name",
            width=4,
        ),
    ]


def pace() -> list[Json]:
    return [
        lines(
            "Alert latency",
            "From the end of a window until the broker has its alert, over the last hour.",
            target(quantile(0.5, "alert_latency_seconds", window="1h"), "half are within"),
            target(quantile(0.9, "alert_latency_seconds", window="1h"), "9 of 10 are within"),
            unit="s",
            empty="no alert in the last hour",
            min=0,
        ),
        lines(
            "Decode and inference time",
            "19 of 20 runs are within this: decoding the frames of a window, one inference.",
            target(quantile(0.95, "stage_seconds", by="le, stage"), "{{stage}}"),
            unit="s",
            min=0,
        ),
        lines(
            "Share of time at work",
            "Of the pipeline's one thread, by stage. Near 100 % in sum, it can't keep up.",
            target(rate("stage_seconds_sum", BOX, by="stage"), "{{stage}}"),
            target(rate("store_commit_seconds_sum", BOX, by="job"), "store"),
            unit="percentunit",
            min=0,
        ),
        lines(
            "Store commit",
            'Time of a transaction. SD cards take long at times; durability = "crash" helps.',
            target(quantile(0.5, "store_commit_seconds"), "half are within"),
            target(quantile(0.99, "store_commit_seconds"), "99 of 100 are within"),
            unit="s",
            min=0,
        ),
        lines(
            "Queues",
            "What waits for the pipeline. Where it stays long, more comes than the box can bear.",
            target(f"max by (queue) ({metric('queue_length', BOX)})", "{{queue}}"),
            min=0,
        ),
        lines(
            "Outbox",
            "Messages that the broker has not acknowledged; they outlive a restart.",
            target(f"max by (instance) ({metric('outbox_pending', BOX)})", "{{instance}}"),
            min=0,
        ),
    ]


def losses() -> list[Json]:
    return [
        lines(
            "Let go of",
            "Events a second, by reason. mailbox_full: overload, frames first.",
            target(f"{rate('dropped_total', BOX, by='reason')} > 0", "{{reason}}"),
            unit="cps",
            empty="nothing",
            min=0,
        ),
        lines(
            "Not understood",
            "Messages a second that are no event, by reason. The log names topic and fault.",
            target(f"{rate('invalid_total', BOX, by='reason')} > 0", "{{reason}}"),
            unit="cps",
            empty="nothing",
            min=0,
        ),
        lines(
            "Too late",
            "Events a second past the allowed lateness: they are in no window.",
            target(rate("late_total", by="site"), "{{site}}"),
            unit="cps",
            empty="nothing",
            min=0,
        ),
        lines(
            "Times not believed",
            "Timestamps a second that count at their arrival instead, by reason.",
            target(f"{rate('clock_quarantined_total', BOX, by='reason')} > 0", "{{reason}}"),
            unit="cps",
            empty="none",
            min=0,
        ),
    ]


def intake() -> list[Json]:
    return [
        lines(
            "Readings",
            "Readings a second, by site.",
            target(rate("readings_total", by="site"), "{{site}}"),
            unit="cps",
            min=0,
        ),
        lines(
            "Frames",
            "Frames a second, by site and camera.",
            target(
                "sum by (site, camera) (rate("
                f"{metric('frames_total', SITE, camera='camera')}[$__rate_interval]))",
                "{{site}}/{{camera}}",
            ),
            unit="cps",
            min=0,
        ),
        lines(
            "Windows",
            "Windows closed a second, and by what. max_wait: a device was waited for in vain.",
            target(rate("windows_total", by="closed_by"), "{{closed_by}}"),
            target(rate("revisions_total", BOX, by="job"), "revisions"),
            unit="cps",
            min=0,
        ),
        lines(
            "Behind",
            "How far the event time that a site has come to lies behind now.",
            target(f"time() - {metric('watermark_timestamp_seconds')}", "{{site}}"),
            unit="s",
        ),
    ]


def devices() -> list[Json]:
    return [
        lines(
            "Clock offsets",
            "Arrival less device time: above 0 the device's clock is behind. It is corrected.",
            target(metric("device_clock_offset_seconds"), "{{site}}/{{device}}"),
            unit="s",
        ),
        lines(
            "Silence",
            "Since when nothing was heard of a device or camera.",
            target(
                f"time() - {metric('device_last_seen_timestamp_seconds')}", "{{site}}/{{device}}"
            ),
            unit="s",
            min=0,
        ),
        lines(
            "Idle",
            "Devices and cameras of a site that hold up no window.",
            target(metric("devices_idle"), "{{site}}"),
            min=0,
        ),
        lines(
            "Cameras",
            "1 while a camera that the box looks at gives pictures.",
            target(metric("camera_up", SITE, camera="camera"), "{{site}}/{{camera}}"),
            unit="bool_on_off",
            empty="no camera is looked at by the box",
            min=0,
            max=1,
        ),
    ]


def box() -> list[Json]:
    return [
        lines(
            "Processor",
            "Cores that the daemon keeps busy.",
            target(
                f"sum by (instance) (rate(process_cpu_seconds_total{{{BOX}}}[$__rate_interval]))",
                "{{instance}}",
            ),
            unit="percentunit",
            min=0,
        ),
        lines(
            "Memory",
            "Memory that the daemon holds.",
            target(f"process_resident_memory_bytes{{{BOX}}}", "{{instance}}"),
            unit="bytes",
            min=0,
        ),
        lines(
            "Reconnections",
            "Connections to the broker that were regained, in this time span each.",
            target(
                "sum by (instance) "
                f"(increase({metric('mqtt_reconnects_total', BOX)}[$__rate_interval]))",
                "{{instance}}",
            ),
            min=0,
        ),
        lines(
            "Frames decoded",
            "Frames decoded for the model, a second.",
            target(rate("frames_decoded_total", BOX, by="instance"), "{{instance}}"),
            unit="cps",
            min=0,
        ),
    ]
