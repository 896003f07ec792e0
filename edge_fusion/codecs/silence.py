"""Silence: what people say to have an alert be quiet for a while, and what they are told of it.

    <prefix>/<site>/silence     {"label": "steam", "for": "2h"}

Without a label, or with "*", all labels of the site are meant. A `for` of "0s" or null ends it. A
retained message is refused: it would be said again at every connection.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from pydantic import Field

from edge_fusion.codecs.alert import Document, Payload, Time, document_schema, encode_document
from edge_fusion.codecs.document import MISSING, load, lookup
from edge_fusion.codecs.durations import parse_duration
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.times import format_time
from edge_fusion.codecs.topics import TopicPattern, silence_pattern, valid_name
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message, Silence, Silenced

ALL: Final = "*"
MAX_BYTES: Final = 1000
_ENDING: Final = "/silence"


class SilenceTopic:
    """Reads what comes on the silence topics below `prefix`; `labels` are those that may alert."""

    def __init__(self, prefix: str, labels: Collection[str]) -> None:
        self._pattern = TopicPattern.parse(silence_pattern(prefix))
        self._labels = labels

    def decode(self, message: Message) -> list[Silence | Invalid] | None:
        """The command in `message`; None if its topic is no silence topic. Never raises."""
        if not message.topic.endswith(_ENDING):
            return None
        names = self._pattern.match(message.topic)
        if names is None:
            return None
        if not message.payload:
            return []  # how a retained message is removed
        return [self._read(names["site"], message)]

    def _read(self, site: str, message: Message) -> Silence | Invalid:
        if not valid_name(site):
            return invalid(message, InvalidReason.NAME, f"{site[:70]!r} is no name of a site")
        if message.retained:
            return invalid(message, InvalidReason.RETAINED, "retained: expected not to be")
        if len(message.payload) > MAX_BYTES:
            detail = f"{len(message.payload)} bytes, limit {MAX_BYTES}"
            return invalid(message, InvalidReason.TOO_LARGE, detail)
        try:
            document = load(message.payload)
        except ValueError as error:
            return invalid(message, InvalidReason.SYNTAX, str(error))
        if not isinstance(document, dict):
            expected = 'expected an object such as {"label": "steam", "for": "2h"}'
            return invalid(message, InvalidReason.SYNTAX, expected)
        return self._command(site, document, message)

    def _command(self, site: str, document: dict[str, Any], message: Message) -> Silence | Invalid:
        label, given = document.get("label", ALL), lookup(document, "for")
        if label is not None and label != ALL and not self._is_label(label):
            known = ", ".join(self._labels)
            return invalid(message, InvalidReason.OUT_OF_RANGE, f"label: expected one of {known}")
        if given is MISSING:
            return invalid(message, InvalidReason.MISSING_FIELD, 'for: expected it, such as "2h"')
        try:
            seconds = 0.0 if given is None else parse_duration(given)
        except ValueError as error:
            return invalid(message, InvalidReason.OUT_OF_RANGE, f"for: {error}")
        return Silence(site, None if label in {None, ALL} else label, seconds, message.arrival)

    def _is_label(self, label: object) -> bool:
        return isinstance(label, str) and label in self._labels


class SilencePayload(Payload):
    """One label that is silenced, and until when."""

    label: str
    until: Time


class SilencedPayload(Document):
    """What is silenced at a site: every label that fires to nobody now. Retained."""

    site: str
    silenced: list[SilencePayload] = Field(description="In order of label; empty: nothing is.")
    updated_at: Time
    box: str


def encode_silenced(site: str, silences: Sequence[Silenced], at: ArrivalTime, box: str) -> bytes:
    """The JSON of `SilencedPayload`."""
    return encode_document(
        SilencedPayload(
            site=site,
            silenced=[
                SilencePayload(label=each.label, until=format_time(each.until)) for each in silences
            ],
            updated_at=format_time(at),
            box=box,
        )
    )


def silenced_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `SilencedPayload`."""
    return document_schema(SilencedPayload)
