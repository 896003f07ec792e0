"""`edge-fusion sniff`: listens to a broker, and prints the sensors and cameras to configure."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from rich.console import Console
from rich.live import Live
from rich.text import Text

from edge_fusion import assembly
from edge_fusion.codecs.invalid import printable
from edge_fusion.config.load import load_broker
from edge_fusion.config.measures import format_duration
from edge_fusion.config.overrides import Override
from edge_fusion.config.settings import Settings
from edge_fusion.errors import EdgeFusionError
from edge_fusion.events import ArrivalTime
from edge_fusion.io.broker import BrokerSettings, Subscription
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import Backoff, Connection
from edge_fusion.io.probe import refusal
from edge_fusion.mailbox import Connected, Disconnected, Notice, Stop, Subscribed
from edge_fusion.recognition.generalise import generalise, left_over
from edge_fusion.recognition.heard import Heard, Hearing
from edge_fusion.recognition.recognise import recognise
from edge_fusion.recognition.sections import counted, write_sections
from edge_fusion.signals import forwarded

PATIENCE = 5.0
FAREWELL = 1.0
REFRESH = 0.25
MAX_PACKET_BYTES = 12_000_000  # a picture of the largest size that the decoder takes, as base64
EXAMPLES = 5


def sniff(
    path: Path | None,
    environ: Mapping[str, str],
    options: Sequence[Override] = (),
    *,
    duration: float,
    filters: Sequence[str],
) -> None:
    """Listen for `duration` seconds, or until a signal, and print what to configure.

    Topics that the file `path` configures already are left out. Raises ConfigError, and
    EdgeFusionError if the broker does not take us or nothing comes of it.
    """
    settings = load_broker(path, environ, options)
    broker = assembly.broker_settings(settings.mqtt, "-sniff")
    hearing = Hearing(settings.mqtt.prefix)
    fault = _listen(broker, filters, hearing, duration)
    where = f"{broker.host}:{broker.port}"
    heard = hearing.heard()
    if not heard:
        raise EdgeFusionError(f"broker {where}: {fault or _nothing(duration)}")
    taken = _configured(settings, heard)
    fresh = [one for one in heard if one.topic not in taken]
    sections = generalise(recognise(fresh), sorted(taken))
    unread = left_over((one.topic for one in fresh), sections)
    if not sections and not taken:
        raise EdgeFusionError(
            f"broker {where}: {_amount(hearing)}, none with temperature, humidity or pictures: "
            f"{_examples(unread)}"
        )
    already = f"; {len(taken):,} of these are configured already" if taken else ""
    print(f"# Heard from {where}: {_amount(hearing)}{already}.")  # noqa: T201 - for the user
    if sections:
        print(f"\n{write_sections(sections, heard)}", end="")  # noqa: T201 - for the user
    for line in _left_out(unread, hearing.overlooked):
        print(line, file=sys.stderr)  # noqa: T201 - for the user


def _amount(hearing: Hearing) -> str:
    return f"{counted(hearing.messages, 'message')} on {counted(hearing.topics, 'topic')}"


def _nothing(duration: float) -> str:
    return (
        f"nothing heard in {format_duration(duration)}: try a longer --duration, since devices "
        "with batteries are silent for minutes, or a --topic that this user may read"
    )


def _configured(settings: Settings, heard: Sequence[Heard]) -> set[str]:
    """The topics that the configuration reads already, or on which its devices say they live."""
    patterns = [sensor.pattern for sensor in settings.sensors]
    patterns += [
        sensor.availability_pattern
        for sensor in settings.sensors
        if sensor.availability_pattern is not None
    ]
    patterns += [camera.pattern for camera in settings.camera_topics]
    return {one.topic for one in heard if any(p.match(one.topic) is not None for p in patterns)}


def _left_out(unread: Sequence[str], overlooked: int) -> Iterator[str]:
    if unread:
        yield f"{counted(len(unread), 'topic')} not recognised: {_examples(unread)}"
    if overlooked:
        yield f"{counted(overlooked, 'message')} on further topics not looked at: narrow --topic"


def _examples(topics: Sequence[str]) -> str:
    shown = ", ".join(printable(topic) for topic in topics[:EXAMPLES])
    return f"{shown}, …" if len(topics) > EXAMPLES else shown


def _listen(
    broker: BrokerSettings, filters: Sequence[str], hearing: Hearing, duration: float
) -> str | None:
    """Let `hearing` hear; why there may be less than there is, if so, in words."""
    clock = ArrivalClock()
    notices: SimpleQueue[Notice] = SimpleQueue()
    connection = Connection(
        "sniff",
        broker,
        subscriptions=[Subscription(one, qos=0) for one in filters],
        deliver=lambda delivery, _qos: hearing.take(delivery.message),
        notify=notices.put,
        stamp=clock.stamp,
        max_packet_bytes=MAX_PACKET_BYTES,
        backoff=Backoff(first=0.1, longest=0.5),
    )
    connection.start()
    with ExitStack() as stack:
        stack.callback(connection.stop, FAREWELL)
        stop = Stop()
        stack.enter_context(forwarded({signal.SIGINT: stop, signal.SIGTERM: stop}, notices.put))
        fault = refusal(notices, broker.protocol, clock, PATIENCE)
        if fault is not None:
            raise EdgeFusionError(f"broker {broker.host}:{broker.port}: {fault}")
        deadline = ArrivalTime(clock.stamp() + duration)
        show = stack.enter_context(_progress(hearing))
        return _wait(notices, clock, deadline, show)


def _wait(
    notices: SimpleQueue[Notice],
    clock: ArrivalClock,
    deadline: ArrivalTime,
    show: Callable[[float], None],
) -> str | None:
    fault = None
    while (left := deadline - clock.stamp()) > 0:
        show(left)
        try:
            notice = notices.get(timeout=min(left, REFRESH))
        except Empty:
            continue
        match notice:
            case Stop():
                break
            case Subscribed(refused=refused) if refused:
                name, reason = next(iter(refused.items()))
                return f'the broker lets this user have no "{name}" ({reason}): try a --topic'
            case Disconnected(reason=reason):
                fault = reason
            case Connected():
                fault = None
            case _:
                pass
    return fault


@contextmanager
def _progress(hearing: Hearing) -> Iterator[Callable[[float], None]]:
    """A line on the terminal, beside the output that may go to a file; it leaves no trace."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _left: None
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda left: live.update(
            Text(f"{_amount(hearing)}, {left:.0f} s to go"), refresh=True
        )
