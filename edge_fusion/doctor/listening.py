"""What is heard on the configured topics, and of which devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_fusion import assembly
from edge_fusion.codecs.invalid import printable
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.config.measures import format_duration
from edge_fusion.config.settings import Settings
from edge_fusion.doctor.finding import Finding, ok, problem, warning
from edge_fusion.events import ArrivalTime, Event, Frame, Invalid, Message, Reading, TimeSource

TOPIC = "topic"
DEVICE = "device"
MAX_DEVICES = 4096
SHOWN = 50
COMMON = 3
"""So many devices that are off by the same show that it is the box that is."""


@dataclass(slots=True)
class Section:
    """A `[[sensors]]` or `[[cameras]]` with a topic, and what came of it so far."""

    key: str
    pattern: TopicPattern
    messages: int = 0
    retained: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return f'{self.key} "{self.pattern.text}"'


@dataclass(slots=True)
class Device:
    """A device or camera: when it was heard last, and arrival less its time, the least seen."""

    name: str
    heard: ArrivalTime
    offset: float | None = None

    def hear(self, event: Event) -> None:
        self.heard = event.arrival
        if event.time_source is TimeSource.DEVICE:
            offset = event.arrival - event.time
            self.offset = offset if self.offset is None else min(offset, self.offset)


class Listening:
    """Takes messages, as the daemon's decoder would; one thread calls it."""

    def __init__(self, settings: Settings) -> None:
        self._decoder = assembly.decoder(settings)
        self._devices: dict[tuple[str, str], Device] = {}
        self.sections = [
            *(Section(f"sensors[{n}]", each.pattern) for n, each in enumerate(settings.sensors)),
            *(
                Section(f"cameras[{n}]", each.pattern)
                for n, each in enumerate(settings.cameras)
                if each.video is None
            ),
        ]

    @property
    def devices(self) -> list[Device]:
        """By name."""
        return [device for _, device in sorted(self._devices.items())]

    def take(self, message: Message) -> None:
        decoded = self._decoder.decode(message)
        events = [each for each in decoded if isinstance(each, Reading | Frame)]
        faults = [each for each in decoded if isinstance(each, Invalid)]
        for section in self.sections:
            if section.pattern.match(message.topic) is not None:
                section.messages += 1
                section.retained += message.retained
                section.events += len(events)
                section.faults.update(f"{each.reason.value}: {each.detail}" for each in faults)
        for event in events:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        key = event.site, event.source
        if key not in self._devices and len(self._devices) < MAX_DEVICES:
            self._devices[key] = Device(f"{event.site}/{event.source}", event.arrival)
        if key in self._devices:
            self._devices[key].hear(event)


def judge_sections(
    sections: Sequence[Section], refused: Mapping[str, str], duration: float
) -> list[Finding]:
    """Whether each topic was heard; `refused`: topic filter -> why the broker denies it."""
    return [_judge_section(one, refused.get(one.pattern.filter), duration) for one in sections]


def _judge_section(section: Section, refusal: str | None, duration: float) -> Finding:
    name = section.name
    if refusal is not None:
        return problem(TOPIC, f"{name}: {refusal}", "let this user read it, in the broker's ACL")
    if section.messages:
        return _judge_heard(section, f"{name}: {section.messages:,} messages")
    advice = (
        "is it spelt as the devices publish it? edge-fusion sniff shows what there is; "
        "on batteries they are silent for minutes: --duration 600"
    )
    return warning(TOPIC, f"{name}: not heard in {format_duration(duration)}", advice)


def _judge_heard(section: Section, heard: str) -> Finding:
    fault, count = _commonest(section.faults), section.faults.total()
    if section.events and not count:
        return ok(TOPIC, heard)
    if section.events:
        text = f"{heard}, {count:,} faults, such as {fault}"
        return warning(TOPIC, text, "edge-fusion sniff shows what would read them")
    if section.retained == section.messages:
        text = f"{heard}, all of them retained, which are no readings of now"
        return warning(TOPIC, text, "wait for the devices to speak: --duration 600")
    if not count:
        return ok(TOPIC, f"{heard}, which say that there is no reading now")
    advice = "edge-fusion sniff shows a section that reads them"
    return problem(TOPIC, f"{heard}, none understood: {fault}", advice)


def _commonest(faults: Counter[str]) -> str:
    return printable(faults.most_common(1)[0][0]) if faults else ""


def judge_devices(devices: Sequence[Device], now: ArrivalTime, max_skew: float) -> list[Finding]:
    """What is to be said of each device, those to worry about first."""
    found = [_judge_device(device, now, max_skew) for device in devices]
    found.sort(key=lambda one: one.next == "")
    left = len(found) - SHOWN
    more = [ok(DEVICE, f"and {left:,} more")] if left > 0 else []
    return [*_judge_box(devices, max_skew), *found[:SHOWN], *more]


def _judge_device(device: Device, now: ArrivalTime, max_skew: float) -> Finding:
    text = f"{device.name}: heard {now - device.heard:.1f} s ago"
    if device.offset is None:
        return ok(DEVICE, f"{text}, dated by its arrival")
    side = "behind" if device.offset > 0 else "ahead"
    text = f"{text}, its clock {abs(device.offset):,.1f} s {side}"
    if abs(device.offset) <= max_skew:
        return ok(DEVICE, text)
    return warning(DEVICE, text, "corrected, but set its clock (NTP) or its time zone")


def _judge_box(devices: Sequence[Device], max_skew: float) -> list[Finding]:
    """If all that have a clock are off by as much, it is ours that is wrong."""
    offsets = [device.offset for device in devices if device.offset is not None]
    if len(offsets) < COMMON or min(map(abs, offsets)) <= max_skew:
        return []
    if max(offsets) - min(offsets) > max_skew:
        return []
    side = "ahead" if offsets[0] > 0 else "behind"
    text = f"it is {abs(offsets[0]):,.0f} s {side} of all {len(offsets)} devices"
    return [problem("clock", text, "set the clock of this box: timedatectl set-ntp true")]
