"""WebServer: a few fixed pages over HTTP/1.1, made by callables when asked for; and streams."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from socketserver import TCPServer
from typing import Any

from edge_fusion.errors import ConfigError
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.gate import CHALLENGE, Gate

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds a client may take for a request, or leave a kept connection unused."""

MAX_REQUEST_BYTES = 32_768
"""Of a request line and its headers; what is longer ends the connection."""

MAX_CONNECTIONS = 64
"""Connections served at a time, a thread each; more are closed without an answer."""

MAX_STREAMS = 16
"""Of those connections, how many may be streams, which last; more get a 503."""

RETRY_AFTER = 10
"""Seconds after which who got a 503 may ask again."""

LAST_PORT = 65535
ALLOWED = ("GET", "HEAD")
ADVICE = {
    HTTPStatus.UNAUTHORIZED: "the token of [web] is needed: as a bearer token, or as the password",
    HTTPStatus.SERVICE_UNAVAILABLE: "as many watch already as may at a time",
    HTTPStatus.MISDIRECTED_REQUEST: "ask for this page as localhost, or give [web] a token",
}
PLAIN = "text/plain; charset=utf-8"
EVENT_STREAM = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # A page of a stranger must not show what this browser may see, nor run here if it gets in.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
"""What every answer says, unless it says otherwise itself."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP status, a content type and a body; an `ETag` among the headers is heeded."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Routes = Mapping[str, Callable[[], Response]]


@dataclass(frozen=True, slots=True)
class Branches:
    """What is served beside fixed pages.

    pairs: first level of a path -> what makes the page of `/<first>/<one>/<other>`, or None if
    there is none; streams: path -> what gives server-sent events, as bytes, until it is told that
    the server stops. That a watcher left is noticed by the next event but one.
    """

    pairs: Mapping[str, Callable[[str, str], Response | None]] = field(default_factory=dict)
    streams: Mapping[str, Callable[[threading.Event], Iterator[bytes]]] = field(
        default_factory=dict
    )


def health_response(ok: bool, detail: Mapping[str, object]) -> Response:  # noqa: FBT001 - the verdict
    """JSON with `ok` and the detail; status 200, or 503 where something is wrong."""
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    body = json.dumps({"ok": ok, **detail}, default=str).encode()
    return Response(status, "application/json", body)


class WebServer:
    """Serves `routes` (path -> page) and `branches` at `listen`, each request in its own thread.

    A callable runs in that thread and must only read. `listen` is "host:port", with an IPv6
    address in brackets; port 0 takes any free one. `token` is what a request must show, see
    `Gate`. Raises ConfigError where `listen` is neither.
    """

    def __init__(
        self,
        listen: str,
        routes: Routes,
        *,
        branches: Branches | None = None,
        token: str | None = None,
    ) -> None:
        self._listen = listen
        self._where = _parse(listen)
        self._gate = Gate(token, self._where[0])
        self._routes = dict(routes)
        self._branches = branches or Branches()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """As `listen`, with the real port once started."""
        host, port = self._where
        if self._server is not None:
            port = self._server.server_port
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Bind and serve from a thread; raises ConfigError where the address can't be had."""
        try:
            server = _Server(self._where, self._routes, self._branches, self._gate)
        except OSError as error:
            raise _problem(self._listen, error.strerror or str(error)) from error
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="web", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and tell streams to end; requests under way end by themselves."""
        if self._server is None or self._thread is None:
            return
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None


def _parse(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    bracketed = host == f"[{bare}]"
    if not (colon and bare and port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
        raise _problem(listen, 'expected "host:port"')
    if (":" in bare) != bracketed:
        raise _problem(listen, 'expected an IPv6 address as "[address]:port"')
    return bare, int(port)


def _problem(listen: str, what: str) -> ConfigError:
    return ConfigError([f"[web] listen: {listen}: {what}"])


class _Server(ThreadingHTTPServer):
    def __init__(
        self, where: tuple[str, int], routes: Routes, branches: Branches, gate: Gate
    ) -> None:
        self.routes = routes
        self.branches = branches
        self.gate = gate
        self.stopping = threading.Event()
        self.streams = threading.BoundedSemaphore(MAX_STREAMS)
        self.clock = ArrivalClock()
        self._busy: list[threading.Thread] = []
        if ":" in where[0]:
            self.address_family = socket.AF_INET6
        super().__init__(where, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look the host's name up, which can take long where there is no DNS.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._busy = [thread for thread in self._busy if thread.is_alive()]
        if len(self._busy) >= MAX_CONNECTIONS:
            self.shutdown_request(request)
            return
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._busy.append(thread)
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - inherited
        log.debug("request of %s broke off: %r", client_address, sys.exc_info()[1])


class _Incoming(RawIOBase):
    """What a client sends, in no more time and bytes than one request may take.

    A timeout of the socket alone begins anew with each byte, and one byte every few seconds would
    hold a connection for ever.
    """

    def __init__(self, connection: socket.socket, clock: ArrivalClock) -> None:
        self._connection = connection
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Let a new request have its time and its bytes."""
        self._until = self._clock.stamp() + PATIENCE
        self._left = MAX_REQUEST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        patience = self._until - self._clock.stamp()
        if patience <= 0 or self._left <= 0:
            raise TimeoutError("the request takes too long, or is too long")
        self._connection.settimeout(patience)
        try:
            count = self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(PATIENCE)
        self._left -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "edge-fusion"
    sys_version = ""
    timeout = PATIENCE
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._incoming = _Incoming(self.connection, self.server.clock)
        self.rfile = BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        self._incoming.begin()
        super().handle_one_request()

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.command in ALLOWED:
            return True
        # Its body is left unread, so the connection can't be used for another request.
        self.close_connection = True
        status = HTTPStatus.METHOD_NOT_ALLOWED
        self._answer(_plain(status), {"Allow": ", ".join(ALLOWED), "Connection": "close"})
        return False

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        host, shown = self.headers.get("Host"), self.headers.get("Authorization")
        match self.server.gate.objection(path, host, shown):
            case None if path in self.server.branches.streams:
                self._stream(self.server.branches.streams[path])
            case None:
                self._answer(self._page(path))
            case HTTPStatus.UNAUTHORIZED as status:
                self._answer(_plain(status), {"WWW-Authenticate": CHALLENGE})
            case status:
                self._answer(_plain(status))

    def do_HEAD(self) -> None:
        self.do_GET()  # `_answer` leaves the body out

    def _page(self, path: str) -> Response:
        try:
            return self._found(path) or _plain(HTTPStatus.NOT_FOUND)
        except Exception:  # a page that fails must not look like a server that is gone
            log.exception("page %s failed", path)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _found(self, path: str) -> Response | None:
        route = self.server.routes.get(path)
        if route is not None:
            return route()
        match path.split("/"):
            case ["", first, one, other] if first in self.server.branches.pairs:
                return self.server.branches.pairs[first](one, other)
            case _:
                return None

    def _answer(self, response: Response, headers: Mapping[str, str] | None = None) -> None:
        tag = response.headers.get("ETag")
        if tag is not None and tag == self.headers.get("If-None-Match"):
            response = replace(response, status=HTTPStatus.NOT_MODIFIED, body=b"")
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in {**HEADERS, **response.headers, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _stream(self, events: Callable[[threading.Event], Iterator[bytes]]) -> None:
        """Send events until the watcher leaves or is too slow, or the server stops."""
        self.close_connection = True
        if not self.server.streams.acquire(blocking=False):
            advice = {"Retry-After": str(RETRY_AFTER), "Connection": "close"}
            self._answer(_plain(HTTPStatus.SERVICE_UNAVAILABLE), advice)
            return
        try:
            self.send_response(HTTPStatus.OK)
            for name, value in {"Content-Type": EVENT_STREAM, **HEADERS}.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.send_header("X-Accel-Buffering", "no")  # nginx would hold events back
            self.end_headers()
            if self.command != "HEAD":
                self._send(events(self.server.stopping))
        finally:
            self.server.streams.release()

    def _send(self, events: Iterator[bytes]) -> None:
        try:
            for event in events:
                self.wfile.write(event)
        except OSError:
            raise
        except Exception:
            log.exception("stream %s failed", self.path.partition("?")[0])

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        # Without the query: somebody may have put a token there.
        log.debug("%s %s: %s, %s bytes", self.command, self.path.partition("?")[0], code, size)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - inherited
        log.debug(format, *args)


def _plain(status: HTTPStatus) -> Response:
    advice = f": {ADVICE[status]}" if status in ADVICE else ""
    return Response(status, PLAIN, f"{status.phrase}{advice}\n".encode())
