"""What is known of one edge node and its devices, and what their messages mean by it."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from edge_fusion.codecs.dialect import Finding, Gone, Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import Sender, Stamp, measured_in
from edge_fusion.codecs.sparkplug.births import (
    UNBORN,
    Birth,
    Definition,
    define,
    quantity_by_name,
    read_birth,
)
from edge_fusion.codecs.sparkplug.rebirths import Patience, Sequence
from edge_fusion.codecs.sparkplug.wire import Metric, Payload
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message

_BD_SEQ: Final = "bdSeq"


class Life(Enum):
    """UNKNOWN: no BIRTH has come, since we listen or since that of the edge node itself."""

    UNKNOWN = "unknown"
    ALIVE = "alive"
    DEAD = "dead"


class Heard(NamedTuple):
    """What a message gives, and whether only a rebirth can mend what is wrong with it."""

    findings: list[Finding]
    wants_rebirth: bool = False


@dataclass(slots=True)
class _Sender:
    """The edge node itself, or one of its devices."""

    name: str
    life: Life = Life.UNKNOWN
    birth: Birth = UNBORN

    def die(self) -> Gone:
        """Whatever was known of it holds no more."""
        self.life, self.birth = Life.DEAD, UNBORN
        return Gone(self.name)


class EdgeNode:
    """`name` is that of the edge node's own readings; those of a device are of `name.device`."""

    def __init__(self, name: str, now: ArrivalTime) -> None:
        self.heard = now
        self._name = name
        self._senders: dict[str | None, _Sender] = {}
        self._bd_seq: object = None
        self._sequence: Sequence | None = None
        self._patience = Patience()

    @property
    def senders(self) -> int:
        """How many senders are known: devices, and the edge node itself."""
        return len(self._senders)

    @property
    def remembered(self) -> int:
        """How many names and aliases of metrics are remembered."""
        return sum(len(sender.birth) for sender in self._senders.values())

    def knows(self, device: str | None) -> bool:
        """Whether `device`, None for the edge node itself, has been heard of."""
        return device in self._senders

    def may_ask(self, now: ArrivalTime) -> bool:
        """Whether a rebirth may be asked for now; if so, it is taken to be."""
        return self._patience.grants(now)

    def birth(
        self, device: str | None, payload: Payload, message: Message, keys: SensorKeys, room: int
    ) -> Heard:
        """Remember what a BIRTH defines; the values in it are readings.

        room: how many names and aliases this edge node and its devices may have together.
        """
        lost = False if device is None else self._lost(payload, message.arrival)
        if device is None:
            self._begin(payload)
        sender = self._sender(device)
        sender.birth = UNBORN
        sender.birth = read_birth(payload.metrics, keys, room - self.remembered)
        sender.life = Life.ALIVE
        findings, _ = self._read(sender, payload.metrics, message, keys)
        if not sender.birth.complete:
            detail = f"no room for all the metrics of {sender.name}"
            findings.append(invalid(message, InvalidReason.NO_ROOM, detail))
        return Heard(findings, lost)

    def data(
        self, device: str | None, payload: Payload, message: Message, keys: SensorKeys
    ) -> Heard:
        """The readings in a DATA, as far as the BIRTH before it tells what they are."""
        sender = self._sender(device)
        lost = self._lost(payload, message.arrival)
        if sender.life is Life.DEAD:
            detail = f"{sender.name} is reported dead, and no BIRTH has come since"
            return Heard([invalid(message, InvalidReason.STALE, detail)], wants_rebirth=True)
        findings, unsure = self._read(sender, payload.metrics, message, keys)
        return Heard(findings, lost or unsure)

    def death(self, device: str | None, payload: Payload, message: Message) -> Heard:
        """A device is dead, or the edge node and with it all of its devices.

        The late will of a session that another has replaced is none: its bdSeq is an older one.
        """
        if device is not None:
            return Heard([self._sender(device).die()], self._lost(payload, message.arrival))
        bd_seq = _bd_seq(payload.metrics)
        if None not in (bd_seq, self._bd_seq) and bd_seq != self._bd_seq:
            return Heard([])
        self._sequence = None
        self._sender(None)
        return Heard([sender.die() for sender in self._senders.values()])

    def _begin(self, payload: Payload) -> None:
        """A session begins: the BIRTHs of the devices are to follow."""
        self._bd_seq = _bd_seq(payload.metrics)
        self._sequence = Sequence(payload.seq or 0)
        for sender in self._senders.values():
            sender.life, sender.birth = Life.UNKNOWN, UNBORN

    def _sender(self, device: str | None) -> _Sender:
        sender = self._senders.get(device)
        if sender is None:
            name = self._name if device is None else f"{self._name}.{device}"
            node = self._senders.get(None)
            is_dead = node is not None and node.life is Life.DEAD
            sender = _Sender(name, Life.DEAD if is_dead else Life.UNKNOWN)
            self._senders[device] = sender
        return sender

    def _lost(self, payload: Payload, now: ArrivalTime) -> bool:
        if self._sequence is None or payload.seq is None:
            return False
        return self._sequence.lost(payload.seq, now)

    def _read(
        self, sender: _Sender, metrics: Series[Metric], message: Message, keys: SensorKeys
    ) -> Heard:
        findings: list[Finding] = []
        unknown: list[Metric] = []
        guessed = False
        for metric in metrics:
            name = sender.birth.name_of(metric)
            if name is None:
                unknown += [] if sender.birth.ignores(metric) else [metric]
            elif (definition := _definition(sender.birth, name, metric, keys)) is not None:
                findings += _sample(metric, definition, sender, message, keys)
                guessed = guessed or sender.life is Life.UNKNOWN
        if not unknown:
            return Heard(findings, guessed)
        complete = sender.birth.complete
        reason = InvalidReason.UNKNOWN_ALIAS if complete else InvalidReason.NO_ROOM
        detail = f"{len(unknown)} metrics of {sender.name}, such as alias {unknown[0].alias}"
        return Heard([*findings, invalid(message, reason, detail)], guessed or complete)


def _sample(
    metric: Metric, definition: Definition, sender: _Sender, message: Message, keys: SensorKeys
) -> list[Sample | Invalid]:
    if not metric.good:
        return []
    if isinstance(metric.time, InvalidReason):
        return [invalid(message, metric.time, f"a metric of {sender.name} is of no time")]
    return measured_in(
        message,
        definition.quantity,
        metric.read(definition.datatype),
        metric.unit or definition.unit,
        keys,
        Stamp(metric.time),
        Sender(sender.name, definition.part),
    )


def _definition(birth: Birth, name: str, metric: Metric, keys: SensorKeys) -> Definition | None:
    """As the BIRTH says; a metric that was in none speaks for itself."""
    if name in birth.definitions or not birth.complete:
        return birth.definitions.get(name)
    quantity = quantity_by_name(name, keys)
    return None if quantity is None else define(quantity, metric)


def _bd_seq(metrics: Series[Metric]) -> object:
    """The number that an NDEATH has in common with its NBIRTH; None where there is none."""
    return next((metric.value for metric in metrics if metric.name == _BD_SEQ), None)
