"""Sites: the assemblers of all sites, on one time line."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from edge_fusion.align.assembler import Alignment, SiteAssembler
from edge_fusion.events import ArrivalTime, Event, Outcome, Shed, ShedReason


class Sites:
    """Feeds each event to its site, and runs due timers of all sites in the order they were due.

    Bounded: events of a site past the first `max_sites`, or of a source past the first
    `max_devices` of all sites together, are shed; what is known goes on undisturbed.
    """

    def __init__(self, alignment: Alignment, *, max_sites: int, max_devices: int) -> None:
        self._alignment = alignment
        self._max_sites = max_sites
        self._max_devices = max_devices
        self._devices = 0
        self._assemblers: dict[str, SiteAssembler] = {}
        # Entries go stale when a site's wake moves; they are dropped when they come up.
        self._due: list[tuple[ArrivalTime, str]] = []
        self._wakes: dict[str, ArrivalTime | None] = {}

    def __iter__(self) -> Iterator[SiteAssembler]:
        return iter(self._assemblers.values())

    def __len__(self) -> int:
        return len(self._assemblers)

    def feed(self, event: Event) -> list[Outcome]:
        """Take one event, after everything that was due before it at any site."""
        outcomes = self.advance(event.arrival)
        assembler = self._assemblers.get(event.site)
        if assembler is None:
            if len(self._assemblers) >= self._max_sites:
                return [*outcomes, Shed(event, ShedReason.MAX_SITES)]
            assembler = SiteAssembler(event.site, self._alignment)
        if not assembler.knows(event):
            if self._devices >= self._max_devices:
                return [*outcomes, Shed(event, ShedReason.MAX_DEVICES)]
            self._devices += 1
        self._assemblers[event.site] = assembler
        outcomes += assembler.feed(event)
        self._schedule(assembler)
        return outcomes

    def wake(self) -> ArrivalTime | None:
        """When the next timer of any site is due, or None."""
        while self._due and self._wakes.get(self._due[0][1]) != self._due[0][0]:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def advance(self, now: ArrivalTime) -> list[Outcome]:
        """Run every timer due at `now` or before."""
        outcomes: list[Outcome] = []
        while (due := self.wake()) is not None and due <= now:
            _, site = heapq.heappop(self._due)
            self._wakes[site] = None
            assembler = self._assemblers[site]
            outcomes += assembler.advance(due)
            self._schedule(assembler)
        return outcomes

    def _schedule(self, assembler: SiteAssembler) -> None:
        due = assembler.wake()
        if due != self._wakes.get(assembler.site):
            self._wakes[assembler.site] = due
            if due is not None:
                heapq.heappush(self._due, (due, assembler.site))
