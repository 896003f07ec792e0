"""Keeper: what must outlive the program is kept before anybody relies on it.

Once a turn all that it changed is saved in one transaction; then, and only then, the broker is
told that it may forget what it delivered, and what is to be published goes out. A crash so falls
between two turns: what had not been acknowledged comes again, and what had not been published is
still to be.

When the disk takes nothing any more the work goes on in memory: nothing is acknowledged, alerts
go out all the same, and the whole state is saved as soon as there is room.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from edge_fusion.align.sites import Sites
from edge_fusion.codecs.journal import write_entries
from edge_fusion.errors import SnapshotError, StoreCorrupt, StoreError
from edge_fusion.events import (
    AlertChange,
    ArrivalTime,
    Delivery,
    Input,
    Outcome,
    Shed,
    ShedReason,
)
from edge_fusion.kept import Changes, Remembered, SavedTrack
from edge_fusion.mailbox import Notice
from edge_fusion.outbox import Outbox
from edge_fusion.receipts import Receipts
from edge_fusion.revival import revive
from edge_fusion.trouble import Trouble

log = logging.getLogger("edge_fusion.keeper")

SNAPSHOT_AFTER = 1000
"""Inputs of a site in the journal after which a snapshot takes their place."""

SNAPSHOTS_A_TURN = 4

LAZY = 1.0
"""Seconds for which word that the broker has something may wait to be kept: without it, it is only
sent again."""


class Storage(Protocol):
    """Where changes are kept (io/store.py)."""

    @property
    def durable(self) -> bool: ...
    def save(self, changes: Changes) -> None: ...
    def begin_anew(self) -> Path: ...


class Book(Protocol):
    """The alerts, as far as they are kept (alerts/book.py)."""

    def unsaved(self) -> list[tuple[str, str, bytes]]: ...
    def unsave(self) -> None: ...
    def restore(self, label: str, state: bytes, now: ArrivalTime) -> list[AlertChange]: ...


class Keeper:
    """Owned by the pipeline thread. `trouble` is told why nothing can be kept, or None again.

    `observe` counts what is lost.
    """

    def __init__(
        self,
        storage: Storage,
        sites: Sites,
        book: Book,
        outbox: Outbox,
        receipts: Receipts,
        *,
        trouble: Callable[[str | None], None],
        observe: Callable[[Outcome], None],
    ) -> None:
        self._storage = storage
        self._sites = sites
        self._book = book
        self._outbox = outbox
        self._receipts = receipts
        self._trouble = Trouble(trouble)
        self._observe = observe
        self._inputs: list[Input] = []
        self._journalled: Counter[str] = Counter()
        self._tracks: dict[tuple[str, str], SavedTrack] = {}
        self._forgotten: set[str] = set()
        self._all = False
        self._away_since: ArrivalTime | None = None
        self._saved_at = ArrivalTime(0.0)

    @property
    def in_trouble(self) -> bool:
        """Whether the last attempt to save failed."""
        return self._trouble.lasts

    def remember(
        self, remembered: Remembered, now: ArrivalTime
    ) -> tuple[list[Outcome], list[AlertChange]]:
        """Take up what was kept, into sites and a book that are new.

        Gives what came of windows if they are of another size now, and what to announce. What
        cannot be taken up is left with a line.
        """
        self._outbox.restore(remembered)
        self._receipts.restore(remembered.receipts)
        sites = revive(remembered, self._sites)
        outcomes = [] if sites is self._sites else self._sites.take_over(sites)
        changes: list[AlertChange] = []
        for site, label, state in sorted(remembered.tracks):
            try:
                changes += self._book.restore(label, state, now)
            except SnapshotError as error:
                about = {"site": site, "label": label}
                text = "%s/%s: what was kept cannot be used: %s"
                log.warning(text, site, label, error, extra=about)
        self.checkpoint()
        return outcomes, changes

    def replace(self, sites: Sites, book: Book) -> None:
        """Others have taken over from the sites and the book so far."""
        self._sites, self._book = sites, book
        self._journalled.clear()
        self._tracks.clear()
        self.checkpoint()

    def note(self, inputs: Sequence[Input]) -> None:
        """Inputs that are about to be fed."""
        if self._storage.durable and not self._all:
            self._inputs += inputs

    def forget(self, site: str) -> None:
        """Nothing of a site is to be kept any more."""
        if self._storage.durable:
            self._forgotten.add(site)
            self._journalled.pop(site, None)
            self._tracks = {key: track for key, track in self._tracks.items() if key[0] != site}

    def checkpoint(self) -> None:
        """Have the next save keep the whole state instead of what led to it."""
        self._inputs.clear()
        self._all = self._storage.durable
        self._book.unsave()

    def away(self, since: ArrivalTime | None) -> None:
        """Since when the broker holds back what comes for us, if it does."""
        self._away_since = since

    def hear(self, notice: Notice) -> None:
        """Take note of a connection; other notices mean nothing here."""
        self._receipts.hear(notice)

    def take(self, delivery: Delivery) -> bool:
        """Note a delivery; False if it had been taken before its acknowledgement was lost."""
        return self._receipts.take(delivery)

    def keep(self, deliveries: Sequence[Delivery], until: ArrivalTime) -> ArrivalTime | None:
        """Save what changed up to `until`, and acknowledge what came, now or once that works.

        Returns since when nothing could be acknowledged, if that has just come to an end.
        """
        self._receipts.owe(deliveries)
        self._collect_tracks()
        was_in_trouble = self.in_trouble
        if was_in_trouble and until < self._trouble.retry_at:
            return None
        changes = self._changes(until)
        self._inputs.clear()
        if changes is None or self._saved(changes):
            self._receipts.acknowledge()
        return self._trouble.since if was_in_trouble and not self.in_trouble else None

    def stop(self, until: ArrivalTime) -> None:
        """Keep the whole state, for a quick start; even if that failed a moment ago."""
        self.checkpoint()
        self._trouble.retry_at = until
        self.keep((), until)

    def _collect_tracks(self) -> None:
        if self._storage.durable:
            for site, label, state in self._book.unsaved():
                self._tracks[site, label] = SavedTrack(site, label, state)

    def _whole(self, until: ArrivalTime) -> Changes:
        """All there is to know."""
        self.checkpoint()
        self._collect_tracks()
        changes = self._changes(until)
        assert changes is not None
        return changes

    def _changes(self, until: ArrivalTime) -> Changes | None:
        """What there is to save, or None."""
        entries = write_entries(self._inputs)
        posted, delivered = self._outbox.unsaved(), self._outbox.delivered()
        due = until >= self._saved_at + LAZY
        urgent = self._all or self._outbox.damage is not None
        if not (entries or self._tracks or posted or urgent or (delivered and due)):
            return None
        self._journalled.update(entry.site for entry in entries)
        return Changes(
            until,
            entries,
            self._snapshots(),
            complete=self._all,
            tracks=list(self._tracks.values()),
            forgotten=sorted(self._forgotten),
            posted=posted,
            delivered=delivered,
            held_since=self._sites.held_since,
            away_since=self._away_since,
            terms=self._sites.terms,
            receipts=self._receipts.state(),
        )

    def _snapshots(self) -> dict[str, bytes]:
        if self._all:
            return {site.site: site.snapshot(all_frames=False) for site in self._sites}
        long = [s for s, count in self._journalled.most_common(SNAPSHOTS_A_TURN)
                if count >= SNAPSHOT_AFTER]  # fmt: skip
        return {
            site.site: site.snapshot(all_frames=False) for site in self._sites if site.site in long
        }

    def _saved(self, changes: Changes, *, anew: bool = False) -> bool:
        try:
            if not anew and self._outbox.damage is not None:
                raise self._outbox.damage
            self._storage.save(changes)
        except StoreCorrupt as error:
            if not anew and self._begun_anew(error):
                return self._saved(self._whole(changes.until), anew=True)
            self._fails(str(error), changes.until)
        except StoreError as error:
            self._fails(str(error), changes.until)
        else:
            self._works(changes)
        return not self.in_trouble

    def _works(self, changes: Changes) -> None:
        self._outbox.saved()
        self._tracks.clear()
        self._forgotten.clear()
        self._saved_at = changes.until
        for site in self._journalled if changes.complete else changes.snapshots:
            self._journalled[site] = 0
        self._all = False
        self._trouble.ends()

    def _fails(self, why: str, now: ArrivalTime) -> None:
        self._trouble.goes_on(why, now)
        self.checkpoint()

    def _begun_anew(self, error: StoreCorrupt) -> bool:
        """Whether there is a new file in place of the damaged one."""
        gone = self._outbox.lost()
        if gone:
            log.error("%d messages that were still to be published are lost with it", gone)
            self._observe(Shed(None, ShedReason.STORE_LOST, gone))
        try:
            aside = self._storage.begin_anew()
        except StoreError as other:
            log.error("%s", other)  # noqa: TRY400 - one line
            return False
        log.error("%s: begun anew, the old file is now %s", error, aside)
        return True
