"""Recordings: a stream of inputs as a directory, written as they come, read as they came.

    recording.json                      what it is: `About`
    events.jsonl                        a line per input in order of arrival (codecs/recorded.py)
    frames/<site>/<camera>/<n>.jpg      pictures, byte for byte as they came; .png if they are PNG

The last line says up to when the recording ran, so that timers can be run to the same instant. A
recording that was cut off has none, and its last line may be torn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from os.path import realpath
from pathlib import Path
from typing import BinaryIO, Final, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_fusion.codecs.jpeg import PNG_MAGIC
from edge_fusion.codecs.recorded import End, FrameFile, decode_entry, encode_entry
from edge_fusion.errors import RecordingError
from edge_fusion.events import ArrivalTime, Frame, Input, Reading

ABOUT: Final = "recording.json"
EVENTS: Final = "events.jsonl"
FRAMES: Final = "frames"
_BUFFER: Final = 1 << 16
_OWNER_ONLY: Final = 0o700
"""Pictures of people's rooms. A directory that was there keeps its mode."""
_LAST_LINE: Final = 64
"""Bytes that are kept free for the line that ends a recording."""


class About(BaseModel):
    """What a recording is. `started` is the arrival clock when it was begun."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    program: str
    box: str
    broker: str
    started: ArrivalTime


class RecordingWriter:
    """Writes a recording into a new or empty directory; a context manager that ends it.

    Args:
        directory: made if it is not there.
        about: what is written into `recording.json`.
        max_bytes: what all files together may hold; None is no bound.

    Raises:
        RecordingError: the directory holds something already, or cannot be written.
    """

    def __init__(self, directory: Path, about: About, *, max_bytes: int | None = None) -> None:
        self.readings = 0
        self.frames = 0
        self.bytes = 0
        self._written = 0
        self.full = False
        """Whether `max_bytes` is reached: nothing has been written since, or will be."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._end = about.started
        self._lines = self._begin(about.model_dump_json(indent=2).encode() + b"\n")

    def __len__(self) -> int:
        """How many inputs have been written."""
        return self._written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        """Append inputs in order of arrival, after which time passed to `until`.

        They are in the hands of the operating system when this returns. Raises RecordingError
        when the disk does not take them; what had been written before stays good.
        """
        try:
            for item in inputs:
                if self.full or not self._append(item):
                    break
            if not self.full:
                self._end = until
            self._lines.flush()
        except OSError as error:
            raise self._trouble(error) from None

    def close(self) -> None:
        """Write the last line. Raises RecordingError."""
        if self._lines.closed:
            return
        try:
            with self._lines:
                self._lines.write(encode_entry(End(self._end)))
        except OSError as error:
            raise self._trouble(error) from None

    def _begin(self, about: bytes) -> BinaryIO:
        try:
            self._directory.mkdir(_OWNER_ONLY, parents=True, exist_ok=True)
            if (self._directory / ABOUT).exists():
                raise RecordingError(f"{self._directory} holds a recording already: name another")
            if any(self._directory.iterdir()):
                raise RecordingError(f"{self._directory} is not empty: name another")
            (self._directory / ABOUT).write_bytes(about)
            self.bytes = len(about) + _LAST_LINE
            return (self._directory / EVENTS).open("xb", buffering=_BUFFER)
        except OSError as error:
            raise self._trouble(error) from None

    def _append(self, item: Input) -> bool:
        """Write one input; False, and full from now on, if that would be too much."""
        entry = self._file_of(item) if isinstance(item, Frame) else item
        line = encode_entry(entry)
        picture = item.image if isinstance(item, Frame) else b""
        size = len(line) + len(picture)
        if self._max_bytes is not None and self.bytes + size > self._max_bytes:
            self.full = True
            return False
        if isinstance(entry, FrameFile):
            self._write_picture(self._directory / entry.file, picture)
        self._lines.write(line)
        self._end = item.arrival
        self.bytes += size
        self._written += 1
        self.readings += isinstance(item, Reading)
        self.frames += isinstance(item, Frame)
        return True

    def _file_of(self, frame: Frame) -> FrameFile:
        suffix = "png" if frame.image.startswith(PNG_MAGIC) else "jpg"
        file = f"{self.frames + 1:08d}.{suffix}"
        path = "/".join((FRAMES, _level(frame.site), _level(frame.camera), file))
        return FrameFile(
            frame.site, frame.camera, path, frame.time, frame.arrival, frame.time_source
        )

    def _write_picture(self, path: Path, picture: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
        except OSError:
            with suppress(OSError):
                path.unlink(missing_ok=True)  # half a picture is none
            raise

    def _trouble(self, error: OSError) -> RecordingError:
        return RecordingError(f"{error.filename or self._directory}: {error.strerror or error}")


def _level(name: str) -> str:
    """A name from the network as one level of a path: it may be "." or ".."."""
    level = quote(name, safe="")
    return level.replace(".", "%2E", 1) if level.startswith(".") else level


class RecordingReader:
    """Reads a recording, one input at a time.

    Raises:
        RecordingError: the directory holds no recording of this version.
    """

    def __init__(self, directory: Path) -> None:
        self.about = _read_about(directory / ABOUT)
        self.size = _size(directory / EVENTS)
        """How many bytes of `events.jsonl` there are to read."""
        self.position = 0
        """How many of them have been read."""
        self.end = self.about.started
        """Up to when the recording ran; complete when all inputs have been read."""
        self.cut_off: str | None = None
        """After all inputs: why the recording has no end of its own, where it has none."""
        self._root = directory.resolve()
        self._path = directory / EVENTS

    def __iter__(self) -> Iterator[Input]:
        """All inputs in order of arrival. Raises RecordingError, with the line, at a bad one."""
        for number, line in enumerate(self._lines(), 1):
            self.position += len(line)
            try:
                entry = decode_entry(line)
            except ValueError as error:
                if line.endswith(b"\n"):
                    raise self._bad(number, str(error)) from None
                self.cut_off = f"{self._path}:{number}: the last line is torn: left out"
                return
            if entry.arrival < self.end:
                raise self._bad(number, f"arrival {entry.arrival} is before that of the line above")
            self.end = entry.arrival
            if isinstance(entry, End):
                return
            yield self._frame(entry, number) if isinstance(entry, FrameFile) else entry
        self.cut_off = f"{self._path}: it was cut off: it ends with its last event"

    def _lines(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as lines:
                yield from lines
        except OSError as error:
            raise RecordingError(f"{self._path}: {_words(error)}") from None

    def _frame(self, entry: FrameFile, number: int) -> Frame:
        try:
            path = Path(realpath(self._root / entry.file))
            if not path.is_relative_to(self._root):
                raise self._bad(number, f"frame.file {entry.file!r} is outside of the recording")
            picture = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self._bad(number, f"frame.file {entry.file!r}: {_words(error)}") from None
        return Frame(
            entry.site, entry.camera, picture, entry.time, entry.arrival, entry.time_source
        )

    def _bad(self, line: int, fault: str) -> RecordingError:
        return RecordingError(f"{self._path}:{line}: {fault}")


def _read_about(path: Path) -> About:
    try:
        return About.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecordingError(f"{path}: {_words(error)}: expected a recording") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise RecordingError(
            f"{path}: {place}: {fault['msg']}: expected a recording of version 1"
        ) from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: {_words(error)}: expected the events of it") from None


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
