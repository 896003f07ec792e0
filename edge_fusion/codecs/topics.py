"""Topics: patterns to subscribe to, names found in topics, and every topic this program publishes.

A pattern is an MQTT topic filter in which `{site}`, `{device}` and `{camera}` stand for one
whole level each: `zigbee2mqtt/{site}/{device}` subscribes to `zigbee2mqtt/+/+`.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

PLACEHOLDERS = ("site", "device", "camera")
_ALLOWED = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_MAX_TOPIC_BYTES = 65_535
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")


def valid_name(text: str) -> bool:
    """Whether `text` may name a site, device or camera: 1 to 64 ASCII letters, digits, _ - ."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """A topic filter with named levels. Build it with `parse`.

    text: as the user wrote it; filter: what to subscribe to; names: the placeholders in it, in
    order of appearance.
    """

    text: str
    filter: str
    names: tuple[str, ...]
    _levels: tuple[str, ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> TopicPattern:
        """Read a pattern; raises ValueError with one sentence that says what is wrong."""
        _check_text(text)
        levels = text.split("/")
        names = tuple(name for level in levels if (name := _placeholder(text, level)))
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated:
            raise ValueError(f'topic "{text}" has {{{repeated}}} twice: once is enough')
        if "#" in levels[:-1]:
            raise ValueError(f'topic "{text}" has # before its end: # must be the last level')
        plain = "/".join("+" if level.startswith("{") else level for level in levels)
        return cls(text, plain, names, tuple(levels))

    @property
    def has_wildcard(self) -> bool:
        """Whether + or # stand for levels that have no name."""
        return "+" in self._levels or "#" in self._levels

    def match(self, topic: str) -> dict[str, str] | None:
        """The names that `topic` gives to the placeholders, or None where it does not match.

        Follows MQTT: `#` also matches its parent level, and a leading wildcard does not match
        topics that begin with `$`. Names are as found; whether they are valid is for the caller.
        """
        levels = topic.split("/")
        if topic.startswith("$") and self.filter[0] in "+#":
            return None
        wanted = self._levels
        if wanted[-1] == "#":
            wanted = wanted[:-1]
            levels = levels[: len(wanted)]
        if len(levels) != len(wanted):
            return None
        found: dict[str, str] = {}
        for want, level in zip(wanted, levels, strict=True):
            if want.startswith("{"):
                found[want[1:-1]] = level
            elif want not in ("+", level):
                return None
        return found


def _check_text(text: str) -> None:
    if not text:
        raise ValueError("the topic is empty: expected something like cameras/{site}/{camera}")
    if "\0" in text:
        raise ValueError("the topic contains a NUL character: MQTT forbids it")
    if len(text.encode("utf-8", "replace")) > _MAX_TOPIC_BYTES:
        raise ValueError(f"the topic is longer than {_MAX_TOPIC_BYTES} bytes: MQTT forbids it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the topic cannot be written in UTF-8: MQTT needs that")
    if text.startswith("$share/"):
        raise ValueError(
            f'topic "{text}" is a shared subscription: a site\'s messages must all come here'
        )


def _placeholder(text: str, level: str) -> str | None:
    """The name in `{name}`, None for any other valid level."""
    if level in ("+", "#"):
        return None
    if "+" in level or "#" in level:
        raise ValueError(f'topic "{text}" has "{level}": + and # must stand alone in their level')
    if "{" not in level and "}" not in level:
        return None
    name = level[1:-1]
    if level != f"{{{name}}}" or "{" in name or "}" in name:
        raise ValueError(f'topic "{text}" has "{level}": a placeholder must be a whole level')
    if name not in PLACEHOLDERS:
        raise ValueError(f'topic "{text}" has unknown placeholder {level}: allowed are {_ALLOWED}')
    return name


def status_topic(prefix: str, box: str) -> str:
    """Retained `online` or `offline` (the last will) of one box."""
    return f"{prefix}/box/{box}/status"


def barrier_topic(prefix: str, box: str) -> str:
    """Where a box tells itself that the broker's backlog has been delivered."""
    return f"{prefix}/box/{box}/barrier"


def alert_topic(prefix: str, site: str, label: str) -> str:
    """The current alert of one label, retained JSON."""
    return f"{prefix}/{site}/alert/{label}"


def event_topic(prefix: str, site: str) -> str:
    """Each lifecycle change of a site's alerts, JSON."""
    return f"{prefix}/{site}/event"


def window_topic(prefix: str, site: str) -> str:
    """One JSON document per window revision."""
    return f"{prefix}/{site}/window"


def snapshot_topic(prefix: str, site: str, label: str) -> str:
    """The JPEG that an alert rests on, retained."""
    return f"{prefix}/{site}/snapshot/{label}"


def late_topic(prefix: str, site: str) -> str:
    """Events that came too late for their windows, JSON."""
    return f"{prefix}/{site}/late"


def silence_pattern(prefix: str) -> str:
    """Where people have alerts of a site be quiet, as a pattern for `TopicPattern`."""
    return f"{prefix}/{{site}}/silence"


def silenced_topic(prefix: str, site: str) -> str:
    """Which labels of a site are silenced, retained JSON."""
    return f"{prefix}/{site}/silenced"


def discovery_topic(prefix: str, site: str, root: str = "homeassistant") -> str:
    """Where Home Assistant looks for the device of a site; `root` is its discovery prefix."""
    return f"{root}/device/{discovery_id(prefix, site)}/config"


def discovery_id(prefix: str, site: str) -> str:
    """`<prefix>_<site>` in the letters Home Assistant allows in an id: [a-zA-Z0-9_-].

    Where something had to be replaced, a checksum keeps `a.b` and `a_b` apart.
    """
    raw = f"{prefix}_{site}"
    safe = _NOT_ID.sub("_", raw)
    return safe if safe == raw else f"{safe}_{zlib.crc32(raw.encode()):08x}"
