"""The box: its clock, and the place of the store."""

from __future__ import annotations

from edge_fusion.doctor.finding import Finding, ok, problem, warning
from edge_fusion.io.host import ClockState, Medium, Place
from edge_fusion.io.store import Durability

LITTLE = 500_000_000
TOO_LITTLE = 100_000_000
"""Bytes free. The outbox alone may take 64 MB, the journal some more."""

SLOW_SYNC = 0.1
"""Seconds. A turn with something to keep waits for it; ten a second are usual."""

CLOCK = "clock"
STORE = "store"


def judge_clock(state: ClockState | None) -> Finding:
    if state is None:
        return warning(CLOCK, "nobody says whether it is right", "compare: timedatectl, date -u")
    if not state.synchronised:
        return warning(
            CLOCK,
            "not synchronised",
            "turn NTP on: timedatectl set-ntp true, else the box drifts, and wakes up in the past",
        )
    return ok(CLOCK, f"synchronised, at most {1000 * state.max_error:.0f} ms off")


def judge_place(place: Place, outbox_bytes: int, durability: Durability) -> list[Finding]:
    """Whether a store can live there; `outbox_bytes`: what it may have to hold."""
    where = f"{place.directory} ({place.medium}, {place.file_system})"
    if place.sync is None:
        return [
            problem(
                STORE,
                f"{where} can't be written: {place.fault}",
                "give the daemon's user the directory, or set [store] path",
            )
        ]
    return [
        _judge_room(where, place.free, outbox_bytes),
        _judge_sync(place.sync),
        *_judge_medium(where, place.medium, durability),
    ]


def _judge_room(where: str, free: int, outbox_bytes: int) -> Finding:
    text = f"{free / 1e6:,.0f} MB free at {where}"
    if free < max(TOO_LITTLE, outbox_bytes):
        return problem(STORE, text, "make room: without it nothing is acknowledged or kept")
    if free < LITTLE:
        return warning(STORE, text, "make room soon: journalctl --vacuum-size=100M, apt-get clean")
    return ok(STORE, text)


def _judge_sync(seconds: float) -> Finding:
    text = f"a commit takes {1000 * seconds:.1f} ms"
    if seconds < SLOW_SYNC:
        return ok(STORE, text)
    advice = 'a slow or worn card: replace it, or set [store] durability = "crash"'
    return warning(STORE, text, advice)


def _judge_medium(where: str, medium: Medium, durability: Durability) -> list[Finding]:
    match medium:
        case Medium.MEMORY if durability is Durability.POWER_LOSS:
            advice = 'set [store] path on a disk, or durability = "none" if that is meant'
            return [warning(STORE, f"{where} is gone after a power cut", advice)]
        case Medium.NETWORK:
            advice = "set [store] path on a local disk"
            return [problem(STORE, f"SQLite does not work safely on {where}", advice)]
        case Medium.SD_CARD if durability is Durability.POWER_LOSS:
            advice = 'durability = "crash" wears it less; a card made for endurance lasts longer'
            return [warning(STORE, f"{where} wears out by commits", advice)]
        case _:
            return []


def judge_store_file(fault: str | None) -> list[Finding]:
    """`fault`: why an existing file is no store, as io/store_file.py says."""
    if fault is None:
        return []
    advice = "the daemon moves it aside and begins anew; set [store] path if it is not to"
    return [warning(STORE, f"the file there is {fault}", advice)]
