"""Recorder: a recording made beside the daemon's work, which it must never endanger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from edge_fusion.errors import RecordingError
from edge_fusion.events import ArrivalTime, Input
from edge_fusion.io.recording import RecordingWriter

log = logging.getLogger("edge_fusion.recorder")


class Recorder:
    """Writes down what is fed. Trouble with the disk is said once and ends the recording only.

    `begin` opens the recording; `lost` counts inputs that it does not hold because of trouble.
    """

    def __init__(
        self, begin: Callable[[], RecordingWriter], *, lost: Callable[[int], None]
    ) -> None:
        self._begin = begin
        self._lost = lost
        self._writer: RecordingWriter | None = None
        self._failed = False

    def start(self) -> None:
        """Open the recording; raises RecordingError, as nobody wants a run that is not recorded."""
        self._writer = self._begin()

    def hear(self, inputs: Sequence[Input], until: ArrivalTime) -> None:
        """Write inputs down, unless the recording has ended."""
        if self._failed:
            self._lost(len(inputs))
        elif self._writer is not None:
            self._write(self._writer, inputs, until)

    def stop(self) -> None:
        """End the recording where the last batch ended."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except RecordingError as error:
                log.error("the recording is cut off: %s", error)  # noqa: TRY400 - one line

    def _write(self, writer: RecordingWriter, inputs: Sequence[Input], until: ArrivalTime) -> None:
        before = len(writer)
        try:
            writer.write(inputs, until)
        except RecordingError as error:
            log.error("the recording stops, the daemon goes on: %s", error)  # noqa: TRY400
            self._failed = True
            self._lost(len(inputs) - (len(writer) - before))
            self._writer = None
            with suppress(RecordingError):
                writer.close()
        else:
            if writer.full:
                log.warning("the recording is full and ends: %d bytes", writer.bytes)
                self.stop()
