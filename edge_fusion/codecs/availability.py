"""Whether a device is there, in the words of the topics on which devices say so.

Zigbee2MQTT `online`, `offline` or `{"state": "offline"}`; Tasmota's LWT `Online`, `Offline`; Shelly
`true`, `false`; ESPHome `online`, `offline`; Homie's `$state` of six words, of which only `lost`
and `disconnected` mean that nothing more will come: a sleeping device wakes by itself.
"""

from __future__ import annotations

from typing import Final

from edge_fusion.codecs.document import load
from edge_fusion.codecs.numerals import bare_text

_HERE: Final = frozenset({"online", "true", "init", "ready", "sleeping", "alert"})
_GONE: Final = frozenset({"offline", "false", "lost", "disconnected"})
_LONGEST: Final = 256


def is_gone(payload: bytes) -> bool | None:
    """Whether `payload` says that its device is gone; None if it says neither that nor the other.

    Never raises. No announcement is long, so what is longer than 256 bytes is not looked into.
    """
    if len(payload) > _LONGEST:
        return None
    word = _word(payload)
    if word in _GONE:
        return True
    return False if word in _HERE else None


def _word(payload: bytes) -> str:
    """The word itself, or the one under "state" in a JSON object; empty if there is none."""
    if not payload.lstrip().startswith(b"{"):
        return (bare_text(payload) or "").lower()
    try:
        document = load(payload)
    except ValueError:
        return ""
    state = document.get("state") if isinstance(document, dict) else None
    return state.lower() if isinstance(state, str) else ""
