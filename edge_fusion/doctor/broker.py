"""The broker: whether it takes us, and what it lets us do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_fusion.doctor.finding import Finding, ok, problem, warning
from edge_fusion.mailbox import Granted

BROKER = "broker"
SMALL_PACKET = 500_000
"""Bytes. Snapshots of alerts are pictures as they came, often some hundred kB."""

SHORT_WINDOW = 10
"""Publications in flight; below, each waits for the way to the broker and back of the last ones."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What became known of a broker.

    where: host and port; software: what it calls itself, if it lets us read that; granted: None
    under MQTT 3.1.1.
    """

    where: str
    protocol: str
    software: str | None
    granted: Granted | None


def judge_faults(where: str, faults: Sequence[str]) -> list[Finding]:
    """What did not work when it was tried out."""
    advice = (
        "is it up, and do host, port, user and ACL fit? mosquitto_sub -d tries the same by hand"
    )
    return [problem(BROKER, f"{where}: {fault}", advice) for fault in faults]


def judge_broker(broker: Acquaintance) -> list[Finding]:
    software = f", {broker.software}" if broker.software else ""
    found = [ok(BROKER, f"{broker.where} takes us: MQTT {broker.protocol}{software}")]
    if broker.granted is None:
        advice = "a broker that knows MQTT 5 says what it takes, and can hold back a flood"
        return [*found, warning(BROKER, "MQTT 3.1.1: its limits are not known", advice)]
    return [*found, *_judge_limits(broker.granted)]


def _judge_limits(granted: Granted) -> list[Finding]:
    found = []
    if not granted.retain:
        advice = "allow them (mosquitto: retain_available true): late joiners else see no alert"
        found.append(problem(BROKER, "it keeps no retained messages", advice))
    if granted.max_qos == 0:
        advice = "allow QoS 1 (mosquitto: max_qos 2): alerts are published at it"
        found.append(problem(BROKER, "it takes QoS 0 only", advice))
    size = granted.max_packet_bytes
    if size is not None and size < SMALL_PACKET:
        advice = "raise it (mosquitto: max_packet_size): larger snapshots are not sent"
        found.append(warning(BROKER, f"it takes packets up to {size:,} bytes", advice))
    if granted.receive_maximum < SHORT_WINDOW:
        text = f"it takes {granted.receive_maximum} messages at a time"
        advice = "raise it (mosquitto: max_inflight_messages 20): a backlog goes out slowly"
        found.append(warning(BROKER, text, advice))
    return found or [ok(BROKER, _limits(granted))]


def _limits(granted: Granted) -> str:
    size = granted.max_packet_bytes
    packets = "any size" if size is None else f"up to {size:,} bytes"
    return (
        f"it takes {granted.receive_maximum:,} messages at a time, packets of {packets}, "
        "and keeps retained ones"
    )
