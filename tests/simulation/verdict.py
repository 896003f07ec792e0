"""What must hold of every seed, whatever went wrong in it.

1. What was acknowledged is accounted for: admitted to its windows once, or counted.
2. The windows last published hold exactly what was admitted (an oracle that only groups and adds).
3. All that was published is what a box without any trouble would have published from the same
   inputs, word for word.
4. The broker got all of it, in order, and whatever it got twice was the same.
5. Every firing is resolved, under one id, and firings of a label do not overlap.
6. What consumers get is as the published schemas have it.
7. What the broker held back, while the box was away for less than a minute, is not late.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas import KINDS, valid
from simulation.devices import measurements
from simulation.ledger import Epoch, Fed, Ledger, Reloaded, Restarted, Told
from simulation.plan import Configuration
from simulation.reference import retold

from edge_fusion.align.windows import assigner
from edge_fusion.codecs.times import format_time
from edge_fusion.events import (
    DEVICE,
    Duplicate,
    Event,
    Publication,
    Quarantined,
    Reading,
    Shed,
    TooLate,
)

Group = tuple[str, str, str, str]
"""Site, start and end of a window, and a quantity."""


def judge(ledger: Ledger) -> None:
    """Raises AssertionError with what does not hold."""
    for number, epoch in enumerate(ledger.epochs):
        _windows_hold_what_was_admitted(epoch, complete=number == len(ledger.epochs) - 1)
        _nothing_shows(epoch)
        _the_broker_got_it(ledger, number)
    _alerts_make_sense(ledger)
    _all_is_accounted_for(ledger)
    _payloads_keep_to_their_schemas(ledger)
    _what_was_held_back_is_not_late(ledger)


# 1


def _all_is_accounted_for(ledger: Ledger) -> None:
    fates: defaultdict[tuple[str, float], list[str]] = defaultdict(list)
    for epoch in ledger.epochs:
        for event, fate in _fates(epoch):
            if isinstance(event, Reading):
                fates[event.quantity, event.value].append(fate)
    for message in ledger.acknowledged:
        for measured in measurements(message.topic, message.payload):
            assert fates[measured], f"acknowledged, and in no window: {message}"
    changed = any(_was_hopped(epoch) for epoch in ledger.epochs)
    for measured, found in fates.items():
        # Two equal messages of a device that states no time are two measurements.
        dated = measured in ledger.dated and not changed
        often = 1 if dated else ledger.sent[measured]
        if len(ledger.epochs) == 1 and (dated or not ledger.broker_forgot):
            assert found.count("admitted") <= often, f"admitted more than once: {measured}"


def _fates(epoch: Epoch) -> Iterator[tuple[Event, str]]:
    for outcome in epoch.outcomes:
        match outcome:
            case Quarantined(event=event):
                yield event, "admitted"
            case TooLate(event=event):
                yield event, "late"
            case Duplicate(event=event):
                yield event, "duplicate"
            case Shed(event=event) if event is not None:
                yield event, "shed"
            case Reading():
                yield outcome, "admitted"
            case _:
                pass


# 2


def _windows_hold_what_was_admitted(epoch: Epoch, *, complete: bool) -> None:
    """`complete`: what is not published yet never will be."""
    if _was_hopped(epoch):
        return
    groups = _grouped(epoch)
    published = _last_published(epoch)
    for group in groups.keys() | published.keys():
        want, found = groups.get(group), published.get(group)
        assert want is not None, f"published, and not admitted: {group}: {found}"
        if not complete and (found is None or found["count"] < len(want)):
            continue
        assert found is not None, f"admitted, and not published: {group}: {want}"
        assert _agree(want, found), f"{group}: {want} admitted, {found} published"


def _was_hopped(epoch: Epoch) -> bool:
    """Whether windows changed their size on the way: then they are no plain groups."""
    hops = {(each.size, each.every) for each in _configurations(epoch)}
    return len(hops) > 1


def _configurations(epoch: Epoch) -> Iterator[Configuration]:
    yield epoch.begun_with
    yield from (entry.configuration for entry in epoch.entries if not isinstance(entry, Fed | Told))


def _grouped(epoch: Epoch) -> dict[Group, list[float]]:
    windows = assigner(epoch.begun_with.size, epoch.begun_with.every)
    groups: defaultdict[Group, list[float]] = defaultdict(list)
    for event, fate in _fates(epoch):
        if fate == "admitted" and isinstance(event, Reading):
            for window in windows.windows_of(event.time):
                name = format_time(window.start), format_time(window.end)
                groups[event.site, *name, event.quantity].append(event.value)
    return groups


def _last_published(epoch: Epoch) -> dict[Group, dict[str, Any]]:
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for document in _windows(entry.publication for entry in _told(epoch)):
        key = document["site"], document["start"], document["end"]
        before = last.get(key)
        revision = document["revision"]
        assert before is None or revision > before["revision"], f"{key}: revision {revision} twice"
        last[key] = document
    return {
        (*key, quantity): summary
        for key, document in last.items()
        for quantity, summary in document["readings"].items()
    }


def _told(epoch: Epoch) -> Iterator[Told]:
    return (entry for entry in epoch.entries if isinstance(entry, Told))


def _windows(publications: Iterable[Publication]) -> Iterator[dict[str, Any]]:
    for publication in publications:
        if publication.topic.endswith("/window"):
            yield json.loads(publication.payload)


def _agree(values: list[float], summary: dict[str, Any]) -> bool:
    return (
        summary["count"] == len(values)
        and math.isclose(summary["mean"], sum(values) / len(values), abs_tol=1e-4)
        and math.isclose(summary["min"], min(values), abs_tol=1e-4)
        and math.isclose(summary["max"], max(values), abs_tol=1e-4)
    )


# 3


def _nothing_shows(epoch: Epoch) -> None:
    told = [entry.publication for entry in _told(epoch) if not entry.restated]
    want = retold(epoch)
    if any(isinstance(entry, Restarted) for entry in epoch.entries):
        # An alert that is told again may have lost its picture, if nobody promised to keep that.
        want = [each for each in want if "/snapshot/" not in each.topic or each in told]
    for found, wanted in zip(told, want, strict=False):
        assert found == wanted, f"published {found}\n  instead of {wanted}"
    assert len(told) == len(want), f"published {told[len(want) :]} instead of {want[len(told) :]}"


# 4


def _the_broker_got_it(ledger: Ledger, number: int) -> None:
    told = [entry.sent for entry in _told(ledger.epochs[number]) if entry.sent is not None]
    first = dict.fromkeys(each.sent for each in ledger.heard if each.epoch == number)
    missing = [sent for sent in told if sent not in first]
    if number == len(ledger.epochs) - 1:
        assert len(missing) <= ledger.epochs[-1].lost, f"never published: {missing}"
    places = {sent: place for place, sent in reversed([*enumerate(told)])}
    strange = first.keys() - places.keys()
    assert not strange, f"the broker got what was never to be published: {strange}"
    order = [places[sent] for sent in first]
    assert order == sorted(order), f"out of order: {order}"


# 5


def _alerts_make_sense(ledger: Ledger) -> None:
    """By all that was told and kept."""
    if len(ledger.epochs) > 1 or _was_hopped(ledger.epochs[0]):
        return
    alerts = _Alerts()
    for entry in ledger.epochs[0].entries:
        if isinstance(entry, Restarted | Reloaded):
            alerts.go_on_with(entry.configuration.labels)
        elif isinstance(entry, Told) and entry.publication.topic.split("/")[2] in _ALERTS:
            alerts.hear(entry.publication)
    # What is still wrong with devices when all is over stays so.
    firing = {name for name, fires in alerts.firing.items() if fires and name[1] != DEVICE}
    assert not firing, f"never resolved: {firing}"


_ALERTS = frozenset({"alert", "event"})


class _Alerts:
    """What a consumer that hears all of it makes of the alerts."""

    def __init__(self) -> None:
        self.firing: dict[tuple[str, str], str | None] = {}
        self._dropped: set[str] = set()
        self._said: dict[tuple[str, str, int], bytes] = {}

    def go_on_with(self, labels: Sequence[str]) -> None:
        """Labels without a rule may come back, and are then announced again."""
        self._dropped |= {label for _, label in self.firing} - {*labels, DEVICE}

    def hear(self, publication: Publication) -> None:
        if not publication.payload:
            self._forget(*publication.topic.split("/")[1::2])
            return
        alert = json.loads(publication.payload)
        label = alert["site"], alert["label"]
        if alert["id"] is None:
            assert label not in self.firing or label[1] in self._dropped, f"again: {label}"
            assert not self.firing.get(label), f"announced while it fires: {label}"
            self.firing[label] = None
            return
        if label[1] in self._dropped:
            # Who was forgotten may fire for the same window, and so under the same id, once more.
            self._said.clear()
        version = publication.topic, alert["id"], alert["sequence"]
        said = self._said.setdefault(version, publication.payload)
        assert said == publication.payload, f"{version} is both {said!r} and {alert}"
        if publication.topic.endswith("/event"):
            self._change(label, alert["id"], fires=alert["state"] == "firing")

    def _forget(self, site: str, label: str) -> None:
        """Nothing is retained of a site that is gone."""
        assert not self.firing.get((site, label)), f"gone while it fires: {site}, {label}"
        self.firing.pop((site, label), None)

    def _change(self, label: tuple[str, str], name: str, *, fires: bool) -> None:
        now = self.firing[label]
        if label[1] == DEVICE and now == name and fires:
            return  # other devices
        assert now == (None if fires else name), f"{label}: {fires=} of {name} while {now}"
        self.firing[label] = name if fires else None


# 6

SAMPLE = 10
"""Of windows so many are looked at: there are far more of them than of all else."""


def _payloads_keep_to_their_schemas(ledger: Ledger) -> None:
    looked_at: Counter[str] = Counter()
    for epoch in ledger.epochs:
        for told in _told(epoch):
            topic = told.publication.topic
            kind = topic.split("/")[2]
            looked_at[kind] += 1
            if kind not in KINDS or not told.publication.payload:
                continue
            if kind not in {"window", "late"} or looked_at[kind] <= SAMPLE:
                valid(topic, told.publication.payload)


# 7


def _what_was_held_back_is_not_late(ledger: Ledger) -> None:
    for epoch in ledger.epochs:
        for event, fate in _fates(epoch):
            if isinstance(event, Reading) and (event.quantity, event.value) in ledger.prompt:
                assert fate != "late", f"late, though it was sent at once: {event}"
