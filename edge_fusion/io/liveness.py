"""Whether pictures are of now, and which of them are wanted: decisions, without a camera."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from edge_fusion.events import ArrivalTime

_AT_PACE: Final = 0.8
_CREEP: Final = 1e-3
_TOLERANCE: Final = 1.0
_PATIENCE: Final = 5.0
_REMEMBERED: Final = 256
_EARLY: Final = 0.25


class Backlog:
    """Tells pictures that have waited from those that came as they were taken.

    A stream says of each picture where in the stream it stands. What was held back, because the
    stream had to be recognised first, because the network stalled or because we were kept from
    reading, comes faster than it was taken. So after the opening nothing counts until one picture
    comes at the pace of the stream; from then on the smallest difference seen between arrival and
    position is that of the fastest way, and a picture is old when its own is larger by a second.
    The smallest difference creeps up by 1 ms a second, since a camera's clock may be that slow.
    """

    def __init__(self) -> None:
        self._last: tuple[ArrivalTime, float] | None = None
        self._opened: ArrivalTime | None = None
        self._least: float | None = None
        self._behind_since: ArrivalTime | None = None

    def is_old(self, arrival: ArrivalTime, position: float) -> bool:
        """Whether the picture at `position` seconds of the stream, which came now, has waited."""
        old = self._has_waited(arrival, position)
        self._last = (arrival, position)
        if not old:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = arrival
        return old

    def is_stuck(self, arrival: ArrivalTime) -> bool:
        """Whether there has been nothing but old pictures for 5 s.

        What was merely held back is read in less. So the stream comes slower than it is taken, and
        only opening it anew skips what waits.
        """
        return self._behind_since is not None and arrival - self._behind_since > _PATIENCE

    def _has_waited(self, arrival: ArrivalTime, position: float) -> bool:
        if self._last is None:
            self._opened = arrival
            return True
        gap, taken = arrival - self._last[0], position - self._last[1]
        if taken < 0:  # the stream counts anew, as some do once they have been recognised
            self._least = None
            return True
        if taken == 0:
            return self._least is None and not self._is_without_times(arrival)
        lag = arrival - position
        if self._least is None:
            if gap < _AT_PACE * taken:
                return True
            self._least = lag
        self._least = min(self._least + gap * _CREEP, lag)
        return lag > self._least + _TOLERANCE

    def _is_without_times(self, arrival: ArrivalTime) -> bool:
        """A stream that never says where it stands is taken as it comes."""
        return self._opened is not None and arrival - self._opened > _PATIENCE / 2


class Stillness:
    """Recognises a camera that goes on sending although it has stopped looking.

    A living camera never takes the same picture twice: its sensor has noise. One that hangs sends
    one picture, or the few of one loop, for ever. Only pictures that are the same to the bit count:
    a quiet scene changes by less than an encoder changes a picture that it is given again and
    again, and better miss a hanging camera than take a quiet one for that.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._news = ArrivalTime(0.0)

    def is_frozen(self, image: bytes, now: ArrivalTime, *, blank: bool) -> bool:
        """Whether there has been no new picture for `patience` seconds, this one included.

        A blank one, as of a dark room or of a covered lens, proves nothing and counts as new.
        """
        key = hash(image)
        if blank or key not in self._seen:
            self._news = now
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return now - self._news >= self._patience


class Pace:
    """Chooses `fps` pictures a second, evenly, out of however many come."""

    def __init__(self, fps: float) -> None:
        self.period = 1 / fps
        self._due = ArrivalTime(float("-inf"))

    def is_due(self, arrival: ArrivalTime) -> bool:
        """Whether a picture that came now is wanted; a yes is taken for its being used."""
        late = arrival - self._due
        # A camera of just this pace is early now and then, and must not lose every other picture.
        if late < -_EARLY * self.period:
            return False
        self._due = ArrivalTime((self._due if late < self.period else arrival) + self.period)
        return True
