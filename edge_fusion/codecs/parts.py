"""Parts: which devices have several sensors, so that all of them can be said to be dead."""

from __future__ import annotations

from typing import Final

MAX_DEVICES: Final = 4096
"""Devices with parts; above it the one that was named longest ago is forgotten."""

MAX_PARTS: Final = 64
"""Parts of one device; what has more is sent by somebody who makes names up."""


class Parts:
    """The names under which the parts of each device were last heard."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, site: str, device: str, part: str) -> None:
        """Remember that `part` is the name of a part of `device`."""
        parts = self._parts.pop((site, device), {})
        if len(parts) < MAX_PARTS:
            parts[part] = None
        self._parts[site, device] = parts
        if len(self._parts) > MAX_DEVICES:
            del self._parts[next(iter(self._parts))]

    def of(self, site: str, device: str) -> tuple[str, ...]:
        """The parts of a device, in the order in which they were first named."""
        return tuple(self._parts.get((site, device), ()))
