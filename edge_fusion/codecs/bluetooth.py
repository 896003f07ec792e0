"""Bluetooth devices: their names, which are their addresses."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}")


def address_name(text: object) -> str | None:
    """`A4:C1:38:0A:0B:0C` in the spelling of names, A4C1380A0B0C; None if it is no address."""
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        return None
    return text.replace(":", "").replace("-", "").upper()


def topic_address(topic: str) -> str | None:
    """The address in the last level of a topic, where gateways put that of the device."""
    return address_name(topic.rpartition("/")[2])
