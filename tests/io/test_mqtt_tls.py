from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import _certificate
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_fusion.errors import ConfigError
from edge_fusion.events import ArrivalTime, Publication
from edge_fusion.io.mqtt import Backoff, BrokerSettings, Connection, TlsFiles
from edge_fusion.io.tls import client_context
from edge_fusion.mailbox import Acknowledged, Connected, Disconnected, Notice

if TYPE_CHECKING:
    from conftest import Broker, BrokerFactory, Certificates

# A handshake that fails leaves paho's half-made socket to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def tls_broker(broker_factory: BrokerFactory, certificates: Certificates) -> Broker:
    return broker_factory(certificates=certificates)


@pytest.fixture
def until() -> Iterator[Callable[..., list[Notice]]]:
    """Connects and returns the notices once one of the kind has come."""
    connections: list[Connection] = []

    def connect(kind: type[Notice], host: str, port: int, files: TlsFiles | None) -> list[Notice]:
        notices: list[Notice] = []
        connection = Connection(
            "readings",
            BrokerSettings(host, port, client_id="under-test", tls=files),
            deliver=lambda *_: None,
            notify=notices.append,
            stamp=lambda: ArrivalTime(time.time()),
            backoff=Backoff(0.05, 0.2, answer=0.5),
        )
        connections.append(connection)
        connection.start()
        connection.publish(1, Publication("out", b"{}"))
        deadline = time.monotonic() + 15
        while not any(isinstance(notice, kind) for notice in list(notices)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return notices

    yield connect
    for connection in connections:
        connection.stop(2)


Until = Callable[..., list[Notice]]


def test_a_broker_with_a_certificate_of_the_trusted_authority_is_accepted(
    tls_broker: Broker, certificates: Certificates, until: Until
) -> None:
    notices = until(Acknowledged, "localhost", tls_broker.port, TlsFiles(ca=certificates.ca))
    assert notices[0] == Connected("readings", session_present=False, protocol="5")


def test_a_client_certificate_lets_us_in(
    broker_factory: BrokerFactory, certificates: Certificates, until: Until
) -> None:
    demanding = [f"cafile {certificates.ca}", "require_certificate true"]
    broker = broker_factory(certificates=certificates, extra=demanding)
    files = TlsFiles(certificates.ca, certificates.cert, certificates.key)
    until(Acknowledged, "localhost", broker.port, files)


def test_a_certificate_of_another_authority_is_not(
    tls_broker: Broker, certificates: Certificates, until: Until
) -> None:
    files = TlsFiles(ca=certificates.other_ca)
    (notice, *_) = until(Disconnected, "localhost", tls_broker.port, files)
    assert isinstance(notice, Disconnected)
    assert "wrong CA" in notice.reason


def test_a_certificate_for_another_host_name_is_not(
    broker_factory: BrokerFactory, certificates: Certificates, until: Until
) -> None:
    broker = broker_factory(certificates=certificates, bind="127.0.0.2")
    files = TlsFiles(ca=certificates.ca)
    (notice, *_) = until(Disconnected, "127.0.0.2", broker.port, files)
    assert isinstance(notice, Disconnected)
    assert "another host name" in notice.reason


def test_a_certificate_that_has_expired_is_not(
    broker_factory: BrokerFactory, certificates: Certificates, until: Until
) -> None:
    broker = broker_factory(certificates=replace(certificates, cert=certificates.expired))
    (notice, *_) = until(Disconnected, "localhost", broker.port, TlsFiles(ca=certificates.ca))
    assert isinstance(notice, Disconnected)
    assert "has expired: renew it" in notice.reason


def test_a_port_that_does_not_speak_tls_is_told_as_such(
    broker: Broker, certificates: Certificates, until: Until
) -> None:
    files = TlsFiles(ca=certificates.ca)
    (notice, *_) = until(Disconnected, "localhost", broker.port, files)
    assert isinstance(notice, Disconnected)
    assert notice.reason


def test_files_that_cannot_be_used_are_a_problem_of_the_configuration(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for files in (TlsFiles(ca=nonsense), TlsFiles(ca=tmp_path / "absent"), TlsFiles(cert=nonsense)):
        connection = Connection(
            "readings",
            BrokerSettings("localhost", tls=files),
            deliver=lambda *_: None,
            notify=lambda _: None,
            stamp=lambda: ArrivalTime(0.0),
        )
        with pytest.raises(ConfigError, match=r"mqtt\.tls"):
            connection.start()
        assert not connection.alive


def test_a_key_with_a_pass_phrase_is_a_problem_and_no_question_to_nobody(
    certificates: Certificates, tmp_path: Path
) -> None:
    encrypted = tmp_path / "box.key"
    key = ec.generate_private_key(ec.SECP256R1())
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a pass phrase"),
        )
    )
    with pytest.raises(ConfigError, match=r"mqtt\.tls\.cert, key: .* without a pass phrase"):
        client_context(TlsFiles(certificates.ca, certificates.cert, encrypted))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("none", "TLS: the broker wants a certificate of this box: mqtt.tls.cert and key"),
        ("other", "TLS: the broker does not trust the authority that signed our certificate"),
        ("expired", "TLS: the broker says that our certificate, mqtt.tls.cert, has expired"),
    ],
)
def test_what_the_broker_has_against_our_certificate_is_told(
    broker_factory: BrokerFactory,
    certificates: Certificates,
    stranger: Path,
    until: Until,
    named: str,
    expected: str,
) -> None:
    """In TLS 1.3 the verdict comes after the handshake, when the broker has hung up already."""
    demanding = [f"cafile {certificates.ca}", "require_certificate true"]
    broker = broker_factory(certificates=certificates, extra=demanding)
    files = {
        "none": TlsFiles(certificates.ca),
        "other": TlsFiles(certificates.ca, stranger),
        "expired": TlsFiles(certificates.ca, certificates.expired, certificates.key),
    }[named]
    notices = until(Disconnected, "localhost", broker.port, files)
    assert isinstance(notices[0], Disconnected)
    assert notices[0].reason.startswith(expected)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody but itself has signed, and its key, in one file."""
    path = tmp_path_factory.mktemp("stranger") / "box.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("box", key, None, key)
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
