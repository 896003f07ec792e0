"""edge-fusion under a real systemd: installed, started, hung, stopped and taken away again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_model
from running import patiently
from system.booted import BOOKWORM, TRIXIE, WHEELHOUSE, Booted, Release, obstacle
from test_daemon import jpeg

UNIT = "edge-fusion.service"
PASSWORD = "only root may read this"
CONFIGURATION = """
[mqtt]
username = "box"
box = "box-1"
[windows]
size = "1s"
max_out_of_orderness = "200ms"
max_wait = "300ms"
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{site}/{device}"
temperature = "t"
[[cameras]]
topic = "cams/{site}/{camera}"
[[alerts]]
label = "hot"
threshold = 0.6
for = 1
keep_firing = "1s"
"""
BROKER = "listener 1883 127.0.0.1\npassword_file /etc/mosquitto/passwords\n"
QUICK = "[Service]\nWatchdogSec=4\nRestartSec=1\n"
INSTALL = "/root/edge-fusion/deploy/install.sh"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(params=[BOOKWORM, TRIXIE], ids=lambda release: str(release.name), scope="module")
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Booted]:
    release: Release = request.param
    if (why := obstacle()) is not None:
        pytest.skip(why)
    booted = Booted(release, tmp_path_factory.mktemp(release.name))
    try:
        booted.start()
        yield booted
    finally:
        booted.close()


def install(machine: Booted) -> str:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/root/{WHEELHOUSE}"}
    return machine.run("sh", INSTALL, environ=offline)


def page(machine: Booted, path: str) -> str:
    program = (
        "import sys, urllib.request, urllib.error\n"
        "try: print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())\n"
        "except urllib.error.HTTPError as error: print(error.read().decode())\n"
        "except OSError: pass\n"
    )
    return machine.run("python3", "-c", program, f"http://127.0.0.1:8337{path}")


def publish(machine: Booted, topic: str, *what: str) -> None:
    machine.run("mosquitto_pub", "-u", "box", "-P", PASSWORD, "-t", topic, *what)


def retained(machine: Booted, topic: str) -> str:
    """What is retained on a topic, or nothing."""
    who = ("-u", "box", "-P", PASSWORD, "-W", "1", "-C", "1")
    return machine.run("mosquitto_sub", *who, "-t", topic, check=False)


def alert(machine: Booted, celsius: float) -> str:
    """The state of the alert while it is so warm."""
    publish(machine, "home/hall/probe", "-m", json.dumps({"t": celsius}))
    said = retained(machine, "edge_fusion/hall/alert/hot")
    return str(json.loads(said)["state"]) if said.startswith("{") else ""


def journal(machine: Booted, *options: str) -> str:
    return machine.run("journalctl", "--no-pager", "--output=cat", f"--unit={UNIT}", *options)


def restarted(machine: Booted, before: str) -> bool:
    """Whether it has been started anew since, and is up again."""
    count = machine.show(UNIT, "NRestarts")
    return count != before and machine.show(UNIT, "ActiveState") == "active"


def configure(machine: Booted, change: Callable[[str], str] = str) -> None:
    (machine.root / "etc/edge-fusion/edge-fusion.toml").write_text(change(CONFIGURATION))


def test_it_is_installed_from_a_checkout_and_says_what_comes_next(machine: Booted) -> None:
    said = install(machine)
    assert "edge-fusion 0" in said
    assert "systemctl enable --now edge-fusion" in said
    sample = machine.root / "etc/edge-fusion/edge-fusion.toml"
    assert "[[sensors]]" in sample.read_text()
    assert machine.run("edge-fusion", "--version").startswith("edge-fusion ")
    assert machine.run("systemd-analyze", "verify", UNIT) == ""
    machine.run("systemd-analyze", "security", "--no-pager", "--threshold=15", UNIT)


def test_it_is_ready_without_a_broker_and_says_what_it_waits_for(machine: Booted) -> None:
    machine.run("systemctl", "stop", "mosquitto")
    tiny_model.write(machine.root / "etc/edge-fusion/model.onnx")
    configure(machine)
    dropin = machine.root / "etc/systemd/system/edge-fusion.service.d/quick.conf"
    dropin.write_text(QUICK)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--now", UNIT)
    assert machine.show(UNIT, "ActiveState") == "active"
    patiently(lambda: "refused" in machine.show(UNIT, "StatusText"), "the missing broker")


def test_the_password_is_a_credential_that_only_root_reads(machine: Booted) -> None:
    etc = machine.root / "etc"
    (etc / "mosquitto/conf.d/test.conf").write_text(BROKER)
    machine.run("mosquitto_passwd", "-b", "-c", "/etc/mosquitto/passwords", "box", PASSWORD)
    machine.run("chown", "mosquitto", "/etc/mosquitto/passwords")
    machine.run("systemctl", "start", "mosquitto")
    password = etc / "edge-fusion/mqtt.password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    machine.run("systemctl", "restart", UNIT)
    patiently(lambda: '"ok": true' in page(machine, "/readyz"), "readiness")
    patiently(lambda: "messages/s" in machine.show(UNIT, "StatusText"), "its figures")


def test_an_alert_is_published(machine: Booted) -> None:
    patiently(lambda: alert(machine, 39.0) == "firing", "an alert", 60)
    patiently(lambda: "1 alert firing" in machine.show(UNIT, "StatusText"), "its status")
    assert retained(machine, "edge_fusion/box/box-1/status").strip() == "online"


def test_a_reload_is_waited_for_where_systemd_can(machine: Booted) -> None:
    configure(
        machine, lambda text: text.replace("threshold = 0.6", "threshold = 0.99\nclear = 0.98")
    )
    machine.run("systemctl", "reload", UNIT)
    if machine.show(UNIT, "Type") != "notify-reload":
        patiently(lambda: "reloaded: model" in journal(machine), "the reload")
    assert "reloaded: model" in journal(machine)
    assert machine.show(UNIT, "ActiveState") == "active"
    patiently(lambda: alert(machine, 39.0) == "resolved", "another rule", 60)
    configure(machine)
    machine.run("systemctl", "reload", UNIT)
    patiently(lambda: alert(machine, 39.0) == "firing", "the rule of before", 60)


def test_an_idle_service_is_left_alone(machine: Booted) -> None:
    before = machine.show(UNIT, "NRestarts")
    machine.run("sleep", "9")
    assert machine.show(UNIT, "NRestarts") == before


def test_a_process_that_stands_still_is_started_anew_and_the_alert_goes_on(
    machine: Booted,
) -> None:
    before = machine.show(UNIT, "NRestarts")
    machine.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", UNIT)
    patiently(lambda: restarted(machine, before), "the watchdog", 60)
    patiently(lambda: alert(machine, 39.0) == "firing", "the alert of before", 60)


def test_a_pipeline_that_is_stuck_is_started_anew_and_says_where_it_was(
    machine: Booted, tmp_path: Path
) -> None:
    before = machine.show(UNIT, "NRestarts")
    tiny_model.write(machine.root / "etc/edge-fusion/model.onnx", hangs_on_pictures=True)
    machine.run("systemctl", "reload", UNIT)
    patiently(lambda: journal(machine).count("reloaded: model") >= 3, "the reload")
    picture = machine.root / "root/picture.jpg"
    picture.write_bytes(jpeg())

    def look() -> bool:
        publish(machine, "cams/hall/door", "-f", "/root/picture.jpg")
        return restarted(machine, before)

    patiently(look, "the watchdog", 60)
    assert "Current thread" in journal(machine)
    assert "in infer" in journal(machine)
    tiny_model.write(machine.root / "etc/edge-fusion/model.onnx")
    machine.run("systemctl", "restart", UNIT)


def test_the_journal_knows_what_is_a_warning(machine: Booted) -> None:
    publish(machine, "home/hall/probe", "-m", "nonsense")
    patiently(lambda: "syntax" in journal(machine, "--priority=warning"), "a warning")
    assert "serving" not in journal(machine, "--priority=warning")
    assert "serving" in journal(machine, "--priority=info")


def test_a_configuration_that_cannot_be_used_is_not_tried_for_ever(machine: Booted) -> None:
    configure(machine, lambda text: text.replace("[windows]", "[windows]\nsise = 1"))
    machine.run("systemctl", "restart", UNIT, check=False)
    patiently(lambda: machine.show(UNIT, "ActiveState") == "failed", "the end")
    assert machine.show(UNIT, "ExecMainStatus") == "78"
    assert "windows.sise" in machine.show(UNIT, "StatusText")
    configure(machine)
    machine.run("systemctl", "reset-failed", UNIT)
    machine.run("systemctl", "start", UNIT)


def test_it_stops_in_order(machine: Booted) -> None:
    patiently(lambda: '"ok": true' in page(machine, "/readyz"), "readiness")
    machine.run("systemctl", "stop", UNIT)
    assert machine.show(UNIT, "Result") == "success"
    assert machine.show(UNIT, "ExecMainStatus") == "0"
    assert retained(machine, "edge_fusion/box/box-1/status").strip() == "offline"


def test_an_update_keeps_what_is_there(machine: Booted) -> None:
    machine.run("systemctl", "start", UNIT)
    configuration = machine.root / "etc/edge-fusion/edge-fusion.toml"
    before = configuration.read_text()
    assert "started anew" in install(machine)
    assert configuration.read_text() == before
    patiently(lambda: '"ok": true' in page(machine, "/readyz"), "readiness")


def test_it_is_taken_away_but_for_what_is_yours(machine: Booted) -> None:
    machine.run("sh", INSTALL, "--uninstall")
    assert machine.show(UNIT, "LoadState") == "not-found"
    assert not (machine.root / "opt/edge-fusion").exists()
    assert (machine.root / "etc/edge-fusion/edge-fusion.toml").exists()
    assert (machine.root / "var/lib/edge-fusion/state.db").exists()
    machine.run("sh", INSTALL, "--uninstall", "--purge")
    assert not (machine.root / "etc/edge-fusion").exists()
    assert not (machine.root / "var/lib/edge-fusion").exists()
    assert "edge-fusion:" not in (machine.root / "etc/passwd").read_text()
    machine.run("sh", INSTALL, "--uninstall")
