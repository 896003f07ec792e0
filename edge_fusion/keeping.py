"""What the pipeline asks of a keeper, and one for where nothing need outlive the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_fusion.align.sites import Sites
from edge_fusion.events import AlertChange, ArrivalTime, Delivery, Input, Outcome
from edge_fusion.keeper import Book as KeptBook
from edge_fusion.kept import Remembered
from edge_fusion.mailbox import Notice


class Keeper(Protocol):
    """Sees to it that what a turn changed outlives the program (keeper.py)."""

    def remember(
        self, remembered: Remembered, now: ArrivalTime
    ) -> tuple[list[Outcome], list[AlertChange]]: ...
    def note(self, inputs: Sequence[Input]) -> None: ...
    def forget(self, site: str) -> None: ...
    def checkpoint(self) -> None: ...
    def replace(self, sites: Sites, book: KeptBook) -> None: ...
    def keep(self, deliveries: Sequence[Delivery], until: ArrivalTime) -> ArrivalTime | None: ...
    def hear(self, notice: Notice) -> None: ...
    def take(self, delivery: Delivery) -> bool: ...
    def stop(self, until: ArrivalTime) -> None: ...


class NothingKept:
    """Keeps nothing: what came is done with."""

    def remember(
        self, _remembered: Remembered, _now: ArrivalTime
    ) -> tuple[list[Outcome], list[AlertChange]]:
        return [], []

    def note(self, inputs: Sequence[Input]) -> None: ...
    def forget(self, site: str) -> None: ...
    def checkpoint(self) -> None: ...
    def replace(self, sites: Sites, book: KeptBook) -> None: ...

    def keep(self, deliveries: Sequence[Delivery], _until: ArrivalTime) -> ArrivalTime | None:
        for delivery in deliveries:
            delivery.ack()
        return None

    def hear(self, notice: Notice) -> None: ...

    def take(self, _delivery: Delivery) -> bool:
        return True

    def stop(self, until: ArrivalTime) -> None: ...
