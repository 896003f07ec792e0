"""From the command line to a running daemon: configuration, signals, and what systemd is told."""

from __future__ import annotations

import faulthandler
import logging
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from edge_fusion.config import loose_files
from edge_fusion.daemon import Daemon, RecordTo
from edge_fusion.errors import ConfigError, ModelError, RecordingError
from edge_fusion.garbage import settle_collector
from edge_fusion.io.systemd import Notifier
from edge_fusion.mailbox import Notice, Reload, Stop
from edge_fusion.reload import load_again, load_all
from edge_fusion.signals import forwarded

log = logging.getLogger("edge_fusion")

SIGNALS: Mapping[signal.Signals, Notice] = {
    signal.SIGTERM: Stop(),
    signal.SIGINT: Stop(),
    signal.SIGHUP: Reload(),
}


def run_daemon(path: Path, environ: Mapping[str, str], record: RecordTo | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status.

    Raises ConfigError, ModelError or RecordingError when it cannot start.
    """
    notifier = Notifier(environ)
    # A watchdog ends a stuck process by SIGABRT: then each thread says where it was.
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    try:
        daemon = _make(path, environ, record, notifier)
        settle_collector()
        with forwarded(SIGNALS, daemon.post):
            return daemon.run()
    except (ConfigError, ModelError, RecordingError) as error:
        notifier.status(str(error))
        raise


def _make(
    path: Path, environ: Mapping[str, str], record: RecordTo | None, notifier: Notifier
) -> Daemon:
    loaded = load_all(path, environ)
    for line in loose_files(loaded.settings):
        log.warning("%s", line)
    return Daemon(loaded, partial(load_again, path, environ), record, notifier)
