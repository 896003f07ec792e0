"""Snapshots of alignment and of alerts, which may come from a disk that lies."""

from __future__ import annotations

import contextlib

from edge_fusion.alerts.archive import unpack as unpack_track
from edge_fusion.alerts.lifecycle import Track
from edge_fusion.align.archive import unpack
from edge_fusion.errors import SnapshotError


def check(data: bytes) -> None:
    """Bytes are a document and pictures, or a track, or they are no snapshot."""
    with contextlib.suppress(SnapshotError):
        document, pictures = unpack(data)
        assert isinstance(document, dict)
        assert all(isinstance(picture, bytes) for picture in pictures)
    with contextlib.suppress(SnapshotError):
        assert isinstance(unpack_track(data), Track)
