"""install.sh, into the file system of another machine; and the wheel, far from its checkout."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Broker

CHECKOUT = Path(__file__).parents[2]
SCRIPT = CHECKOUT / "deploy" / "install.sh"
CONFIGURATION = """
[mqtt]
port = {port}
[model]
path = "indoor-hazard"
[store]
path = "state.db"
[[sensors]]
topic = "home/{{site}}/{{device}}"
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make users and own files")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as install.sh builds it, with what the lock file has of build tools."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(CHECKOUT)], check=True)
    (file,) = folder.glob("*.whl")
    return file


def borrowing() -> dict[str, str]:
    """An environment in which an installation of the wheel alone finds what it depends on."""
    return {
        **os.environ,
        "PIP_NO_DEPS": "1",
        "PIP_NO_COMPILE": "1",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }


def install(image: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(SCRIPT), "--root", str(image), *map(str, arguments)]
    return subprocess.run(
        command, env=borrowing(), umask=0o077, capture_output=True, text=True, check=False
    )


def made(directory: Path, systemd: str = "252") -> Path:
    """The file system of a machine, as far as there is anything in it."""
    library = directory / f"usr/lib/systemd/libsystemd-shared-{systemd}.so"
    library.parent.mkdir(parents=True)
    library.touch()
    return directory


@dataclass(frozen=True, slots=True)
class Installed:
    image: Path
    said: str


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What all tests look at and none changes."""
    image = made(tmp_path_factory.mktemp("machine") / "image")
    done = install(image, "--wheel", wheel, "--camera")
    assert done.returncode == 0, done.stderr
    return Installed(image, done.stdout)


@pytest.fixture
def copy(installed: Installed, tmp_path: Path) -> Path:
    """The same, to be changed."""
    image = tmp_path / "image"
    shutil.copytree(installed.image, image, symlinks=True)
    for path in installed.image.rglob("*"):
        found = path.lstat()
        os.chown(image / path.relative_to(installed.image), found.st_uid, found.st_gid,
                 follow_symlinks=False)  # fmt: skip
    return image


def test_the_shell_scripts_are_clean() -> None:
    scripts = [SCRIPT, CHECKOUT / ".ci/need", CHECKOUT / ".ci/run"]
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_wheel_carries_the_model_and_works_away_from_its_checkout(
    wheel: Path, broker: Broker, tmp_path: Path
) -> None:
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    (tmp_path / "box.toml").write_text(CONFIGURATION.format(port=broker.port))
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-P", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        ).stdout

    where = run("-c", "import edge_fusion; print(edge_fusion.__file__)").strip()
    assert where == str(tmp_path / "site/edge_fusion/__init__.py")
    model = run(
        "-c", "from edge_fusion.config.keys import *; print(shipped_model('indoor-hazard'))"
    )
    assert model.strip() == str(tmp_path / "site/edge_fusion/models/indoor-hazard/model.onnx")
    assert run("-m", "edge_fusion", "check", "-c", "box.toml") == "box.toml: OK\n"


@needs_root
def test_an_installation_is_whole(installed: Installed) -> None:
    for step in ("edge-fusion.toml", "mqtt.password", "check -c", "systemctl enable --now"):
        assert step in installed.said
    etc = installed.image / "etc"
    dropins = etc / "systemd/system/edge-fusion.service.d"
    assert (etc / "systemd/system/edge-fusion.service").is_file()
    assert [path.name for path in dropins.iterdir()] == ["camera.conf"]
    configuration = etc / "edge-fusion/edge-fusion.toml"
    assert configuration.read_text() == (CHECKOUT / "deploy/edge-fusion.toml").read_text()
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o640
    user = next(
        line.split(":") for line in (etc / "passwd").read_text().splitlines()
        if line.startswith("edge-fusion:")
    )  # fmt: skip
    assert configuration.stat().st_gid == int(user[3])
    python = installed.image / "opt/edge-fusion/venv/bin/python"
    for folder in python.parents[:4]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755, folder
    assert user[5:] == ["/var/lib/edge-fusion", "/usr/sbin/nologin"]


@needs_root
def test_what_is_installed_names_places_of_its_own_machine(installed: Installed) -> None:
    command = installed.image / "usr/local/bin/edge-fusion"
    assert str(command.readlink()) == "/opt/edge-fusion/venv/bin/edge-fusion"
    venv = installed.image / "opt/edge-fusion/venv"
    for script in (*(venv / "bin").iterdir(), venv / "pyvenv.cfg"):
        assert str(installed.image).encode() not in script.read_bytes()
    first = (venv / "bin/edge-fusion").read_text().splitlines()[0]
    assert first == "#!/opt/edge-fusion/venv/bin/python"
    done = subprocess.run(
        [venv / "bin/python", "-m", "edge_fusion", "--version"],
        env=borrowing(), capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert done.stdout.startswith("edge-fusion ")


@needs_root
def test_a_second_time_changes_nothing_that_is_yours(copy: Path, wheel: Path) -> None:
    configuration = copy / "etc/edge-fusion/edge-fusion.toml"
    configuration.write_text("# mine\n")
    own = copy / "etc/systemd/system/edge-fusion.service.d/override.conf"
    own.write_text("[Service]\nNice=5\n")
    before = snapshot(copy)
    assert install(copy, "--wheel", wheel).returncode == 0
    assert snapshot(copy) == before
    assert configuration.read_text() == "# mine\n"
    assert own.exists()


def snapshot(image: Path) -> dict[str, tuple[int, int, int]]:
    """Mode, owner and group of all there is, but for what Python compiles."""
    paths = (path for path in image.rglob("*") if "__pycache__" not in path.parts)
    stats = {str(path): path.lstat() for path in paths}
    return {path: (found.st_mode, found.st_uid, found.st_gid) for path, found in stats.items()}


@needs_root
def test_an_update_that_fails_leaves_the_old_one_at_work(copy: Path, tmp_path: Path) -> None:
    before = snapshot(copy / "opt/edge-fusion/venv")
    broken = tmp_path / "edge_fusion-9.9-py3-none-any.whl"
    broken.write_bytes(b"no wheel")
    assert install(copy, "--wheel", broken).returncode != 0
    assert snapshot(copy / "opt/edge-fusion/venv") == before


@needs_root
def test_reloads_are_waited_for_where_systemd_can(wheel: Path, tmp_path: Path) -> None:
    """The first version that can, by the name that Debian and Fedora give its library."""
    image = made(tmp_path / "image", systemd="253.5-1.fc39")
    assert install(image, "--wheel", wheel).returncode == 0
    dropins = image / "etc/systemd/system/edge-fusion.service.d"
    assert [path.name for path in dropins.iterdir()] == ["notify-reload.conf"]


@needs_root
def test_it_is_taken_away_but_for_what_is_yours(copy: Path) -> None:
    state = copy / "var/lib/edge-fusion/state.db"
    state.parent.mkdir(parents=True)
    state.touch()
    assert "Kept" in install(copy, "--uninstall").stdout
    left = {str(path.relative_to(copy)) for path in copy.rglob("*edge-fusion*")}
    assert left == {
        "etc/edge-fusion",
        "etc/edge-fusion/edge-fusion.toml",
        "etc/edge-fusion/edge-fusion.toml.sample",
        "var/lib/edge-fusion",
    }
    assert install(copy, "--uninstall", "--purge").returncode == 0
    assert list(copy.rglob("*edge-fusion*")) == []
    assert "edge-fusion" not in (copy / "etc/passwd").read_text()
    assert install(copy, "--uninstall", "--purge").returncode == 0


@needs_root
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--wheel", "/nowhere.whl"], 1, "there is no such file"),
        (["--wheel"], 2, "usage"),
        (["--wheels"], 2, "usage"),
        (["--purge"], 1, "goes with --uninstall"),
        (["--python", "/bin/false"], 1, "Python 3.11 or newer"),
    ],
)
def test_what_it_cannot_do_it_says_before_it_does_anything(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    image = made(tmp_path / "image")
    before = snapshot(image)
    done = install(image, *arguments)
    assert (done.returncode, says in done.stderr) == (code, True)
    assert snapshot(image) == before
