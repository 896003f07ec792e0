"""A network that fails without a word: a TCP proxy whose connections can be made to go nowhere."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Flag, auto

from conftest import free_port


class Way(Flag):
    """Which way what is said goes nowhere; the other side hears nothing, and no end either."""

    TO_BROKER = auto()
    TO_CLIENT = auto()
    BOTH = TO_BROKER | TO_CLIENT


class Proxy:
    """Forwards `port` to `target`, both on this machine, until `close`.

    As when a router forgets a connection: those that `freeze` meets stay frozen, new ones work.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def freeze(self, way: Way) -> int:
        """Let the present connections go nowhere; returns how many there were."""
        with self._lock:
            alive = [pair for pair in self._pairs if pair.alive]
        for pair in alive:
            pair.freeze(way)
        return len(alive)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for pair in self._pairs:
            pair.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    self._pairs.append(_Pair(client, broker))


class _Pair:
    """One connection: two sockets, and a thread for each way."""

    def __init__(self, client: socket.socket, broker: socket.socket) -> None:
        self._sockets = client, broker
        self._frozen = Way(0)
        self._threads = [
            threading.Thread(target=self._pump, args=(client, broker, Way.TO_BROKER)),
            threading.Thread(target=self._pump, args=(broker, client, Way.TO_CLIENT)),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def freeze(self, way: Way) -> None:
        self._frozen |= way

    def close(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _pump(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        """Forward until the end, and then that; what is frozen is swallowed, its end too."""
        with suppress(OSError):
            while data := source.recv(65536):
                if way not in self._frozen:
                    sink.sendall(data)
        if way not in self._frozen:
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
