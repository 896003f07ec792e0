"""Census: how many devices and cameras all sites together may have."""

from __future__ import annotations


class Census:
    """Counts sources up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    def admit(self) -> bool:
        """Count one more; False, and nothing counted, if that is one too many."""
        if self._count >= self._limit:
            return False
        self._count += 1
        return True

    def readmit(self, count: int) -> None:
        """Count sources that were admitted once, whatever the limit is now."""
        self._count += count

    def strike_off(self, count: int) -> None:
        """Make room for others."""
        self._count -= count
