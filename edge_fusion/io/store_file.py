"""What a file says of itself that is to be the store: looked at, not opened.

SQLite would lock it, or wait for who has; its header is enough
(https://www.sqlite.org/fileformat.html, 1.3).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_fusion.io.schema import APPLICATION_ID, MIGRATIONS

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_USER_VERSION: Final = slice(60, 64)
_APPLICATION_ID: Final = slice(68, 72)


def fault_of_store(path: Path) -> str | None:
    """Why the daemon would move the file aside and begin anew, or None. Raises OSError."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header:
        return None  # as a new one is
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        return "not an SQLite file"
    version = int.from_bytes(header[_USER_VERSION])
    if int.from_bytes(header[_APPLICATION_ID]) != APPLICATION_ID:
        return None if version == 0 else "not a store of edge-fusion"
    if version > len(MIGRATIONS):
        return f"a store of a later version, {version}"
    return None
