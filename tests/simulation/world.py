"""The world of one seed: a clock that nobody waits for, devices, a broker, a box, and trouble."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from unittest.mock import patch

from simulation.box import BARRIER, FRAMES, READINGS, Box, BoxClock, Weather
from simulation.broker import After, Broker, Packet
from simulation.devices import ORIGIN, Device, Measurements, measurements
from simulation.fuse import Fuse, Point, PowerCut
from simulation.ledger import Ledger
from simulation.link import Link
from simulation.plan import GENTLE, SITES, DevicePlan, Plan, Trouble, changed
from simulation.watch import Watch

from edge_fusion import keeper, outbox
from edge_fusion.events import Delivery
from edge_fusion.mailbox import Reload

SILENCE = {site: f"ef/{site}/silence" for site in (*SITES, "cellar")}
FILTERS = {
    READINGS: ("home/", "zigbee2mqtt/", BARRIER, *SILENCE.values()),
    FRAMES: ("cams/",),
}
HEARTBEAT = 1.0
"""Seconds from one turn to the next at most, as in daemon.py."""
MANY = 1000
"""More often than any message comes again."""
END = 4000.0
"""Seconds after which even the slowest must have come to rest."""


class World:
    """`run` brings a plan to its end; `ledger` then tells what there is to judge."""

    def __init__(self, plan: Plan, directory: Path, ledger: Ledger) -> None:
        self.plan = plan
        self.now = 0.0
        self.ledger = ledger
        self.broker = Broker(queued=plan.queued)
        self.happened: Counter[str] = Counter()
        self.box: Box | None = None
        self._links: dict[str, Link] = {}
        self._watch = Watch()
        self._chance = Random(f"world {plan.seed}")
        self._person = Random(f"person {plan.seed}")
        self._path = directory / "state.db"
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._configuration = plan.configuration
        self._weather = Weather()
        self._fuse = Fuse()
        self._ahead = 0.0
        self._runs = 0
        self._turn_at = float("inf")
        self._stalled_until = 0.0
        self._at_peace = False

    def run(self) -> None:
        """Live through all of it, then heal everything and wait until nothing more happens."""
        with self._small_bounds():
            self._begin()
            while self._agenda and not (self._at_peace and self._is_quiet()):
                at, _, action = heapq.heappop(self._agenda)
                assert at < END, "it does not come to rest"
                self.now = max(self.now, at)
                self._guarded(action)
            self._stop()

    @contextmanager
    def _small_bounds(self) -> Iterator[None]:
        """So that a short story gets to see what only long ones would."""
        with (
            patch.object(keeper, "SNAPSHOT_AFTER", self.plan.snapshot_after),
            patch.object(outbox, "IN_MEMORY", self.plan.in_memory),
        ):
            yield

    def _begin(self) -> None:
        counter = Measurements()
        for number, each in enumerate(self.plan.devices):
            device = Device(
                each, Random(f"device {number} of {self.plan.seed}"), counter,
                partial(self._publish, each), self.ledger.tell, self._later,
            )  # fmt: skip
            self._later(each.joins, partial(self._join, device))
        if self.plan.silences:
            self._later(self._person.expovariate(1 / self.plan.silences), self._say_silence)
        for trouble, mean in self.plan.troubles.items():
            self._later(self._chance.expovariate(1 / mean), partial(self._trouble, trouble, mean))
        self._later(self.plan.lasts, self._heal)
        self._later(20.0, self._autosave)
        self._power_on()

    def _join(self, device: Device) -> None:
        self.ledger.tell(device.plan.name, f"joins: {device.plan}")
        device.live(self.now)

    def _say_silence(self) -> None:
        """Somebody wants quiet, or has had enough of it."""
        site, label = self._person.choice([*SILENCE]), self._person.choice(["hot", "device", None])
        command = {"label": label, "for": self._person.choice([0, 4, 15, 60])}
        self._tell("somebody", "asks for silence", f" of {site}: {command}")
        self.broker.publish(Packet(SILENCE[site], json.dumps(command).encode(), 1))
        if not self._at_peace:
            pause = self._person.expovariate(1 / self.plan.silences)
            self._later(pause, self._say_silence)

    def _publish(self, device: DevicePlan, packet: Packet) -> None:
        measured = measurements(packet.topic, packet.payload)
        # What is retained comes again with every new session.
        self.ledger.sent.update(dict.fromkeys(measured, MANY if packet.retained else 1))
        if device.states_time and Trouble.CLOCK not in self.plan.troubles:
            self.ledger.dated.update(measured)
        if device.is_prompt and self.plan.troubles.keys() <= set(GENTLE):
            self.ledger.prompt.update(measured)
        self.broker.publish(packet)

    # The box

    def _power_on(self) -> None:
        if self.box is not None:
            return
        self._runs += 1
        self._tell("box", "starts", f", run {self._runs}")
        clock = BoxClock(lambda: ORIGIN + self.now, self._ahead)
        self.box = Box(
            self._configuration, self._path, clock, weather=self._weather, fuse=self._fuse,
            ledger=self.ledger, run=self._runs, max_batch=self.plan.max_batch,
        )  # fmt: skip
        self._links = {name: self._link(self.box, name) for name in FILTERS}
        self.box.send = self._links[READINGS].publish
        self.box.start()
        self._ahead = clock.ahead
        self._later(self._chance.uniform(0.0, 1.0), self._connect)
        self._wake_box(self._chance.uniform(0.0, 0.5))

    def _link(self, box: Box, name: str) -> Link:
        return Link(
            name,
            self.broker,
            FILTERS[name],
            mailbox=box.mailbox,
            stamp=box.clock.stamp,
            put=partial(self._deliver, box, name),
            acknowledged=box.acknowledged,
            taken=self.ledger.hear,
            clean=name == FRAMES,
        )

    def _deliver(self, box: Box, name: str, delivery: Delivery) -> None:
        box.put(name, delivery)
        self._wake_box(self._chance.choice([0.0, 0.01, 0.3, 2.0]))

    def _wake_box(self, patience: float) -> None:
        at = max(self.now + patience, self._stalled_until)
        if at < self._turn_at:
            self._turn_at = at
            self._later(at - self.now, partial(self._turn, at))

    def _turn(self, at: float) -> None:
        """One turn, unless it was since decided to have one earlier."""
        if self.box is None or at != self._turn_at:
            return
        self._turn_at = float("inf")
        box = self.box
        box.turn()
        self._watch.look(box)
        if any(link.is_busy for link in self._links.values()):
            self._later(self._chance.choice([0.0, 0.02, 0.5]), self._work)
        wake = box.wake()
        rest = HEARTBEAT if wake is None else min(wake - box.clock.stamp(), HEARTBEAT)
        waiting = any(box.mailbox.lengths().values())
        self._wake_box(0.0 if waiting else max(rest, 0.0))

    def _work(self) -> None:
        """Let packets flow."""
        if self.box is None:
            return
        for link in self._links.values():
            link.work()
        if any(self.box.mailbox.lengths().values()):
            self._wake_box(self._chance.choice([0.0, 0.1]))
        if any(link.is_busy for link in self._links.values()):
            self._later(self._chance.choice([0.0, 0.02, 0.5]), self._work)

    def _connect(self) -> None:
        for link in [] if self.box is None else self._links.values():
            if not link.online:
                present = link.connect()
                kept = "kept" if present else "new"
                self._tell("broker", "lets the box in", f": {link.name}, session {kept}")
        self._later(0.0, self._work)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except PowerCut as cut:
            self._die(str(cut))

    def _die(self, when: str) -> None:
        box, self.box = self.box, None
        if box is None:
            return
        self._tell("box", f"loses power {when}")
        self._cut(notice=False)
        box.die()
        self.ledger.gone()
        self._watch.box_gone(box)
        self._turn_at = float("inf")
        self._later(self._chance.choice([0.1, 3.0, 30.0]), self._power_on)

    def _stop(self) -> None:
        """In order, as Daemon._drain does it."""
        box = self.box
        if box is None:
            return
        self._tell("box", "is told to stop")
        box.turn()
        for _ in range(self._chance.choice([0, 2, 50])):
            if len(box.postman) and self._links[READINGS].online:
                self._links[READINGS].work()
                self.now += 0.01
                box.turn()
        pause = self._chance.choice([0.0, 0.001, 0.3])
        if not self._at_peace:  # then nothing may become due that nobody hears of any more
            self.now += pause
        box.stop()
        self._cut(notice=False)
        self.ledger.gone()
        self._watch.box_gone(box)
        self.box = None
        self._turn_at = float("inf")
        if not self._at_peace:
            self._later(self._chance.choice([0.1, 3.0, 30.0]), self._power_on)

    def _cut(self, *, notice: bool = True) -> None:
        for link in self._links.values():
            link.cut(self._chance.choice([0, 0, 1, 3, 100]), notice=notice)

    # What goes wrong

    def _trouble(self, trouble: Trouble, mean: float) -> None:
        if self._at_peace:
            return
        self._later(self._chance.expovariate(1 / mean), partial(self._trouble, trouble, mean))
        match trouble:
            case Trouble.CRASH:
                self._arm()
            case Trouble.STOP:
                self._stop()
            case Trouble.CUT:
                self._lose_connection(self._chance.choice([0.1, 2.0, 15.0]))
            case Trouble.BROKER:
                self._restart_broker()
            case Trouble.RELOAD:
                self._reload()
            case Trouble.CLOCK:
                self._ahead += self._chance.choice([-3600.0, -30.0, 30.0, 3600.0])
                self._tell(
                    "clock", "steps", f", and is {self._ahead:+.1f} s ahead at the next start"
                )
            case Trouble.STALL:
                self._stalled_until = self.now + self._chance.choice([1.0, 20.0])
                self._tell("box", "does nothing", f" until {self._stalled_until:.3f}")
            case Trouble.DISK_FULL | Trouble.DAMAGE | Trouble.UNREADABLE:
                self._spoil_disk(trouble)

    def _arm(self) -> None:
        """Lose power at once, or at a point that is to come, and which is brought about."""
        if self._chance.random() < 0.25:
            self._die("between two turns")
            return
        point = self._chance.choice(list(Point))
        brought_about: dict[Point, Callable[[], None] | None] = {
            Point.OPENED: partial(self._die, "between two turns"),
            Point.REMEMBERED: partial(self._die, "between two turns"),
            Point.STOPPING: self._stop,
            Point.CARRIED_OVER: self._reload if Trouble.RELOAD in self.plan.troubles else None,
        }
        if (action := brought_about.get(point)) is None:
            self._fuse.arm(point, self._chance.choice([0, 0, 1, 5, 20]))
        else:
            self._fuse.arm(point, 0)
            action()

    def _lose_connection(self, seconds: float) -> None:
        if self.box is None:
            return
        self._tell("network", "fails", f" for {seconds} s")
        self._cut()
        self._wake_box(self._chance.choice([0.0, 0.3]))
        self._later(seconds, self._connect)

    def _restart_broker(self) -> None:
        after = self._chance.choice([After.KEPT, After.KEPT, After.LOST, After.OLDER])
        if self.box is not None:
            self._cut()
        self.broker.restart(after)
        self.ledger.broker_forgot |= after is After.OLDER
        self._tell("broker", f"restarts, sessions {after.value}")
        self._later(self._chance.choice([0.1, 2.0, 15.0]), self._connect)

    def _reload(self) -> None:
        windows = self._chance.random() < 0.3
        self._configuration = changed(self._configuration, self._chance, windows=windows)
        self._tell("owner", "changes the configuration", f": {self._configuration}")
        if self.box is not None and self._chance.random() < 0.9:
            self.box.wanted = self._configuration
            self.box.mailbox.put(Reload())
            self._wake_box(self._chance.choice([0.0, 0.3]))

    def _spoil_disk(self, trouble: Trouble) -> None:
        self._tell("disk", f"is spoilt: {trouble.value}")
        if trouble is Trouble.DISK_FULL:
            self._weather.full = True
        elif trouble is Trouble.UNREADABLE:
            self._weather.unreadable = True
        elif self.box is not None:
            self._weather.damaged = True
        elif self._path.exists():
            self._path.write_bytes(b"rubbish" * 999)
        self._later(self._chance.choice([1.0, 8.0, 30.0]), self._mend_disk)

    def _mend_disk(self) -> None:
        self._weather.full = self._weather.unreadable = False

    def _autosave(self) -> None:
        self.broker.save()
        if not self._at_peace:
            self._later(20.0, self._autosave)

    # The end

    def _heal(self) -> None:
        self._tell("world", "is at peace from now on")
        self._at_peace = True
        self._fuse.arm(Point.OPENED, 10**9)
        self._mend_disk()
        self._power_on()
        self._connect()

    def _is_quiet(self) -> bool:
        box = self.box
        return (
            box is not None
            and box.rests
            and not len(box.postman)
            and not any(box.mailbox.lengths().values())
            and not any(link.is_busy for link in self._links.values())
            and not self.broker.pending
            and not box.keeper.in_trouble
        )

    def _tell(self, who: str, what: str, details: str = "") -> None:
        self.happened[f"{who} {what}"] += 1
        self.ledger.tell(who, what + details)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + seconds, next(self._numbers), action))
