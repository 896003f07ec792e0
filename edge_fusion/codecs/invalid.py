"""Making `Invalid` values whose detail is fit for a log."""

from __future__ import annotations

from edge_fusion.events import Invalid, InvalidReason, Message

MAX_DETAIL = 120


def invalid(message: Message, reason: InvalidReason, detail: str) -> Invalid:
    """An `Invalid` for `message`; `detail` is made printable and cut to 120 characters."""
    return Invalid(message.topic, reason, printable(detail))


def printable(text: str, limit: int = MAX_DETAIL) -> str:
    """`text` cut to `limit` characters, with "?" for what a terminal or a log line cannot show."""
    # isprintable() is false for lone surrogates too, which could not be written as UTF-8.
    return "".join(c if c.isprintable() else "?" for c in text[:limit])
