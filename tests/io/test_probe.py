"""Trying a broker out, as `check` does."""

from __future__ import annotations

import socket
from pathlib import Path

import dynamic_security
import pytest
from conftest import Broker, BrokerFactory, free_port

from edge_fusion.io.mqtt import BrokerSettings, ProtocolChoice, Subscription
from edge_fusion.io.probe import probe

ECHO = "edge_fusion/box/box-1/barrier"
SUBSCRIPTIONS = [Subscription("home/#"), Subscription("secret/#")]


def settings(
    port: int, password: str = "right", protocol: ProtocolChoice = ProtocolChoice.AUTO
) -> BrokerSettings:
    return BrokerSettings("127.0.0.1", port, protocol, "x", username="box", password=password)


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    return broker_factory(user=("box", "right"))


def test_a_broker_that_takes_us_has_no_fault(broker: Broker) -> None:
    assert probe(settings(broker.port)) == []
    assert probe(settings(broker.port), subscriptions=SUBSCRIPTIONS, echo=ECHO) == []


def test_why_the_broker_does_not_take_us_is_said_in_words(broker: Broker) -> None:
    (denied,) = probe(settings(broker.port, "wrong"))
    assert "does not let in user 'box'" in denied
    assert probe(settings(free_port())) == ["connection refused; no broker listens there"]


def test_a_broker_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert probe(settings(silent.getsockname()[1]), 0.3) == ["no answer in time"]


def test_denied_subscriptions_and_publications_are_named(
    broker_factory: BrokerFactory, tmp_path: Path
) -> None:
    allowed = [("subscribePattern", "home/#"), ("subscribePattern", "edge_fusion/#")]
    extra = dynamic_security.settings(tmp_path / "rules.json", ("box", "right"), allowed)
    broker = broker_factory(extra=extra)
    subscription, publication = probe(settings(broker.port), subscriptions=SUBSCRIPTIONS, echo=ECHO)
    assert subscription.startswith("no subscription to 'secret/#': Not authorized; does the ACL")
    assert publication.startswith(f"not published on '{ECHO}': Not authorized; does the ACL")


@pytest.mark.parametrize(
    ("rule", "protocol"),
    [("topic write #", ProtocolChoice.V5), ("topic read #", ProtocolChoice.V311)],
    ids=["not read", "not written, under 3.1.1"],
)
def test_denials_that_the_broker_keeps_to_itself_show_in_what_does_not_come_back(
    broker_factory: BrokerFactory, tmp_path: Path, rule: str, protocol: ProtocolChoice
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"user box\n{rule}\n")
    broker = broker_factory(user=("box", "right"), extra=[f"acl_file {rules}"])
    (fault,) = probe(settings(broker.port, protocol=protocol), 0.5, echo=ECHO)
    assert fault.startswith(f"what is published on '{ECHO}' does not come back: does the ACL")
