"""Reporting: what the metrics show that is no outcome of an event."""

from __future__ import annotations

from collections.abc import Mapping

from edge_fusion import __version__, assembly
from edge_fusion.align.assembler import SiteAssembler
from edge_fusion.align.sites import Sites
from edge_fusion.assembly_alerts import labels
from edge_fusion.config.settings import Settings
from edge_fusion.events import ArrivalTime
from edge_fusion.intake import FRAMES, READINGS
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.onnx import OnnxModel

SHOWN_FOR = 7 * 86_400.0
"""Seconds of silence after which a device is taken for gone. Somebody who was away finds the silent
one still shown; one that was given away is not missed for ever."""


def begin_metrics(settings: Settings, model: OnnxModel) -> tuple[Metrics, SitesReport]:
    """The metrics of a program that begins: all is down, until it says that it is up."""
    limits = settings.limits
    metrics = Metrics(__version__, max_sites=limits.max_sites, max_devices=limits.max_devices)
    metrics.provider(model.requested, model.provider, fallback=model.fallback)
    metrics.connection(READINGS, False)
    if settings.camera_topics:
        metrics.connection(FRAMES, False)
    return metrics, SitesReport(metrics, settings, model)


class SitesReport:
    """Shows how far each site has come, and has the metrics let go of what is gone.

    Gone is a device that the sites have let go of, or that was silent for a week; a site without
    devices; a camera or a label that the configuration no longer has. A site whose alert fires
    stays. Readings and scores are shown for as long as the model would still use them, and at
    least until the next ones should be there.
    """

    def __init__(self, metrics: Metrics, settings: Settings, model: OnnxModel) -> None:
        self._metrics = metrics
        self._shown: dict[str, set[str]] = {}
        self.follow(settings, model)

    def follow(self, settings: Settings, model: OnnxModel) -> None:
        """Go by another configuration."""
        sources = assembly.video_sources(settings)
        self._cameras = frozenset((source.site, source.camera) for source in sources)
        self._metrics.watch_cameras(self._cameras)
        self._metrics.keep_labels(labels(settings, model.spec))
        windows = settings.windows
        size, every = windows.size_and_every(model.spec.window_s)
        next_score = size + every + windows.max_wait + windows.idle_timeout
        self._true_for = max(windows.carry, next_score)

    def show(self, sites: Sites, stuck: Mapping[tuple[str, str], bool], now: ArrivalTime) -> None:
        """Once in a while; `stuck`: by site and device, whether it is (quality.py)."""
        shown: dict[str, set[str]] = {}
        for name, camera in self._cameras:
            shown.setdefault(name, set()).add(camera)
        for site in sites:
            devices = self._devices(site, now)
            if devices:
                shown.setdefault(site.site, set()).update(devices)
                self._metrics.watermark(site.site, site.watermark)
                self._metrics.idle(site.site, site.idle(now))
        for (name, device), is_stuck in stuck.items():
            if device in shown.get(name, ()):
                self._metrics.stuck(name, device, is_stuck)
        self._let_go(shown)
        self._shown = shown
        self._metrics.fade(now - self._true_for)

    def _devices(self, site: SiteAssembler, now: ArrivalTime) -> set[str]:
        """Show the devices of a site that are not gone."""
        offsets = site.offsets()
        heard = {name: at for name, at in site.heard().items() if at >= now - SHOWN_FOR}
        for device, at in heard.items():
            self._metrics.seen(site.site, device, at)
            self._metrics.clock_offset(site.site, device, offsets[device])
        return set(heard)

    def _let_go(self, shown: dict[str, set[str]]) -> None:
        for site, devices in self._shown.items():
            if site not in shown and self._metrics.fires(site):
                shown[site] = devices
            elif site not in shown:
                self._metrics.forget_site(site)
            for device in devices - shown.get(site, set()):
                self._metrics.forget_device(site, device)
