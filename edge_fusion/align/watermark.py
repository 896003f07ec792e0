"""SiteWatermark: how far event time has come at one site.

watermark = max(itself, min over the site's active sources of
(largest admitted event time - max_out_of_orderness)): bounded out-of-orderness per source
(Akidau et al., "The Dataflow Model", VLDB 2015), then the minimum over the site, so that no
source is overtaken by a faster one.

Who does not count: a source that was silent for `idle_timeout` of arrival time, or was reported
dead, until it is heard again; and, at a site that knows any source with a sound clock, every
source whose clock is not, so that a wrong clock moves nobody else's windows.
"""

from __future__ import annotations

from operator import attrgetter

from edge_fusion.align.source import BEYOND, NEVER, Source
from edge_fusion.align.windows import index_of
from edge_fusion.events import ArrivalTime, EventTime

INFINITY = float("inf")

_LATEST = attrgetter("latest")

_HAIR = 1e-6
"""Seconds. An edge lies this much before the instant at which it matters, since that is found by
adding and compared by subtracting; event times of our days are multiples of a quarter of it."""


class SiteWatermark:
    """The watermark of one site. It never goes back.

    Nothing depends on where it is between the ends of two slices of `every` seconds, and it can't
    pass one before the source that is furthest behind does. So only that one is watched, by its
    edge; when it comes past, another takes its place, or the slice has been passed. (Watched
    literals, of SAT solvers: M. Moskewicz et al., "Chaff", DAC 2001.)
    """

    def __init__(self, max_out_of_orderness: float, idle_timeout: float, every: float) -> None:
        self._slack = max_out_of_orderness
        self._idle_timeout = idle_timeout
        self._every = every
        self._sources: list[Source] = []
        self._value = NEVER
        self._any_sound = False
        self._counting: list[Source] = []
        self._watched: Source | None = None
        self._edge = NEVER
        self.passed = 0
        """All slices below have ended at the watermark or before it."""

    @property
    def value(self) -> EventTime:
        return max(self._value, self._reached())

    def idle(self, now: ArrivalTime) -> int:
        """How many known sources are idle at `now`."""
        return sum(
            source.idle or source.heard + self._idle_timeout <= now for source in self._sources
        )

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def remove(self, source: Source) -> None:
        """Forget a source that is idle."""
        self._sources.remove(source)
        self._settle()

    def observe(self, source: Source, time: EventTime, arrival: ArrivalTime) -> bool:
        """Take note of an admitted event, after which its source is active.

        True if that carried the watermark past the end of a slice.
        """
        passed = self.passed
        source.heard = arrival
        sound = source.clock.trusted
        if source.idle or sound != source.sound:
            self._settle()
            source.idle, source.sound = False, sound
            source.latest = max(source.latest, time)
            source.move_edge(BEYOND)
            self._settle()
        source.latest = max(source.latest, time)
        if source.latest >= source.edge:
            self.crossed()
        return self.passed > passed

    def crossed(self) -> bool:
        """Go on from a watched source past its edge; True if the watermark passed a slice."""
        for behind in self._counting:
            if behind.latest < self._edge:
                self._watch(behind, self._edge)
                return False
        passed = self.passed
        self._settle()
        return self.passed > passed

    def next_idle(self) -> float:
        """When the next active source becomes idle if nothing is heard of it; else infinity."""
        heard = [source.heard for source in self._sources if not source.idle]
        return min(heard) + self._idle_timeout if heard else INFINITY

    def make_idle(self, now: ArrivalTime) -> None:
        """Make every source idle that has been silent for `idle_timeout` at `now`."""
        for source in self._sources:
            if not source.idle and source.heard + self._idle_timeout <= now:
                self.retire(source)

    def retire(self, source: Source) -> None:
        """Make a source idle at once."""
        self._settle()
        source.idle = True
        source.move_edge(NEVER)
        self._settle()

    def restore(self, value: EventTime) -> None:
        """Go on from a `value`, after the sources were added as they were."""
        self._value = value
        if value > NEVER:
            self.passed = index_of(value, self._every)
        self._settle()

    def _settle(self) -> None:
        """Hold on to what was reached, before and after who counts may change; watch the last."""
        self._any_sound = any(source.sound for source in self._sources)
        self._counting = [source for source in self._sources if self._counts(source)]
        last = min(self._counting, key=_LATEST, default=None)
        if last is not None and last.latest - self._slack > self._value:
            self._value = EventTime(last.latest - self._slack)
            self.passed = index_of(self._value, self._every)
        self._edge = EventTime((self.passed + 1) * self._every + self._slack - _HAIR)
        self._watch(last, self._edge)

    def _watch(self, source: Source | None, edge: EventTime) -> None:
        if self._watched is not None and not self._watched.idle:
            self._watched.move_edge(BEYOND)
        self._watched = source
        if source is not None:
            source.move_edge(edge)

    def _reached(self) -> EventTime:
        """The least advance of the sources that count, less the slack."""
        latest = [source.latest for source in self._sources if self._counts(source)]
        return EventTime(min(latest) - self._slack) if latest else NEVER

    def _counts(self, source: Source) -> bool:
        return not source.idle and (source.sound or not self._any_sound)
