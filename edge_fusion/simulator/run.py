"""Simulated sites on a real broker: every device is an MQTT client of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from edge_fusion.errors import ConfigError
from edge_fusion.events import HUMIDITY, TEMPERATURE, EventTime
from edge_fusion.io.clock import ArrivalClock
from edge_fusion.io.mqtt import BrokerSettings, Connection
from edge_fusion.simulator.devices import CameraDevice, Device, SensorDevice
from edge_fusion.simulator.live import LiveRoom, demo_room, random_room
from edge_fusion.simulator.sensors import Sensor, SensorModel
from edge_fusion.simulator.story import DEMO, Scenario

DEMO_SCENARIO = "demo"
MIXED = "mixed"
SCENARIOS = (DEMO_SCENARIO, MIXED, *(scenario.value for scenario in Scenario))
SENSORS_A_SITE = 2
GOODBYE = 1.0


@dataclass(frozen=True, slots=True)
class Topics:
    """Where devices publish, with {site}, {device} and {camera}; and the paths of their JSON."""

    sensor: str = "sensors/{site}/{device}"
    camera: str | None = "cameras/{site}/{camera}"
    paths: Mapping[str, str] = field(
        default_factory=lambda: {TEMPERATURE: TEMPERATURE, HUMIDITY: HUMIDITY, "time": "time"}
    )


def simulate(
    broker: BrokerSettings,
    topics: Topics,
    *,
    scenario: str = DEMO_SCENARIO,
    sites: int = 3,
    speed: float = 1.0,
    duration: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Publish until `duration` seconds have passed or `stop` is set.

    `scenario` is one of `SCENARIOS`. `speed` is how many seconds pass in the rooms for one of
    ours; timestamps are those of our clock, since a device that runs ahead is not believed.
    Raises ConfigError for an unknown scenario.
    """
    if scenario not in SCENARIOS:
        raise ConfigError([f'scenario is "{scenario}": expected one of {", ".join(SCENARIOS)}'])
    rooms = dict(_rooms(scenario, sites))
    devices = [d for site, room in rooms.items() for d in _devices(site, room, topics, broker)]
    clock = ArrivalClock()
    with ExitStack() as stack:
        for device in devices:
            device.connection.start()
            stack.callback(device.connection.stop, GOODBYE)
        _run(list(rooms.values()), devices, clock, speed, duration, stop or threading.Event())


@dataclass(slots=True)
class _Online:
    """A device with the connection it publishes through."""

    device: Device
    connection: Connection
    due: float = 0.0
    sent: int = 0


def _run(
    rooms: list[LiveRoom],
    devices: list[_Online],
    clock: ArrivalClock,
    speed: float,
    duration: float | None,
    stop: threading.Event,
) -> None:
    start = clock.stamp()
    for place, online in enumerate(devices):
        online.due = start + 0.5 + online.device.interval * place / len(devices)
    while not stop.is_set():
        now = clock.stamp()
        if duration is not None and now - start >= duration:
            return
        for room in rooms:
            room.advance((now - start) * speed)
        for online in devices:
            if online.due <= now:
                online.sent += 1
                online.due += online.device.interval
                online.connection.publish(online.sent, online.device.emit(EventTime(now)))
        stop.wait(max(0.0, min(online.due for online in devices) - clock.stamp()))


def _rooms(scenario: str, sites: int) -> Iterator[tuple[str, LiveRoom]]:
    names = list(DEMO)
    for place in range(sites):
        site = names[place] if place < len(names) else f"site-{place + 1}"
        if scenario == DEMO_SCENARIO and place < len(names):
            yield site, demo_room(site)
        else:
            fixed = None if scenario in {MIXED, DEMO_SCENARIO} else Scenario(scenario)
            yield site, random_room(place + 1, fixed)


def _devices(
    site: str, room: LiveRoom, topics: Topics, broker: BrokerSettings
) -> Iterator[_Online]:
    room.advance(0.0)
    for number in range(1, SENSORS_A_SITE + 1):
        name = f"climate-{number}"
        rng = np.random.default_rng([hash_of(site), number])
        model = SensorModel(tau_temperature=8.0 * number, tau_humidity=6.0 * number)
        sensor = Sensor(model, *room.air(), rng)
        topic = _filled(topics.sensor, site=site, device=name)
        yield _online(SensorDevice(name, topic, room, sensor, topics.paths), site, broker)
    if topics.camera is not None:
        topic = _filled(topics.camera, site=site, camera="ceiling")
        yield _online(CameraDevice("ceiling", topic, room), site, broker)


def hash_of(name: str) -> int:
    """The same number for the same name in every process, unlike `hash`."""
    return int.from_bytes(name.encode()[:8].ljust(8, b"\0"), "big") % 2**31


def _filled(pattern: str, **names: str) -> str:
    for placeholder, name in names.items():
        pattern = pattern.replace(f"{{{placeholder}}}", name)
    return pattern


def _online(device: Device, site: str, broker: BrokerSettings) -> _Online:
    clock = ArrivalClock()
    connection = Connection(
        f"{site}-{device.name}",
        replace(broker, client_id=f"sim-{site}-{device.name}"),
        deliver=lambda _delivery, _qos: None,
        notify=lambda _notice: None,
        stamp=clock.stamp,
    )
    return _Online(device, connection)
