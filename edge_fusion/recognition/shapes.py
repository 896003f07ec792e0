"""Patterns for topics that are alike: which levels differ, and what these name.

A pattern never reads a topic of another section: where it would, one of its levels is made
literal, and its topics part.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from unicodedata import combining

from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.recognition.recognise import CameraTopic, Recognised, SensorTopic
from edge_fusion.recognition.words import is_generic, without_quantity

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_NAME = 64
_SITE: Final = "{site}"
_MAX_NAMED = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """The levels of a pattern, and names for what has no placeholder among them.

    own: the placeholder of the sender, `{device}` or `{camera}`; name: what it is called.
    """

    levels: tuple[str, ...]
    own: str
    site: str | None = None
    name: str | None = None
    misnamed: tuple[str, ...] = ()

    @property
    def pattern(self) -> TopicPattern:
        return TopicPattern.parse("/".join(self.levels))

    @property
    def open_levels(self) -> list[int]:
        """The levels that could be made literal."""
        return [index for index, level in enumerate(self.levels) if level[:1] in {"{", "+"}]

    def with_level(self, index: int, value: str) -> Shape:
        """The shape with a literal level; what that level stood for is called after it."""
        levels = (*self.levels[:index], value, *self.levels[index + 1 :])
        if self.levels[index] == _SITE:
            return replace(self, levels=levels, site=as_name(value))
        if self.levels[index] == self.own:
            return replace(self, levels=levels, name=as_name(value))
        return replace(self, levels=levels)

    def nameless(self, misnamed: Sequence[str] = ()) -> Shape:
        """The shape that leaves it to payload or topic how the sender is called."""
        levels = tuple("+" if level == self.own else level for level in self.levels)
        return replace(self, levels=levels, name=None, misnamed=tuple(misnamed))


Part = tuple[Shape, Sequence[Recognised]]
"""A shape, and the topics that it reads."""


def shapes(
    family: Sequence[Recognised], foreign: Sequence[str], sites: frozenset[str]
) -> Iterator[Part]:
    """Shapes that read the topics of a family, each topic once, and no foreign one.

    sites: names of sites that are known from other topics. A topic that cannot be read alone is
    in no part.
    """
    own = "{camera}" if isinstance(family[0], CameraTopic) else "{device}"
    usual = family[0].usual
    shape = Shape(tuple(usual.split("/")), own) if usual else _general(family, own, sites)
    if shape is not None:
        yield from _settled(shape, family, foreign)
        return
    levels = range(len(family[0].topic.split("/")))
    varying = [i for i in levels if len({one.topic.split("/")[i] for one in family}) > 1]
    for _, _, part in _split(family, varying):
        yield from shapes(part, foreign, sites)


def _general(family: Sequence[Recognised], own: str, sites: frozenset[str]) -> Shape | None:
    """A shape for topics of no usual one; None if they have too little in common."""
    topics = [one.topic.split("/") for one in family]
    columns = [sorted(set(column)) for column in zip(*topics, strict=True)]
    varying = [index for index, column in enumerate(columns) if len(column) > 1]
    if varying and len(varying) == len(columns):
        return None
    if len(varying) > _MAX_NAMED and varying[0] == 0:
        return None
    known = [index for index in varying if sites.issuperset(columns[index])]
    named = _named_levels(varying, known, own)
    if len({tuple(topic[index] for index in named.values()) for topic in topics}) < len(topics):
        return None  # a level that gets no name tells devices apart
    levels = [c[0] if len(c) == 1 and is_literal(c[0]) else "+" for c in columns]
    for placeholder, index in named.items():
        levels[index] = placeholder
    shape = _with_guesses(Shape(tuple(levels), own))
    names_device = isinstance(family[0], SensorTopic) and family[0].names_device
    return shape.nameless() if names_device else shape


def _named_levels(varying: Sequence[int], known: Sequence[int], own: str) -> dict[str, int]:
    """The levels that name something. known: those that name nothing but known sites."""
    site = known[0] if known else varying[0] if len(varying) >= _MAX_NAMED else None
    sender = next((index for index in reversed(varying) if index != site), None)
    levels = {_SITE: site, own: sender}
    return {placeholder: index for placeholder, index in levels.items() if index is not None}


def is_literal(level: str) -> bool:
    """Whether a level may stand in a pattern, where braces have a meaning of their own."""
    return "{" not in level and "}" not in level


def _with_guesses(shape: Shape) -> Shape:
    """The shape with names after those literal levels that look like some.

    The last one is the sender, unless that has a placeholder, and the one before it the site. The
    first level is mostly called after a program, and counts only where it is all there is.
    """
    is_open = shape.own in shape.levels
    levels = shape.levels[: shape.levels.index(shape.own)] if is_open else shape.levels
    names = _names_in(levels[1:]) or ([] if is_open else _names_in(levels[:1]))
    name = names.pop() if names and not is_open else None
    site = names.pop() if names and _SITE not in shape.levels else None
    return replace(shape, site=site, name=name)


def _names_in(levels: Sequence[str]) -> list[str]:
    told = (level for level in levels if level not in {"+", _SITE} and not is_generic(level))
    return [as_name(rest) for level in told if (rest := without_quantity(level))]


def _settled(shape: Shape, topics: Sequence[Recognised], foreign: Sequence[str]) -> Iterator[Part]:
    """The shape if it reads none but these topics, under valid names; else narrower ones."""
    pattern = shape.pattern
    also_read = [topic for topic in foreign if pattern.match(topic) is not None]
    if also_read:
        yield from _narrowed(shape, shape.open_levels, topics, also_read)
    elif _invalid_names("site", pattern, topics):
        yield from _narrowed(shape, [shape.levels.index(_SITE)], topics, foreign)
    else:
        misnamed = _invalid_names(shape.own[1:-1], pattern, topics)
        yield (shape.nameless(misnamed) if misnamed else shape), topics


def _invalid_names(
    placeholder: str, pattern: TopicPattern, topics: Sequence[Recognised]
) -> tuple[str, ...]:
    names = {(pattern.match(one.topic) or {}).get(placeholder) for one in topics}
    return tuple(sorted(name for name in names if name is not None and not valid_name(name)))


def _narrowed(
    shape: Shape, indexes: Sequence[int], topics: Sequence[Recognised], foreign: Sequence[str]
) -> Iterator[Part]:
    for index, level, part in _split(topics, indexes):
        yield from _settled(shape.with_level(index, level), part, foreign)


def _split(
    topics: Sequence[Recognised], indexes: Sequence[int]
) -> Iterator[tuple[int, str, Sequence[Recognised]]]:
    """The topics apart by one of the levels, that with the fewest values; none if none will do."""
    parts: dict[int, dict[str, list[Recognised]]] = {index: {} for index in indexes}
    for one in topics:
        levels = one.topic.split("/")
        for index in indexes:
            parts[index].setdefault(levels[index], []).append(one)
    literal = {i: by_level for i, by_level in parts.items() if all(map(is_literal, by_level))}
    if literal:
        index = min(literal, key=lambda index: len(literal[index]))
        for level, part in sorted(literal[index].items()):
            yield index, level, part


def as_name(text: str) -> str:
    """A valid name that is near to `text`: accents go, and what no name may hold becomes _.

    Where letters had to go, a checksum keeps names apart that were different.
    """
    if valid_name(text):
        return text
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.strip()) if not combining(c))
    kept = bare.encode("ascii", "ignore").decode()
    lost = any(character.isalnum() and not character.isascii() for character in bare)
    suffix = f"_{zlib.crc32(text.encode(errors='replace')):08x}" if lost else ""
    return _NOT_NAME.sub("_", kept)[: _MAX_NAME - len(suffix)].strip("_") + suffix or "_"
