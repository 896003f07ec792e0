"""`edge-fusion alerts`: a client of the broker that reads what the daemon publishes of alerts.

It knows no more than any other consumer: retained alerts, and events as they come.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from uuid import uuid4

from pydantic import ValidationError

from edge_fusion import assembly
from edge_fusion.codecs.alert import AlertPayload, PublishedState
from edge_fusion.codecs.invalid import printable
from edge_fusion.codecs.topics import alert_topic, event_topic
from edge_fusion.config.load import load_broker
from edge_fusion.config.settings import Settings
from edge_fusion.errors import EdgeFusionError
from edge_fusion.events import ArrivalTime, Delivery, Message
from edge_fusion.io.broker import Subscription
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import Backoff, Connection
from edge_fusion.io.probe import refusal
from edge_fusion.mailbox import Disconnected, Notice, Stop, Subscribed
from edge_fusion.signals import forwarded

PATIENCE = 5.0
QUIET = 1.0
"""Seconds without another message after which all that is retained has come."""
FAREWELL = 1.0
LONGEST_LINE = 1000

_SHOWN_CONTRIBUTION = 0.05

Item = Notice | Delivery


def list_alerts(path: Path, environ: Mapping[str, str], *, as_json: bool) -> None:
    """Print what fires now, in order of site and label.

    Raises ConfigError, and EdgeFusionError if the broker does not take us.
    """
    settings = load_broker(path, environ)
    topic = alert_topic(settings.mqtt.prefix, "+", "+")
    found: dict[str, Message] = {}
    with _listening(settings, topic) as client:
        for message in client.retained():
            found[message.topic] = message
    firing = [
        (message, alert)
        for _, message in sorted(found.items())
        if (alert := _read(message)) is not None and alert.state is PublishedState.FIRING
    ]
    for message, alert in firing:
        _say(message, alert, as_json=as_json)
    if not firing and not as_json:
        print("nothing fires")  # noqa: T201 - for the user


def tail_alerts(
    path: Path, environ: Mapping[str, str], *, as_json: bool, duration: float | None
) -> None:
    """Print each event, for `duration` seconds or until a signal.

    A broker that goes away is waited for. Raises ConfigError, and EdgeFusionError if it does not
    take us in the first place.
    """
    settings = load_broker(path, environ)
    with _listening(settings, event_topic(settings.mqtt.prefix, "+")) as client:
        for message in client.messages(duration):
            alert = _read(message)
            if alert is not None:
                _say(message, alert, as_json=as_json)


def describe(alert: AlertPayload) -> str:
    """A line for people: when, where, what, how sure and why."""
    parts = [
        datetime.fromisoformat(alert.updated_at).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        f"{alert.site}/{alert.label}",
        alert.state.value,
        alert.severity.value,
    ]
    if alert.window is not None:
        parts.append(f"score {alert.score:.2f}")
    if why := "; ".join(_reasons(alert)):
        parts.append(f"({why})")
    return printable(" ".join(parts), limit=LONGEST_LINE)


def _reasons(alert: AlertPayload) -> Iterator[str]:
    for device in alert.devices:
        yield f"{device.kind} {device.device} {device.trouble.value} since {device.since}"
    if alert.camera is not None:
        yield f"camera {alert.camera}"
    shares = sorted(alert.contributions.items(), key=lambda item: -item[1])
    if named := [f"{name} {share:+.2f}" for name, share in shares if share >= _SHOWN_CONTRIBUTION]:
        yield f"by {', '.join(named)}"
    if alert.state is PublishedState.RESOLVED and alert.started_at is not None:
        yield f"began {alert.started_at}"


def _read(message: Message) -> AlertPayload | None:
    """The alert in a message; None, said on standard error, if there is none."""
    if not message.payload:
        return None  # how a retained message is removed
    try:
        return AlertPayload.model_validate_json(message.payload)
    except ValidationError:
        print(f"{printable(message.topic)}: no alert of ours", file=sys.stderr)  # noqa: T201
        return None


def _say(message: Message, alert: AlertPayload, *, as_json: bool) -> None:
    line = message.payload.decode() if as_json else describe(alert)
    print(line, flush=True)  # noqa: T201 - for the user


class _Client:
    """What a connection that was just made brings."""

    def __init__(self, inbox: SimpleQueue[Item], clock: ArrivalClock) -> None:
        self._inbox = inbox
        self._clock = clock

    def messages(self, duration: float | None) -> Iterator[Message]:
        """All that comes, until a signal or for so many seconds."""
        deadline = None if duration is None else self._clock.stamp() + duration
        while (item := self._next(deadline)) is not None:
            if isinstance(item, Delivery):
                item.ack()
                yield item.message

    def retained(self) -> Iterator[Message]:
        """All that was retained when we came."""
        end = ArrivalTime(self._clock.stamp() + PATIENCE)
        quiet = end
        while (item := self._next(quiet)) is not None:
            match item:
                case Delivery(message=message, ack=ack):
                    ack()
                    yield message
                case Subscribed():
                    pass
                case _:
                    continue
            quiet = min(end, ArrivalTime(self._clock.stamp() + QUIET))

    def _next(self, deadline: float | None) -> Item | None:
        """The next item; None at the deadline, and for a signal. Raises EdgeFusionError."""
        patience = None if deadline is None else max(deadline - self._clock.stamp(), 0.0)
        try:
            item = self._inbox.get(timeout=patience)
        except Empty:
            return None
        match item:
            case Stop():
                return None
            case Subscribed(refused=refused) if refused:
                name, reason = next(iter(refused.items()))
                text = f'the broker lets this user have no "{name}"'
                raise EdgeFusionError(f"{text} ({reason})")
            case Disconnected(reason=reason):
                print(f"disconnected: {reason}", file=sys.stderr)  # noqa: T201 - for the user
            case _:
                pass
        return item


@contextmanager
def _listening(settings: Settings, topic: str) -> Iterator[_Client]:
    """A connection with that subscription, which the broker has taken."""
    # A client id of its own: people may look at alerts from several terminals.
    broker = assembly.broker_settings(settings.mqtt, f"-alerts-{uuid4().hex[:8]}")
    inbox: SimpleQueue[Item] = SimpleQueue()
    notices: SimpleQueue[Notice] = SimpleQueue()
    clock = ArrivalClock()

    def notify(notice: Notice) -> None:
        notices.put(notice)
        inbox.put(notice)

    connection = Connection(
        "alerts",
        broker,
        subscriptions=[Subscription(topic, qos=1)],
        deliver=lambda delivery, _qos: inbox.put(delivery),
        notify=notify,
        stamp=clock.stamp,
        backoff=Backoff(first=0.5, longest=5.0),
    )
    stop = Stop()
    connection.start()
    try:
        with forwarded({signal.SIGINT: stop, signal.SIGTERM: stop}, notify):
            fault = refusal(notices, broker.protocol, clock, PATIENCE)
            if fault is not None:
                raise EdgeFusionError(f"broker {broker.host}:{broker.port}: {fault}")
            yield _Client(inbox, clock)
    finally:
        connection.stop(FAREWELL)
