"""Sites: the assemblers of all sites, on one time line."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from edge_fusion.align.alignment import Alignment
from edge_fusion.align.assembler import SiteAssembler
from edge_fusion.align.census import Census
from edge_fusion.align.source import NO_LANE, Lane
from edge_fusion.align.windows import assigner
from edge_fusion.errors import SnapshotError
from edge_fusion.events import (
    ArrivalTime,
    CatchUp,
    CaughtUp,
    CutOff,
    Event,
    Frame,
    Input,
    Offline,
    Outcome,
    Quarantined,
    Reading,
    Shed,
    ShedReason,
    Sighting,
    Silence,
)

FORGOTTEN_AFTER = 86_400.0
"""Seconds of silence, and no less than `carry`, after which a device makes room for another."""

INFINITY = float("inf")
_DURATIONS_AND_BOUNDS = tuple(each.name for each in fields(Alignment) if each.name != "windows")
_FULL = frozenset({ShedReason.MAX_SITES, ShedReason.MAX_DEVICES})


@dataclass(slots=True)
class _Entry:
    """An assembler, and when it is next looked at: never after it is due."""

    assembler: SiteAssembler
    scheduled: float = INFINITY


class _Lanes(dict[tuple[str, str, str], Lane]):
    """Lanes by site, device and quantity; that of an unknown one takes nothing."""

    def __missing__(self, key: tuple[str, str, str]) -> Lane:
        return NO_LANE


class Sites:
    """Feeds each event to its site, and runs due timers of all sites in the order they were due.

    Bounded: events of a site past the first `max_sites`, or of a source past the first
    `max_devices` of all sites together, are shed; what is known goes on undisturbed, until it has
    been silent for so long that it makes room.
    """

    def __init__(self, alignment: Alignment, *, max_sites: int, max_devices: int) -> None:
        self._alignment = alignment
        self._max_sites = max_sites
        self._census = Census(max_devices)
        self._entries: dict[str, _Entry] = {}
        self._lanes = _Lanes()
        self._agenda: list[tuple[float, str]] = []
        self._due = INFINITY
        self._none_forgotten_before = -INFINITY
        self._forgotten: list[str] = []
        self.terms = _pack_terms(alignment, max_sites=max_sites, max_devices=max_devices)
        """What decides what becomes of events here, for `on_terms`."""
        self.held_since: ArrivalTime | None = None
        """When time began to stand still, if it does."""

    @classmethod
    def on_terms(cls, terms: bytes) -> Sites:
        """New sites that decide as those did that gave these `terms`. Raises SnapshotError."""
        try:
            given = json.loads(terms)
            alignment = Alignment(
                assigner(given["size"], given["every"]),
                *(given[name] for name in _DURATIONS_AND_BOUNDS),
            )
            return cls(alignment, max_sites=given["max_sites"], max_devices=given["max_devices"])
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"no terms: {error!r}") from None

    def __iter__(self) -> Iterator[SiteAssembler]:
        return (entry.assembler for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, site: str) -> bool:
        return site in self._entries

    def sightings(self) -> Iterator[Sighting]:
        """Each source of each site, as it was heard last; in order of site."""
        sites = (entry.assembler for _, entry in sorted(self._entries.items()))
        return (each for assembler in sites for each in assembler.sightings())

    def feed(self, events: Iterable[Input]) -> list[Outcome]:
        """Take events in order of arrival, each after everything that was due before it anywhere.

        Returns what came of them and of the time that went by: an event itself, as corrected, if
        it was admitted.
        """
        outcomes: list[Outcome] = []
        admit, lanes = outcomes.append, self._lanes
        for event in events:
            if event.arrival >= self._due:
                outcomes += self.advance(event.arrival)
            if type(event) is not Reading:
                outcomes += self._take(event)
                continue
            lane = lanes[event.site, event.device, event.quantity]
            if lane.takes(event):
                admit(event)
            elif lane.accepts(event):
                admit(event)
                if lane.source.latest >= lane.source.edge or lane.open.begun:
                    outcomes += self._follow(lane, event)
            else:
                outcomes += self._take(event)
        return outcomes

    def _follow(self, lane: Lane, reading: Reading) -> list[Outcome]:
        """What a reading that went a short way brings about beyond being admitted."""
        entry = self._entries[reading.site]
        panes = entry.assembler.pass_edge(lane.source, reading.arrival)
        lane.open.begun = False
        if panes or entry.assembler.due < entry.scheduled:
            self._schedule(entry)
        return panes

    def _take(self, event: Input) -> list[Outcome]:
        """The long way of an event."""
        match event:
            case Offline():
                return self._offline(event)
            case CatchUp(since=since):
                return self._hold(since)
            case CaughtUp(arrival=arrival):
                return self._release(arrival)
            case CutOff() | Silence():
                return []  # these are about alerts
            case _:
                return self._enter(event)

    def _enter(self, event: Event) -> list[Outcome]:
        outcomes = self._admit(event)
        if _is_full(outcomes[-1]) and self._make_room(event.arrival):
            outcomes = [*outcomes[:-1], *self._admit(event)]
        return outcomes

    def _admit(self, event: Event) -> list[Outcome]:
        entry = self._entries.get(event.site) or self._new_entry(event.site)
        if entry is None:
            return [Shed(event, ShedReason.MAX_SITES)]
        assembler = entry.assembler
        outcomes = assembler.advance(event.arrival) + assembler.take(event)
        self._schedule(entry)
        if assembler.is_forgotten:
            self._forget(event.site)
        if isinstance(event, Reading) and (lane := assembler.lane(event)) is not None:
            self._lanes[event.site, event.device, event.quantity] = lane
        return outcomes

    def _offline(self, notice: Offline) -> list[Outcome]:
        """A device is dead; one that was never heard of is none of ours."""
        entry = self._entries.get(notice.site)
        if entry is None:
            return []
        outcomes = entry.assembler.offline(notice)
        self._schedule(entry)
        return outcomes

    def _hold(self, since: ArrivalTime) -> list[Outcome]:
        self.held_since = since if self.held_since is None else self.held_since
        for entry in self._entries.values():
            entry.assembler.hold(self.held_since)
            entry.scheduled = INFINITY
        self._agenda.clear()
        self._due = INFINITY
        return []

    def _release(self, now: ArrivalTime) -> list[Outcome]:
        """Let time go on everywhere, or do nothing if it does.

        In order of name, as on the agenda: which site was known first must not show.
        """
        if self.held_since is None:
            return []
        self.held_since = None
        outcomes: list[Outcome] = []
        for _, entry in sorted(self._entries.items()):
            outcomes += entry.assembler.release(now)
            self._schedule(entry)
        return outcomes

    def wake(self) -> ArrivalTime | None:
        """When `advance` is to be called, or None; nothing is due earlier."""
        return ArrivalTime(self._due) if self._due < INFINITY else None

    def advance(self, now: ArrivalTime) -> list[Outcome]:
        """Run every timer due at `now` or before."""
        outcomes: list[Outcome] = []
        while self._due <= now:
            at, site = heapq.heappop(self._agenda)
            entry = self._entries[site]
            outcomes += entry.assembler.advance(ArrivalTime(at))
            entry.scheduled = INFINITY
            self._schedule(entry)
        return outcomes

    def restore(self, site: str, snapshot: bytes) -> None:
        """Take up the snapshot of a site that is not there yet. Raises SnapshotError.

        All that was restored together stands still, or nothing does.
        """
        assembler = SiteAssembler(site, self._alignment, self._census)
        assembler.restore(snapshot)
        self.held_since = assembler.held_since
        entry = self._entries[site] = _Entry(assembler)
        for (device, quantity), lane in assembler.lanes():
            self._lanes[site, device, quantity] = lane
        self._schedule(entry)

    def take_over(self, others: Sites) -> list[Outcome]:
        """Go on where others are, which then are done with; for new sites only.

        What is open there in windows of another size is fed anew. Returns what came of that, the
        admitted events aside, which have been counted.
        """
        if others.held_since is not None:
            self._hold(others.held_since)
        events: list[Event] = []
        for site in others:
            try:
                self.restore(site.site, site.snapshot())
            except SnapshotError:
                events += site.open_events()
        outcomes = self.feed(sorted(events, key=lambda event: event.arrival))
        return [each for each in outcomes if not isinstance(each, Reading | Frame | Quarantined)]

    def _make_room(self, now: ArrivalTime) -> bool:
        """Forget the long silent; False if there are none, as a look at all showed before."""
        if now < self._none_forgotten_before:
            return False
        silence = max(FORGOTTEN_AFTER, self._alignment.carry)
        before = ArrivalTime(now - silence)
        for site, entry in [*self._entries.items()]:
            for device, quantity in entry.assembler.forget(before):
                self._lanes.pop((site, device, quantity), None)
            if entry.assembler.is_forgotten:
                self._forget(site)
        self._none_forgotten_before = silence + min(
            (entry.assembler.longest_silent for entry in self._entries.values()), default=-INFINITY
        )
        return True

    def forgotten(self) -> list[str]:
        """Sites that were let go of since this was last asked, and have not come back."""
        gone = [site for site in self._forgotten if site not in self._entries]
        self._forgotten.clear()
        return gone

    def _forget(self, site: str) -> None:
        del self._entries[site]
        self._forgotten.append(site)

    def _new_entry(self, site: str) -> _Entry | None:
        if len(self._entries) >= self._max_sites:
            return None
        assembler = SiteAssembler(site, self._alignment, self._census)
        if self.held_since is not None:
            assembler.hold(self.held_since)
        entry = self._entries[site] = _Entry(assembler)
        return entry

    def _schedule(self, entry: _Entry) -> None:
        """Put a site on the agenda for when it is due; what else stands there for it is stale."""
        due = entry.assembler.due
        if due < entry.scheduled:
            entry.scheduled = due
            heapq.heappush(self._agenda, (due, entry.assembler.site))
        while self._agenda and self._is_stale(*self._agenda[0]):
            heapq.heappop(self._agenda)
        self._due = self._agenda[0][0] if self._agenda else INFINITY

    def _is_stale(self, at: float, site: str) -> bool:
        entry = self._entries.get(site)
        return entry is None or at != entry.scheduled


def _is_full(outcome: Outcome) -> bool:
    return isinstance(outcome, Shed) and outcome.reason in _FULL


def _pack_terms(alignment: Alignment, **bounds: int) -> bytes:
    hop = {"size": alignment.windows.size, "every": alignment.windows.every}
    rest = {name: getattr(alignment, name) for name in _DURATIONS_AND_BOUNDS}
    return json.dumps(bounds | hop | rest).encode()
