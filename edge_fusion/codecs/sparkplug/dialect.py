"""Messages of Sparkplug B taken to the edge nodes that sent them.

Topics are `spBv1.0/<group>/<type>/<edge node>[/<device>]`, with or without levels before them.
Readings of an edge node are of the device `<edge node>`, those of its devices of `<edge
node>.<device>`; where one of them has several values of a quantity, of a part that is named after
the metric. See the Sparkplug 3.0 specification, chapters 4 to 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from edge_fusion.codecs.dialect import Finding, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.roster import DAY, SEARCH_EVERY
from edge_fusion.codecs.sparkplug.edge import EdgeNode, Heard
from edge_fusion.codecs.sparkplug.wire import Payload, parse, rebirth_request
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message, Publication

_NAMESPACE: Final = "spBv1.0"
_LONGEST_TOPIC: Final = 512


class _Kind(Enum):
    """What a message is; OTHER: of a host application, such as our own command."""

    BIRTH = "BIRTH"
    DATA = "DATA"
    DEATH = "DEATH"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class _Address:
    """Whose message it is. above: the topic down to the group; device: None for the edge node."""

    kind: _Kind
    above: str = ""
    edge: str = ""
    device: str | None = None


class Sparkplug:
    """The dialect, and what it remembers. What its bounds keep out is counted as NO_ROOM.

    Args:
        max_senders: edge nodes and devices; above it new ones are not read, until some make room
            that have been silent for a day.
        max_remembered: names and aliases of metrics of all of them: some ten megabytes.
    """

    def __init__(self, max_senders: int = 4096, max_remembered: int = 100_000) -> None:
        self._max_senders = max_senders
        self._max_remembered = max_remembered
        self._edges: dict[tuple[str, str], EdgeNode] = {}
        self._next_search = ArrivalTime(0.0)

    def __call__(self, message: Message, keys: SensorKeys) -> list[Finding]:
        """The readings in a message, and what else it means. Never raises."""
        address = _address(message.topic)
        if address is None:
            return [invalid(message, InvalidReason.TOPIC, "no topic of Sparkplug B")]
        if address.kind is _Kind.OTHER:
            return []
        payload = _payload(address, message)
        if isinstance(payload, Invalid):
            return [payload]
        edge = self._edge(address, message.arrival)
        if edge is None:
            return [invalid(message, InvalidReason.NO_ROOM, "one edge node or device too many")]
        findings, wants_rebirth = self._hear(edge, address, payload, message, keys)
        if wants_rebirth and edge.may_ask(message.arrival):
            return [*findings, _rebirth(address, message.arrival)]
        return findings

    def _edge(self, address: _Address, now: ArrivalTime) -> EdgeNode | None:
        """The edge node of a message; None if it, or the device there, finds no room."""
        key = (address.above, address.edge)
        edge = self._edges.get(key)
        if edge is None or not edge.knows(address.device):
            if not self._has_room(now):
                return None
            edge = self._edges.setdefault(key, EdgeNode(address.edge, now))
        edge.heard = now
        return edge

    def _has_room(self, now: ArrivalTime) -> bool:
        if self._senders() >= self._max_senders and now >= self._next_search:
            self._next_search = ArrivalTime(now + SEARCH_EVERY)
            edges = self._edges.items()
            self._edges = {key: edge for key, edge in edges if edge.heard > now - DAY}
        return self._senders() < self._max_senders

    def _senders(self) -> int:
        return sum(edge.senders for edge in self._edges.values())

    def _hear(
        self,
        edge: EdgeNode,
        address: _Address,
        payload: Payload,
        message: Message,
        keys: SensorKeys,
    ) -> Heard:
        if address.kind is _Kind.DATA:
            return edge.data(address.device, payload, message, keys)
        if address.kind is _Kind.DEATH:
            return edge.death(address.device, payload, message)
        others = sum(each.remembered for each in self._edges.values() if each is not edge)
        return edge.birth(address.device, payload, message, keys, self._max_remembered - others)


def _address(topic: str) -> _Address | None:
    """What a topic says; None if it is none of Sparkplug B, or too long to be remembered."""
    levels = topic.split("/")
    if len(topic) > _LONGEST_TOPIC or _NAMESPACE not in levels:
        return None
    group = levels.index(_NAMESPACE) + 1
    above = "/".join(levels[: group + 1])
    match levels[group:]:
        case ["STATE", *_] | [_, "NCMD" | "DCMD", *_]:
            return _Address(_Kind.OTHER)
        case [_, "NBIRTH" | "NDATA" | "NDEATH" as type_, edge]:
            return _Address(_Kind(type_[1:]), above, edge)
        case [_, "DBIRTH" | "DDATA" | "DDEATH" as type_, edge, device]:
            return _Address(_Kind(type_[1:]), above, edge, device)
        case _:
            return None


def _payload(address: _Address, message: Message) -> Payload | Invalid:
    try:
        payload = parse(message.payload)
    except ValueError as error:
        return invalid(message, InvalidReason.SYNTAX, str(error))
    if address.kind is not _Kind.DEATH and not payload.metrics and payload.seq is None:
        return invalid(message, InvalidReason.EMPTY, "neither metrics nor a number")
    return payload


def _rebirth(address: _Address, now: ArrivalTime) -> Publication:
    """The command that has an edge node send its BIRTHs again; QoS 0 and not retained, by 5.13."""
    return Publication(
        f"{address.above}/NCMD/{address.edge}",
        rebirth_request(now),
        qos=0,
        content_type="application/x-protobuf",
    )
