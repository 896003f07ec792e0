"""Outcomes as MQTT messages: topic, payload, retention, and what MQTT 5 adds.

The user properties are the attributes of CloudEvents 1.0 in its binary mode for MQTT, so that the
plain JSON payload is a CloudEvent without being wrapped in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_fusion.codecs.alert import ModelIdentity, encode_alert, encode_late, encode_window
from edge_fusion.codecs.silence import encode_silenced
from edge_fusion.codecs.times import format_time
from edge_fusion.codecs.topics import (
    alert_topic,
    discovery_topic,
    event_topic,
    late_topic,
    silenced_topic,
    snapshot_topic,
    status_topic,
    window_topic,
)
from edge_fusion.events import (
    IMAGE,
    Alert,
    AlertChange,
    EventTime,
    Publication,
    Reading,
    Scores,
    SilenceChange,
    Summary,
    TooLate,
)

EVENT_EXPIRY_S: Final = 3600
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"


@dataclass(frozen=True, slots=True)
class SnapshotTerms:
    """How snapshots are published: at all, kept when their alert is over, for `expiry` seconds."""

    publish: bool = True
    keep: bool = True
    expiry: int | None = None


ALWAYS_KEPT: Final = SnapshotTerms()


def alert_publications(
    change: AlertChange,
    *,
    prefix: str,
    box: str,
    model: ModelIdentity,
    snapshot: bytes | None = None,
    terms: SnapshotTerms = ALWAYS_KEPT,
) -> list[Publication]:
    """Snapshot, alert and event of one change, in the order in which they must be published.

    Who acts on the event so finds the other two. The snapshot (a JPEG file) and the alert are
    retained; the event comes only with a change of lifecycle or other news, and expires after an
    hour. A snapshot that is not to be kept is cleared behind the event.
    """
    alert = change.alert
    topic = snapshot_topic(prefix, alert.site, alert.label)
    payload = encode_alert(alert, box, model, topic if _is_shown(alert, terms) else None)
    attributes = _alert_event(alert, prefix, box)
    publications = [
        Publication(
            alert_topic(prefix, alert.site, alert.label),
            payload,
            retain=True,
            properties=attributes,
            window_end=_latency_from(change),
        )
    ]
    if snapshot is not None and terms.publish:
        event = _snapshot_event(alert, prefix, box)
        publications.insert(0, _snapshot_publication(topic, snapshot, event, terms))
    if change.lifecycle or change.news:
        publications.append(
            Publication(
                event_topic(prefix, alert.site),
                payload,
                properties=attributes,
                expiry=EVENT_EXPIRY_S,
            )
        )
        if not alert.firing and not (terms.publish and terms.keep):
            publications.append(cleared(topic))
    return publications


def cleared(topic: str) -> Publication:
    """What makes a broker forget the retained message of a topic."""
    return Publication(topic, b"", retain=True, content_type="text/plain")


def site_gone(
    site: str, labels: Iterable[str], *, prefix: str, discovery: str | None
) -> list[Publication]:
    """All that was retained of a site, forgotten; Home Assistant hears first, and lets go of it.

    `discovery` is the prefix under which Home Assistant looks for devices, if it is told.
    """
    topics = [] if discovery is None else [discovery_topic(prefix, site, discovery)]
    for label in labels:
        topics += [alert_topic(prefix, site, label), snapshot_topic(prefix, site, label)]
    return [cleared(topic) for topic in topics]


def _is_shown(alert: Alert, terms: SnapshotTerms) -> bool:
    """Whether there is a picture of what the alert rests on, and it is to be seen."""
    rests_on_a_picture = alert.evidence is not None and bool(alert.evidence.frames)
    return terms.publish and rests_on_a_picture and (alert.firing or terms.keep)


def _snapshot_publication(
    topic: str, snapshot: bytes, attributes: Mapping[str, str], terms: SnapshotTerms
) -> Publication:
    """Pictures are large: where there is no room for all, alerts come before them."""
    return Publication(
        topic,
        snapshot,
        retain=True,
        content_type="image/jpeg",
        properties=attributes,
        expiry=terms.expiry,
        telemetry=True,
    )


def _latency_from(change: AlertChange) -> EventTime | None:
    """The window's end where the alert latency is to be told: once a firing change.

    The end of an alert may come from a timer, long after the last window, and tells nothing.
    """
    evidence = change.alert.evidence
    return evidence.window.end if change.lifecycle and change.alert.firing and evidence else None


def window_publication(
    scores: Scores,
    readings: Mapping[str, Summary],
    missing: Sequence[str],
    *,
    prefix: str,
    box: str,
    model: ModelIdentity,
) -> Publication:
    """The scores and readings of one window revision, not retained."""
    pane = scores.pane
    attributes = _cloud_event(
        f"{prefix}/{box}/{pane.site}",
        "window",
        f"{format_time(pane.window.start)}-{pane.index}",
        pane.fired_at,
    )
    return Publication(
        window_topic(prefix, pane.site),
        encode_window(scores, readings, missing, model),
        properties=attributes,
        telemetry=True,
    )


def late_publication(outcome: TooLate, *, prefix: str, box: str) -> Publication:
    """An event that came too late for its windows, not retained."""
    event = outcome.event
    quantity = event.quantity if isinstance(event, Reading) else IMAGE
    attributes = _cloud_event(
        f"{prefix}/{box}/{event.site}",
        "late",
        f"{event.source}-{quantity}-{format_time(event.time)}",
        event.arrival,
    )
    return Publication(
        late_topic(prefix, event.site),
        encode_late(outcome),
        properties=attributes,
        telemetry=True,
    )


def silenced_publication(change: SilenceChange, *, prefix: str, box: str) -> Publication:
    """What is silenced at a site, retained."""
    payload = encode_silenced(change.site, change.silences, change.at, box)
    return Publication(silenced_topic(prefix, change.site), payload, retain=True)


def status_publication(prefix: str, box: str, online: bool) -> Publication:  # noqa: FBT001 - it is the payload
    """`online` or `offline`, retained; the latter is also the last will."""
    return Publication(
        status_topic(prefix, box),
        ONLINE if online else OFFLINE,
        retain=True,
        content_type="text/plain",
    )


def _alert_event(alert: Alert, prefix: str, box: str) -> dict[str, str]:
    """None for an announcement, which is no event and has no id."""
    if alert.id is None:
        return {}
    kind = "alert.firing" if alert.firing else "alert.resolved"
    source, number = f"{prefix}/{box}/{alert.site}", f"{alert.id}-{alert.sequence}"
    return _cloud_event(source, kind, number, alert.updated_at) | {"subject": alert.label}


def _snapshot_event(alert: Alert, prefix: str, box: str) -> dict[str, str]:
    """Of which change of which alert it is."""
    source, number = f"{prefix}/{box}/{alert.site}", f"{alert.id}-{alert.sequence}-snapshot"
    return _cloud_event(source, "snapshot", number, alert.updated_at) | {"subject": alert.label}


def _cloud_event(source: str, kind: str, number: str, time: float) -> dict[str, str]:
    """The attributes that CloudEvents 1.0 requires, and when the box knew."""
    return {
        "specversion": "1.0",
        "id": number,
        "source": f"/{source}",
        "type": f"io.edge_fusion.{kind}",
        "time": format_time(time),
    }
