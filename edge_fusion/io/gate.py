"""Gate: who may see a page, decided by what a request says of itself."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from typing import Final

PUBLIC: Final = frozenset({"/healthz"})
"""Whether the program lives is told to anybody: probes of containers know no token."""

CHALLENGE: Final = 'Basic realm="edge-fusion", charset="UTF-8", Bearer realm="edge-fusion"'
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Gate:
    """`token` is what a request must show, `host` the address that is listened on.

    The token comes as `Authorization: Bearer` (RFC 6750), or as the password of any user, which a
    browser asks for by itself (RFC 7617). Without a token who is on this machine may look; a page
    of a stranger in his browser may not, even where its name has been made to resolve to this
    machine (DNS rebinding): so the Host that is asked for must be one of this machine's own.
    """

    token: str | None = field(repr=False)
    host: str

    def objection(
        self, path: str, host: str | None, authorization: str | None
    ) -> HTTPStatus | None:
        """The status to answer instead of the page, or None; what is no browser may omit Host."""
        if path in PUBLIC:
            return None
        if self.token is None:
            own = host is None or _name(host) in _THIS_MACHINE | {self.host.lower()}
            return None if own else HTTPStatus.MISDIRECTED_REQUEST
        shown = _shown(authorization or "")
        known = compare_digest(shown.encode(errors="replace"), self.token.encode())
        return None if known else HTTPStatus.UNAUTHORIZED


def _name(host: str) -> str:
    """The name in a Host header, without its port and an IPv6 address's brackets."""
    bracketed, bracket, _ = host.strip().removeprefix("[").partition("]")
    name = bracketed if bracket else host.strip().partition(":")[0]
    return name.lower().removesuffix(".")


def _shown(authorization: str) -> str:
    """The token in an Authorization header; empty where there is none."""
    scheme, _, credentials = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _password(credentials.strip())
        case _:
            return ""


def _password(credentials: str) -> str:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
