"""Lines of the journal: inputs as the store keeps them, a frame with its picture beside it.

The picture of a frame that nobody promised to keep is not kept, its line is: a camera holds
windows open, be its pictures kept or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge_fusion.codecs.recorded import FrameFile, decode_entry, encode_entry
from edge_fusion.events import CatchUp, CaughtUp, CutOff, Frame, Input, Offline, Reading, Silence
from edge_fusion.kept import Entry


def write_entries(inputs: Iterable[Input]) -> list[Entry]:
    """The entries for inputs of single sites, with the pictures of those that are durable."""
    entries: list[Entry] = []
    for item in inputs:
        match item:
            case Reading() | Offline():
                entries.append(Entry(item.site, encode_entry(item)))
            case Frame():
                file = FrameFile(
                    item.site, item.camera, "", item.time, item.arrival, item.time_source
                )
                picture = item.image if item.durable else None
                entries.append(Entry(item.site, encode_entry(file), picture))
            case CutOff() | CatchUp() | CaughtUp() | Silence():
                pass  # what these do is kept whole
    return entries


def read_entries(entries: Iterable[Entry]) -> list[Input]:
    """The inputs again, frames that were not durable without a picture.

    Raises ValueError at a line that is none.
    """
    return [_read(entry) for entry in entries]


def _read(entry: Entry) -> Input:
    item = decode_entry(entry.line)
    if isinstance(item, FrameFile):
        durable = entry.picture is not None
        picture = entry.picture or b""
        return Frame(
            item.site, item.camera, picture, item.time, item.arrival, item.time_source, durable
        )
    if not isinstance(item, Reading | Offline):
        raise ValueError(f"a {type(item).__name__} is none of a single site")  # noqa: TRY004
    return item
