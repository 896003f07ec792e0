"""TLS settings of a client, and what went wrong with a connection, in words."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from edge_fusion.errors import ConfigError

# Numbers of OpenSSL's X509_V_ERR_*; the ssl module gives no names to them.
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})


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
    if files.cert is not None:
        try:
            context.load_cert_chain(files.cert, files.key)
        except (OSError, ValueError) as error:
            raise ConfigError([f"mqtt.tls.cert, key: {files.cert}: {error}"]) from error
    return context


def in_words(error: Exception) -> str:
    """Why a connection could not be made, for someone who has to mend it."""
    match error:
        case ssl.SSLCertVerificationError():
            return _certificate_fault(error)
        case ssl.SSLEOFError():
            return "TLS: the broker ended the handshake; perhaps this port does not speak TLS"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case OSError():
            return _network_fault(error)
        case _:
            return str(error)


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
    if error.verify_code in _WRONG_NAME:
        return "TLS: the broker's certificate is for another host name"
    if error.verify_code in _UNKNOWN_ISSUER:
        return "TLS: the broker's certificate is not signed by a trusted authority (wrong CA)"
    if error.verify_code == _EXPIRED:
        return "TLS: the broker's certificate has expired"
    if error.verify_code == _NOT_YET_VALID:
        return "TLS: the broker's certificate is not valid yet; is this machine's clock right?"
    return f"TLS: {error.verify_message}"
