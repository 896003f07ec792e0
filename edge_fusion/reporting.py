"""Reporting: what the metrics show that is no outcome of an event."""

from __future__ import annotations

from edge_fusion import __version__, assembly
from edge_fusion.align.sites import Sites
from edge_fusion.config.settings import Settings
from edge_fusion.events import ArrivalTime
from edge_fusion.intake import FRAMES, READINGS
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.onnx import OnnxModel


def begin_metrics(settings: Settings, model: OnnxModel) -> Metrics:
    """The metrics of a program that begins: all is down, until it says that it is up."""
    limits = settings.limits
    metrics = Metrics(__version__, max_sites=limits.max_sites, max_devices=limits.max_devices)
    metrics.provider(model.requested, model.provider, fallback=model.fallback)
    metrics.connection(READINGS, False)
    if settings.camera_topics:
        metrics.connection(FRAMES, False)
    for source in assembly.video_sources(settings):
        metrics.camera(source.site, source.camera, False)
    return metrics


def report_sites(sites: Sites, metrics: Metrics, now: ArrivalTime) -> None:
    """Show how far each site has come."""
    for site in sites:
        metrics.watermark(site.site, site.watermark)
        metrics.idle(site.site, site.idle(now))
        for source, offset in site.offsets().items():
            metrics.clock_offset(site.site, source, offset)
