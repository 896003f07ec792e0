"""The law of alerts: what a score says to an alert, and where that takes it.

An alert is *inactive* until a window is high, *pending* while high windows follow each other, and
*firing* once `for_windows` of them did. From then on it holds: a score between `clear` and
`threshold` keeps it (hysteresis), one below `clear` starts a timer of `keep_firing` seconds that
the next score at or above `clear` stops, and only the end of that timer resolves it. A resolved
alert is inactive again.

::

                    HIGH                          HELD
      +----------+ ------------> +---------+ ------------> +--------+
      | inactive |               | pending |               | firing | --+ HIGH, HELD, BETWEEN,
      +----------+ <------------ +---------+               +--------+ <-+ LOW (the timer runs)
        |   ^  ^    BETWEEN, LOW                            |   ^
        |   |  +--------------------------------------------+   |
        |   |                EXPIRED (resolved)                 |
        +---|-- HELD (where one high window is enough) ---------+
            +-- BETWEEN, LOW, EXPIRED: nothing to end

HIGH     score >= threshold, but not yet for `for_windows` windows in a row
HELD     score >= threshold for `for_windows` windows in a row, or more
BETWEEN  clear <= score < threshold
LOW      score < clear, or the site has fallen silent
EXPIRED  nothing at or above `clear` for `keep_firing` seconds
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge_fusion.events import AlertState, Severity, Signal

_INACTIVE, _PENDING, _FIRING = AlertState.INACTIVE, AlertState.PENDING, AlertState.FIRING

TRANSITIONS: Mapping[tuple[AlertState, Signal], AlertState] = MappingProxyType(
    {
        (_INACTIVE, Signal.HIGH): _PENDING,
        (_INACTIVE, Signal.HELD): _FIRING,
        (_INACTIVE, Signal.BETWEEN): _INACTIVE,
        (_INACTIVE, Signal.LOW): _INACTIVE,
        (_INACTIVE, Signal.EXPIRED): _INACTIVE,
        (_PENDING, Signal.HIGH): _PENDING,
        (_PENDING, Signal.HELD): _FIRING,
        (_PENDING, Signal.BETWEEN): _INACTIVE,
        (_PENDING, Signal.LOW): _INACTIVE,
        (_PENDING, Signal.EXPIRED): _INACTIVE,
        (_FIRING, Signal.HIGH): _FIRING,
        (_FIRING, Signal.HELD): _FIRING,
        (_FIRING, Signal.BETWEEN): _FIRING,
        (_FIRING, Signal.LOW): _FIRING,
        (_FIRING, Signal.EXPIRED): _INACTIVE,
    }
)
"""The whole lifecycle, total over states and signals."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When one label of the model alerts.

    A site fires when its score has been at or above `threshold` for `for_windows` windows in a
    row, and is resolved when nothing at or above `clear` has come for `keep_firing` seconds.
    Raises ValueError unless 0 < clear <= threshold <= 1, for_windows >= 1 and keep_firing >= 0.
    """

    label: str
    threshold: float
    clear: float
    for_windows: int
    keep_firing: float
    severity: Severity

    def __post_init__(self) -> None:
        if not 0 < self.clear <= self.threshold <= 1:
            raise ValueError(
                f"{self.label}: clear is {self.clear} and threshold {self.threshold}: "
                "expected 0 < clear <= threshold <= 1"
            )
        if self.for_windows < 1:
            raise ValueError(f"{self.label}: for is {self.for_windows}: expected at least 1 window")
        if not 0 <= self.keep_firing < float("inf"):
            raise ValueError(
                f"{self.label}: keep_firing is {self.keep_firing}: expected 0 seconds or more"
            )

    def signal(self, score: float, run: int) -> Signal:
        """What a window's score says, `run` being the high windows in a row up to this one."""
        if score >= self.threshold:
            return Signal.HELD if run >= self.for_windows else Signal.HIGH
        return Signal.BETWEEN if score >= self.clear else Signal.LOW
