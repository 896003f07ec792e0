"""Outcomes as MQTT messages: topic, payload, retention, and what MQTT 5 adds.

The user properties are the attributes of CloudEvents 1.0 in its binary mode for MQTT, so that the
plain JSON payload is a CloudEvent without being wrapped in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_fusion.codecs.alert import ModelIdentity, encode_alert, encode_late, encode_window
from edge_fusion.codecs.silence import encode_silenced
from edge_fusion.codecs.times import format_time
from edge_fusion.codecs.topics import (
    alert_topic,
    event_topic,
    late_topic,
    silenced_topic,
    snapshot_topic,
    status_topic,
    window_topic,
)
from edge_fusion.events import (
    Alert,
    AlertChange,
    EventTime,
    Publication,
    Scores,
    SilenceChange,
    Summary,
    TooLate,
)

EVENT_EXPIRY_S: Final = 3600
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"


def alert_publications(
    change: AlertChange,
    *,
    prefix: str,
    box: str,
    model: ModelIdentity,
    snapshot: bytes | None = None,
) -> list[Publication]:
    """Snapshot, alert and event of one change, in the order in which they must be published.

    Who acts on the event so finds the other two. The snapshot (a JPEG file) and the alert are
    retained; the event comes only with a change of lifecycle or other news, and expires after an
    hour.
    """
    alert = change.alert
    payload = encode_alert(alert, box, model)
    attributes = _cloud_event(alert, prefix, box)
    publications = [
        Publication(
            alert_topic(prefix, alert.site, alert.label),
            payload,
            retain=True,
            properties=attributes,
            window_end=_latency_from(change),
        )
    ]
    if snapshot is not None:
        publications.insert(0, _snapshot_publication(alert, snapshot, prefix))
    if change.lifecycle or change.news:
        topic = event_topic(prefix, alert.site)
        publications.append(
            Publication(topic, payload, properties=attributes, expiry=EVENT_EXPIRY_S)
        )
    return publications


def _snapshot_publication(alert: Alert, snapshot: bytes, prefix: str) -> Publication:
    topic = snapshot_topic(prefix, alert.site, alert.label)
    return Publication(topic, snapshot, retain=True, content_type="image/jpeg")


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
    model: ModelIdentity,
) -> Publication:
    """The scores and readings of one window revision, not retained."""
    topic = window_topic(prefix, scores.pane.site)
    return Publication(topic, encode_window(scores, readings, missing, model), telemetry=True)


def late_publication(outcome: TooLate, *, prefix: str) -> Publication:
    """An event that came too late for its windows, not retained."""
    topic = late_topic(prefix, outcome.event.site)
    return Publication(topic, encode_late(outcome), telemetry=True)


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


def _cloud_event(alert: Alert, prefix: str, box: str) -> dict[str, str]:
    """CloudEvents attributes; none for an announcement, which is no event and has no id."""
    if alert.id is None:
        return {}
    state = "firing" if alert.firing else "resolved"
    return {
        "specversion": "1.0",
        "id": f"{alert.id}-{alert.sequence}",
        "source": f"/{prefix}/{box}/{alert.site}",
        "type": f"io.edge_fusion.alert.{state}",
        "time": format_time(alert.updated_at),
        "subject": alert.label,
    }
