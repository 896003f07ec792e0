"""What the live page shows, as one frozen value that threads share; it is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_fusion.align.roster import Known
from edge_fusion.events import Alert, ArrivalTime, EventTime, Frame, Reading

BEFORE = ArrivalTime(0.0)
"""Before anything came."""

Trace = tuple[float | None, ...]
"""Values of one quantity of a site, oldest first, `STEP` seconds apart; None: nobody knew."""


@dataclass(frozen=True, slots=True)
class ScoreView:
    """The highest score of a label in the newest window of a site, and the camera that has it."""

    score: float
    camera: str | None


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as it was last announced, without its frames, and the one it rests on."""

    alert: Alert
    picture: Frame | None


@dataclass(frozen=True, slots=True, eq=False)
class SiteView:
    """One site. `version` grows with every change of any site; `values` are those of all devices.

    readings: by device and quantity, the newest of each; frames: by camera; alerts: by label.
    """

    site: str
    version: int
    values: Mapping[str, float | None]
    known: tuple[Known, ...]
    readings: Mapping[tuple[str, str], Reading]
    frames: Mapping[str, Frame]
    scores: Mapping[str, ScoreView]
    window_end: EventTime | None
    alerts: Mapping[str, AlertView]

    @property
    def heard(self) -> ArrivalTime | None:
        """When anything of the site last arrived."""
        return max((known.heard for known in self.known), default=None)


@dataclass(frozen=True, slots=True)
class Silence:
    """An alert that nobody is told of until then."""

    site: str
    label: str
    until: ArrivalTime


@dataclass(frozen=True, slots=True)
class BoxView:
    """How the box itself is. connected: by connection; trouble: why nothing can be kept."""

    connected: Mapping[str, bool] = field(default_factory=dict)
    trouble: str | None = None
    catching_up: bool = False
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the page shows at one instant. traces: by site and quantity, up to `traced_to`."""

    now: ArrivalTime = BEFORE
    version: int = 0
    box: BoxView = BoxView()
    sites: Mapping[str, SiteView] = field(default_factory=dict)
    traces: Mapping[str, Mapping[str, Trace]] = field(default_factory=dict)
    traced_to: ArrivalTime = BEFORE
