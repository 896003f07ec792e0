"""Health: whether the daemon lives, whether it can do its work, and if not, why not.

The pages /healthz and /readyz say it, and `systemctl status`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from edge_fusion.events import ArrivalTime
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.io.web import Response, health_response
from edge_fusion.links import Links
from edge_fusion.pulse import Pulse

OK = "ok"


class Health:
    """Written by the pipeline thread, looked at by any.

    `unkept` is why the store fails, and `not_reloaded` why the configuration as it is now is not
    in use; None where all is well. A broker that is gone is no reason to restart the daemon, so
    `live` does not care.
    """

    def __init__(self, pulse: Pulse, links: Links, broker: str, model: OnnxModel) -> None:
        self._pulse = pulse
        self._links = links
        self._broker = broker
        self.model = model
        self.unkept: str | None = None
        self.not_reloaded: str | None = None

    def live(self) -> Response:
        """Whether the pipeline thread comes further."""
        detail = {"seconds_since_last_turn": round(self._pulse.age(), 1)}
        return health_response(not self._pulse.is_stuck(), detail)

    def ready(self) -> Response:
        """Whether all comes that is asked for, is judged and is kept; and what does not."""
        reasons, links, model = self.reasons(), self._links, self.model
        detail = {
            "reasons": reasons,
            "mqtt": links.connected,
            "refused_subscriptions": links.refused,
            "store": self.unkept or OK,
            "model": {
                "name": model.spec.name,
                "sha256": model.sha256,
                "provider": model.provider,
                "fallback": model.fallback,
            },
            "configuration": self.not_reloaded or OK,
        }
        return health_response(not reasons, detail)

    def reasons(self) -> list[str]:
        """Why it is not ready, a line each; none where it is.

        A configuration that was refused is none: the old one does the work.
        """
        troubles = sorted(self._links.troubles.items(), key=itemgetter(1))
        reasons = [
            f"mqtt {', '.join(sorted(name for name, _ in group))}: {self._broker}: {why}"
            for why, group in groupby(troubles, key=itemgetter(1))
        ]
        if self.unkept is not None:
            reasons.append(f"store: {self.unkept}")
        if self._pulse.is_stuck():
            reasons.append(f"pipeline: stuck for {self._pulse.age():.0f} s")
        return reasons


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is to do: sites known, alerts that fire, messages taken since the start."""

    at: ArrivalTime
    sites: int
    firing: int
    taken: int

    def line(self, before: Figures) -> str:
        """In words, with the rate since `before`."""
        seconds = max(self.at - before.at, 1e-9)
        rate = (self.taken - before.taken) / seconds
        alerts = "alert" if self.firing == 1 else "alerts"
        sites = "site" if self.sites == 1 else "sites"
        return f"{self.sites} {sites}, {rate:.3g} messages/s, {self.firing} {alerts} firing"
