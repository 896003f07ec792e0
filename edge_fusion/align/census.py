"""Census: how many devices and cameras all sites together may have."""

from __future__ import annotations


class Census:
    """Counts sources up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    def admit(self, count: int = 1) -> bool:
        """Count `count` more; False, and nothing counted, if that is too many."""
        if self._count + count > self._limit:
            return False
        self._count += count
        return True
