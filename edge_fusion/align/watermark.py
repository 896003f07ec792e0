"""SiteWatermark: how far event time has come at one site.

watermark = max(itself, min over the site's active sources of
(largest admitted event time - max_out_of_orderness)): bounded out-of-orderness per source
(Akidau et al., "The Dataflow Model", VLDB 2015), then the minimum over the site, so that no
source is overtaken by a faster one. A source that was silent for `idle_timeout` of arrival time
is idle and does not count; nor does one that has been reported dead.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_fusion.events import ArrivalTime, EventTime

NEVER = EventTime(float("-inf"))


@dataclass(slots=True)
class _Source:
    latest: EventTime
    heard: ArrivalTime
    idle: bool = False


class SiteWatermark:
    """The watermark of one site. It never goes back."""

    def __init__(self, max_out_of_orderness: float, idle_timeout: float) -> None:
        self._slack = max_out_of_orderness
        self._idle_timeout = idle_timeout
        self._sources: dict[str, _Source] = {}
        self._value = NEVER

    @property
    def value(self) -> EventTime:
        return self._value

    def idle(self, now: ArrivalTime) -> int:
        """How many known sources are idle at `now`."""
        return sum(source.heard + self._idle_timeout <= now for source in self._sources.values())

    def observe(self, source: str, time: EventTime, arrival: ArrivalTime) -> None:
        """Take note of an admitted event; makes its source active."""
        known = self._sources.get(source)
        if known is None:
            self._sources[source] = _Source(time, arrival)
        else:
            known.latest = max(known.latest, time)
            known.heard = arrival
            known.idle = False
        self._advance()

    def next_idle(self) -> ArrivalTime | None:
        """When the next active source becomes idle, if nothing is heard of it."""
        heard = [source.heard for source in self._sources.values() if not source.idle]
        return ArrivalTime(min(heard) + self._idle_timeout) if heard else None

    def make_idle(self, now: ArrivalTime) -> None:
        """Make every source idle that has been silent for `idle_timeout` at `now`."""
        for source in self._sources.values():
            if source.heard + self._idle_timeout <= now:
                source.idle = True
        self._advance()

    def _advance(self) -> None:
        latest = [source.latest for source in self._sources.values() if not source.idle]
        if latest:
            self._value = EventTime(max(self._value, min(latest) - self._slack))
