from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import eventually
from prometheus_client.parser import text_string_to_metric_families

from edge_fusion.errors import ConfigError
from edge_fusion.io import web
from edge_fusion.io.metrics import Metrics
from edge_fusion.io.web import Branches, Response, Routes, WebServer, health_response

HTML = "text/html; charset=utf-8"


def broken() -> Response:
    raise RuntimeError("the page is broken")


def pages() -> Routes:
    metrics = Metrics("1.2.3")

    def exposition() -> Response:
        body, content_type = metrics.exposition()
        return Response(200, content_type, body)

    return {
        "/": lambda: Response(200, HTML, "<h1>Küche</h1>".encode()),
        "/metrics": exposition,
        "/healthz": lambda: health_response(True, {"sites": 3}),
        "/readyz": lambda: health_response(False, {"mqtt": "not connected"}),
        "/broken": broken,
    }


@pytest.fixture
def server() -> Iterator[WebServer]:
    running = WebServer("127.0.0.1:0", pages())
    running.start()
    yield running
    running.stop()


def fetch(server: WebServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    request = urllib.request.Request(f"http://{server.address}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def test_a_page_is_served_as_its_callable_makes_it(server: WebServer) -> None:
    assert fetch(server, "/") == (200, HTML, "<h1>Küche</h1>".encode())


def test_a_query_does_not_hide_a_page(server: WebServer) -> None:
    assert fetch(server, "/healthz?verbose=1")[0] == 200


def test_metrics_can_be_parsed_by_prometheus(server: WebServer) -> None:
    status, content_type, body = fetch(server, "/metrics")
    families = {family.name for family in text_string_to_metric_families(body.decode())}
    assert status == 200
    assert content_type.startswith("text/plain")
    assert "edge_fusion_build_info" in families


def test_health_is_said_in_status_and_json(server: WebServer) -> None:
    status, content_type, body = fetch(server, "/healthz")
    assert (status, content_type) == (200, "application/json")
    assert json.loads(body) == {"ok": True, "sites": 3}
    status, _, body = fetch(server, "/readyz")
    assert status == 503
    assert json.loads(body) == {"ok": False, "mqtt": "not connected"}


def test_head_gives_the_headers_of_get_alone(server: WebServer) -> None:
    assert fetch(server, "/healthz", "HEAD") == (200, "application/json", b"")
    assert fetch(server, "/nowhere", "HEAD")[0] == 404


@pytest.mark.parametrize("path", ["/nowhere", "/metrics/", "/../etc/passwd", "/static/"])
def test_what_is_no_page_is_not_found(server: WebServer, path: str) -> None:
    assert fetch(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_pages_can_only_be_read(server: WebServer, method: str) -> None:
    assert fetch(server, "/", method)[0] == 405


def test_a_refused_request_with_a_body_ends_its_connection(server: WebServer) -> None:
    connection = http.client.HTTPConnection(server.address, timeout=5)
    connection.request("POST", "/", body=b"GET /healthz HTTP/1.1\r\n\r\n")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.will_close
    connection.close()


def test_a_connection_is_kept_for_more_requests(server: WebServer) -> None:
    connection = http.client.HTTPConnection(server.address, timeout=5)
    for _ in range(3):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        assert answer.version == 11
        assert not answer.will_close
    connection.close()


def test_a_page_that_fails_is_an_error_of_its_own(
    server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    assert fetch(server, "/broken")[0] == 500
    assert "page /broken failed" in caplog.text
    assert fetch(server, "/healthz")[0] == 200


def test_rubbish_and_broken_connections_do_not_stop_it(server: WebServer) -> None:
    host, _, port = server.address.rpartition(":")
    for rubbish in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b""):
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(rubbish)
    assert fetch(server, "/healthz")[0] == 200


def test_connections_past_the_bound_are_turned_away(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_CONNECTIONS", 2)
    kept = [http.client.HTTPConnection(server.address, timeout=5) for _ in range(2)]
    for connection in kept:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    with pytest.raises(
        (http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)
    ):
        fetch(server, "/healthz")
    for connection in kept:
        connection.close()


TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def guarded() -> Iterator[WebServer]:
    running = WebServer("127.0.0.1:0", pages(), token=TOKEN)
    running.start()
    yield running
    running.stop()


def ask(server: WebServer, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(server.address, timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_with_a_token_every_page_but_healthz_asks_for_it(guarded: WebServer) -> None:
    assert ask(guarded, "/metrics", Authorization=f"Bearer {TOKEN}").status == 200
    assert ask(guarded, "/healthz").status == 200
    for path in ("/", "/metrics", "/readyz", "/nowhere", "/broken"):
        answer = ask(guarded, path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="edge-fusion"')
        assert "Bearer realm=" in answer.headers["WWW-Authenticate"]
    assert ask(guarded, "/metrics", Authorization="Bearer wrong").status == 401


def test_a_page_of_a_stranger_does_not_get_through_the_browser_of_this_machine(
    server: WebServer,
) -> None:
    assert ask(server, "/metrics", Host="evil.example").status == 421
    assert ask(server, "/metrics", Host="localhost").status == 200


@pytest.mark.parametrize("drip", [b"x", b"x: y\r\n"], ids=["bytes", "headers"])
def test_a_request_that_drips_in_ends_after_the_time_of_one(
    server: WebServer, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    """Each byte is in time; all of them together are not."""
    monkeypatch.setattr(web, "PATIENCE", 0.4)
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.settimeout(0.05)
        eventually(lambda: is_cut(client, drip), "the end of the connection")
    assert fetch(server, "/healthz")[0] == 200


def test_a_request_has_only_so_many_bytes(server: WebServer) -> None:
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.settimeout(0.05)
        line = b"x: " + b"y" * 1000 + b"\r\n"
        most = web.MAX_REQUEST_BYTES // len(line) + 10
        assert any(is_cut(client, line) for _ in range(most))
    assert fetch(server, "/healthz")[0] == 200


def connect(server: WebServer) -> socket.socket:
    host, _, port = server.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def is_cut(client: socket.socket, more: bytes) -> bool:
    """Send more of a request; whether the server has ended the connection, without an answer."""
    try:
        client.sendall(more)
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_it_logs_no_requests(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        fetch(server, "/")
        fetch(server, "/nowhere")
    assert caplog.records == []


def test_the_address_says_the_port_it_got(server: WebServer) -> None:
    host, _, port = server.address.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_nothing_listens_before_start_and_after_stop() -> None:
    subject = WebServer("127.0.0.1:0", pages())
    assert subject.address == "127.0.0.1:0"
    subject.stop()
    subject.start()
    address = ("127.0.0.1", int(subject.address.rpartition(":")[2]))
    subject.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_it_can_start_again_at_once_where_it_was() -> None:
    first = WebServer("127.0.0.1:0", pages())
    first.start()
    address = first.address
    fetch(first, "/")
    first.stop()
    second = WebServer(address, pages())
    second.start()
    assert fetch(second, "/healthz")[0] == 200
    second.stop()


def test_a_port_in_use_is_a_problem_of_the_configuration(server: WebServer) -> None:
    with pytest.raises(ConfigError) as caught:
        WebServer(server.address, pages()).start()
    assert caught.value.problems == [f"[web] listen: {server.address}: Address already in use"]


def test_an_address_of_another_machine_is_a_problem_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"\[web\] listen: 192\.0\.2\.1:0: "):
        WebServer("192.0.2.1:0", pages()).start()


@pytest.mark.parametrize(
    "listen", ["", "8337", ":8337", "localhost", "localhost:", "localhost:x", "h:65536", "::1:80"]
)
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"^\[web\] listen: .*expected"):
        WebServer(listen, pages())


def test_an_ipv6_address_stands_in_brackets() -> None:
    subject = WebServer("[::1]:0", pages())
    try:
        subject.start()
    except ConfigError:
        pytest.skip("this machine has no IPv6")
    assert subject.address.startswith("[::1]:")
    assert fetch(subject, "/healthz")[0] == 200
    subject.stop()


def test_detail_of_any_kind_can_be_shown() -> None:
    assert json.loads(health_response(True, {"at": {1, 2}}).body)["ok"] is True


TAGGED = Response(200, HTML, b"<p>hello</p>", {"ETag": '"1"', "Cache-Control": "no-cache"})
PICTURE = Response(200, "image/jpeg", b"\xff\xd8\xff")


def ticking(stopping: threading.Event) -> Iterator[bytes]:
    while not stopping.wait(0.01):
        yield b"data: tick\n\n"


def breaking(stopping: threading.Event) -> Iterator[bytes]:
    yield b"data: one\n\n"
    raise RuntimeError("the stream is broken")


BRANCHES = Branches(
    pairs={"frame": lambda site, camera: PICTURE if (site, camera) == ("hall", "roof") else None},
    streams={"/live": ticking, "/broken": breaking},
)


@pytest.fixture
def branched() -> Iterator[WebServer]:
    routes = {"/tagged": lambda: TAGGED, "/healthz": lambda: health_response(True, {})}
    running = WebServer("127.0.0.1:0", routes, branches=BRANCHES)
    running.start()
    yield running
    running.stop()


def test_a_pair_of_names_leads_to_its_page_and_nothing_else_does(branched: WebServer) -> None:
    assert fetch(branched, "/frame/hall/roof?t=3") == (200, "image/jpeg", b"\xff\xd8\xff")
    for path in ("/frame/hall/door", "/frame/hall", "/frame/hall/roof/", "/frame//", "/x/hall/roof",
                 "/frame/../roof", "/frame/%2e%2e/roof"):  # fmt: skip
        assert fetch(branched, path)[0] == 404


def test_a_page_that_is_known_already_is_not_sent_again(branched: WebServer) -> None:
    answer = ask(branched, "/tagged")
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert answer.headers["Cache-Control"] == "no-cache"
    again = ask(branched, "/tagged", **{"If-None-Match": '"1"'})
    assert (again.status, again.headers["Content-Length"]) == (304, "0")
    assert ask(branched, "/tagged", **{"If-None-Match": '"2"'}).status == 200


def test_no_answer_lets_a_browser_run_embed_or_guess_anything(branched: WebServer) -> None:
    for path in ("/tagged", "/frame/hall/roof", "/nowhere"):
        headers = ask(branched, path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def follow(server: WebServer, path: str = "/live") -> http.client.HTTPResponse:
    """A stream whose headers have come."""
    connection = http.client.HTTPConnection(server.address, timeout=5)
    connection.request("GET", path)
    return connection.getresponse()


def test_a_stream_goes_on_until_the_server_stops(branched: WebServer) -> None:
    answer = follow(branched)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [answer.readline() for _ in range(4)] == [b"data: tick\n", b"\n"] * 2
    branched.stop()
    assert set(answer.read().split(b"\n\n")) <= {b"data: tick", b""}


def test_streams_past_their_bound_are_told_to_come_again_and_pages_are_still_served(
    branched: WebServer,
) -> None:
    watching = [follow(branched) for _ in range(web.MAX_STREAMS)]
    refused = follow(branched)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert b"as many watch already" in refused.read()
    assert fetch(branched, "/healthz")[0] == 200
    for each in watching:
        each.close()

    def watch_again() -> bool:
        with follow(branched) as answer:
            return answer.status == 200

    eventually(watch_again, "room for another watcher")


def test_a_stream_that_breaks_ends_and_makes_room(
    branched: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(web.MAX_STREAMS + 1):
        answer = follow(branched, "/broken")
        assert answer.read() == b"data: one\n\n"
    assert "stream /broken failed" in caplog.text


def test_a_stream_asks_for_the_token_as_any_page() -> None:
    guarded = WebServer("127.0.0.1:0", {}, branches=BRANCHES, token=TOKEN)
    guarded.start()
    assert ask(guarded, "/live").status == 401
    assert ask(guarded, "/frame/hall/roof").status == 401
    guarded.stop()


def test_the_head_of_a_stream_ends(branched: WebServer) -> None:
    assert fetch(branched, "/live", "HEAD") == (200, "text/event-stream", b"")
