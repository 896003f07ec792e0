from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import Broker

from edge_fusion.codecs.jpeg import is_picture
from edge_fusion.errors import ConfigError
from edge_fusion.io.mqtt import BrokerSettings
from edge_fusion.simulator.run import Topics, simulate


@contextmanager
def simulating(broker: Broker, scenario: str, sites: int) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=simulate,
        args=(BrokerSettings(broker.host, broker.port), Topics()),
        kwargs={"scenario": scenario, "sites": sites, "stop": stop},
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


def test_every_device_of_the_demo_publishes_to_a_real_broker(broker: Broker) -> None:
    collector = broker.collect("sensors/#", "cameras/#")
    with simulating(broker, "demo", 3):
        messages = collector.wait_for(18)
    topics = {message.topic for message in messages}
    sites = ("kitchen", "living-room", "hall")
    assert topics >= {f"cameras/{site}/ceiling" for site in sites}
    assert topics >= {f"sensors/{site}/climate-{n}" for site in sites for n in (1, 2)}
    pictures = [m for m in messages if m.topic.startswith("cameras/")]
    assert all(is_picture(bytes(message.payload)) for message in pictures)


def test_sites_beyond_the_named_ones_are_numbered(broker: Broker) -> None:
    collector = broker.collect("sensors/+/climate-1")
    with simulating(broker, "quiet", 4):
        messages = collector.wait_for(8)
    assert {m.topic.split("/")[1] for m in messages} == {"kitchen", "living-room", "hall", "site-4"}


def test_a_simulation_ends_after_its_duration(broker: Broker) -> None:
    simulate(BrokerSettings(broker.host, broker.port), Topics(), sites=1, duration=0.2)


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r'"flood".*demo.*quiet'):
        simulate(BrokerSettings("localhost"), Topics(), scenario="flood")
