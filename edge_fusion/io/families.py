"""Families of metrics, made in one registry and looked up fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX: Final = "edge_fusion"

M = TypeVar("M", Counter, Gauge, Histogram)


class Family(Generic[M]):
    """A metric whose children are looked up once: `labels()` takes a lock and is slow."""

    def __init__(self, metric: M, labels: tuple[str, ...] = ()) -> None:
        self._metric: M = metric
        self._labels = labels
        self._children: dict[tuple[str, ...], M] = {}

    def __call__(self, *labels: str) -> M:
        child = self._children.get(labels)
        if child is None:
            child = self._metric.labels(*labels) if labels else self._metric
            self._children[labels] = child
        return child

    def forget(self, named: Mapping[str, str]) -> None:
        """Let go of the series that have these labels; none where the family lacks one of them."""
        if not named.keys() <= set(self._labels):
            return
        wanted = [(self._labels.index(label), value) for label, value in named.items()]
        for labels in list(self._children):
            if all(labels[at] == value for at, value in wanted):
                self.drop(*labels)

    def drop(self, *labels: str) -> None:
        """Let go of one series, if it is there."""
        if self._children.pop(labels, None) is not None:
            self._metric.remove(*labels)


class Fading:
    """Gauges of what was last measured, that show nothing rather than what is no longer true."""

    def __init__(self, gauges: Family[Gauge]) -> None:
        self._gauges = gauges
        self._shown: dict[tuple[str, ...], float] = {}

    def show(self, value: float, at: float, *labels: str) -> None:
        """Show a value of time `at`."""
        self._shown[labels] = at
        self._gauges(*labels).set(value)

    def fade(self, before: float) -> None:
        """Let go of values older than `before`."""
        for labels in [labels for labels, at in self._shown.items() if at < before]:
            del self._shown[labels]
            self._gauges.drop(*labels)


class Factory:
    """Makes the families of one registry, and has them forget."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._families: list[Family[Counter] | Family[Gauge] | Family[Histogram]] = []

    def counter(self, name: str, help_: str, *labels: str) -> Family[Counter]:
        metric = Counter(f"{PREFIX}_{name}", help_, labels, registry=self._registry)
        return self._keep(Family(metric, labels))

    def gauge(self, name: str, help_: str, *labels: str) -> Family[Gauge]:
        metric = Gauge(f"{PREFIX}_{name}", help_, labels, registry=self._registry)
        return self._keep(Family(metric, labels))

    def histogram(
        self, name: str, help_: str, buckets: tuple[float, ...], *labels: str
    ) -> Family[Histogram]:
        metric = Histogram(
            f"{PREFIX}_{name}", help_, labels, buckets=buckets, registry=self._registry
        )
        return self._keep(Family(metric, labels))

    def forget(self, **named: str) -> None:
        """Let go of every series that has these labels, in whichever family."""
        for family in self._families:
            family.forget(named)

    def _keep(self, family: Family[M]) -> Family[M]:
        self._families.append(family)
        return family


class Admission:
    """The first `limit` names asked for are let in, and others as those make room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: set[str | tuple[str, str]] = set()

    def admits(self, name: str | tuple[str, str]) -> bool:
        if name in self._names:
            return True
        if len(self._names) >= self._limit:
            return False
        self._names.add(name)
        return True

    def release(self, name: str | tuple[str, str]) -> None:
        """Make room."""
        self._names.discard(name)
