"""Families of metrics, made in one registry and looked up fast."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX: Final = "edge_fusion"

M = TypeVar("M", Counter, Gauge, Histogram)


class Family(Generic[M]):
    """A metric whose children are looked up once: `labels()` takes a lock and is slow."""

    def __init__(self, metric: M) -> None:
        self._metric: M = metric
        self._children: dict[tuple[str, ...], M] = {}

    def __call__(self, *labels: str) -> M:
        child = self._children.get(labels)
        if child is None:
            child = self._metric.labels(*labels) if labels else self._metric
            self._children[labels] = child
        return child


class Factory:
    """Makes the families of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, help_: str, *labels: str) -> Family[Counter]:
        return Family(Counter(f"{PREFIX}_{name}", help_, labels, registry=self._registry))

    def gauge(self, name: str, help_: str, *labels: str) -> Family[Gauge]:
        return Family(Gauge(f"{PREFIX}_{name}", help_, labels, registry=self._registry))

    def histogram(
        self, name: str, help_: str, buckets: tuple[float, ...], *labels: str
    ) -> Family[Histogram]:
        name = f"{PREFIX}_{name}"
        return Family(Histogram(name, help_, labels, buckets=buckets, registry=self._registry))


class Admission:
    """The first `limit` names asked for are let in, and no other ever."""

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
