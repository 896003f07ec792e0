"""Archive: the bytes of a snapshot.

A line that names format and version, the length of a JSON document, the document, then the
pictures it refers to by number, each after its length. JSON keeps every float to the last bit
(RFC 8259 section 6; Python writes the shortest text that reads back the same).
"""

from __future__ import annotations

import json
from typing import Any

from edge_fusion.errors import SnapshotError
from edge_fusion.events import ArrivalTime, Event, EventTime, Frame, Reading, TimeSource

HEAD = b"edge-fusion snapshot 1\n"
_LENGTH = 8


class Archive:
    """Collects the pictures of a snapshot on the way out, and hands them back on the way in."""

    def __init__(
        self, site: str, pictures: list[bytes] | None = None, *, all_frames: bool = True
    ) -> None:
        self._site = site
        self._pictures = pictures if pictures is not None else []
        self._all_frames = all_frames

    def keeps(self, event: Event) -> bool:
        """Whether an event is to be in the snapshot: all are, or all but frames nobody promised."""
        return self._all_frames or isinstance(event, Reading) or event.durable

    def event(self, event: Event) -> list[Any]:
        """An event as JSON can hold it."""
        times = [event.time, event.arrival, event.time_source.value]
        if isinstance(event, Reading):
            return [*times, event.device, event.quantity, event.value]
        self._pictures.append(event.image)
        return [*times, event.camera, event.durable, len(self._pictures) - 1]

    def restored(self, state: list[Any]) -> Event:
        """The event that `event` was given."""
        time, arrival = EventTime(state[0]), ArrivalTime(state[1])
        source, name, kind, value = TimeSource(state[2]), *state[3:]
        if isinstance(kind, bool):
            picture = self._pictures[value]
            return Frame(self._site, name, picture, time, arrival, source, kind)
        return Reading(self._site, name, kind, value, time, arrival, source)

    def pack(self, document: dict[str, Any]) -> bytes:
        """The whole snapshot."""
        text = json.dumps(document, separators=(",", ":")).encode()
        return HEAD + b"".join(
            len(part).to_bytes(_LENGTH) + part for part in [text, *self._pictures]
        )


def unpack(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Document and pictures of a snapshot. Raises SnapshotError if it is none of this version."""
    if not data.startswith(HEAD):
        raise SnapshotError(f"expected {HEAD!r}, found {data[: len(HEAD)]!r}")
    parts, place = [], len(HEAD)
    while place < len(data):
        begin = place + _LENGTH
        place = begin + int.from_bytes(data[place:begin])
        parts.append(data[begin:place])
    if place != len(data) or not parts:
        raise SnapshotError(f"{len(data)} bytes, cut short")
    try:
        document = json.loads(parts[0])
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"its document is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise SnapshotError("its document is no JSON object")
    return document, parts[1:]
