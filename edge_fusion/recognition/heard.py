"""What was heard on the topics of a broker: the first messages of each, and how many there were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from edge_fusion.events import Message

_COMMANDS: Final = frozenset({"set", "get", "cmd", "cmnd", "command", "config"})


@dataclass(frozen=True, slots=True)
class Heard:
    """What came on one topic: the first messages, in order of arrival, and how many in all."""

    topic: str
    messages: tuple[Message, ...]
    count: int


@dataclass(frozen=True, slots=True)
class HearingLimits:
    """How much is kept: topics, messages of each, fewer where they are large, bytes of them all."""

    topics: int = 4096
    messages: int = 8
    large: int = 65_536
    large_messages: int = 2
    bytes: int = 64_000_000


class Hearing:
    """Takes messages as they come and keeps enough of them, within its limits.

    prefix: of the topics that daemons publish; these, commands and discovery are not kept.
    """

    def __init__(self, prefix: str, limits: HearingLimits = HearingLimits()) -> None:
        self._prefix = prefix
        self._limits = limits
        self._kept: dict[str, list[Message]] = {}
        self._counts: Counter[str] = Counter()
        self._bytes = 0
        self.messages = 0
        self.overlooked = 0
        """Messages on topics for which there was no room."""

    @property
    def topics(self) -> int:
        return len(self._kept)

    def take(self, message: Message) -> None:
        topic = message.topic
        if not is_worth_hearing(topic, self._prefix):
            return
        if topic not in self._kept:
            if len(self._kept) >= self._limits.topics:
                self.overlooked += 1
                return
            self._kept[topic] = []
        self.messages += 1
        self._counts[topic] += 1
        if self._has_room(message):
            self._kept[topic].append(message)
            self._bytes += len(message.payload)

    def heard(self) -> list[Heard]:
        """What was kept, in order of the topics."""
        return [
            Heard(topic, tuple(messages), self._counts[topic])
            for topic, messages in sorted(self._kept.items())
        ]

    def _has_room(self, message: Message) -> bool:
        size, limits = len(message.payload), self._limits
        most = limits.large_messages if size > limits.large else limits.messages
        return len(self._kept[message.topic]) < most and self._bytes + size <= limits.bytes


def is_worth_hearing(topic: str, prefix: str) -> bool:
    """Whether a device may measure something on `topic`.

    Not where daemons with this prefix publish, nor where devices are told what to do or be, and
    not on what no configuration can subscribe to.
    """
    levels = topic.split("/")
    return not (
        f"{topic}/".startswith((f"{prefix}/", "$"))
        or levels[-1].lower() in _COMMANDS
        or levels[0].lower() == "cmnd"
        or any(forbidden in topic for forbidden in "+#\0")
        or not topic
    )
