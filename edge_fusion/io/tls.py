"""TLS settings of a client, and what went wrong with a connection, in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from edge_fusion.errors import ConfigError

# Numbers of OpenSSL's X509_V_ERR_*; the ssl module gives no names to them.
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})

_OUR_OWN = "our certificate, mqtt.tls.cert"
# Alerts of RFC 8446, section 6.2, that say what the broker has against us.
_ALERTS: Final[Mapping[str, str]] = {
    "CERTIFICATE_REQUIRED": "the broker wants a certificate of this box: mqtt.tls.cert and key",
    "HANDSHAKE_FAILURE": "the broker broke off the handshake; "
    "perhaps it wants a certificate of this box: mqtt.tls.cert and key",
    "UNKNOWN_CA": f"the broker does not trust the authority that signed {_OUR_OWN}",
    "CERTIFICATE_EXPIRED": f"the broker says that {_OUR_OWN}, has expired: renew it",
    "CERTIFICATE_REVOKED": f"the broker says that {_OUR_OWN}, was revoked",
    "BAD_CERTIFICATE": f"the broker does not take {_OUR_OWN}",
    "CERTIFICATE_UNKNOWN": f"the broker does not take {_OUR_OWN}",
    "UNSUPPORTED_CERTIFICATE": f"the broker does not take {_OUR_OWN}: it is for another purpose",
}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. Without `ca` the system's authorities are trusted; `cert` and `key` identify us.

    `key` may be None if it stands in the same file as `cert`.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """A context for TLS 1.2 or newer that verifies the broker's certificate and its host name.

    Raises:
        ConfigError: a file cannot be read or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (OSError, ValueError) as error:
        raise ConfigError([f"mqtt.tls.ca: {files.ca}: {error}"]) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TellingSocket
    if files.cert is not None:
        try:
            context.load_cert_chain(files.cert, files.key, password=_refuse_to_ask)
        except (OSError, ValueError) as error:
            raise ConfigError([f"mqtt.tls.cert, key: {files.cert}: {error}"]) from error
    return context


def _refuse_to_ask() -> NoReturn:
    """OpenSSL would ask on the terminal, and a daemon would wait for ever."""
    raise ValueError("the key is encrypted: expected one without a pass phrase")


class _TellingSocket(ssl.SSLSocket):
    """Keeps the alert by which the broker ended the connection: the MQTT library does not tell.

    In TLS 1.3 a client's certificate is judged after its handshake, so the alert comes with the
    first read. A write may fail before that; then the alert is waiting to be read.
    """

    alert: ssl.SSLError | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except ssl.SSLError as error:
            if _alert_of(error) is not None:
                self.alert = error
            raise

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            with suppress(OSError):
                self.recv()
            raise


def last_word(sock: object) -> str | None:
    """The alert by which the broker ended a connection of `client_context`, in words, or None."""
    alert = getattr(sock, "alert", None)
    return None if alert is None else in_words(alert)


def in_words(error: Exception) -> str:
    """Why a connection could not be made, for someone who has to mend it."""
    match error:
        case ssl.SSLCertVerificationError():
            return _certificate_fault(error)
        case ssl.SSLEOFError():
            return "TLS: the broker ended the handshake; perhaps this port does not speak TLS"
        case ssl.SSLError():
            alert = _alert_of(error) or ""
            return f"TLS: {_ALERTS.get(alert) or error.reason or error}"
        case OSError():
            return _network_fault(error)
        case _:
            return str(error)


def _alert_of(error: ssl.SSLError) -> str | None:
    """OpenSSL's name of an alert, such as CERTIFICATE_REQUIRED; before it stands a version."""
    _, is_alert, name = (error.reason or "").partition("ALERT_")
    return name if is_alert else None


def _network_fault(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "connection refused; no broker listens there"
        case ConnectionResetError():
            return "the other side reset the connection"
        case socket.gaierror():
            return f"the host name cannot be resolved ({error.strerror})"
        case TimeoutError():
            return "no answer in time"
        case _:
            return error.strerror or str(error)


def _certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    what = "TLS: the broker's certificate"
    if error.verify_code in _WRONG_NAME:
        return f"{what} is for another host name: mqtt.host must be one that stands in it"
    if error.verify_code in _UNKNOWN_ISSUER:
        return (
            f"{what} is not signed by a trusted authority (wrong CA): "
            "mqtt.tls.ca must be the one that signed it"
        )
    if error.verify_code == _EXPIRED:
        return f"{what} has expired: renew it there, unless this machine's clock is wrong"
    if error.verify_code == _NOT_YET_VALID:
        return f"{what} is not valid yet; is this machine's clock right?"
    return f"TLS: {error.verify_message}"
