"""`edge-fusion replay`: a recording through the daemon's own line, as fast as the machine goes."""

from __future__ import annotations

import logging
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import orjson
from rich.console import Console
from rich.progress import Progress

from edge_fusion import assembly
from edge_fusion.codecs.times import format_time
from edge_fusion.config import Settings, load, model_problems
from edge_fusion.errors import ConfigError, EdgeFusionError
from edge_fusion.events import (
    AlertChange,
    Frame,
    Input,
    Outcome,
    Pane,
    Publication,
    Reading,
    Scores,
    TooLate,
)
from edge_fusion.garbage import settle_collector
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.onnx import OnnxModel
from edge_fusion.io.recording import RecordingReader
from edge_fusion.pipeline import Pipeline

log = logging.getLogger("edge_fusion.replay")

STDOUT = Path("-")
JSON = "application/json"


def replay(
    path: Path, directory: Path, environ: Mapping[str, str], *, out: Path | None = None
) -> None:
    """Run a recording through the pipeline of the configuration at `path`.

    Every publication that the daemon would have sent goes to `out` as a line of JSON ("-" is
    standard output; what is for people then goes to standard error). Raises ConfigError,
    ModelError, RecordingError, and EdgeFusionError when `out` cannot be written.
    """
    settings = load(path, environ)
    reader = RecordingReader(directory)
    model = assembly.configured_model(settings.model)
    if problems := model_problems(settings, model.spec, path):
        raise ConfigError(problems)
    settle_collector()
    tally = Tally(to_stderr=out == STDOUT)
    clock = ArrivalClock()
    began = clock.stamp()
    with _opened(out) as sink:
        _run(settings, model, reader, tally, sink)
    if reader.cut_off is not None:
        log.warning("%s", reader.cut_off)
    tally.sum_up(reader.end - reader.about.started, clock.stamp() - began)


class Tally:
    """Counts what a replay comes to, and says each alert as it fires or resolves."""

    def __init__(self, *, to_stderr: bool) -> None:
        self.events = 0
        self._to_stderr = to_stderr
        self._windows = self._late = self._revisions = self._fired = self._resolved = 0

    def observe(self, outcome: Outcome) -> None:
        match outcome:
            case Pane(index=0):
                self._windows += 1
            case Pane():
                self._revisions += 1
            case TooLate():
                self._late += 1
            case _:
                pass

    def scored(self, scores: Scores) -> None:
        """Scores are told by the windows and alerts that they make."""

    def alert_changed(self, change: AlertChange) -> None:
        alert = change.alert
        if not change.lifecycle:
            return
        self._fired += alert.firing
        self._resolved += not alert.firing
        state = "firing" if alert.firing else "resolved"
        when = format_time(alert.updated_at)
        self._say(f"{when} {alert.site} {alert.label} {state} score {alert.score:.2f}")

    def sum_up(self, simulated: float, took: float) -> None:
        """Print the totals; both durations are in seconds."""
        self._say(
            f"{self.events:,} events, {self._windows:,} windows, {self._revisions:,} revisions, "
            f"{self._late:,} too late, {self._fired:,} alerts fired, {self._resolved:,} resolved; "
            f"{simulated:,.1f} s in {took:,.1f} s: "
            f"{simulated / max(took, 1e-3):,.0f} times faster than real time"
        )

    def _say(self, line: str) -> None:
        # Looked up each time: the progress bar puts streams of its own in their place.
        print(line, file=sys.stderr if self._to_stderr else sys.stdout)


def _run(
    settings: Settings,
    model: OnnxModel,
    reader: RecordingReader,
    tally: Tally,
    sink: BinaryIO | None,
) -> None:
    with ThreadPoolExecutor(assembly.DECODERS, thread_name_prefix="decode") as pool:
        decode = partial(assembly.decode_frames, settings, pool)
        pipeline = Pipeline(
            assembly.stages(settings, model, model, decode),
            tally,
            _ignore if sink is None else partial(_write, sink),
            revision_epsilon=settings.windows.revision_epsilon,
        )
        for item in _shown(reader):
            tally.events += isinstance(item, Reading | Frame)
            pipeline.feed([item], item.arrival)
        pipeline.feed([], reader.end)


def _shown(reader: RecordingReader) -> Iterator[Input]:
    """The inputs, with a bar on standard error that grows where that is a terminal."""
    console = Console(stderr=True)
    # What goes to standard output is sent round the bar only where both share a terminal.
    with Progress(
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task("replay", total=reader.size)
        for item in reader:
            yield item
            progress.update(task, completed=reader.position)


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO | None]:
    """The file to write to, if any. Raises EdgeFusionError for all that goes wrong with it."""
    if out is None:
        yield None
        return
    try:
        # With a buffer of our own, a pipe that was closed shows here, not while Python exits.
        place = sys.stdout.fileno() if out == STDOUT else out
        with open(place, "wb", closefd=out != STDOUT) as sink:
            yield sink
    except OSError as error:
        raise EdgeFusionError(f"--out {out}: {error.strerror or error}") from None


def _ignore(_: Publication) -> None:
    pass


def _write(sink: BinaryIO, publication: Publication) -> None:
    line: dict[str, object] = {
        "topic": publication.topic,
        "retain": publication.retain,
        "qos": publication.qos,
    }
    if publication.content_type == JSON:
        line["payload"] = orjson.loads(publication.payload)
    else:
        line["payload_base64"] = b64encode(publication.payload).decode()
    sink.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
