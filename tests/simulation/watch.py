"""What must hold of the box after every turn: watermarks only rise, and all it holds has bounds."""

from __future__ import annotations

from simulation.box import Box
from simulation.broker import IN_FLIGHT

from edge_fusion import outbox
from edge_fusion.align.assembler import RETAINED_SLICES

SESSIONS = 8
"""What of so many may wait in the mailbox at a time, where a box stands still for a while."""


class Watch:
    """Remembers how far each site had come when that was last kept."""

    def __init__(self) -> None:
        self._kept: dict[str, float] = {}
        self._reached: dict[str, float] = {}
        self._hop = (0.0, 0.0)
        self._epochs = 0

    def look(self, box: Box) -> None:
        """Raises AssertionError."""
        self._watermarks_rise(box)
        self._all_is_bounded(box)

    def box_gone(self, box: Box) -> None:
        """The next one goes on from what was kept."""
        self._begin_anew_with_other_windows(box)
        self._reached = dict(self._kept)

    def _watermarks_rise(self, box: Box) -> None:
        self._begin_anew_with_other_windows(box)
        for site in box.stages.sites:
            before = self._reached.get(site.site, float("-inf"))
            assert site.watermark >= before, f"the watermark of {site.site} went back"
            self._reached[site.site] = site.watermark
        if box.ledger.all_is_kept:
            self._kept = dict(self._reached)

    def _begin_anew_with_other_windows(self, box: Box) -> None:
        """Or with another store."""
        hop, epochs = (box.configuration.size, box.configuration.every), len(box.ledger.epochs)
        if (hop, epochs) != (self._hop, self._epochs):
            self._kept, self._reached = {}, {}
        self._hop, self._epochs = hop, epochs

    def _all_is_bounded(self, box: Box) -> None:
        assert len(box.receipts) <= SESSIONS * IN_FLIGHT, "too many acknowledgements are owed"
        assert len(box.outbox) <= box.configuration.max_outbox
        assert len(box.outbox._waiting) <= outbox.IN_MEMORY
        for site in box.stages.sites:
            assert len(site._shelf) <= 2 * RETAINED_SLICES
            assert all(each.room >= 0 for each in site._shelf)
