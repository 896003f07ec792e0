"""The cameras that the daemon looks at."""

from __future__ import annotations

from edge_fusion.doctor.finding import Finding, ok, problem, warning
from edge_fusion.io.cameras import Look, VideoSource

CAMERA = "camera"
LARGE = 2_000_000
"""Pixels. A model wants some 160 x 160; each picture of the stream is decoded whole."""


def judge_camera(source: VideoSource, look: Look | str) -> Finding:
    """`look`: what its video is like, or why there is none."""
    name = f"{source.name}: {source.address}"
    if isinstance(look, str):
        advice = "try the url in a player from this box: ffplay or vlc, with the same user"
        return problem(CAMERA, f"{name}: {look}", advice)
    text = f"{name}: {look.width} x {look.height}, {look.fps:.1f} pictures/s"
    if look.width * look.height > LARGE:
        return warning(
            CAMERA, text, "take its small stream: decoding this one costs much of a core"
        )
    if look.fps < source.fps / 2:
        advice = (
            f"it gives less than the {source.fps:g} that fps asks for: lower fps, or mend the link"
        )
        return warning(CAMERA, text, advice)
    return ok(CAMERA, text)
