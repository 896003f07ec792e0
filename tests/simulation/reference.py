"""A box without any trouble: given the inputs of an epoch, what it publishes."""

from __future__ import annotations

from dataclasses import replace

from simulation.ledger import Epoch, Fed, Reloaded, Restarted
from simulation.line import stages

from edge_fusion.absence import Absence
from edge_fusion.events import AlertChange, CatchUp, Outcome, Publication, Scores
from edge_fusion.pipeline import Pipeline
from edge_fusion.reload import carry_over
from edge_fusion.stages import Stages


class _Deaf:
    """An observer that counts nothing."""

    def observe(self, outcome: Outcome) -> None: ...
    def scored(self, scores: Scores) -> None: ...
    def alert_changed(self, change: AlertChange) -> None: ...


class _Backlog(Absence):
    """What the pipeline asks of an absence at a reload."""

    backlog: tuple[CatchUp, ...] = ()

    @property
    def catching_up(self) -> bool:
        return bool(self.backlog)

    def repeated(self) -> list[CatchUp]:
        return list(self.backlog)


def _lose_pictures(parts: Stages) -> None:
    """All that a restart costs: pictures that nobody promised to keep."""
    for site in parts.sites:
        site.drop_fleeting()


def retold(epoch: Epoch) -> list[Publication]:
    """All that is published by the inputs of an epoch."""
    published: list[Publication] = []
    absence = _Backlog("", "", "")
    parts = stages(epoch.begun_with)
    running = epoch.begun_with
    pipeline = Pipeline(parts, _Deaf(), published.append, revision_epsilon=-1.0, absence=absence)
    restarted = False
    for entry in epoch.entries:
        match entry:
            case Fed(inputs=inputs, until=until):
                pipeline.feed(inputs, until)
                if not restarted:  # what is fed first after a restart is no turn
                    pipeline._forget()
                restarted = False
            case (
                Restarted(configuration=configuration, now=now)
                | Reloaded(configuration=configuration, now=now)
            ):
                restarted = isinstance(entry, Restarted)
                if isinstance(entry, Reloaded):
                    absence.backlog = entry.backlog
                else:
                    _lose_pictures(parts)
                    since = parts.sites.held_since
                    absence.backlog = () if since is None else (CatchUp(since, since),)
                    if configuration == running:
                        continue
                old, parts, running = parts, stages(configuration), configuration
                pipeline.go_on_with(parts, *carry_over(old, parts, now), now)
            case _:
                pass
    return [replace(publication, telemetry=False) for publication in published]
