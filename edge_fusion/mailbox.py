"""The one queue between the threads that receive and the thread that owns all state.

Network and capture threads put deliveries in, everyone puts notices in, the pipeline takes
batches out. This is the only file with a lock.

What happens when the pipeline cannot keep up: frames go first, the oldest of the same topic;
then readings that came at QoS 0, the newest. Readings at QoS 1 are never dropped here, since
the broker stops sending when its receive maximum is un-acknowledged. Notices are never dropped.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf, nextafter

from edge_fusion.events import ArrivalTime, Delivery, Shed, ShedReason

_LONGEST_SLEEP = 3600.0


@dataclass(frozen=True, slots=True)
class Granted:
    """What a broker takes from us, as it says when it accepts a connection (MQTT 5, 3.2.2.3).

    receive_maximum: publications that are not acknowledged yet; max_packet_bytes None: any.
    """

    receive_maximum: int = 65_535
    max_packet_bytes: int | None = None
    max_qos: int = 2
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted `connection`; `session_present`: it still held our subscriptions.

    `granted` is None where the protocol has no words for it.
    """

    connection: str
    session_present: bool
    protocol: str
    granted: Granted | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """`connection` was lost, or an attempt to make it failed; `reason` is for people."""

    connection: str
    reason: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker has answered for every filter of `connection`; `refused`: filter -> reason."""

    connection: str
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the publication that was handed over as `token`."""

    token: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The publication `token` will never be taken: sending it again cannot help."""

    token: int
    reason: str


@dataclass(frozen=True, slots=True)
class CameraUp:
    """A camera of our own gives pictures."""

    site: str
    camera: str


@dataclass(frozen=True, slots=True)
class CameraDown:
    """A camera of our own gives no pictures any more."""

    site: str
    camera: str


@dataclass(frozen=True, slots=True)
class Reload:
    """Read configuration and model again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is begun and end."""


Notice = (
    Connected
    | Disconnected
    | Subscribed
    | Acknowledged
    | Refused
    | CameraUp
    | CameraDown
    | Reload
    | Stop
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What had come in: deliveries in order of arrival, notices in order, and what was let go.

    `until` is the arrival time up to which the mailbox is empty: that of `take`, or of the last
    delivery if more than one batch was waiting. No later batch holds an earlier arrival.
    """

    deliveries: tuple[Delivery, ...]
    notices: tuple[Notice, ...]
    shed: tuple[Shed, ...]
    until: ArrivalTime


class Mailbox:
    """A bounded queue with many writers and one reader.

    Args:
        stamp: the arrival clock, on which `take` counts.
        max_readings: above so many waiting readings, those of QoS 0 are shed.
        max_reading_bytes_total: likewise, above so many bytes of them.
        max_frames_per_topic: frames that may wait per topic.
        max_frames_total: frames that may wait; whoever sends may make up topics.
        max_frame_bytes_total: bytes that all waiting frames together may hold.
        max_batch: deliveries that one `take` returns at most.
    """

    def __init__(
        self,
        stamp: Callable[[], ArrivalTime],
        *,
        max_readings: int,
        max_frames_per_topic: int,
        max_frame_bytes_total: int,
        max_frames_total: int = 4096,
        max_reading_bytes_total: int = 64_000_000,
        max_batch: int = 512,
    ) -> None:
        self._stamp = stamp
        self._max_readings = max_readings
        self._max_reading_bytes_total = max_reading_bytes_total
        self._max_frames_per_topic = max_frames_per_topic
        self._max_frames_total = max_frames_total
        self._max_frame_bytes_total = max_frame_bytes_total
        self._max_batch = max_batch
        self._changed = threading.Condition()
        self._sequence = 0
        self._readings: deque[tuple[int, Delivery]] = deque()
        self._reading_bytes = 0
        self._frames: OrderedDict[int, Delivery] = OrderedDict()
        self._frames_of: dict[str, deque[int]] = {}
        self._frame_bytes = 0
        self._notices: deque[Notice] = deque()
        self._shed = 0
        self._latest = stamp()

    def put_reading(self, delivery: Delivery, *, sheddable: bool) -> None:
        """Add a reading; `sheddable` (QoS 0) means that the newest may be lost when full."""
        with self._changed:
            if sheddable and self._is_full_of_readings():
                self._shed += 1
            else:
                self._readings.append((self._number(), self._in_order(delivery)))
                self._reading_bytes += _weight(delivery)
            self._changed.notify()

    def put_frame(self, delivery: Delivery) -> None:
        """Add a frame; what must go for it is acknowledged, so that the broker forgets it."""
        with self._changed:
            if _weight(delivery) > self._max_frame_bytes_total:
                gone = [delivery]
            else:
                self._append_frame(self._in_order(delivery))
                gone = self._make_room(delivery.message.topic)
            self._shed += len(gone)
            self._changed.notify()
        for lost in gone:
            lost.ack()

    def put(self, notice: Notice) -> None:
        """Add a notice; never shed."""
        with self._changed:
            self._notices.append(notice)
            self._changed.notify()

    def take(self, until: ArrivalTime | None) -> Batch:
        """Wait for something to come or for `until` to pass, and take what is there.

        The batch may be empty, and may be so a little before `until`.
        """
        with self._changed:
            if self._is_empty():
                self._changed.wait(self._patience(until))
            return self._drain()

    def lengths(self) -> dict[str, int]:
        """How many of each kind are waiting."""
        with self._changed:
            return {
                "readings": len(self._readings),
                "frames": len(self._frames),
                "notices": len(self._notices),
            }

    def _in_order(self, delivery: Delivery) -> Delivery:
        """A thread may stamp first and put last: such a message arrived when it was put.

        No two arrive at one instant: undated readings of a device would be taken for the same.
        """
        message = delivery.message
        if message.arrival > self._latest:
            self._latest = message.arrival
            return delivery
        self._latest = ArrivalTime(nextafter(self._latest, inf))
        return replace(delivery, message=replace(message, arrival=self._latest))

    def _is_full_of_readings(self) -> bool:
        too_many = len(self._readings) >= self._max_readings
        return too_many or self._reading_bytes >= self._max_reading_bytes_total

    def _is_full_of_frames(self) -> bool:
        too_many = len(self._frames) > self._max_frames_total
        return too_many or self._frame_bytes > self._max_frame_bytes_total

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence

    def _is_empty(self) -> bool:
        return not (self._readings or self._frames or self._notices or self._shed)

    def _patience(self, until: ArrivalTime | None) -> float | None:
        if until is None:
            return None
        return min(max(until - self._stamp(), 0.0), _LONGEST_SLEEP)

    def _append_frame(self, delivery: Delivery) -> None:
        number = self._number()
        self._frames[number] = delivery
        self._frames_of.setdefault(delivery.message.topic, deque()).append(number)
        self._frame_bytes += _weight(delivery)

    def _make_room(self, topic: str) -> list[Delivery]:
        """Shed until the bounds hold: this camera's oldest first, then whichever is oldest."""
        gone = []
        own = self._frames_of[topic]
        while len(own) > self._max_frames_per_topic:
            gone.append(self._pop_frame(own[0]))
        while self._is_full_of_frames():
            gone.append(self._pop_frame(own[0] if len(own) > 1 else next(iter(self._frames))))
        return gone

    def _pop_frame(self, number: int) -> Delivery:
        delivery = self._frames.pop(number)
        topic = delivery.message.topic
        of_topic = self._frames_of[topic]
        of_topic.popleft()  # frames leave a topic in order, whoever takes them
        if not of_topic:
            del self._frames_of[topic]
        self._frame_bytes -= _weight(delivery)
        return delivery

    def _next_delivery(self) -> Delivery | None:
        frame = next(iter(self._frames), None)
        if frame is not None and (not self._readings or frame < self._readings[0][0]):
            return self._pop_frame(frame)
        if not self._readings:
            return None
        _, reading = self._readings.popleft()
        self._reading_bytes -= _weight(reading)
        return reading

    def _drain(self) -> Batch:
        deliveries: list[Delivery] = []
        while len(deliveries) < self._max_batch and (one := self._next_delivery()) is not None:
            deliveries.append(one)
        notices = tuple(self._notices)
        self._notices.clear()
        shed = (Shed(None, ShedReason.MAILBOX_FULL, self._shed),) if self._shed else ()
        self._shed = 0
        if self._readings or self._frames:
            return Batch(tuple(deliveries), notices, shed, deliveries[-1].message.arrival)
        self._latest = max(self._latest, self._stamp())
        return Batch(tuple(deliveries), notices, shed, self._latest)


def _weight(delivery: Delivery) -> int:
    """Bytes that a waiting delivery holds, about."""
    return len(delivery.message.payload) + len(delivery.message.topic)
