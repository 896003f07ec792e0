"""A publisher that writes its MQTT packets itself, and so is faster than any client."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_CONNACK, _PUBACK = 0x20, 0x40
_LAST_ID = 0xFFFF


def publish_packet(
    topic: bytes,
    payload: bytes,
    *,
    packet_id: int = 0,
    properties: bytes | None = None,
) -> bytes:
    """A PUBLISH, of QoS 1 with a packet id, else of QoS 0; `properties` as packed, for MQTT 5."""
    body = struct.pack("!H", len(topic)) + topic
    if packet_id:
        body += struct.pack("!H", packet_id)
    if properties is not None:
        body += properties
    head = b"\x32" if packet_id else b"\x30"
    return head + _varint(len(body) + len(payload)) + body + payload


def user_properties(pairs: Sequence[tuple[str, str]]) -> bytes:
    """The properties of a PUBLISH, as they are sent."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if pairs:
        properties.UserProperty = list(pairs)
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]
    return packed


class Blaster:
    """One connection, of MQTT 5 or 3.1.1, with at most `window` messages un-acknowledged."""

    def __init__(self, port: int, name: str, *, window: int = 150, v5: bool = False) -> None:
        self.v5 = v5
        self.acknowledged = 0
        self._sent = 0
        self._window = window
        self._unread = b""
        self._waiting: list[bytes] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = name.encode()
        body = b"\0\4MQTT" + bytes([5 if v5 else 4, 2, 0, 0]) + (b"\0" if v5 else b"")
        body += struct.pack("!H", len(client)) + client
        self._socket.sendall(b"\x10" + _varint(len(body)) + body)
        while not self._read():
            pass

    def close(self) -> None:
        self._socket.close()

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        *,
        properties: bytes = b"\0",
    ) -> None:
        """Put one message into the queue of what goes out; it is sent when many wait."""
        packet_id = 0
        if qos:
            self._sent += 1
            packet_id = self._sent % _LAST_ID + 1
        packet = publish_packet(
            topic.encode(),
            payload,
            packet_id=packet_id,
            properties=properties if self.v5 else None,
        )
        self._waiting.append(packet)
        if len(self._waiting) >= self._window // 3:
            self.flush()

    def blast(self, packets: bytes, count: int) -> None:
        """Send packets of QoS 1 as they are; their ids must be free when this returns."""
        self._sent += count
        self._waiting.append(packets)
        self.flush()

    def flush(self) -> None:
        """Send what waits, and wait until there is room for more."""
        self._socket.sendall(b"".join(self._waiting))
        self._waiting.clear()
        while self._sent - self.acknowledged > 2 * self._window // 3:
            self._read()

    def finish(self) -> None:
        """Send what waits, and wait until the broker has all."""
        self.flush()
        while self.acknowledged < self._sent:
            self._read()

    def _read(self) -> int:
        """Read what came; how many packets that were."""
        data = self._socket.recv(65536)
        assert data, "the broker hung up"
        self._unread += data
        packets, at = 0, 0
        while len(self._unread) >= at + 2 and len(self._unread) >= at + 2 + self._unread[at + 1]:
            kind = self._unread[at] & 0xF0
            assert kind in {_CONNACK, _PUBACK}, f"packet {kind:#x} of the broker"
            self.acknowledged += kind == _PUBACK
            at += 2 + self._unread[at + 1]
            packets += 1
        self._unread = self._unread[at:]
        return packets


def _varint(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (128 if number else 0))
        if not number:
            return bytes(digits)
