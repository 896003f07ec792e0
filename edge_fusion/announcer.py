"""Announcer: what the pipeline decided, as the publications that consumers get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_fusion.alerts.evidence import heard, missing, summaries
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.homeassistant import discovery
from edge_fusion.codecs.jpeg import bounded_jpeg
from edge_fusion.codecs.publications import (
    alert_publications,
    late_publication,
    silenced_publication,
    window_publication,
)
from edge_fusion.events import Alert, AlertChange, Publication, Scores, SilenceChange, TooLate


@dataclass(frozen=True, slots=True)
class Voice:
    """Under which names a box speaks, and what it says beside alerts."""

    prefix: str
    box: str
    model: ModelIdentity
    quantities: Sequence[str]
    labels: Sequence[str]
    version: str
    windows: bool
    late: bool
    discovery: str | None
    """The prefix under which Home Assistant looks for devices; None: it is not told."""
    labels_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What alerts at the sites at which it is not `labels`."""


class Announcer:
    """Turns changes, windows and late events into publications, in the contract's order."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._introduced: set[str] = set()

    def change(self, change: AlertChange) -> list[Publication]:
        """Discovery when a site is new, then snapshot, alert, event."""
        voice, alert = self._voice, change.alert
        fires = change.lifecycle and alert.firing
        publications = alert_publications(
            change,
            prefix=voice.prefix,
            box=voice.box,
            model=voice.model,
            snapshot=_snapshot(alert) if fires else None,
        )
        return [*self.introduce(alert.site), *publications]

    def silenced(self, change: SilenceChange) -> list[Publication]:
        """What is silenced at a site."""
        voice = self._voice
        return [silenced_publication(change, prefix=voice.prefix, box=voice.box)]

    def window(self, scores: Scores) -> list[Publication]:
        """One message per window revision; an input is missing if one camera's row lacks it."""
        voice = self._voice
        if not voice.windows:
            return []
        known = heard(scores.pane)
        gaps = {gap for row in scores.rows for gap in missing(known, row, voice.quantities)}
        return [
            window_publication(
                scores,
                summaries(scores.pane),
                sorted(gaps),
                prefix=voice.prefix,
                model=voice.model,
            )
        ]

    def late(self, outcome: TooLate) -> list[Publication]:
        voice = self._voice
        return [late_publication(outcome, prefix=voice.prefix)] if voice.late else []

    def forget(self, site: str) -> None:
        """Of a site that comes back Home Assistant is told again."""
        self._introduced.discard(site)

    def introduce(self, site: str) -> list[Publication]:
        """Tell Home Assistant of a site, once."""
        voice = self._voice
        if voice.discovery is None or site in self._introduced:
            return []
        self._introduced.add(site)
        return [
            discovery(
                site,
                voice.labels_of.get(site, voice.labels),
                prefix=voice.prefix,
                box=voice.box,
                model=voice.model,
                version=voice.version,
                quantities=voice.quantities if voice.windows else (),
                root=voice.discovery,
            )
        ]


def _snapshot(alert: Alert) -> bytes | None:
    frames = alert.evidence.frames if alert.evidence is not None else ()
    return bounded_jpeg(frames[-1].image) if frames else None
