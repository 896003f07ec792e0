"""What comes in: messages, and the events that are read out of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge_fusion.events.times import ArrivalTime, EventTime, TimeSource

TEMPERATURE = "temperature"
HUMIDITY = "humidity"
IMAGE = "image"
"""The key under which pictures stand in `missing` and `contributions`, beside the quantities."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came, by MQTT. `properties` are the MQTT 5 user properties, if any.

    With qos 1 the sender was promised that it is kept.
    """

    topic: str
    payload: bytes
    arrival: ArrivalTime
    retained: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    qos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(Message):
    """A picture that a camera of our own gave, as a JPEG file, `latency` seconds after taking it.

    Its topic is what it goes by in the mailbox and in logs; nobody is owed an acknowledgement.
    """

    site: str
    camera: str
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the acknowledgement that its holder owes the broker.

    connection: the one it came by, as notices call it; session: how many sessions the broker had
    begun on it since the program started; packet: its packet id in that session, if its qos is 1;
    again: the broker may have sent it before (the DUP flag of MQTT).
    """

    message: Message
    ack: Callable[[], None]
    connection: str = ""
    session: int = 0
    packet: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one quantity, in canonical units (°C, %RH; others as the device gives them)."""

    site: str
    device: str
    quantity: str
    value: float
    time: EventTime
    arrival: ArrivalTime
    time_source: TimeSource = TimeSource.ARRIVAL

    @property
    def source(self) -> str:
        return self.device


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera, still the JPEG or PNG file it came as.

    `durable`: its sender was promised that it is kept.
    """

    site: str
    camera: str
    image: bytes
    time: EventTime
    arrival: ArrivalTime
    time_source: TimeSource = TimeSource.ARRIVAL
    durable: bool = False

    @property
    def source(self) -> str:
        return self.camera


Event = Reading | Frame


@dataclass(frozen=True, slots=True)
class Offline:
    """A device was reported dead, by its last will or on an availability topic: idle at once."""

    site: str
    device: str
    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class CatchUp:
    """From here on comes what was held back since arrival time `since`, when we were cut off.

    Until `CaughtUp` nothing becomes idle and no window waits in vain: time stands still for all
    but the watermarks, and lateness is judged as of `since`.
    """

    since: ArrivalTime
    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class CutOff:
    """From here on nothing comes by MQTT, until `CaughtUp`: silence says nothing of devices.

    Windows wait in vain all the same, until a `CatchUp`.
    """

    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What had been held back has come, or nothing was; time goes on."""

    arrival: ArrivalTime


@dataclass(frozen=True, slots=True)
class Silence:
    """People have a label of a site, or all of them (None), be quiet for `seconds`; 0 ends it."""

    site: str
    label: str | None
    seconds: float
    arrival: ArrivalTime


Input = Event | Offline | CutOff | CatchUp | CaughtUp | Silence
"""What is fed to alignment, in order of arrival."""
