"""The machine: whether its clock is kept right, and what kind of place a file lies in."""

from __future__ import annotations

import ctypes
import os
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_STA_UNSYNC: Final = 0x0040
_SYNCS: Final = 5
_MEGA: Final = 1_000_000


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` of adjtimex(2), and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


@dataclass(frozen=True, slots=True)
class ClockState:
    """Whether the kernel is told the time by somebody, and by how many seconds it may be off."""

    synchronised: bool
    max_error: float


def clock_state() -> ClockState | None:
    """As the kernel has it (adjtimex, with nothing to adjust); None where it does not say."""
    state = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return None
    if answer < 0:
        return None
    return ClockState(not state.status & _STA_UNSYNC, state.maxerror / _MEGA)


class Medium(StrEnum):
    """What a file system lies on."""

    SD_CARD = "SD card"
    EMMC = "eMMC"
    SSD = "SSD"
    HARD_DISK = "hard disk"
    MEMORY = "memory"
    NETWORK = "network"
    UNKNOWN = "unknown"


_FILE_SYSTEMS: Final = {
    "tmpfs": Medium.MEMORY,
    "ramfs": Medium.MEMORY,
    "nfs": Medium.NETWORK,
    "nfs4": Medium.NETWORK,
    "cifs": Medium.NETWORK,
    "smb3": Medium.NETWORK,
    "9p": Medium.NETWORK,
    "fuse.sshfs": Medium.NETWORK,
}
_CARDS: Final = {"SD": Medium.SD_CARD, "MMC": Medium.EMMC}


@dataclass(frozen=True, slots=True)
class Place:
    """A directory to keep things in.

    free: bytes for us; sync: seconds that it takes to have 4 kB on the medium, the median of five,
    or None with `fault`, why it can't be written.
    """

    directory: Path
    file_system: str
    medium: Medium
    free: int
    sync: float | None
    fault: str | None = None


def examine_place(directory: Path) -> Place:
    """Look at a directory, or at the nearest one above it that is there, by writing a file.

    The file is gone again when this returns.
    """
    there = next(place for place in (directory, *directory.parents) if place.is_dir())
    status = os.statvfs(there)
    file_system = _file_system(there)
    medium = _FILE_SYSTEMS.get(file_system) or _medium(there.stat().st_dev)
    free = status.f_bavail * status.f_frsize
    try:
        return Place(there, file_system, medium, free, _sync_time(there))
    except OSError as error:
        return Place(there, file_system, medium, free, None, error.strerror or str(error))


def _sync_time(directory: Path) -> float:
    block, times = bytes(4096), []
    with tempfile.TemporaryFile(dir=directory, prefix=".edge-fusion-doctor-", buffering=0) as file:
        for _ in range(_SYNCS):
            begun = time.monotonic()
            file.write(block)
            os.fsync(file.fileno())
            times.append(time.monotonic() - begun)
    return statistics.median(times)


def _file_system(directory: Path) -> str:
    """Its type, by proc_pid_mountinfo(5): of the mounts above it, the last of the deepest."""
    found, length = "unknown", -1
    with suppress(OSError, ValueError, IndexError):
        resolved = directory.resolve()
        for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
            own, _, rest = line.partition(" - ")
            mount = Path(own.split()[4].encode().decode("unicode_escape"))
            if resolved.is_relative_to(mount) and len(mount.parts) >= length:
                found, length = rest.split()[0], len(mount.parts)
    return found


def _medium(device: int) -> Medium:
    """By what the kernel says of the block device, or of the one it is a partition of."""
    with suppress(OSError):
        node = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        disk = node if (node / "queue").is_dir() else node.parent
        if disk.name.startswith("mmcblk"):
            return _CARDS.get((disk / "device" / "type").read_text().strip(), Medium.UNKNOWN)
        rotates = (disk / "queue" / "rotational").read_text().strip() == "1"
        return Medium.HARD_DISK if rotates else Medium.SSD
    return Medium.UNKNOWN
