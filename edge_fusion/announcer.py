"""Announcer: what the pipeline decided, as the publications that consumers get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_fusion.alerts.evidence import heard, missing, summaries
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.homeassistant import discovery
from edge_fusion.codecs.publications import (
    ALWAYS_KEPT,
    SnapshotTerms,
    alert_publications,
    late_publication,
    silenced_publication,
    site_gone,
    window_publication,
)
from edge_fusion.codecs.snapshot import captioned_jpeg
from edge_fusion.codecs.times import format_time
from edge_fusion.codecs.topics import presence_topic
from edge_fusion.events import (
    DEVICE,
    Alert,
    AlertChange,
    Frame,
    Message,
    Publication,
    Scores,
    SilenceChange,
    TooLate,
)

STARTED: Final = b"online"
"""What Home Assistant says when it has."""


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
    snapshots: SnapshotTerms = ALWAYS_KEPT
    fresh_for: int = 0
    """Seconds after which what a window said is out of date; 0: never."""


class Announcer:
    """Turns changes, windows and late events into publications, in the contract's order."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        root = voice.discovery
        self._presence_topic = None if root is None else presence_topic(root)
        self._introduced: set[str] = set()

    def change(self, change: AlertChange) -> list[Publication]:
        """Discovery when a site is new, then snapshot, alert, event."""
        voice, alert = self._voice, change.alert
        publications = alert_publications(
            change,
            prefix=voice.prefix,
            box=voice.box,
            model=voice.model,
            snapshot=_snapshot(alert) if voice.snapshots.publish else None,
            terms=voice.snapshots,
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
                box=voice.box,
                model=voice.model,
            )
        ]

    def late(self, outcome: TooLate) -> list[Publication]:
        voice = self._voice
        if not voice.late:
            return []
        return [late_publication(outcome, prefix=voice.prefix, box=voice.box)]

    def forget(self, site: str) -> list[Publication]:
        """A site is gone: have the broker and Home Assistant forget it too.

        Of a site that comes back Home Assistant is told again; of one that nothing was said of,
        since there was no room for it, there is nothing to forget.
        """
        voice = self._voice
        if site not in self._introduced:
            return []
        self._introduced.discard(site)
        labels = self._labels(site)
        return site_gone(site, labels, prefix=voice.prefix, discovery=voice.discovery)

    def introduce(self, site: str) -> list[Publication]:
        """Tell Home Assistant of a site, once."""
        root = self._voice.discovery
        if site in self._introduced:
            return []
        self._introduced.add(site)
        return [] if root is None else self._discoveries([site], root)

    def hear(self, message: Message) -> list[Publication] | None:
        """Tell Home Assistant of all sites again if it has started.

        None if the message is not Home Assistant's, but a device's.
        """
        root = self._voice.discovery
        if root is None or message.topic != self._presence_topic:
            return None
        return (
            self._discoveries(sorted(self._introduced), root) if message.payload == STARTED else []
        )

    def _labels(self, site: str) -> Sequence[str]:
        return self._voice.labels_of.get(site, self._voice.labels)

    def _discoveries(self, sites: Sequence[str], root: str) -> list[Publication]:
        voice = self._voice
        return [
            discovery(
                site,
                [label for label in self._labels(site) if label != DEVICE],
                unscored=[label for label in self._labels(site) if label == DEVICE],
                prefix=voice.prefix,
                box=voice.box,
                model=voice.model,
                version=voice.version,
                quantities=voice.quantities,
                windows=voice.windows,
                snapshots=voice.snapshots.publish,
                fresh_for=voice.fresh_for,
                root=root,
            )
            for site in sites
        ]


def _snapshot(alert: Alert) -> bytes | None:
    """The latest picture that a firing alert rests on; after a restart there may be none left."""
    frames = alert.evidence.frames if alert.firing and alert.evidence is not None else ()
    return captioned_jpeg(frames[-1].image, _caption(alert, frames[-1])) if frames else None


def _caption(alert: Alert, frame: Frame) -> tuple[str, ...]:
    when = format_time(frame.time)
    moment = f"{when[:10]} {when[11:19]} UTC"
    return alert.site, alert.label, f"{alert.score:.2f}", moment
