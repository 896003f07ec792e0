"""When to try the broker again, and in which protocol: decisions, without a socket."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum, auto

_SILENCES_BEFORE_SWITCH = 2
_PATIENCE = 10.0
_STEADY = 10.0
"""Seconds. A connection that lasted less does not reset the back-off: two clients with one id
throw each other out as fast as they reconnect."""


class ProtocolChoice(Enum):
    """The MQTT version to speak; AUTO is 5, and 3.1.1 with a broker that does not know 5."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


class Verdict(Enum):
    """How an attempt to be connected ended."""

    UNREACHABLE = auto()
    """No TCP connection or no TLS: a broker that is down says nothing about its protocol."""
    SILENT = auto()
    """Closed, or nothing said, after our CONNECT and before an answer to it."""
    UNSUPPORTED = auto()
    """The broker says that it does not speak this protocol version."""
    DENIED = auto()
    """The broker does not want this user or client id."""
    REFUSED = auto()
    """The broker does not want us now, for another reason."""
    LOST = auto()
    """It had been accepted, and ended."""
    LEFT = auto()
    """We ended it."""


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended, why in words, and how many seconds it had been accepted for."""

    verdict: Verdict
    reason: str
    lasted: float = 0.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: from `first`, doubled up to `longest`; half of it is jitter.

    `answer` is how long a broker may take to answer a CONNECT of which it is not known whether
    it can read it: some do not even hang up on a version that they do not speak.
    """

    first: float = 1.0
    longest: float = 60.0
    answer: float = 3.0

    def delay(self, attempt: int) -> float:
        """How long to wait after the failure number `attempt`, counted from 0."""
        longest = min(self.longest, self.first * 2.0 ** min(attempt, 32))
        return random.uniform(0.5, 1.0) * longest  # noqa: S311 - spreads the load, guards nothing


class Retry:
    """Learns from each attempt which protocol to speak next, and after how long a wait."""

    def __init__(self, choice: ProtocolChoice, backoff: Backoff) -> None:
        self.protocol = ProtocolChoice.V5 if choice is ProtocolChoice.AUTO else choice
        self._backoff = backoff
        self._may_switch = choice is ProtocolChoice.AUTO
        self._failures = 0
        self._silences = 0

    @property
    def patience(self) -> float:
        """Seconds to wait for the answer to a CONNECT."""
        return self._backoff.answer if self._may_switch else _PATIENCE

    def after(self, end: End) -> float:
        """Seconds to wait before the next attempt."""
        if end.verdict is Verdict.LOST:
            self._may_switch = False  # the broker has shown that it speaks this protocol
            if end.lasted >= _STEADY:
                self._failures = 0
        elif self._may_switch and self._is_of_another_protocol(end.verdict):
            self._switch()
            return 0.0 if end.verdict is Verdict.UNSUPPORTED else self._delay(end.verdict)
        return self._delay(end.verdict)

    def _is_of_another_protocol(self, verdict: Verdict) -> bool:
        """Old brokers refuse version 5 by a code, or just hang up on a CONNECT they can't read."""
        self._silences = self._silences + 1 if verdict is Verdict.SILENT else 0
        return verdict is Verdict.UNSUPPORTED or self._silences >= _SILENCES_BEFORE_SWITCH

    def _switch(self) -> None:
        was = self.protocol
        self.protocol = ProtocolChoice.V311 if was is ProtocolChoice.V5 else ProtocolChoice.V5
        self._silences = 0

    def _delay(self, verdict: Verdict) -> float:
        self._failures += 1
        if verdict is Verdict.DENIED:  # brokers ban, and lock accounts, on quick repetition
            return self._backoff.delay(attempt=32)
        return self._backoff.delay(self._failures - 1)
