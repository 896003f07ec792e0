"""Intake: the mailbox of a configuration, and the connections and cameras that fill it.

Pictures have a connection of their own, so that they can't hold up readings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edge_fusion import assembly
from edge_fusion.config.settings import Settings
from edge_fusion.events import ArrivalTime, Capture, Delivery, Publication
from edge_fusion.io.broker import Subscription
from edge_fusion.io.cameras import Cameras
from edge_fusion.io.mqtt import Connection
from edge_fusion.mailbox import Mailbox

READINGS, FRAMES = "readings", "frames"
RECEIVE_MAXIMUM = 200
FRAME_BACKLOG_BYTES = 64_000_000
MAX_PACKET_BYTES = 32_000_000
"""What a broker may send at most: a box of 1 GB bears it, and what is too large for a reading or
a frame but below this can still be counted and named, where the broker would drop it unseen."""

MAX_PROPERTIES_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Presence:
    """What a daemon says of itself, when it comes and when it is gone, and to itself."""

    birth: Publication
    will: Publication
    barrier_topic: str


class Intake:
    """Made, not started: the owner starts `readings`, `frames` and `cameras`.

    `frames` is None where no pictures come by MQTT.

    With a `presence` the broker keeps what comes for us while we are away. `suffix` is added to
    the client ids, so that two programs with one configuration don't push each other out.
    """

    def __init__(
        self,
        settings: Settings,
        stamp: Callable[[], ArrivalTime],
        *,
        presence: Presence | None = None,
        suffix: str = "",
    ) -> None:
        self._settings = settings
        self._stamp = stamp
        self._suffix = suffix
        self._presence = presence
        self.mailbox = Mailbox(
            stamp,
            max_readings=settings.limits.max_readings,
            max_frames_per_topic=settings.limits.max_frames,
            max_frame_bytes_total=FRAME_BACKLOG_BYTES,
        )
        self.readings = self._connect_readings()
        self.frames = self._connect_frames() if assembly.camera_subscriptions(settings) else None
        self.cameras = self._look_at_cameras()

    def start(self) -> None:
        self.readings.start()
        if self.frames is not None:
            self.frames.start()

    def stop(self, timeout: float, farewell: Publication | None = None) -> None:
        """End both connections, each within `timeout` seconds."""
        if self.frames is not None:
            self.frames.stop(timeout)
        self.readings.stop(timeout, farewell)

    def follow(self, settings: Settings) -> None:
        """Subscribe to what another configuration asks for."""
        before, self._settings = self._settings, settings
        self.readings.subscribe(self._reading_subscriptions())
        topics = assembly.camera_subscriptions(settings)
        if self.frames is not None:
            self.frames.subscribe(topics)
        elif topics:
            self.frames = self._connect_frames()
            self.frames.start()
        if assembly.video_sources(settings) != assembly.video_sources(before):
            self.cameras.release()
            self.cameras = self._look_at_cameras()
            self.cameras.start()

    @property
    def names(self) -> frozenset[str]:
        """What the connections are called in notices."""
        return frozenset({READINGS} if self.frames is None else {READINGS, FRAMES})

    def _connect_readings(self) -> Connection:
        return Connection(
            READINGS,
            assembly.broker_settings(self._settings.mqtt, self._suffix),
            subscriptions=self._reading_subscriptions(),
            deliver=self._deliver_reading,
            notify=self.mailbox.put,
            stamp=self._stamp,
            will=self._presence.will if self._presence else None,
            birth=self._presence.birth if self._presence else None,
            persistent=self._presence is not None,
            receive_maximum=RECEIVE_MAXIMUM,
            max_packet_bytes=MAX_PACKET_BYTES,
        )

    def _look_at_cameras(self) -> Cameras:
        return Cameras(
            assembly.video_sources(self._settings),
            deliver=self._deliver_capture,
            notify=self.mailbox.put,
            stamp=self._stamp,
        )

    def _reading_subscriptions(self) -> tuple[Subscription, ...]:
        sensors = assembly.sensor_subscriptions(self._settings)
        if self._presence is None:
            return sensors
        silence = assembly.silence_subscription(self._settings)
        return (*sensors, silence, Subscription(self._presence.barrier_topic, 1))

    def _connect_frames(self) -> Connection:
        return Connection(
            FRAMES,
            assembly.broker_settings(self._settings.mqtt, f"{self._suffix}-frames"),
            subscriptions=assembly.camera_subscriptions(self._settings),
            deliver=self._deliver_frame,
            notify=self.mailbox.put,
            stamp=self._stamp,
            max_packet_bytes=MAX_PACKET_BYTES,
        )

    def _deliver_reading(self, delivery: Delivery, qos: int) -> None:
        cut = _cut(delivery, self._settings.limits.max_payload_bytes)
        self.mailbox.put_reading(cut, sheddable=qos == 0)

    def _deliver_frame(self, delivery: Delivery, _qos: int) -> None:
        # Base64 in JSON is a third longer than the picture in it.
        self.mailbox.put_frame(_cut(delivery, 2 * self._settings.limits.max_frame_bytes))

    def _deliver_capture(self, capture: Capture) -> None:
        self.mailbox.put_frame(Delivery(capture, _owed_to_nobody))


def _owed_to_nobody() -> None:
    pass


def _cut(delivery: Delivery, limit: int) -> Delivery:
    """A payload above its limit is kept just long enough to be recognised as that.

    User properties that no device of good will sends are left out: a packet may be full of them.
    """
    message = delivery.message
    properties = message.properties
    if len(message.payload) <= limit and not properties:
        return delivery
    if sum(len(name) + len(value) for name, value in properties.items()) > MAX_PROPERTIES_LENGTH:
        properties = {}
    cut = replace(message, payload=message.payload[: limit + 1], properties=properties)
    return replace(delivery, message=cut)
