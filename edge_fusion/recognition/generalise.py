"""From topics that carry the same to one pattern for them all.

Levels that differ become `{site}` and `{device}` (or `{camera}`). A pattern never reads a topic of
another section: where it would, one of its levels is made literal, and its topics part.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from unicodedata import combining

from edge_fusion.codecs.decoder import DEFAULT_SITE, CameraSource, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.events import IMAGE
from edge_fusion.recognition.recognise import CameraTopic, Recognised, SensorTopic
from edge_fusion.recognition.words import is_generic, quantity_in, without_quantity

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_NAME = 64
_SITE: Final = "{site}"
_MAX_NAMED = 2

Source = SensorSource | CameraSource


@dataclass(frozen=True, slots=True)
class Section:
    """One `[[sensors]]` or `[[cameras]]` section, and the topics that it was made for.

    misnamed: what stands in these topics where a name should, and is none. says_nothing_new:
    whether the same devices say the same on topics of another section, so that it is not needed.
    """

    source: Source
    topics: tuple[Recognised, ...]
    misnamed: tuple[str, ...] = ()
    says_nothing_new: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
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

    def with_level(self, index: int, value: str) -> _Shape:
        """The shape with a literal level; what that level stood for is called after it."""
        levels = (*self.levels[:index], value, *self.levels[index + 1 :])
        if self.levels[index] == _SITE:
            return replace(self, levels=levels, site=as_name(value))
        if self.levels[index] == self.own:
            return replace(self, levels=levels, name=as_name(value))
        return replace(self, levels=levels)

    def nameless(self, misnamed: Sequence[str] = ()) -> _Shape:
        """The shape that leaves it to payload or topic how the sender is called."""
        levels = tuple("+" if level == self.own else level for level in self.levels)
        return replace(self, levels=levels, name=None, misnamed=tuple(misnamed))


_Part = tuple[_Shape, Sequence[Recognised]]
"""A shape, and the topics that it reads."""


def generalise(recognised: Sequence[Recognised], taken: Sequence[str] = ()) -> list[Section]:
    """Sections that together read each of the topics once, and none of those in `taken`.

    A topic that can't be read without reading another one twice is in no section.
    """
    parts: list[_Part] = []
    recognised = _without_tangled(recognised)
    for family in _families(recognised):
        members = {one.topic for one in family}
        foreign = [*taken, *(one.topic for one in recognised if one.topic not in members)]
        parts += _shapes(family, foreign)
    return sorted(_told_apart(parts), key=_place)


def _place(section: Section) -> tuple[bool, str]:
    """Sensors first, in order of their topics."""
    return isinstance(section.source, CameraSource), section.source.pattern.text


def left_over(topics: Iterable[str], sections: Sequence[Section]) -> list[str]:
    """The topics that neither a section reads nor its devices say on it that they are there."""
    read = {one.topic for section in sections for one in section.topics}
    patterns = [section.source.pattern for section in sections]
    for section in sections:
        if isinstance(section.source, SensorSource):
            form = SENSOR_FORMATS[section.source.format]
            text = form.availability(section.source.pattern.text)
            patterns += [] if text is None else [TopicPattern.parse(text)]
    return [
        topic
        for topic in topics
        if topic not in read and not any(one.match(topic) is not None for one in patterns)
    ]


def _without_tangled(recognised: Sequence[Recognised]) -> list[Recognised]:
    """Less what has no usual form, and lies where a usual one reads everything below a level."""
    deep = {one.usual for one in recognised if one.usual is not None and one.usual.endswith("#")}
    patterns = [TopicPattern.parse(text) for text in deep]
    return [
        one
        for one in recognised
        if one.usual is not None or all(p.match(one.topic) is None for p in patterns)
    ]


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


def _families(recognised: Sequence[Recognised]) -> Iterator[Sequence[Recognised]]:
    """Topics that one section could read: of one form, and with keys that agree."""
    for alike in _grouped(recognised, _form):
        families: list[tuple[SensorKeys, list[Recognised]]] = []
        for one in alike:
            keys = one.keys if isinstance(one, SensorTopic) else SensorKeys()
            for index, (common, family) in enumerate(families):
                if (merged := _merged(common, keys)) is not None:
                    families[index] = (merged, [*family, one])
                    break
            else:
                families.append((keys, [one]))
        yield from (family for _, family in families)


def _form(one: Recognised) -> Hashable:
    levels = one.topic.split("/")
    shape = (one.usual or len(levels), _is_literal(one.topic))
    if isinstance(one, CameraTopic):
        return (IMAGE, shape, one.format, one.keys.image, one.keys.time)
    # At bare numbers of a temperature, `{site}/{device}` may read no humidity.
    is_bare = one.keys.quantity is not None
    naming = tuple((i, level) for i, level in enumerate(levels) if is_bare and quantity_in(level))
    return (one.format, shape, one.names_device, naming)


def _merged(one: SensorKeys, other: SensorKeys) -> SensorKeys | None:
    """Keys that read what either of the two reads; None where they contradict each other."""
    if not (one.paths and other.paths):
        return one if one == other else None
    shared = one.paths.keys() & other.paths.keys()
    agree = all(
        (one.paths[q], one.units[q]) == (other.paths[q], other.units[q]) for q in shared
    ) and (one.time == other.time or None in {one.time, other.time})
    if not agree:
        return None
    added = {quantity: other.units[quantity] for quantity in other.paths.keys() - shared}
    return replace(
        one,
        paths={**one.paths, **other.paths},
        units={**one.units, **added},
        time=one.time or other.time,
    )


def _shapes(family: Sequence[Recognised], foreign: Sequence[str]) -> Iterator[_Part]:
    own = "{camera}" if isinstance(family[0], CameraTopic) else "{device}"
    usual = family[0].usual
    shape = _general(family, own) if usual is None else _Shape(tuple(usual.split("/")), own)
    if shape is not None:
        yield from _settled(shape, family, foreign)
        return
    levels = range(len(family[0].topic.split("/")))
    varying = [i for i in levels if len({one.topic.split("/")[i] for one in family}) > 1]
    for _, _, part in _split(family, varying):
        yield from _shapes(part, foreign)


def _general(family: Sequence[Recognised], own: str) -> _Shape | None:
    """A shape for topics of no usual one; None if they have too little in common."""
    topics = [one.topic.split("/") for one in family]
    columns = [sorted(set(column)) for column in zip(*topics, strict=True)]
    varying = [index for index, column in enumerate(columns) if len(column) > 1]
    if varying and len(varying) == len(columns):
        return None
    if len(varying) > _MAX_NAMED and varying[0] == 0:
        return None
    is_common = [len(column) == 1 and _is_literal(column[0]) for column in columns]
    levels = [
        column[0] if common else "+" for column, common in zip(columns, is_common, strict=True)
    ]
    if varying:
        levels[varying[-1]] = own
    if len(varying) >= _MAX_NAMED:
        levels[varying[0]] = _SITE
        if len({(topic[varying[0]], topic[varying[-1]]) for topic in topics}) < len(topics):
            return None  # a level between the two tells devices apart
    shape = _with_guesses(_Shape(tuple(levels), own))
    names_device = isinstance(family[0], SensorTopic) and family[0].names_device
    return shape.nameless() if names_device else shape


def _is_literal(level: str) -> bool:
    """Whether a level may stand in a pattern, where braces have a meaning of their own."""
    return "{" not in level and "}" not in level


def _with_guesses(shape: _Shape) -> _Shape:
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


def _settled(
    shape: _Shape, topics: Sequence[Recognised], foreign: Sequence[str]
) -> Iterator[_Part]:
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
    shape: _Shape, indexes: Sequence[int], topics: Sequence[Recognised], foreign: Sequence[str]
) -> Iterator[_Part]:
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
    literal = {i: by_level for i, by_level in parts.items() if all(map(_is_literal, by_level))}
    if literal:
        index = min(literal, key=lambda index: len(literal[index]))
        for level, part in sorted(literal[index].items()):
            yield index, level, part


def _told_apart(parts: Sequence[_Part]) -> Iterator[Section]:
    """No two senders of different sections under one name, if they send the same.

    Within a usual form they are one sender, who says the same again; so a section adds nothing
    if all that it reads was said on better topics.
    """
    taken: dict[tuple[str, str, str], str | None] = {}
    for shape, topics in sorted(parts, key=_preference):
        form = _usual_form(topics[0])
        claims = set(_claims(shape, topics))
        owners = {taken[claim] for claim in claims if claim in taken}
        if form is not None and owners == {form} and claims <= taken.keys():
            yield _section(shape, topics, says_nothing_new=True)
        elif (form is None and owners) or owners - {form}:
            yield _section(shape.nameless(), topics)
        else:
            taken |= dict.fromkeys(claims, form)
            yield _section(shape, topics)


def _preference(part: _Part) -> tuple[int, int, str]:
    """Usual topics in the order of their format, then shorter patterns first."""
    shape, (first, *_) = part
    form, text = _usual_form(first), "/".join(shape.levels)
    rank = 0 if form is None else SENSOR_FORMATS[form].usual_topics.index(first.usual or "")
    return rank, len(text), text


def _usual_form(one: Recognised) -> str | None:
    return one.format if isinstance(one, SensorTopic) and one.usual is not None else None


def _claims(shape: _Shape, topics: Sequence[Recognised]) -> Iterator[tuple[str, str, str]]:
    """Site, name and quantity of what these topics bring, as far as the shape names it."""
    for one in topics:
        names = shape.pattern.match(one.topic) or {}
        name = names.get(shape.own[1:-1], shape.name)
        quantities = one.quantities if isinstance(one, SensorTopic) else {IMAGE}
        if name is not None:
            site = names.get("site", shape.site or DEFAULT_SITE)
            yield from ((site, name, quantity) for quantity in quantities)


def _section(
    shape: _Shape, topics: Sequence[Recognised], *, says_nothing_new: bool = False
) -> Section:
    return Section(_source(shape, topics), tuple(topics), shape.misnamed, says_nothing_new)


def _source(shape: _Shape, topics: Sequence[Recognised]) -> Source:
    first = topics[0]
    if isinstance(first, CameraTopic):
        return CameraSource(shape.pattern, first.format, first.keys, shape.site, shape.name)
    keys = first.keys
    for one in topics:
        keys = (isinstance(one, SensorTopic) and _merged(keys, one.keys)) or keys
    return SensorSource(shape.pattern, first.format, keys, shape.site, shape.name)


def _grouped(
    topics: Iterable[Recognised], key: Callable[[Recognised], Hashable]
) -> list[list[Recognised]]:
    groups: dict[Hashable, list[Recognised]] = defaultdict(list)
    for one in topics:
        groups[key(one)].append(one)
    return list(groups.values())
