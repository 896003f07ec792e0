"""What a service tells systemd of itself: sd_notify(3)."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

from edge_fusion.io.clock import monotonic_microseconds

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that systemd may take for a word; then we go on without having said it."""

MAX_STATUS_BYTES = 2048


class Notifier:
    """Tells the manager of a service how the service stands; says nothing where none asks.

    The protocol is that of sd_notify(3): lines `KEY=value` in a datagram to `$NOTIFY_SOCKET`, a
    path or, after an @, a name in the abstract namespace. It is ten lines, so there is no library
    for it here. Every method may be called from any thread, and none raises.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(environ)
        """Seconds within which `alive` must be said again, or None: nobody watches."""
        self._failed = False

    def ready(self, status: str) -> None:
        """The service is up, or up again after `reloading`."""
        self._tell("READY=1", _status(status))

    def status(self, status: str) -> None:
        """How it stands, in one line for people: `systemctl status` shows it."""
        self._tell(_status(status))

    def alive(self) -> None:
        """The service works; not said in time, systemd ends it and starts it again."""
        self._tell("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again, until `ready` is said.

        With the time, without which Type=notify-reload does not believe it.
        """
        self._tell("RELOADING=1", f"MONOTONIC_USEC={monotonic_microseconds()}")

    def stopping(self, status: str) -> None:
        """The service is on its way out."""
        self._tell("STOPPING=1", _status(status))

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
                mouth.settimeout(PATIENCE)
                mouth.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be told how the service stands: %s", error)
            self._failed = True


def _address(given: str) -> bytes | None:
    if given.startswith("@"):
        return b"\0" + os.fsencode(given[1:])
    return os.fsencode(given) if given.startswith("/") else None


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3): only for the process that is meant, not for its children."""
    meant = environ.get("WATCHDOG_PID", str(os.getpid()))
    microseconds = environ.get("WATCHDOG_USEC", "")
    if meant != str(os.getpid()) or not (microseconds.isascii() and microseconds.isdigit()):
        return None
    return int(microseconds) / 1e6 or None


def _status(text: str) -> str:
    """One line of it. A datagram above 4,096 bytes would be ignored as a whole, READY and all."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    if len(line.encode()) > MAX_STATUS_BYTES:
        cut = line.encode()[: MAX_STATUS_BYTES - 3]
        line = cut.decode(errors="ignore") + "…"
    return f"STATUS={line}"
