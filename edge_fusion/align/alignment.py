"""Alignment: how the events of a site are put into windows."""

from __future__ import annotations

from dataclasses import dataclass

from edge_fusion.align.windows import Assigner


@dataclass(frozen=True, slots=True)
class Alignment:
    """How events are put into windows; all durations in seconds, bounds per window."""

    windows: Assigner
    max_out_of_orderness: float
    allowed_lateness: float
    idle_timeout: float
    max_wait: float
    max_skew: float
    carry: float
    max_readings: int
    max_frames: int
