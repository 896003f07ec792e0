"""What the doctor makes of what it sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_fusion.config import load
from edge_fusion.config.settings import Settings
from edge_fusion.doctor.box import judge_clock, judge_place, judge_store_file
from edge_fusion.doctor.broker import Acquaintance, judge_broker, judge_faults
from edge_fusion.doctor.cameras import judge_camera
from edge_fusion.doctor.finding import Finding, Verdict
from edge_fusion.doctor.listening import SHOWN, Device, Listening, judge_devices, judge_sections
from edge_fusion.doctor.model import Running, Runtime, judge_model, judge_runtime
from edge_fusion.events import ArrivalTime, Message
from edge_fusion.io.address import parse_address
from edge_fusion.io.cameras import Look, VideoSource
from edge_fusion.io.host import ClockState, Medium, Place
from edge_fusion.io.store import Durability
from edge_fusion.mailbox import Granted

NOW = ArrivalTime(1_795_428_000.0)
OK, WARNING, PROBLEM = Verdict
HOME = Path("/var/lib/edge-fusion")
MB = 1_000_000


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def test_a_finding_is_one_line_that_ends_with_what_to_do() -> None:
    finding = Finding(WARNING, "clock", "not synchronised", "turn NTP on")
    assert str(finding) == "warning  clock    not synchronised -> turn NTP on"
    assert str(Finding(OK, "clock", "synchronised")) == "ok       clock    synchronised"
    assert finding.as_json() == {
        "verdict": "warning", "about": "clock", "text": "not synchronised", "next": "turn NTP on",
    }  # fmt: skip


def test_a_clock_is_right_when_somebody_keeps_it_right() -> None:
    assert judge_clock(ClockState(True, 0.016)).text == "synchronised, at most 16 ms off"
    assert judge_clock(ClockState(False, 16.0)).verdict is WARNING
    assert judge_clock(None).verdict is WARNING


def place(medium: Medium = Medium.SSD, free: int = 9_000 * MB, sync: float | None = 0.001) -> Place:
    return Place(HOME, "ext4", medium, free, sync, None if sync else "Read-only file system")


@pytest.mark.parametrize(
    ("found", "durability", "expected"),
    [
        (place(), Durability.POWER_LOSS, [OK, OK]),
        (place(sync=None), Durability.POWER_LOSS, [PROBLEM]),
        (place(free=400 * MB), Durability.POWER_LOSS, [WARNING, OK]),
        (place(free=63 * MB), Durability.POWER_LOSS, [PROBLEM, OK]),
        (place(sync=0.3), Durability.POWER_LOSS, [OK, WARNING]),
        (place(Medium.SD_CARD), Durability.POWER_LOSS, [OK, OK, WARNING]),
        (place(Medium.SD_CARD), Durability.CRASH, [OK, OK]),
        (place(Medium.MEMORY), Durability.POWER_LOSS, [OK, OK, WARNING]),
        (place(Medium.NETWORK), Durability.CRASH, [OK, OK, PROBLEM]),
    ],
)
def test_a_place_for_the_store_needs_room_speed_and_a_disk(
    found: Place, durability: Durability, expected: list[Verdict]
) -> None:
    assert verdicts(judge_place(found, 64 * MB, durability)) == expected


def test_a_store_that_would_be_moved_aside_is_told_before_it_is() -> None:
    assert judge_store_file(None) == []
    (finding,) = judge_store_file("not an SQLite file")
    assert (finding.verdict, finding.text) == (WARNING, "the file there is not an SQLite file")


def broker(granted: Granted | None) -> Acquaintance:
    return Acquaintance("localhost:1883", "5", "mosquitto version 2.0.11", granted)


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (Granted(receive_maximum=20), [OK, OK]),
        (Granted(max_packet_bytes=2_000_000), [OK, OK]),
        (Granted(receive_maximum=1), [OK, WARNING]),
        (Granted(max_packet_bytes=128_000), [OK, WARNING]),
        (Granted(retain=False), [OK, PROBLEM]),
        (Granted(max_qos=0), [OK, PROBLEM]),
        (None, [OK, WARNING]),
    ],
)
def test_a_broker_is_held_to_what_alerts_need(
    granted: Granted | None, expected: list[Verdict]
) -> None:
    assert verdicts(judge_broker(broker(granted))) == expected


def test_what_did_not_work_at_the_broker_is_a_problem_each() -> None:
    assert verdicts(judge_faults("localhost:1883", ["no", "neither"])) == [PROBLEM, PROBLEM]


def test_versions_and_what_the_runtime_offers_are_told() -> None:
    finding = judge_runtime(Runtime("3.11.2", "1.32.0", ("CUDA", "CPU"), "5.0.0"))
    assert finding.text == "Python 3.11.2, onnxruntime 1.32.0 (CUDA, CPU), OpenCV 5.0.0"


def running(row: float = 0.01, *, fallback: bool = False) -> Running:
    return Running("indoor-hazard", "float32", "CUDA", "CPU", fallback, row)


def test_a_model_has_to_keep_up_with_its_windows() -> None:
    (finding,) = judge_model(running(), every=10.0)
    assert finding.text == (
        "indoor-hazard, float32, on CPU: 10.0 ms a row, 0.10% of the time from window to window"
    )
    assert verdicts(judge_model(running(row=6.0), every=10.0)) == [PROBLEM]
    assert verdicts(judge_model(running(fallback=True), every=10.0)) == [OK, WARNING]


def test_a_camera_is_judged_by_its_pictures() -> None:
    address = parse_address("rtsp://me:secret@10.0.0.7/stream1")
    source = VideoSource("hall", "door", address, fps=2.0)
    for look, verdict in (
        (Look(640, 360, 15.0), OK),
        (Look(2560, 1440, 15.0), WARNING),
        (Look(640, 360, 0.5), WARNING),
        ("it wants another user or password", PROBLEM),
    ):
        finding = judge_camera(source, look)
        assert finding.verdict is verdict
        assert "secret" not in str(finding)


CONFIGURATION = """
[[sensors]]
topic = "home/{site}/{device}"
temperature = "t"
time = "time"
[[cameras]]
topic = "cams/{site}/{camera}"
[[cameras]]
url = "rtsp://127.0.0.1/x"
site = "yard"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "edge-fusion.toml"
    file.write_text(CONFIGURATION)
    return load(file, {})


def hear(settings: Settings, *messages: tuple[str, bytes], retained: bool = False) -> Listening:
    listening = Listening(settings)
    for number, (topic, payload) in enumerate(messages):
        listening.take(Message(topic, payload, ArrivalTime(NOW + number), retained))
    return listening


@pytest.mark.parametrize(
    ("payloads", "retained", "verdict"),
    [
        ((), False, WARNING),
        ((b'{"t": 21.5}',), False, OK),
        ((b'{"t": 21.5}', b"{"), False, WARNING),
        ((b"{", b'{"x": 1}', b"{"), False, PROBLEM),
        ((b'{"t": 21.5}',), True, WARNING),
        ((b'{"t": null}',), False, OK),
    ],
)
def test_a_topic_is_heard_and_understood_or_not(
    settings: Settings, *, payloads: tuple[bytes, ...], retained: bool, verdict: Verdict
) -> None:
    messages = [("home/hall/probe", payload) for payload in payloads]
    sections = hear(settings, *messages, retained=retained).sections
    sensor, camera = judge_sections(sections, {}, 10.0)
    assert sensor.verdict is verdict, sensor
    assert camera.text == 'cameras[0] "cams/{site}/{camera}": not heard in 10s'


def test_the_commonest_fault_is_shown(settings: Settings) -> None:
    bad = [("home/hall/probe", payload) for payload in (b"{", b'{"x": 1}', b'{"x": 2}')]
    sensor, _ = judge_sections(hear(settings, *bad).sections, {}, 10.0)
    assert 'sensors[0] "home/{site}/{device}": 3 messages, none understood: missing_field' in str(
        sensor
    )


def test_a_topic_that_is_denied_is_a_problem(settings: Settings) -> None:
    sections = hear(settings).sections
    sensor, camera = judge_sections(sections, {"home/+/+": "Not authorized"}, 10.0)
    assert (sensor.verdict, camera.verdict) == (PROBLEM, WARNING)


def device(name: str, offset: float | None, heard: float = NOW - 2.0) -> Device:
    return Device(name, ArrivalTime(heard), offset)


def test_a_device_is_shown_with_its_age_and_its_clock(settings: Settings) -> None:
    listening = hear(
        settings,
        ("home/hall/fresh", b'{"t": 21.5}'),
        ("home/hall/dated", f'{{"t": 21.5, "time": {NOW - 3600}}}'.encode()),
        ("home/hall/dated", f'{{"t": 21.6, "time": {NOW - 3600 + 1.5}}}'.encode()),
    )
    later = ArrivalTime(NOW + 4.0)
    dated, fresh = judge_devices(listening.devices, later, max_skew=5.0)
    assert dated.text == "hall/dated: heard 2.0 s ago, its clock 3,600.5 s behind"
    assert dated.verdict is WARNING
    assert fresh.text == "hall/fresh: heard 4.0 s ago, dated by its arrival"


def test_a_clock_that_is_ahead_is_told_apart_from_one_behind() -> None:
    (finding,) = judge_devices([device("hall/sht", -7.25)], NOW, max_skew=5.0)
    assert finding.text.endswith("its clock 7.2 s ahead")


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ((60.0, 61.0, 62.5), [PROBLEM]),
        ((-60.0, -61.0, -62.5), [PROBLEM]),
        ((60.0, 61.0), []),
        ((60.0, 61.0, 0.5), []),
        ((60.0, 61.0, -60.0), []),
        ((60.0, 61.0, 90.0), []),
    ],
)
def test_if_all_devices_are_off_by_as_much_it_is_the_box(
    offsets: tuple[float, ...], expected: list[Verdict]
) -> None:
    devices = [device(f"hall/{number}", offset) for number, offset in enumerate(offsets)]
    found = [one for one in judge_devices(devices, NOW, max_skew=5.0) if one.about == "clock"]
    assert verdicts(found) == expected


def test_of_very_many_devices_those_to_worry_about_are_shown() -> None:
    devices = [device(f"hall/{number:03}", 0.1) for number in range(200)]
    devices.append(device("hall/zzz", 60.0))
    found = judge_devices(devices, NOW, max_skew=5.0)
    assert len(found) == SHOWN + 1
    assert found[0].text.startswith("hall/zzz")
    assert found[-1].text == "and 151 more"
