"""BufferedSocket: a socket that is read in large pieces, whatever pieces its reader asks for.

A client of MQTT asks for a packet's first byte, then for its length byte by byte, then for the
rest: at least three calls of the kernel for a small packet, where one brings hundreds of packets.
"""

from __future__ import annotations

import socket
import ssl

_PIECE = 65_536
"""Bytes asked for at a time."""


class BufferedSocket:
    """What paho uses of a socket, plain or TLS."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._unread = b""
        self._at = 0

    @property
    def inner(self) -> socket.socket:
        return self._inner

    def recv(self, size: int) -> bytes:
        """At most `size` bytes: what is at hand, else what the socket gives; b"" at its end.

        Raises what the socket raises: BlockingIOError or ssl.SSLWantReadError if there is nothing.
        """
        if self._at == len(self._unread):
            if size >= _PIECE:
                return self._inner.recv(size)
            self._unread, self._at = self._inner.recv(_PIECE), 0
        begin = self._at
        piece = self._unread[begin : begin + size]
        self._at = begin + len(piece)
        return piece

    def pending(self) -> int:
        """How many bytes can be had though poll() may not see them."""
        held = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return len(self._unread) - self._at + held

    def send(self, data: bytes) -> int:
        return self._inner.send(data)

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, blocking: bool) -> None:  # noqa: FBT001 - as of a socket
        self._inner.setblocking(blocking)

    def close(self) -> None:
        """Close the socket; what was read ahead is gone."""
        self._unread, self._at = b"", 0
        self._inner.close()
