"""Where secrets come from, who may read them, and what is open without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fusion.config import Settings, exposures, loose_files

SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'
TOKEN = "0123456789abcdef"
PATH = Path("edge.toml")

Read = Callable[..., Settings]
Problems = Callable[..., list[str]]


def token_of(settings: Settings) -> str | None:
    token = settings.web.token
    return None if token is None else token.get_secret_value()


def test_the_token_comes_from_a_file_the_environment_or_a_credential(
    read: Read, tmp_path: Path
) -> None:
    (tmp_path / "web.token").write_text(f"{TOKEN}\n")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert token_of(read(SENSOR)) is None
    assert token_of(read(SENSOR + '[web]\ntoken_file = "web.token"')) == TOKEN
    assert token_of(read(SENSOR, EDGE_FUSION_WEB__TOKEN="1" * 20)) == "1" * 20
    assert token_of(read(SENSOR, **credentials)) == TOKEN
    assert token_of(read(SENSOR, EDGE_FUSION_WEB__TOKEN="1" * 20, **credentials)) == "1" * 20


def test_a_password_and_a_token_may_both_be_credentials(read: Read, tmp_path: Path) -> None:
    (tmp_path / "web.token").write_text(TOKEN)
    (tmp_path / "mqtt.password").write_text("a password")
    settings = read(SENSOR, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert token_of(settings) == TOKEN
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "a password"


@pytest.mark.parametrize("token", ["short", "with a blank in it", "umläut" * 5, "line\nbreak" * 5])
def test_a_token_that_could_be_guessed_or_fits_into_no_header_is_refused_unseen(
    problems: Problems, tmp_path: Path, token: str
) -> None:
    expected = "is no token: expected at least 16 letters and digits"
    (tmp_path / "web.token").write_text(token)
    for (line,) in (
        problems(SENSOR, EDGE_FUSION_WEB__TOKEN=token),
        problems(SENSOR + '[web]\ntoken_file = "web.token"'),
    ):
        assert expected in line
        assert token[:6] not in line


def test_a_token_is_never_shown(read: Read, problems: Problems) -> None:
    settings = read(SENSOR + f'[web]\ntoken = "{TOKEN}"')
    assert TOKEN not in repr(settings) + str(settings) + settings.model_dump_json()
    assert TOKEN not in problems(SENSOR + f'[web]\ntoken = ["{TOKEN}"]')[0]
    both = problems(SENSOR + f'[web]\ntoken = "{TOKEN}"\ntoken_file = "f"')
    assert both == ["edge.toml: web.token given together with token_file: expected one of them"]


def test_a_table_in_the_environment_that_is_no_toml_is_not_shown(problems: Problems) -> None:
    (line,) = problems(SENSOR, EDGE_FUSION_MQTT='{password = "secret", host = }')
    assert line == "EDGE_FUSION_MQTT: mqtt is no TOML table: expected a table"


@pytest.mark.parametrize(
    "host", ["mqtt://box:secret@broker.lan", "box:secret@broker", "broker:1883", "a b"]
)
def test_a_host_that_is_an_address_of_all_is_refused_unseen(problems: Problems, host: str) -> None:
    (line,) = problems(SENSOR + f'[mqtt]\nhost = "{host}"')
    assert line.startswith("edge.toml: mqtt.host is no host: expected a name or an address")
    assert "secret" not in line


@pytest.mark.parametrize("host", ["broker", "broker.lan", "10.0.0.7", "::1", "fe80::1%eth0"])
def test_names_and_addresses_are_hosts(read: Read, host: str) -> None:
    assert read(SENSOR + f'[mqtt]\nhost = "{host}"').mqtt.host == host


@pytest.mark.parametrize("listen", ["127.0.0.1:8337", "127.8.0.1:1", "[::1]:8337", "LOCALHOST:0"])
def test_what_only_this_machine_reaches_needs_no_token(read: Read, listen: str) -> None:
    assert exposures(read(SENSOR + f'[web]\nlisten = "{listen}"'), PATH) == []


@pytest.mark.parametrize("listen", ["0.0.0.0:8337", "[::]:8337", "10.0.0.7:80", "box.lan:8337"])
def test_what_other_machines_reach_needs_one(read: Read, listen: str) -> None:
    text = SENSOR + f'[web]\nlisten = "{listen}"'
    (line,) = exposures(read(text), PATH)
    assert line == (
        f'edge.toml: web.listen is "{listen}", which other machines can reach: expected '
        'web.token_file, the systemd credential web.token, or "127.0.0.1:8337"'
    )
    assert exposures(read(text, EDGE_FUSION_WEB__TOKEN=TOKEN), PATH) == []


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o602, 1)])
def test_a_secret_that_everybody_can_read_is_named_with_the_remedy(
    read: Read, tmp_path: Path, mode: int, warnings: int
) -> None:
    """A service reads a file of its group; nobody else needs to."""
    file = tmp_path / "secret"
    for text in (
        '[mqtt]\npassword_file = "secret"',
        '[web]\ntoken_file = "secret"',
        '[mqtt]\ntls = { cert = "secret", key = "secret" }',
    ):
        file.write_text(TOKEN)
        file.chmod(mode)
        lines = loose_files(read(SENSOR + text))
        assert len(lines) == warnings
        assert all(line.endswith(f"every user of this machine: chmod o= {file}") for line in lines)
