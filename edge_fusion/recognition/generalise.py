"""From topics that carry the same to the sections that read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge_fusion.codecs.decoder import DEFAULT_SITE, CameraSource, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import IMAGE
from edge_fusion.recognition.recognise import CameraTopic, Recognised, SensorTopic
from edge_fusion.recognition.shapes import Part, Shape, is_literal, shapes
from edge_fusion.recognition.words import quantity_in

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


def generalise(recognised: Sequence[Recognised], taken: Sequence[str] = ()) -> list[Section]:
    """Sections that together read each of the topics once, and none of those in `taken`.

    A topic that can't be read without reading another one twice is in no section. Sites that some
    topics name are known again in others, where they may be all that differs.
    """
    plain = _without_tangled(recognised)
    return _sections(plain, taken, knowing=_sections(plain, taken, knowing=()))


def _sections(
    recognised: Sequence[Recognised], taken: Sequence[str], knowing: Sequence[Section]
) -> list[Section]:
    parts: list[Part] = []
    named = [(section.topics[0].topic, frozenset(_sites_of(section))) for section in knowing]
    for family in _families(recognised):
        members = {one.topic for one in family}
        foreign = [*taken, *(one.topic for one in recognised if one.topic not in members)]
        sites = frozenset[str]().union(*(sites for topic, sites in named if topic not in members))
        parts += shapes(family, foreign, sites)
    return sorted(_told_apart(parts), key=_place)


def _sites_of(section: Section) -> Iterator[str]:
    pattern = section.source.pattern
    if "site" in pattern.names:
        yield from ((pattern.match(one.topic) or {})["site"] for one in section.topics)


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
    shape = (one.usual or len(levels), is_literal(one.topic))
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


def _told_apart(parts: Sequence[Part]) -> Iterator[Section]:
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


def _preference(part: Part) -> tuple[int, int, str]:
    """Usual topics in the order of their format, then shorter patterns first."""
    shape, (first, *_) = part
    form, text = _usual_form(first), "/".join(shape.levels)
    rank = 0 if form is None else SENSOR_FORMATS[form].usual_topics.index(first.usual or "")
    return rank, len(text), text


def _usual_form(one: Recognised) -> str | None:
    return one.format if isinstance(one, SensorTopic) and one.usual is not None else None


def _claims(shape: Shape, topics: Sequence[Recognised]) -> Iterator[tuple[str, str, str]]:
    """Site, name and quantity of what these topics bring, as far as the shape names it."""
    for one in topics:
        names = shape.pattern.match(one.topic) or {}
        name = names.get(shape.own[1:-1], shape.name)
        quantities = one.quantities if isinstance(one, SensorTopic) else {IMAGE}
        if name is not None:
            site = names.get("site", shape.site or DEFAULT_SITE)
            yield from ((site, name, quantity) for quantity in quantities)


def _section(
    shape: Shape, topics: Sequence[Recognised], *, says_nothing_new: bool = False
) -> Section:
    return Section(_source(shape, topics), tuple(topics), shape.misnamed, says_nothing_new)


def _source(shape: Shape, topics: Sequence[Recognised]) -> Source:
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
