"""A Debian with systemd as its first process, in a container of this machine (systemd-nspawn).

It is made once by debootstrap and kept in `.system/`; the tests boot a copy that has no network but
a loopback of its own. That needs root and two Debian packages; `obstacle` says what is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from running import patiently

CHECKOUT = Path(__file__).parents[2]
KEPT = CHECKOUT / ".system"
WHEELHOUSE = "wheelhouse"


@dataclass(frozen=True, slots=True)
class Release:
    """A Debian release: its name, that of its GLib package (of OpenCV), and its Python."""

    name: str
    glib: str
    python: str

    @property
    def packages(self) -> list[str]:
        base = ["systemd", "systemd-sysv", "dbus", "python3", "python3-venv"]
        return [*base, "mosquitto", "mosquitto-clients", self.glib]


BOOKWORM = Release("bookworm", "libglib2.0-0", "3.11")
TRIXIE = Release("trixie", "libglib2.0-0t64", "3.13")


def obstacle() -> str | None:
    """Why nothing can be booted here, or None."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    for program in ("debootstrap", "systemd-nspawn"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return f"{program} is not installed"
    return None


def tree(release: Release) -> Path:
    """The file system of a fresh installation; made if it is not there."""
    place = KEPT / release.name
    if not place.exists():
        KEPT.mkdir(exist_ok=True)
        begun = KEPT / f"{release.name}.begun"
        shutil.rmtree(begun, ignore_errors=True)
        packages = ",".join(release.packages)
        command = ["debootstrap", "--variant=minbase", f"--include={packages}", release.name]
        subprocess.run([*command, str(begun)], check=True, stdout=subprocess.DEVNULL)
        begun.rename(place)
    return place


def wheelhouse(release: Release, place: Path) -> None:
    """What the lock file names, for the Python of a release and not for ours."""
    place.mkdir(parents=True)
    wanted = place / "requirements.txt"
    wanted.write_text("\n".join(_locked(release)))
    command = [sys.executable, "-m", "pip", "download", "-qqq", "--only-binary=:all:"]
    command += ["--python-version", release.python, "--require-hashes", "--no-deps"]
    for glibc in range(17, 42):
        command += ["--platform", f"manylinux_2_{glibc}_{os.uname().machine}"]
    command += ["--platform", f"manylinux2014_{os.uname().machine}", "--dest", str(place)]
    subprocess.run([*command, "-r", str(wanted)], check=True)


def _locked(release: Release) -> Iterator[str]:
    """The entries of the lock file that are for a Python, without the markers that say so."""
    environment = {"python_version": release.python, "python_full_version": f"{release.python}.0"}
    text = (CHECKOUT / "requirements.lock").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        entry, _, hashes = line.partition(" --hash")
        if not entry or entry.startswith("#"):
            continue
        requirement = Requirement(entry.strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield f"{requirement.name}{requirement.specifier} --hash{hashes}"


def copy_checkout(place: Path) -> None:
    """What git knows of this checkout, as somebody who has cloned it has it."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in files:
        if name and (CHECKOUT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, place / name)


class Booted:
    """A machine that runs; `root` is its file system as seen from outside."""

    def __init__(self, release: Release, directory: Path) -> None:
        self.root = directory / "root"
        subprocess.run(["cp", "-a", str(tree(release)), str(self.root)], check=True)
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        copy_checkout(self.root / "root" / "edge-fusion")
        wheelhouse(release, self.root / "root" / WHEELHOUSE)
        self._console = directory / "console.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Boot, and wait until all units have been started."""
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
        command += ["--private-network", f"--directory={self.root}"]
        # systemd 256 and newer boot with the unified hierarchy of control groups only.
        environ = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environ
            )
        patiently(self._is_up, f"a boot, see {self._console}", 120)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._console.read_text(errors="replace")
        state = self.run("systemctl", "is-system-running", check=False)
        return state.strip() in {"running", "degraded"}

    def run(
        self, *command: str, check: bool = True, environ: Mapping[str, str] | None = None
    ) -> str:
        """Run a command inside as root; what it writes to both outputs."""
        leader = self._leader()
        if leader is None:
            return ""
        enter: Sequence[str] = (
            "nsenter",
            f"--target={leader}",
            "--all",
            "--",
            "/usr/bin/env",
            "-i",
        )
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        given = [f"{key}={value}" for key, value in (environ or {}).items()]
        done = subprocess.run(
            [*enter, path, "HOME=/root", *given, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def _leader(self) -> str | None:
        """The first process inside: the one child of the container's manager."""
        assert self._process is not None
        pid = self._process.pid
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return children[-1] if children else None
        return None

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", unit, f"--property={name}", "--value").strip()

    def close(self) -> None:
        """Power off, by force if that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
