"""Snapshots of alignment, which may come from a disk that lies."""

from __future__ import annotations

import contextlib

from edge_fusion.align.archive import unpack
from edge_fusion.errors import SnapshotError


def check(data: bytes) -> None:
    """Bytes are a document and pictures, or no snapshot."""
    with contextlib.suppress(SnapshotError):
        document, pictures = unpack(data)
        assert isinstance(document, dict)
        assert all(isinstance(picture, bytes) for picture in pictures)
