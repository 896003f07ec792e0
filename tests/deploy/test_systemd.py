"""The unit and its drop-ins, as systemd itself reads them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_fusion.cli import EX_CONFIG
from edge_fusion.config.secrets import SECRETS

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = "edge-fusion.service"
DROPINS = ("camera.conf", "gpu.conf")
SETS = [(), ("camera.conf",), ("gpu.conf",), DROPINS]


def placed(directory: Path, *dropins: str, change: tuple[str, str] = ("", "")) -> Path:
    """The unit with drop-ins, with a Python that is there in place of the one to be installed."""
    text = (FOLDER / UNIT).read_text().replace("/opt/edge-fusion/venv/bin/python", sys.executable)
    assert sys.executable in text
    unit = directory / UNIT
    unit.write_text(text.replace(*change))
    folder = directory / f"{UNIT}.d"
    folder.mkdir()
    for name in dropins:
        (folder / name).write_text((FOLDER / name).read_text())
    return unit


def verify(unit: Path) -> str:
    """What systemd finds; its exit status is 0 even where it ignores a line."""
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr + done.stdout


def systemd_version() -> int:
    first = subprocess.run(
        ["systemd-analyze", "--version"], capture_output=True, text=True, check=True
    )
    found = re.match(r"systemd (\d+)", first.stdout)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("dropins", SETS)
def test_systemd_finds_nothing_to_say(tmp_path: Path, dropins: tuple[str, ...]) -> None:
    assert verify(placed(tmp_path, *dropins)) == ""


@pytest.mark.parametrize(
    "change",
    [
        ("Type=notify", "Type=notfy"),
        ("WatchdogSec=", "WatchdogSecs="),
        ("SystemCallFilter=~@privileged", "SystemCallFilter=~@priviledged"),
        ("/bin/sh -c", "/bin/no-shell -c"),
    ],
)
def test_systemd_would_say_what_is_misspelt(tmp_path: Path, change: tuple[str, str]) -> None:
    assert verify(placed(tmp_path, change=change)) != ""


def test_notify_reload_is_for_versions_that_know_it(tmp_path: Path) -> None:
    quiet = verify(placed(tmp_path, "notify-reload.conf")) == ""
    assert quiet == (systemd_version() >= 253)


@pytest.mark.parametrize("dropins", SETS)
def test_the_service_may_do_little(tmp_path: Path, dropins: tuple[str, ...]) -> None:
    """1.5 at most, on systemd's scale from 0 to 10; a device more is 0.1 or 0.2 more."""
    unit = placed(tmp_path, *dropins)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    limit = "17" if dropins else "15"
    done = subprocess.run(
        [*command, f"--threshold={limit}", str(unit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overall exposure level" in done.stdout


def test_what_cannot_be_mended_by_trying_again_is_not_tried_again() -> None:
    line = next(
        line for line in (FOLDER / UNIT).read_text().splitlines() if "PreventExit" in line
        and not line.startswith("#")
    )  # fmt: skip
    assert str(EX_CONFIG) in line.partition("=")[2].split()


def test_every_secret_may_be_a_credential_and_need_not() -> None:
    text = (FOLDER / UNIT).read_text()
    for table, key in SECRETS:
        assert f"\nLoadCredential={table}.{key}:/etc/edge-fusion/{table}.{key}\n" in text
        assert f"\nSetCredential={table}.{key}:\\n\n" in text
