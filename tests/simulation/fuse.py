"""Where a box may die: a fuse that is set to burn through at one of these points."""

from __future__ import annotations

from enum import Enum


class Point(Enum):
    """A step between two of which a box may lose power."""

    OPENED = "after the store was opened"
    REMEMBERED = "after what was kept was taken up"
    INFERRING = "in the middle of a turn"
    BEFORE_COMMIT = "before the transaction"
    AFTER_COMMIT = "after the transaction, before any acknowledgement"
    ACKNOWLEDGING = "between acknowledgements"
    TURNED = "after a turn, before anything was sent"
    SENDING = "between publications"
    CARRIED_OVER = "in the middle of a reload"
    STOPPING = "while stopping"


class PowerCut(BaseException):
    """The box is gone, in the middle of whatever it did."""


class Fuse:
    """`burn` is called at every point; it raises PowerCut when the armed one comes up."""

    def __init__(self) -> None:
        self._point: Point | None = None
        self._left = 0

    def arm(self, point: Point, passes: int) -> None:
        """Burn through at a point when it has been passed so many times."""
        self._point, self._left = point, passes

    def burn(self, point: Point) -> None:
        if point is not self._point:
            return
        self._left -= 1
        if self._left < 0:
            self._point = None
            raise PowerCut(point.value)
