"""What outlives the program, as values: what one turn changed, and what is found at a start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_fusion.events import ArrivalTime, Publication


class Entry(NamedTuple):
    """One line of the journal: an input (codecs/recorded.py), and its picture if that is kept."""

    site: str
    line: bytes
    picture: bytes | None = None


class SavedTrack(NamedTuple):
    """Where one label of one site stands (alerts/archive.py)."""

    site: str
    label: str
    state: bytes


class Posted(NamedTuple):
    """A publication and its place in the outbox."""

    token: int
    publication: Publication


@dataclass(frozen=True, slots=True)
class Changes:
    """What one turn changed, kept whole or not at all.

    until: up to when time has passed. entries: what came, in order. snapshots: of sites, after
    `entries`: of such a site the journal is needed no more. complete: this is the whole state,
    whatever was kept of sites and tracks before. tracks: those that changed. forgotten: sites of
    which no more is to be kept than what is in `snapshots` and `tracks`. posted: what is to be
    published; delivered: what the broker has. held_since: when time began to stand still for a
    backlog that is still coming in. terms: on which the sites took `entries` (align/sites.py).
    receipts: for what was taken of late (receipts.py). away_since: since when the broker holds
    back what comes for us.
    """

    until: ArrivalTime
    entries: Sequence[Entry] = ()
    snapshots: Mapping[str, bytes] = field(default_factory=dict)
    complete: bool = False
    tracks: Sequence[SavedTrack] = ()
    forgotten: Sequence[str] = ()
    posted: Sequence[Posted] = ()
    delivered: Sequence[int] = ()
    held_since: ArrivalTime | None = None
    terms: bytes = b""
    receipts: bytes = b""
    away_since: ArrivalTime | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was kept.

    journal: in order, the inputs that came after their site's snapshot. until is None, and
    all else empty, at the first start. unsent: how many publications the broker may not have, and
    unsent_bytes what their payloads come to; last_token: the newest there ever was. held_since,
    terms, receipts and away_since: as in `Changes`.
    """

    until: ArrivalTime | None = None
    snapshots: Mapping[str, bytes] = field(default_factory=dict)
    journal: Sequence[Entry] = ()
    tracks: Sequence[SavedTrack] = ()
    unsent: int = 0
    unsent_bytes: int = 0
    last_token: int = 0
    held_since: ArrivalTime | None = None
    terms: bytes = b""
    receipts: bytes = b""
    away_since: ArrivalTime | None = None
