"""Why a camera does not open, as it says itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from conftest import free_port
from filming import RtspCamera

from edge_fusion.io.address import parse_address
from edge_fusion.io.refusal import Refusal, ask_why


def why(url: str, timeout: float = 5.0) -> Refusal:
    return ask_why(parse_address(url), timeout)


@pytest.fixture(scope="module", params=["basic", "digest"])
def guarded(request: pytest.FixtureRequest) -> Iterator[str]:
    """The host of a camera that asks for a password."""
    camera = RtspCamera(guard=(request.param, "me", "p@ss word"))
    camera.start()
    yield f"127.0.0.1:{camera.port}"
    camera.kill()


def test_a_camera_refuses_the_wrong_password(guarded: str) -> None:
    refusal = why(f"rtsp://me:wrong@{guarded}/camera")
    assert refusal == Refusal("401 Unauthorized: it refuses user or password", denied=True)


def test_a_camera_wants_a_password(guarded: str) -> None:
    refusal = why(f"rtsp://{guarded}/camera")
    assert refusal == Refusal("401 Unauthorized: it wants a user and a password", denied=True)


def test_with_the_right_password_it_says_that_there_is_no_such_stream(guarded: str) -> None:
    assert why(f"rtsp://me:p%40ss%20word@{guarded}/nothing") == Refusal("404 Not Found")


def test_with_the_right_password_it_has_nothing_against_us(guarded: str) -> None:
    refusal = why(f"rtsp://me:p%40ss%20word@{guarded}/camera")
    assert refusal == Refusal("no video could be read from it")


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Makes servers that answer everything with the same bytes; gives their host and port."""
    with ExitStack() as stack:

        def answering(answer: bytes) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with suppress(OSError):  # until it is closed
                    while True:
                        connection, _ = listener.accept()
                        with connection:
                            connection.recv(4096)
                            connection.sendall(answer)

            threading.Thread(target=serve, daemon=True).start()
            return f"127.0.0.1:{listener.getsockname()[1]}"

        yield answering


CHALLENGE = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm, nonce=, qop\r\n\r\n"


def test_of_two_challenges_the_one_is_answered_that_cameras_and_players_know() -> None:
    heads = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                heads.append(connection.recv(4096).decode())
                connection.sendall(
                    b"RTSP/1.0 401 Unauthorized\r\n"
                    b'WWW-Authenticate: Digest realm="cam", nonce="a", algorithm=SHA-256\r\n'
                    b'WWW-Authenticate: Digest realm="cam", nonce="b", qop="auth"\r\n\r\n'
                )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        why(f"rtsp://me:secret@127.0.0.1:{listener.getsockname()[1]}/x")
        thread.join()
    assert "Authorization" not in heads[0]
    assert 'Digest username="me", realm="cam", nonce="b"' in heads[1]
    assert "qop=auth" in heads[1]


@pytest.mark.parametrize(
    ("scheme", "answer", "reason"),
    [
        ("http", b"HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"),
        ("http", b"HTTP/1.1 503\r\n\r\n", "503 Service Unavailable"),
        ("http", CHALLENGE, "401 Unauthorized: it refuses user or password"),
        ("rtsp", b"", "what answers does not speak RTSP"),
        ("rtsp", b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "what answers does not speak RTSP"),
        ("rtsp", bytes(range(256)) * 100, "what answers does not speak RTSP"),
        ("rtsp", b"RTSP/1.0 454 \x1b[31mSession\r\n\r\n", "454"),
    ],
)
def test_whatever_answers_there_is_a_reason(
    answering: Callable[[bytes], str], scheme: str, answer: bytes, reason: str
) -> None:
    assert why(f"{scheme}://me:secret@{answering(answer)}/x").reason == reason


def test_a_server_that_is_not_there_or_says_nothing() -> None:
    assert why(f"rtsp://127.0.0.1:{free_port()}/x") == Refusal("connection refused")
    assert "not known" in why("rtsp://camera.invalid/x").reason
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x", 0.2) == Refusal("no answer")


def test_what_is_wrong_with_a_path(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    assert why(str(text)) == Refusal("there is no video in it")
    assert why(str(tmp_path / "none.mp4")) == Refusal("no such file or directory")
    assert why("/dev/null") == Refusal("it gives no pictures; is it in use?")
