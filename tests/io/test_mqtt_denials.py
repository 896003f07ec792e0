"""Brokers that do not want us: each fault is one line that says what to do, and no busy loop."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import dynamic_security
import pytest
from conftest import Broker, BrokerFactory, Certificates, eventually

from edge_fusion.events import ArrivalTime, Publication
from edge_fusion.io.mqtt import (
    Backoff,
    BrokerSettings,
    Connection,
    ProtocolChoice,
    Subscription,
    TlsFiles,
)
from edge_fusion.mailbox import Acknowledged, Connected, Disconnected, Notice, Refused, Subscribed

# A handshake that fails leaves paho's half-made socket to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LOGGER = "edge_fusion.mqtt"
OBSERVED = 3.0
"""Seconds."""


def most_attempts(seconds: float) -> int:
    """What the back-off allows: waits of at least 0.5, 1, 2, … s lie between two attempts."""
    return 1 + math.floor(math.log2(2 * seconds + 1))


class Client:
    """A connection, and what it said."""

    def __init__(self, name: str, settings: BrokerSettings, **options: Any) -> None:
        self.notices: list[Notice] = []
        self.connection = Connection(
            name,
            settings,
            deliver=lambda *_: None,
            notify=self.notices.append,
            stamp=options.pop("stamp", lambda: ArrivalTime(time.time())),
            **options,
        )
        self.connection.start()

    def said(self, kind: type[Notice]) -> list[Any]:
        return [notice for notice in list(self.notices) if isinstance(notice, kind)]


MakeClient = Callable[..., Client]


@pytest.fixture
def client() -> Iterator[MakeClient]:
    clients: list[Client] = []

    def make(name: str, settings: BrokerSettings, **options: Any) -> Client:
        clients.append(Client(name, settings, **options))
        return clients[-1]

    yield make
    for one in clients:
        one.connection.stop(2)


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """What was logged of one connection."""
    texts = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    return [text for text in texts if text.startswith(f"mqtt {name}: ")]


@dataclass(frozen=True)
class Fault:
    """A broker and a client that do not fit, and what the log is to say."""

    expected: str
    broker: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    host: str = "localhost"


def faults(certificates: Certificates) -> dict[str, Fault]:
    tls = TlsFiles(certificates.ca, certificates.cert, certificates.key)
    server = {"certificates": certificates}
    demanding = {**server, "extra": [f"cafile {certificates.ca}", "require_certificate true"]}
    user = {"user": ("box", "right")}
    return {
        "wrong-ca": Fault(
            "(wrong CA): mqtt.tls.ca must be the one that signed it",
            server,
            {"tls": TlsFiles(certificates.other_ca)},
        ),
        "wrong-name": Fault(
            "is for another host name: mqtt.host must be one that stands in it",
            {**server, "bind": "127.0.0.2"},
            {"tls": TlsFiles(certificates.ca)},
            host="127.0.0.2",
        ),
        "expired": Fault(
            "the broker's certificate has expired: renew it there",
            {"certificates": replace(certificates, cert=certificates.expired)},
            {"tls": TlsFiles(certificates.ca)},
        ),
        "no-certificate": Fault(
            "the broker wants a certificate of this box: mqtt.tls.cert and key",
            demanding,
            {"tls": TlsFiles(certificates.ca)},
        ),
        "our-certificate-expired": Fault(
            "our certificate, mqtt.tls.cert, has expired: renew it",
            demanding,
            {"tls": replace(tls, cert=certificates.expired)},
        ),
        "no-tls": Fault("does this port want TLS (mqtt.tls)?", server),
        "wrong-password": Fault(
            "does not let in user 'box', or not by this password (Not authorized): "
            "mqtt.username and password_file must be as the broker knows them",
            user,
            {"username": "box", "password": "wrong"},
        ),
        "no-user": Fault("does not let in a client without user name", user),
    }


def test_each_fault_is_one_line_that_says_what_to_do_and_no_busy_loop(
    broker_factory: BrokerFactory,
    certificates: Certificates,
    client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All of them at once, since each has to be watched for a while."""
    table = faults(certificates)
    brokers = {name: broker_factory(**fault.broker) for name, fault in table.items()}
    eventually(lambda: all(attempts(broker) for broker in brokers.values()), "the probes' traces")
    before = {name: attempts(broker) for name, broker in brokers.items()}
    clients = {
        name: client(name, BrokerSettings(fault.host, brokers[name].port, **fault.client))
        for name, fault in table.items()
    }
    started = time.monotonic()
    for one in clients.values():
        eventually(partial(one.said, Disconnected))
    time.sleep(max(0.0, started + OBSERVED - time.monotonic()))
    made = {name: attempts(broker) - before[name] for name, broker in brokers.items()}
    allowed = most_attempts(time.monotonic() - started)
    assert all(1 <= count <= allowed for count in made.values()), (made, allowed)
    for name, fault in table.items():
        (line,) = lines(caplog, name)
        assert fault.expected in line
        assert "next try in" in line


def attempts(broker: Broker) -> int:
    """Connections that the broker has seen; one that fails in its handshake is named otherwise."""
    return len(re.findall(r"New connection from|Client connection from \S+ failed", broker.log()))


def test_a_fault_that_lasts_is_said_again_after_a_minute(
    broker: Broker, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """On a clock that runs a hundred times as fast."""
    broker.stop()
    one = client(
        "readings",
        BrokerSettings("127.0.0.1", broker.port),
        stamp=lambda: ArrivalTime(100 * time.monotonic()),
        backoff=Backoff(0.02, 0.05),
    )
    eventually(lambda: len(lines(caplog, "readings")) >= 2)
    first, second = lines(caplog, "readings")[:2]
    assert "since the last such line" not in first
    more = re.search(r"\((\d+) since the last such line\)$", second)
    assert more is not None
    assert int(more[1]) > 1
    assert one.said(Disconnected)


@pytest.fixture
def strict(broker_factory: BrokerFactory, tmp_path: Path) -> Broker:
    rules = [("subscribePattern", "home/#"), ("publishClientSend", "edge_fusion/#")]
    extra = dynamic_security.settings(tmp_path / "rules.json", ("box", "right"), rules)
    return broker_factory(extra=extra)


def box(broker: Broker, protocol: ProtocolChoice = ProtocolChoice.AUTO) -> BrokerSettings:
    return BrokerSettings(
        "127.0.0.1", broker.port, protocol, "under-test", username="box", password="right"
    )


@pytest.mark.parametrize(
    ("protocol", "code"),
    [(ProtocolChoice.V5, "Not authorized"), (ProtocolChoice.V311, "Unspecified error")],
)
def test_a_denied_subscription_is_told_and_the_others_work(
    strict: Broker,
    client: MakeClient,
    caplog: pytest.LogCaptureFixture,
    protocol: ProtocolChoice,
    code: str,
) -> None:
    filters = [Subscription("home/#"), Subscription("secret/#")]
    one = client("readings", box(strict, protocol), subscriptions=filters)
    eventually(lambda: one.said(Subscribed))
    (answer,) = one.said(Subscribed)
    advice = f"{code}; does the ACL of the broker let user 'box' read it?"
    assert answer.refused == {"secret/#": advice}
    assert lines(caplog, "readings") == [f"mqtt readings: no subscription to 'secret/#': {advice}"]


def test_a_denied_publication_is_refused_by_name_and_said_once_for_its_subtree(
    strict: Broker, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    one = client("readings", box(strict))
    for token in range(50):
        one.connection.publish(token, Publication(f"homeassistant/device/{token}/config", b"{}"))
    one.connection.publish(50, Publication("edge_fusion/kitchen/window", b"{}"))
    eventually(lambda: one.said(Acknowledged))
    assert [notice.token for notice in one.said(Refused)] == list(range(50))
    (line,) = lines(caplog, "readings")
    assert line == (
        "mqtt readings: not published on 'homeassistant/device/0/config': "
        "Not authorized; does the ACL of the broker let user 'box' write it?"
    )
    assert len(one.said(Connected)) == 1


def test_under_3_1_1_a_denied_publication_looks_like_any_other(
    strict: Broker, client: MakeClient
) -> None:
    """PUBACK has no reason there: the broker acknowledges, and throws it away."""
    one = client("readings", box(strict, ProtocolChoice.V311))
    one.connection.publish(1, Publication("homeassistant/device/x/config", b"{}"))
    eventually(lambda: one.said(Acknowledged))
    assert not one.said(Refused)
