"""How other threads get work done by a thread that waits on a socket."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class HasFileno(Protocol):
    """What can be waited on."""

    def fileno(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ready:
    """What the watched socket can do without blocking."""

    read: bool = False
    write: bool = False


class Doorbell:
    """Calls left by any thread, and the bell that wakes the one thread that runs them.

    It needs no lock: a deque's append and popleft are atomic, and `_rung` is cleared before the
    calls are taken, so a call left after that rings again.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._rung = False

    def open(self) -> None:
        """Make the sockets; calls left before stay."""
        inside, outside = socket.socketpair()
        inside.setblocking(False)
        outside.setblocking(False)
        self._bell = (inside, outside)
        self._rung = False

    def close(self) -> None:
        """Free the sockets; what is left from now on is kept and not run."""
        bell, self._bell = self._bell, None
        for end in bell or ():
            end.close()

    def leave(self, call: Callable[[], None]) -> None:
        """From any thread: have `call` run soon, in order, by the thread that waits."""
        self._calls.append(call)
        if (bell := self._bell) is None or self._rung:
            return
        self._rung = True
        try:
            bell[1].send(b"!")
        except OSError:
            self._rung = False  # closed in this moment: nobody waits any more

    def wait(
        self, timeout: float, watched: HasFileno | None = None, *, write: bool = False
    ) -> Ready:
        """Wait for a ring, for `watched` to be ready, or for `timeout` seconds."""
        assert self._bell is not None
        inside = self._bell[0]
        poll = select.poll()  # select() cannot take descriptors above 1023
        poll.register(inside, select.POLLIN)
        watched_fd = watched.fileno() if watched is not None else -1
        if watched_fd >= 0:
            poll.register(watched_fd, select.POLLIN | (select.POLLOUT if write else 0))
        ready = dict(poll.poll(max(timeout, 0.0) * 1000))
        if inside.fileno() in ready:
            inside.recv(64)
            self._rung = False
        events = ready.get(watched_fd, 0)
        return Ready(bool(events & ~select.POLLOUT), bool(events & select.POLLOUT))

    def answer(self) -> None:
        """Run what was left, in order."""
        while self._calls:
            self._calls.popleft()()
