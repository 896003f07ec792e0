"""Why a camera could not be opened. OpenCV does not say, so the camera is asked.

A server is sent the request with which a player begins, and its answer is read: RTSP DESCRIBE
(RFC 2326) or HTTP GET, with the password of the url as its challenge wants it, Basic (RFC 7617) or
Digest with MD5 (RFC 2069, RFC 7616), which is all that cameras speak.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote

from edge_fusion.io.address import CameraAddress, Medium

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_MOST_READS: Final = 16
_STATUS = re.compile(rb"(?:RTSP|HTTP)/\d\.\d (\d{3})\b")
# Of several challenges not the one with SHA-256, which FFmpeg does not speak either.
_CHALLENGE = re.compile(
    r"^www-authenticate: *(basic|digest)\b(?!.*sha)(.*)$", re.IGNORECASE | re.MULTILINE
)
_PARAMETER = re.compile(r'(\w+)="?([^",]*)"?')
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_DENIALS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why, in words; `denied`: it does not want us, and might lock us out if we insist."""

    reason: str
    denied: bool = False


def ask_why(address: CameraAddress, timeout: float) -> Refusal:
    """Find out why `address` cannot be opened, in about `timeout` seconds. Never raises."""
    if address.medium in {Medium.DEVICE, Medium.FILE}:
        return Refusal(_fault_of_path(Path(address.location), address.medium))
    try:
        return _ask_server(address.url, timeout)
    except TimeoutError:
        return Refusal("no answer")
    except (OSError, ValueError) as error:
        return Refusal((getattr(error, "strerror", None) or str(error)).lower())


def _fault_of_path(path: Path, medium: Medium) -> str:
    device = medium is Medium.DEVICE
    try:
        path.stat()
        if os.access(path, os.R_OK):
            return "it gives no pictures; is it in use?" if device else "there is no video in it"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "permission denied" + ("; is this user in the group video?" if device else "")


def _ask_server(url: SplitResult, timeout: float) -> Refusal:
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    with socket.create_connection((host, port), timeout) as connection:
        if url.scheme in {"rtsps", "https"}:
            return Refusal("it takes connections, but no video could be read from it")
        answer = _exchange(connection, url)
        challenge = _CHALLENGE.search(answer.decode("latin-1"))
        if challenge is None or url.username is None:
            return _verdict(answer, url)
    with socket.create_connection((host, port), timeout) as connection:
        return _verdict(_exchange(connection, url, _credentials(challenge, url)), url)


def _verdict(answer: bytes, url: SplitResult) -> Refusal:
    status = _STATUS.match(answer)
    if status is None:
        return Refusal(f"what answers does not speak {url.scheme.upper()}")
    code = int(status[1])
    if code == HTTPStatus.OK:
        return Refusal("no video could be read from it")
    words = f"{code} {_PHRASES.get(code, '')}".strip()
    if code not in _DENIALS:
        return Refusal(words)
    advice = "wants a user and a password" if url.username is None else "refuses user or password"
    return Refusal(f"{words}: it {advice}", denied=True)


def _exchange(connection: socket.socket, url: SplitResult, credentials: str = "") -> bytes:
    """One request and the head of its answer."""
    method, target, protocol = _request(url)
    lines = [f"{method} {target} {protocol}", "CSeq: 1", f"Host: {url.netloc.rpartition('@')[2]}"]
    lines += ["User-Agent: edge-fusion", *([credentials] if credentials else []), "", ""]
    connection.sendall("\r\n".join(lines).encode())
    answer = b""
    for _ in range(_MOST_READS):
        chunk = connection.recv(4096)
        answer += chunk
        if not chunk or b"\r\n\r\n" in answer:
            break
    return answer


def _request(url: SplitResult) -> tuple[str, str, str]:
    """Method, target and protocol of the request with which a player begins."""
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if url.scheme == "rtsp":
        return "DESCRIBE", f"rtsp://{url.netloc.rpartition('@')[2]}{path}", "RTSP/1.0"
    return "GET", path, "HTTP/1.0"


def _credentials(challenge: re.Match[str], url: SplitResult) -> str:
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if challenge[1].lower() == "basic":
        return f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    given = {key.lower(): value for key, value in _PARAMETER.findall(challenge[2])}
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    method, target, _ = _request(url)
    secret, asked_for = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{target}")
    counted = "auth" in given.get("qop", "").split(",")
    middle = f"{nonce}:00000001:0:auth" if counted else nonce
    proof = _md5(f"{secret}:{middle}:{asked_for}")
    text = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{target}", '
    text += f'response="{proof}"' + (', qop=auth, nc=00000001, cnonce="0"' if counted else "")
    return f"Authorization: Digest {text}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
