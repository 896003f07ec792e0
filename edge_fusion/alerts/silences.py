"""Silences: which labels of which sites are to be quiet, and until when.

It also counts, of each alert that was silenced while it fired, the changes that consumers were
told and the alert itself knows nothing of: what they are told next must go on from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from edge_fusion.errors import SnapshotError
from edge_fusion.events import Alert, ArrivalTime, Silenced

VERSION = 1
ROW = "*"
"""What stands in the place of a label where silences of a site are kept; no label is called so."""

Key = tuple[str, str]
T = TypeVar("T")


class Beside(NamedTuple):
    """How many changes there were, and when the last one was."""

    changes: int
    at: ArrivalTime

    def joined(self, alert: Alert) -> Alert:
        """The alert as consumers are told of it."""
        sequence, at = alert.sequence + self.changes, max(alert.updated_at, self.at)
        return replace(alert, sequence=sequence, updated_at=at)

    def parted(self, alert: Alert) -> Alert:
        """The alert itself, of which consumers were told."""
        return replace(alert, sequence=alert.sequence - self.changes)


NOTHING = Beside(0, ArrivalTime(float("-inf")))


class Silences:
    """By site and label. Of no more than `max_sites` sites."""

    def __init__(self, max_sites: int = 256) -> None:
        self._max_sites = max_sites
        self._until: dict[Key, ArrivalTime] = {}
        self._told: dict[Key, Beside] = {}

    def cover(self, key: Key) -> bool:
        """Whether that label of that site is silenced."""
        return key in self._until

    def of(self, site: str) -> tuple[Silenced, ...]:
        """What is silenced at a site, in order of label."""
        return tuple(each for each in self.all() if each.site == site)

    def all(self) -> tuple[Silenced, ...]:
        """All that is silenced, in order of site and label."""
        return tuple(Silenced(*key, until) for key, until in sorted(self._until.items()))

    def has_room_for(self, site: str) -> bool:
        sites = {known for known, _ in self._until}
        return site in sites or len(sites) < self._max_sites

    def begin(self, key: Key, until: ArrivalTime) -> None:
        self._until[key] = until

    def end(self, key: Key) -> None:
        self._until.pop(key, None)

    def wake(self) -> ArrivalTime | None:
        """When the next silence ends, or None."""
        return min(self._until.values(), default=None)

    def due(self, now: ArrivalTime) -> list[Key]:
        """What is over at `now`, in order of site and label."""
        return sorted(key for key, until in self._until.items() if until <= now)

    def told(self, key: Key) -> Beside:
        """What consumers were told beside the changes of the alert itself."""
        return self._told.get(key, NOTHING)

    def tell(self, key: Key, at: ArrivalTime) -> None:
        """Count one change more."""
        self._told[key] = Beside(self.told(key).changes + 1, at)

    def forget(self, key: Key) -> bool:
        """The alert is over; True if that changes anything."""
        return self._told.pop(key, None) is not None

    def pack(self, site: str) -> bytes:
        """The bytes from which `unpack` takes up the silences of a site."""
        document = {
            "version": VERSION,
            "site": site,
            "until": _of(site, self._until.items()),
            "told": _of(site, self._told.items()),
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def unpack(self, data: bytes) -> None:
        """Take up what was packed. Raises SnapshotError if these are no bytes of this version."""
        try:
            state = json.loads(data)
            if state["version"] != VERSION:
                raise SnapshotError(f"silences of version {state['version']}, expected {VERSION}")
            site = str(state["site"])
            until = {(site, label): ArrivalTime(float(t)) for label, t in state["until"].items()}
            told = {(site, label): Beside(*each) for label, each in state["told"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SnapshotError(f"no silences: {error!r}") from None
        self._until.update(until)
        self._told.update(told)

    def sites(self) -> set[str]:
        """Those of which there is anything to keep."""
        return {site for site, _ in (*self._until, *self._told)}


def _of(site: str, items: Iterable[tuple[Key, T]]) -> dict[str, T]:
    return {label: value for (own, label), value in sorted(items) if own == site}
