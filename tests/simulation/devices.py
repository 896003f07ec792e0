"""Devices: what they measure, and when and how they send it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random

import cv2
import numpy as np
from simulation.broker import Packet
from simulation.plan import DevicePlan, Kind

ORIGIN = 1_800_000_000.0
CYCLE = 50.0
"""Seconds from one time at which a site is hot to the next."""

Later = Callable[[float, Callable[[], None]], None]
"""Have something done so many seconds from now."""


@dataclass
class Measurements:
    """Gives each measurement a value that no other has, so that it can be told anywhere."""

    taken: int = 0

    def temperature(self, site: str, at: float) -> float:
        self.taken += 1
        phase = (at + 17.0 * len(site)) % CYCLE
        level = 38.0 if phase < 14.0 else 30.0 if phase < 20.0 else 21.0
        return level + self.taken / 1e6

    def humidity(self, at: float) -> float:
        return (75.0 if at % 37.0 < 9.0 else 45.0) + self.taken / 1e6


@dataclass
class Device:
    """Sends by `publish` until it leaves. Its own clock is wrong by `plan.skew`."""

    plan: DevicePlan
    chance: Random
    measurements: Measurements
    publish: Callable[[Packet], None]
    say: Callable[[str, str], None]
    later: Later
    hoard: list[Packet] | None = field(default=None)

    def live(self, now: float) -> None:
        """Measure, send, and go on; `now` in seconds since the simulation began."""
        if now > self.plan.leaves:
            self._leave()
            return
        packet = self._measure(now)
        if self.hoard is not None:
            self.hoard.append(packet)
        else:
            self._send(packet)
        pause = self.plan.period * self.chance.uniform(0.8, 1.2)
        if self.chance.random() < self.plan.silent:
            self._fall_silent()
            pause += self.chance.uniform(5.0, 40.0)
        elif self.hoard is None and self.chance.random() < self.plan.burst:
            self.say(self.plan.name, "hoards what it measures")
            self.hoard = []
            self.later(self.chance.uniform(1.0, 15.0), self._let_go)
        self.later(pause, lambda: self.live(now + pause))

    def _send(self, packet: Packet) -> None:
        for _ in range(2 if self.chance.random() < self.plan.twice else 1):
            delay = self.plan.delay * self.chance.random() ** 2
            if delay == 0.0:
                self.publish(packet)
            else:
                self.later(delay, lambda: self.publish(packet))

    def _let_go(self) -> None:
        """Send in a burst what was hoarded."""
        hoard, self.hoard = self.hoard, None
        self.say(self.plan.name, f"sends a burst of {len(hoard or ())}")
        for packet in hoard or ():
            self.publish(packet)

    def _fall_silent(self) -> None:
        self.say(self.plan.name, "falls silent")
        if self.plan.kind is Kind.ZIGBEE and self.chance.random() < 0.7:
            topic = f"zigbee2mqtt/{self.plan.name}/availability"
            self._send(Packet(topic, b'{"state": "offline"}', 1, retained=True))

    def _leave(self) -> None:
        if self.hoard:
            self._let_go()

    def _measure(self, now: float) -> Packet:
        plan, at = self.plan, round(ORIGIN + now + self.plan.skew, 3)
        if plan.kind is Kind.CAMERA:
            return Packet(f"cams/{plan.site}/{plan.name}", picture(), plan.qos)
        temperature = self.measurements.temperature(plan.site, now)
        document = {"temperature": temperature}
        if self.chance.random() < 0.5:
            document["humidity"] = self.measurements.humidity(now)
        if plan.kind is Kind.ZIGBEE:
            document["last_seen"] = at
            topic = f"zigbee2mqtt/{plan.name}"
            return Packet(topic, _json(document), plan.qos, retained=self.chance.random() < 0.2)
        if plan.kind is Kind.DATED:
            document["at"] = at
        return Packet(f"home/{plan.site}/{plan.name}", _json(document), plan.qos)


def measurements(topic: str, payload: bytes) -> list[tuple[str, float]]:
    """Quantities and values in what a device sent."""
    if topic.startswith("cams/") or topic.endswith(("/availability", "/barrier")):
        return []
    document = json.loads(payload)
    return [(name, document[name]) for name in ("temperature", "humidity") if name in document]


def _json(document: dict[str, float]) -> bytes:
    return json.dumps(document).encode()


@cache
def picture() -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((8, 8, 3), 99, np.uint8))
    assert ok
    return data.tobytes()
