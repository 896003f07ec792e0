"""A real broker for every test that asks for one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from disks import small_file_system
from hypothesis import HealthCheck, settings
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_PATIENCE = 15.0

# How long an example takes says more of the machine than of the code.
settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")


def eventually(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until `condition()` is true; fail after a time that no healthy run needs."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end(client: Client) -> None:
    """Disconnect and free all that paho would leave to the garbage collector, as a warning."""
    client.disconnect()
    client.loop_stop()
    client._reset_sockets()


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: an authority, a certificate by it for localhost, and another authority.

    `expired` is as `cert` and of the same key, and was good until yesterday.
    """

    ca: Path
    cert: Path
    key: Path
    other_ca: Path
    expired: Path


class Collector:
    """A plain MQTT 5 client that keeps every message it gets.

    With a `client_id` the broker keeps its session, and what comes for it, while it is away.
    """

    def __init__(
        self, broker: Broker, filters: Sequence[str], qos: int, client_id: str | None = None
    ) -> None:
        self.messages: list[MQTTMessage] = []
        self._filters = filters
        self._qos = qos
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        if broker.user is not None:
            self._client.username_pw_set(*broker.user)
        if broker.certificates is not None:
            self._client.tls_set(ca_certs=str(broker.certificates.ca))
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = 0 if client_id is None else 3600
        self._client.connect(
            broker.host, broker.port, clean_start=client_id is None, properties=session
        )
        self._client.loop_start()
        assert self._subscribed.wait(_PATIENCE)

    def payloads(self, topic: str | None = None) -> list[bytes]:
        """What has come so far, on one topic or on all."""
        return [bytes(m.payload) for m in list(self.messages) if topic in {None, m.topic}]

    def wait_for(self, count: int) -> list[MQTTMessage]:
        """All messages, once there are at least `count`."""
        eventually(lambda: len(self.messages) >= count, f"message number {count}")
        return list(self.messages)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Publish and wait until the broker has it; `properties` are MQTT 5 user properties."""
        packed = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if properties:
            packed.UserProperty = list(properties)
        info = self._client.publish(topic, payload, qos, retain, packed)
        info.wait_for_publish(_PATIENCE)

    def close(self) -> None:
        end(self._client)

    def _on_connect(self, client: Client, *_: Any) -> None:
        for one in self._filters:
            client.subscribe(one, self._qos)
        if not self._filters:
            self._subscribed.set()

    def _on_subscribe(self, *_: Any) -> None:
        self._subscribed.set()

    def _on_message(self, _client: Client, _: Any, message: MQTTMessage) -> None:
        self.messages.append(message)


class Broker:
    """A mosquitto on a free port of this machine that can be stopped, killed and started again.

    With `persistent` it keeps sessions, queues and retained messages over `restart`. A `verbose`
    one writes a line for each packet into its log.
    """

    def __init__(
        self,
        directory: Path,
        *,
        user: tuple[str, str] | None = None,
        certificates: Certificates | None = None,
        persistent: bool = False,
        extra: Sequence[str] = (),
        bind: str = "127.0.0.1",
        verbose: bool = True,
    ) -> None:
        self.user = user
        self.certificates = certificates
        self.port = free_port()
        self.host = bind if certificates is None else "localhost"
        self._bind = bind
        self._verbose = verbose
        self._directory = directory
        self._persistent = persistent
        self._extra = tuple(extra)
        self._process: subprocess.Popen[bytes] | None = None
        self._collectors: list[Collector] = []

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._directory.mkdir(parents=True, exist_ok=True)
        settings = self._directory / "mosquitto.conf"
        settings.write_text("\n".join(self._settings()) + "\n")
        with (self._directory / "mosquitto.log").open("ab") as log:
            command = ["/usr/sbin/mosquitto", "-c", str(settings)]
            command += ["-v"] if self._verbose else []
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._answers, "the broker's start")

    def stop(self, *, kill: bool = False) -> None:
        """End the process; what `kill` interrupts is not written to disk."""
        process, self._process = self._process, None
        if process is not None:
            process.kill() if kill else process.terminate()
            process.wait(_PATIENCE)

    def restart(self, *, kill: bool = False) -> None:
        self.stop(kill=kill)
        self.start()

    def collect(self, *filters: str, qos: int = 1, client_id: str | None = None) -> Collector:
        """A connected client with these subscriptions; closed when the test ends."""
        collector = Collector(self, filters, qos, client_id)
        self._collectors.append(collector)
        return collector

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Publish one message by a client of its own, and wait until the broker has it."""
        client = Collector(self, (), 0)
        client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        client.close()

    def log(self) -> str:
        return (self._directory / "mosquitto.log").read_text(errors="replace")

    def close(self) -> None:
        for collector in self._collectors:
            collector.close()
        self.stop()

    def _settings(self) -> Iterator[str]:
        yield f"listener {self.port} {self._bind}"
        yield f"allow_anonymous {str(self.user is None).lower()}"
        yield "set_tcp_nodelay true"
        if os.geteuid() == 0:
            yield "user root"  # else it changes to a user that cannot read the directory
        if self.user is not None:
            yield f"password_file {self._password_file(*self.user)}"
        if self.certificates is not None:
            yield f"certfile {self.certificates.cert}"
            yield f"keyfile {self.certificates.key}"
        if self._persistent:
            yield "persistence true"
            yield f"persistence_location {self._directory}/"
        yield from self._extra

    def _password_file(self, name: str, password: str) -> Path:
        path = self._directory / "passwords"
        command = ["mosquitto_passwd", "-b", "-c", str(path), name, password]
        subprocess.run(command, check=True, capture_output=True)
        return path

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"mosquitto ended:\n{self.log()}"
        try:
            socket.create_connection((self._bind, self.port), timeout=1).close()
        except OSError:
            return False
        return True


BrokerFactory = Callable[..., Broker]


@pytest.fixture
def broker_factory(tmp_path: Path) -> Iterator[BrokerFactory]:
    """Makes brokers, started, with the keyword arguments of `Broker`; all end with the test."""
    brokers: list[Broker] = []

    def make(**options: Any) -> Broker:
        broker = Broker(tmp_path / f"broker-{len(brokers)}", **options)
        brokers.append(broker)
        broker.start()
        return broker

    yield make
    for broker in brokers:
        broker.close()


@pytest.fixture
def broker(broker_factory: BrokerFactory) -> Broker:
    """An open mosquitto that keeps nothing over a restart."""
    return broker_factory()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates made for this run, good for an hour."""
    directory = tmp_path_factory.mktemp("certificates")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("test authority", ca_key, None, ca_key)
    other_key = ec.generate_private_key(ec.SECP256R1())
    other_ca = _certificate("another authority", other_key, None, other_key)
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    cert = _certificate("localhost", key, ca, ca_key)
    expired = _certificate("localhost", key, ca, ca_key, now - dt.timedelta(days=1))
    names = ("ca", "cert", "key", "other", "expired")
    files = Certificates(*(directory / f"{name}.pem" for name in names))
    for path, one in (
        (files.ca, ca),
        (files.cert, cert),
        (files.other_ca, other_ca),
        (files.expired, expired),
    ):
        path.write_bytes(one.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    until: dt.datetime | None = None,
) -> x509.Certificate:
    """A certificate for `name`, or an authority if nobody else issues it; good for an hour."""
    until = until or dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - dt.timedelta(hours=2))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with small_file_system(tmp_path / "small") as place:
        yield place
