"""Postman: carries the outbox to the broker, a window at a time, and hears what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_fusion.events import ArrivalTime, Outcome, Publication, Shed, ShedReason
from edge_fusion.mailbox import Acknowledged, Notice, Refused
from edge_fusion.outbox import Outbox

IN_FLIGHT = 100
"""Publications in the connection's hands; the rest waits in the outbox, where it is bounded."""


class Sender(Protocol):
    """A connection, as far as the postman needs one."""

    def publish(self, token: int, publication: Publication) -> bool: ...


class Postman:
    """Owned by the pipeline thread. `observe` counts what is lost, `delivered` gets latencies."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        *,
        observe: Callable[[Outcome], None],
        delivered: Callable[[float], None],
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._observe = observe
        self._delivered = delivered
        self._in_flight: set[int] = set()

    def __len__(self) -> int:
        """What the broker has not acknowledged yet."""
        return len(self._outbox)

    def post(self, publication: Publication) -> None:
        """Queue a publication; it goes out once it is kept."""
        if not self._outbox.add(publication):
            self._observe(Shed(None, ShedReason.OUTBOX_FULL))

    def hear(self, notice: Notice, now: ArrivalTime) -> None:
        """Take an acknowledgement or a refusal; other notices are none of its business."""
        match notice:
            case Acknowledged(token=token):
                publication = self._settle(token)
                if publication is not None and publication.window_end is not None:
                    self._delivered(now - publication.window_end)
            case Refused(token=token):
                if self._settle(token) is not None:
                    self._observe(Shed(None, ShedReason.REFUSED_BY_BROKER))
            case _:
                return

    def dispatch(self, *, even_unsaved: bool = False) -> None:
        """Send what may be sent; `even_unsaved`: what could not be kept too."""
        room = IN_FLIGHT - len(self._in_flight)
        for token, publication in self._outbox.next(room, even_unsaved=even_unsaved):
            self._in_flight.add(token)
            self._sender.publish(token, publication)

    def _settle(self, token: int) -> Publication | None:
        self._in_flight.discard(token)
        return self._outbox.settled(token)
