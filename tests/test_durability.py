"""Store, alignment and alerts under any order of readings, turns and crashes, and a plain model.

The model keeps every reading and groups them by window; it knows nothing of crashes, since they
must not show. Nothing is ever too late here, so in the end every reading is in its window, once.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from simulation.box import BARRIER, READINGS, Box, BoxClock, Weather
from simulation.fuse import Fuse, Point, PowerCut
from simulation.ledger import Ledger, Told
from simulation.plan import Configuration

from edge_fusion.codecs.times import format_time
from edge_fusion.events import DEVICE, Delivery, Message, Publication
from edge_fusion.mailbox import Acknowledged, Connected, Disconnected, Reload

ORIGIN = 1_800_000_000.0
SIZE = 10.0
CONFIGURATION = Configuration(
    size=SIZE, every=SIZE, slack=1.0, lateness=1e6, idle=20.0, wait=3.0, threshold=0.6,
    for_windows=2, keep_firing=5.0, labels=("hot",), max_readings=1000, max_outbox=1000,
    max_sites=8, max_devices=8,
)  # fmt: skip
HASTY = replace(CONFIGURATION, idle=8.0, wait=1.0, for_windows=1)


class Durability(RuleBasedStateMachine):
    """The box of the simulation, and a broker that takes and gives as it is told.

    That nothing is acknowledged or sent before it is kept, the ledger asserts each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.now = 0.0
        self.fuse, self.weather, self.ledger = Fuse(), Weather(), Ledger()
        self.configuration = CONFIGURATION
        self.readings: defaultdict[tuple[str, float], list[float]] = defaultdict(list)
        """The model: what was measured, by site and start of its window."""
        self.unacknowledged: dict[int, Message] = {}
        self.sent: list[tuple[int, Publication]] = []
        """What the box has sent and has no answer for."""
        self.packets = self.runs = 0
        self.start()

    # What happens

    @rule(
        site=st.sampled_from(["hall", "attic"]),
        level=st.sampled_from([21.0, 30.0, 39.0]),
        pause=st.sampled_from([0.0, 0.5, 4.0]),
        delay=st.sampled_from([0.0, 0.0, 6.0]),
    )
    def measure(self, site: str, level: float, pause: float, delay: float) -> None:
        self.now += pause
        self.packets += 1
        at = round(ORIGIN + self.now - delay + self.packets / 1e3, 3)
        value = level + self.packets / 1e6
        self.readings[site, at // SIZE * SIZE].append(value)
        payload = json.dumps({"temperature": value, "at": at}).encode()
        message = Message(f"home/{site}/probe", payload, self.clock.stamp(), qos=1)
        self.unacknowledged[self.packets] = message
        self.deliver(self.packets, message)

    @rule(site=st.sampled_from(["hall", "attic"]), windows=st.integers(2, 4))
    def blaze(self, site: str, windows: int) -> None:
        """Readings by which an alert fires, and is likely to fire still."""
        for _ in range(4 * windows):
            self.measure(site, 39.0, pause=2.5, delay=0.0)
            self.turn(0.0)

    @rule(pause=st.sampled_from([0.0, 1.0, 12.0, 70.0]))
    def turn(self, pause: float = 0.0) -> None:
        self.now += pause
        self.guarded(self.box.turn)

    @rule(point=st.sampled_from([*Point]), passes=st.integers(0, 3))
    def lose_power(self, point: Point, passes: int) -> None:
        self.fuse.arm(point, passes)
        self.guarded(self.box.turn)
        self.die()

    @rule(downtime=st.sampled_from([0.0, 5.0, 40.0]))
    def stop(self, downtime: float) -> None:
        self.guarded(self.box.stop)
        self.die(downtime)

    @rule(answered=st.integers(0, 9))
    def publish(self, answered: int) -> None:
        """The broker takes what it was sent, and gives the barrier back; some answers arrive."""
        for token, publication in self.sent[:answered]:
            if publication.topic != BARRIER:
                self.box.mailbox.put(Acknowledged(token))
        for _, publication in self.sent:
            if publication.topic == BARRIER:
                self.deliver(0, Message(BARRIER, publication.payload, self.clock.stamp(), qos=1))
        left = self.sent[answered:]
        self.sent = [(token, one) for token, one in left if one.topic != BARRIER]

    @rule()
    def lose_connection(self) -> None:
        self.box.mailbox.put(Disconnected(READINGS, "cut"))
        self.connect()

    @rule(full=st.booleans())
    def disk(self, *, full: bool) -> None:
        self.weather.full = full

    @rule(configuration=st.sampled_from([CONFIGURATION, HASTY]), at_once=st.booleans())
    def configure(self, configuration: Configuration, *, at_once: bool) -> None:
        self.configuration = configuration
        if at_once:
            self.box.wanted = configuration
            self.box.mailbox.put(Reload())

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            assert not self.unacknowledged
            self.windows_hold_what_was_measured()
            self.alerts_fire_and_resolve_in_turn()
            self.all_that_was_told_was_heard_in_order()
        finally:
            self.box.store.close()
            self.directory.cleanup()

    # What must have come of it

    def come_to_rest(self) -> None:
        self.weather.full = False
        for _ in range(3):
            self.lose_connection()
            for pause in (0.0, 1.0, 40.0, 200.0):
                self.turn(pause)
                self.publish(10**6)
        self.turn()

    def windows_hold_what_was_measured(self) -> None:
        last: dict[tuple[str, str], dict[str, Any]] = {}
        for document in self.told("window"):
            last[document["site"], document["start"]] = document["readings"]["temperature"]
        assert last.keys() == {(site, format_time(start)) for site, start in self.readings}
        for (site, start), values in self.readings.items():
            found = last[site, format_time(start)]
            want = len(values), round(min(values), 4), round(max(values), 4)
            assert (found["count"], found["min"], found["max"]) == want

    def alerts_fire_and_resolve_in_turn(self) -> None:
        firing: dict[str, str | None] = {}
        for event in self.told("event"):
            now = firing.get(event["site"])
            assert now == (None if event["state"] == "firing" else event["id"])
            firing[event["site"]] = event["id"] if now is None else None
        assert not any(firing.values())
        events = {event["site"]: event["id"] for event in self.told("event")}
        alerts = {alert["site"]: alert["id"] for alert in self.told("alert/hot") if alert["id"]}
        assert alerts == events

    def all_that_was_told_was_heard_in_order(self) -> None:
        entries = (entry for epoch in self.ledger.epochs for entry in epoch.entries)
        told = [entry.sent for entry in entries if isinstance(entry, Told)]
        assert list(dict.fromkeys(each.sent for each in self.ledger.heard)) == told
        assert len(self.box.outbox) == 0

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The documents that were kept to be published, in order; but for trouble with devices."""
        entries = (entry for epoch in self.ledger.epochs for entry in epoch.entries)
        told = (entry.publication for entry in entries if isinstance(entry, Told))
        documents = [json.loads(one.payload) for one in told if one.topic.endswith(f"/{kind}")]
        return [each for each in documents if each.get("label") != DEVICE]

    # How

    def start(self) -> None:
        self.runs += 1
        self.clock = BoxClock(lambda: ORIGIN + self.now, 0.0)
        self.box = Box(
            self.configuration, Path(self.directory.name) / "state.db", self.clock,
            weather=self.weather, fuse=self.fuse, ledger=self.ledger, run=self.runs, max_batch=512,
        )  # fmt: skip
        self.sent = []
        self.box.send = self.take
        self.guarded(self.box.start)
        self.connect()

    def connect(self) -> None:
        self.box.mailbox.put(Connected(READINGS, session_present=self.runs > 1, protocol="5"))
        for packet, message in self.unacknowledged.items():
            self.deliver(packet, message, again=True)

    def deliver(self, packet: int, message: Message, *, again: bool = False) -> None:
        ack = partial(self.acknowledge, self.box, packet, message)
        self.box.put(READINGS, Delivery(message, ack, READINGS, 0, packet, again))

    def acknowledge(self, box: Box, packet: int, message: Message) -> None:
        box.acknowledged(message)
        self.unacknowledged.pop(packet, None)

    def take(self, token: int, publication: Publication) -> bool:
        self.sent.append((token, publication))
        if publication.topic != BARRIER:
            self.ledger.hear(token, publication)
        return True

    def guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except PowerCut:
            self.die()

    def die(self, downtime: float = 1.0) -> None:
        self.box.die()
        self.ledger.gone()
        self.now += downtime
        self.start()


TestDurability = Durability.TestCase
TestDurability.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
