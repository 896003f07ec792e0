"""Secrets of a configuration, each in a key, in a file of its own, or in a systemd credential."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from edge_fusion.config.keys import is_loopback, token_fault
from edge_fusion.config.settings import Settings
from edge_fusion.errors import ConfigError

SECRETS: Final = (("mqtt", "password"), ("web", "token"))
_OF_OTHERS: Final = 0o006


def with_secrets(settings: Settings, path: Path, environ: Mapping[str, str]) -> Settings:
    """`settings` with every secret in its key, wherever it came from.

    Raises ConfigError where a file of a secret cannot be read or holds none.
    """
    for table, key in SECRETS:
        group = getattr(settings, table)
        if getattr(group, key) is not None:
            continue
        source, file = f"{path}: {table}.{key}_file", getattr(group, f"{key}_file")
        if file is None:
            source, file = "$CREDENTIALS_DIRECTORY", _credential(environ, f"{table}.{key}")
        if file is not None:
            secret = SecretStr(_read(file, source, key))
            group = group.model_copy(update={key: secret})
            settings = settings.model_copy(update={table: group})
    return settings


def exposures(settings: Settings, path: Path) -> list[str]:
    """What must not be reached without a secret, and could be: one line each."""
    web = settings.web
    if web.token is not None or is_loopback(web.listen):
        return []
    expected = 'web.token_file, the systemd credential web.token, or "127.0.0.1:8337"'
    found = f'web.listen is "{web.listen}", which other machines can reach'
    return [f"{path}: {found}: expected {expected}"]


def loose_files(settings: Settings) -> list[str]:
    """Files of secrets that every user of this machine can read or write, one line each.

    The group may: that is how a service reads a file that it does not own.
    """
    tls = settings.mqtt.tls
    files = {
        "mqtt.password_file": settings.mqtt.password_file,
        "mqtt.tls.key": None if tls is None else tls.key,
        "web.token_file": settings.web.token_file,
    }
    return [
        f'{key} is "{file}", which is open to every user of this machine: chmod o= {file}'
        for key, file in files.items()
        if file is not None and file.stat().st_mode & _OF_OTHERS
    ]


def _credential(environ: Mapping[str, str], name: str) -> Path | None:
    """The file of a credential. An empty one is none: so a unit can have that for a default."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder) / name if folder else None
    if file is None or not file.is_file():
        return None
    with suppress(OSError):
        return file if file.read_bytes().strip() else None
    return file


def _read(file: Path, source: str, key: str) -> str:
    try:
        secret = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or "not UTF-8"
        problem = f'{source} is "{file}": {found}: expected a readable text file'
        raise ConfigError([problem]) from None
    if not secret:
        raise ConfigError([f'{source} is "{file}": the file is empty: expected a {key}'])
    if key == "token" and (fault := token_fault(secret)):
        raise ConfigError([f'{source} is "{file}": what is in it {fault}'])
    return secret
