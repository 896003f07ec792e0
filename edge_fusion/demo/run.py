"""The demo: an embedded broker, simulated sites, the daemon as a service runs it, and a screen.

The screen is one more MQTT consumer: it knows nothing that the broker has not told it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from rich.console import Console
from rich.live import Live

from edge_fusion.demo.broker import BrokerKind, EmbeddedBroker, free_port
from edge_fusion.demo.screen import Surroundings, line, render
from edge_fusion.demo.state import DemoState, apply
from edge_fusion.errors import EdgeFusionError
from edge_fusion.events import Delivery, Message
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import BrokerSettings, Connection, ProtocolChoice, Subscription
from edge_fusion.simulator.run import Topics, simulate

PREFIX = "edge_fusion"
SITES = 3
REFRESH = 0.25
STOPPING = 10.0
CONFIGURATION = """\
[mqtt]
host = "{host}"
port = {port}
box = "demo"

[windows]
every = "2s"                  # a window of the model's 10 s every 2 s: quick to fire and to resolve
max_out_of_orderness = "1s"
max_wait = "2s"

[[sensors]]
topic = "sensors/{{site}}/{{device}}"
format = "json"
time = "time"

[[cameras]]
topic = "cameras/{{site}}/{{camera}}"
{alerts}
[store]
durability = "none"

[web]
listen = "127.0.0.1:{web}"
"""
ALERT = """
[[alerts]]
label = "{label}"
for = 2
keep_firing = "4s"
severity = "{severity}"
"""
LABELS = {"fire": "critical", "smoke": "critical", "steam": "info", "camera_blocked": "warning"}


def run_demo(duration: float | None, *, port: int = 0, broker: BrokerKind | None = None) -> int:
    """Run until `duration` seconds have passed, or Ctrl-C if None; the exit status.

    With a duration the status is 0 only if at least one alert fired and resolved. `port` is of
    the web address, 0 for any free one. `broker` None takes the best that is there. Raises
    EdgeFusionError when something does not start.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-fusion-")))
        embedded = stack.enter_context(EmbeddedBroker(directory, broker))
        daemon = stack.enter_context(_daemon(directory, embedded, port))
        messages: SimpleQueue[Message] = SimpleQueue()
        stack.enter_context(_consumer(embedded, messages))
        surroundings = Surroundings(embedded.kind.value, daemon.web)
        stage = _Stage(messages, daemon, surroundings, duration)
        try:
            stage.wait_until_online()
            stack.enter_context(_devices(embedded))
            stage.play()
        except KeyboardInterrupt:
            return 0
        return stage.verdict()


class _Stage:
    """The show itself: messages in, screen out, until it is over."""

    def __init__(
        self,
        messages: SimpleQueue[Message],
        daemon: _Daemon,
        surroundings: Surroundings,
        duration: float | None,
    ) -> None:
        self._messages = messages
        self._daemon = daemon
        self._surroundings = surroundings
        self._deadline = None if duration is None else time.monotonic() + duration
        self._state = DemoState()
        self._console = Console()
        self._printed = 0

    def wait_until_online(self) -> None:
        """The first act needs an audience: let the daemon come up before anything burns."""
        self._console.print("starting the daemon …", style="dim")
        while not self._state.online and not self._over:
            self._take()

    def play(self) -> None:
        if not self._console.is_terminal:
            while not self._over:
                self._take()
                self._print_new()
            return
        with Live(console=self._console, auto_refresh=False, screen=self._deadline is None) as live:
            while not self._over:
                self._take()
                live.update(render(self._state, self._surroundings, self._left), refresh=True)

    def verdict(self) -> int:
        if self._state.complete:
            return 0
        fired = "an alert fired but none resolved" if self._state.fired else "no alert fired"
        print(f"demo: {fired} within the time given", file=sys.stderr)  # noqa: T201 - for the user
        return 1

    @property
    def _left(self) -> float | None:
        return None if self._deadline is None else self._deadline - time.monotonic()

    @property
    def _over(self) -> bool:
        self._daemon.check()
        return self._left is not None and self._left <= 0

    def _take(self) -> None:
        """Apply what comes within one refresh."""
        until = time.monotonic() + REFRESH
        while (patience := until - time.monotonic()) > 0:
            try:
                message = self._messages.get(timeout=patience)
            except Empty:
                return
            topic = message.topic.removeprefix(f"{PREFIX}/")
            self._state = apply(self._state, topic, message.payload)

    def _print_new(self) -> None:
        seen = len(self._state.fired) + len(self._state.resolved)
        for change in self._state.log[len(self._state.log) - (seen - self._printed) :]:
            self._console.print(line(change), highlight=False, soft_wrap=True)
        self._printed = seen


class _Daemon:
    """The daemon's process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, web: str) -> None:
        self.process = process
        self.web = web
        self._log = log

    def check(self) -> None:
        """Raise EdgeFusionError, with the last of its log, if the daemon has ended."""
        if self.process.poll() is not None:
            said = "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])
            raise EdgeFusionError(f"the daemon ended with {self.process.returncode}:\n{said}")


@contextmanager
def _daemon(directory: Path, broker: EmbeddedBroker, port: int) -> Iterator[_Daemon]:
    web = port or free_port()
    alerts = "".join(ALERT.format(label=name, severity=level) for name, level in LABELS.items())
    path, log_path = directory / "edge-fusion.toml", directory / "daemon.log"
    path.write_text(
        CONFIGURATION.format(host=broker.host, port=broker.port, alerts=alerts, web=web)
    )
    command = [sys.executable, "-m", "edge_fusion", "run", "-c", str(path)]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield _Daemon(process, log_path, f"http://127.0.0.1:{web}")
    finally:
        process.terminate()
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _consumer(broker: EmbeddedBroker, messages: SimpleQueue[Message]) -> Iterator[None]:
    topics = ("box/+/status", "+/window", "+/alert/+", "+/event")

    def deliver(delivery: Delivery, _qos: int) -> None:
        messages.put(delivery.message)
        delivery.ack()

    connection = Connection(
        "screen",
        _settings(broker, "demo-screen"),
        subscriptions=[Subscription(f"{PREFIX}/{topic}", 1) for topic in topics],
        deliver=deliver,
        notify=lambda _notice: None,
        stamp=ArrivalClock().stamp,
    )
    connection.start()
    try:
        yield
    finally:
        connection.stop(1.0)


@contextmanager
def _devices(broker: EmbeddedBroker) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=simulate,
        args=(_settings(broker, "demo"), Topics()),
        kwargs={"sites": SITES, "stop": stop},
        name="devices",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOPPING)


def _settings(broker: EmbeddedBroker, client_id: str) -> BrokerSettings:
    # The daemon finds out by itself what the broker speaks; its audience need not wait for that.
    protocol = ProtocolChoice.V311 if broker.kind is BrokerKind.AMQTT else ProtocolChoice.AUTO
    return BrokerSettings(broker.host, broker.port, protocol, client_id)
