"""mosquitto's dynamic security: unlike its ACL file, it denies subscriptions aloud."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SALT, ROUNDS = b"twelve bytes", 101


def settings(
    path: Path, user: tuple[str, str], allowed: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Lines of a mosquitto.conf that let in one user, for what is `allowed`: kind and topic.

    Kinds are those of mosquitto, such as subscribePattern and publishClientSend.
    """
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    path.write_text(json.dumps(_rules(*user, allowed)))
    return "allow_anonymous false", f"plugin {plugin}", f"plugin_opt_config_file {path}"


def _rules(user: str, password: str, allowed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), SALT, ROUNDS)
    acls = [{"acltype": kind, "topic": topic, "allow": True} for kind, topic in allowed]
    client = {
        "username": user,
        "password": base64.b64encode(digest).decode(),
        "salt": base64.b64encode(SALT).decode(),
        "iterations": ROUNDS,
        "roles": [{"rolename": "box"}],
    }
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [client],
        "roles": [{"rolename": "box", "acls": acls}],
    }
