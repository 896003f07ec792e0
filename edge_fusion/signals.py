"""Signals of the operating system as notices in the mailbox."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from edge_fusion.mailbox import Notice


@contextmanager
def forwarded(
    notices: Mapping[signal.Signals, Notice], post: Callable[[Notice], None]
) -> Iterator[None]:
    """While this lasts each signal posts its notice; `post` must be safe in a signal handler."""
    before = {
        number: signal.signal(number, lambda *_, notice=notice: post(notice))
        for number, notice in notices.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
