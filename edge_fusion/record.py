"""`edge-fusion record`: what the configured topics carry, decoded and written down."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.live import Live

from edge_fusion import assembly
from edge_fusion.codecs.decoder import Decoder
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Frame, Input, Invalid, Offline, Publication, Reading
from edge_fusion.intake import Intake
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.recording import RecordingWriter
from edge_fusion.mailbox import (
    Batch,
    CameraDown,
    CameraUp,
    Connected,
    Disconnected,
    Notice,
    Stop,
)
from edge_fusion.signals import forwarded

FAREWELL = 1.0
REFRESH = 0.25
LINE_EVERY = 10.0


def record(
    path: Path,
    directory: Path,
    environ: Mapping[str, str],
    *,
    duration: float | None = None,
    max_bytes: int | None = None,
) -> None:
    """Record until a signal, for `duration` seconds, or until `max_bytes` are written.

    A missing broker is waited for. Raises ConfigError, and RecordingError when the directory
    cannot be recorded into.
    """
    settings = load(path, environ)
    clock = ArrivalClock()
    started = clock.stamp()
    intake = Intake(settings, clock.stamp, suffix="-record")
    about = assembly.about_recording(settings, started)
    with ExitStack() as stack:
        writer = stack.enter_context(RecordingWriter(directory, about, max_bytes=max_bytes))
        scribe = _Scribe(intake, assembly.decoder(settings), writer, started)
        stop = Stop()
        stack.enter_context(forwarded({signal.SIGINT: stop, signal.SIGTERM: stop}, scribe.hear))
        intake.start()
        stack.callback(intake.stop, FAREWELL)
        intake.cameras.start()
        stack.callback(intake.cameras.stop, FAREWELL)
        _show(scribe, None if duration is None else ArrivalTime(started + duration), clock)
    print(f"{directory}: {scribe}{', full' if writer.full else ''}")  # noqa: T201 - for the user


class _Scribe:
    """Takes batches of the mailbox to the writer, and knows what there is to tell of it.

    It only listens, but for what a sender's protocol has it ask: without that, a Sparkplug network
    would stay unread until its edge nodes happen to start anew.
    """

    def __init__(
        self, intake: Intake, decoder: Decoder, writer: RecordingWriter, started: ArrivalTime
    ) -> None:
        self.now = started
        self._mailbox = intake.mailbox
        self._ask = intake.readings.publish
        self._tokens = count(1)
        self._decoder = decoder
        self._writer = writer
        self._started = started
        self._sites: set[str] = set()
        self._invalid: Counter[str] = Counter()
        self._shed = 0
        self._connected: set[str] = set()
        self._stopped = False

    def __str__(self) -> str:
        writer, faults = self._writer, ", ".join(f"{n} {why}" for why, n in self._invalid.items())
        parts = (
            f"{writer.readings:,} readings",
            f"{writer.frames:,} frames",
            f"{writer.bytes / 1e6:,.1f} MB",
            f"{len(self._sites):,} sites",
            f"{self._invalid.total():,} invalid" + (f" ({faults})" if faults else ""),
            *([f"{self._shed:,} shed"] if self._shed else []),
            str(timedelta(seconds=int(self.now - self._started))),
        )
        return ", ".join(parts)

    @property
    def status(self) -> str:
        return str(self) if self._connected else "waiting for the broker"

    def hear(self, notice: Notice) -> None:
        """Take a notice; safe in a signal handler, which may find us within the mailbox."""
        match notice:
            case Connected(connection=name):
                self._connected.add(name)
            case Disconnected(connection=name):
                self._connected.discard(name)
            case CameraUp(site=site, camera=camera):
                self._connected.add(f"{site}/{camera}")
            case CameraDown(site=site, camera=camera):
                self._connected.discard(f"{site}/{camera}")
            case Stop():
                self._stopped = True
            case _:
                pass

    def take(self, until: ArrivalTime) -> bool:
        """Write one batch down; False when there is to be no other."""
        batch = self._mailbox.take(until)
        for notice in batch.notices:
            self.hear(notice)
        self._shed += sum(shed.count for shed in batch.shed)
        self._writer.write(self._decode(batch), batch.until)
        for delivery in batch.deliveries:
            delivery.ack()
        self.now = batch.until
        return not (self._stopped or self._writer.full)

    def _decode(self, batch: Batch) -> list[Input]:
        inputs: list[Input] = []
        for delivery in batch.deliveries:
            for decoded in self._decoder.decode(delivery.message):
                match decoded:
                    case Invalid(reason=reason):
                        self._invalid[reason.value] += 1
                    case Reading() | Frame() | Offline():
                        inputs.append(decoded)
                        self._sites.add(decoded.site)
                    case Publication():
                        self._ask(next(self._tokens), decoded)
                    case _:
                        pass
        return inputs


def _show(scribe: _Scribe, deadline: ArrivalTime | None, clock: ArrivalClock) -> None:
    """Let the scribe work until it is over: one live line on a terminal, else plain ones."""
    console = Console()
    if console.is_terminal:
        with Live(scribe.status, console=console, auto_refresh=False, transient=True) as live:
            while _work(scribe, deadline, clock):
                live.update(scribe.status, refresh=True)
        return
    said = scribe.now
    while _work(scribe, deadline, clock):
        if scribe.now - said >= LINE_EVERY:
            said = scribe.now
            console.print(scribe.status, soft_wrap=True, highlight=False)


def _work(scribe: _Scribe, deadline: ArrivalTime | None, clock: ArrivalClock) -> bool:
    """Work for a moment; False when it is over."""
    pause = ArrivalTime(clock.stamp() + REFRESH)
    until = pause if deadline is None else min(pause, deadline)
    while scribe.now < until:
        if not scribe.take(until):
            return False
    return deadline is None or until < deadline
