from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fusion.config import Settings
from edge_fusion.config.keys import Provider
from edge_fusion.io.retry import ProtocolChoice
from edge_fusion.io.store import Durability

SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'

Read = Callable[..., Settings]


def password_of(settings: Settings) -> str | None:
    password = settings.mqtt.password
    return None if password is None else password.get_secret_value()


def test_a_password_is_never_shown(read: Read, problems: Callable[..., list[str]]) -> None:
    settings = read(SENSOR + '[mqtt]\npassword = "secret"')
    assert "secret" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert password_of(settings) == "secret"
    for wrong in ("password = ['secret']", "passwort = 'secret'", "password.secret = 1"):
        assert "secret" not in problems(SENSOR + f"[mqtt]\n{wrong}")[0]
    both = problems(SENSOR + "[mqtt]\npassword = 'secret'\npassword_file = 'f'")
    assert both == [
        "edge.toml: mqtt.password given together with password_file: expected one of them"
    ]


def test_the_password_is_read_from_its_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s3cret\n")
    settings = read(SENSOR + '[mqtt]\npassword_file = "secret.txt"')
    assert password_of(settings) == "s3cret"


def test_an_empty_password_file_is_a_problem(
    problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    lines = problems(SENSOR + '[mqtt]\npassword_file = "empty"')
    assert "the file is empty: expected a password" in lines[0]


def test_the_systemd_credential_is_the_last_resort(read: Read, tmp_path: Path) -> None:
    (tmp_path / "mqtt.password").write_text("from systemd")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password_of(read(SENSOR, **environ)) == "from systemd"
    own = SENSOR + '[mqtt]\npassword = "own"'
    assert password_of(read(own, **environ)) == "own"


def test_variables_are_not_expanded(read: Read) -> None:
    assert read(SENSOR + '[mqtt]\nusername = "${HOME}"').mqtt.username == "${HOME}"


def test_the_environment_overrides_the_file(read: Read) -> None:
    settings = read(
        SENSOR + '[windows]\nsize = "10s"',
        EDGE_FUSION_WINDOWS__SIZE="20s",
        EDGE_FUSION_MQTT__PORT="1884",
        EDGE_FUSION_MQTT__PUBLISH_LATE="true",
        EDGE_FUSION_MODEL__PROVIDERS='["cuda", "cpu"]',
        EDGE_FUSION_SENSORS__0__TOPIC="other/{device}",
        EDGE_FUSION_SENSORS__1__TOPIC="more",
        EDGE_FUSION_ALERTS__0='{label = "smoke", for = 3}',
        EDGE_FUSION_STORE='{durability = "none"}',
    )
    assert settings.windows.size == 20.0
    assert settings.mqtt.port == 1884
    assert settings.mqtt.publish_late is True
    assert settings.model.providers == (Provider.CUDA, Provider.CPU)
    assert [sensor.topic for sensor in settings.sensors] == ["other/{device}", "more"]
    assert settings.alerts[0].for_windows == 3
    assert settings.store.durability is Durability.NONE


@pytest.mark.parametrize("text", ["12345", "true", "1e5", "5 # five", "p=1\nx=2", "[a]"])
def test_a_password_in_the_environment_is_text_whatever_it_looks_like(
    read: Read, text: str
) -> None:
    settings = read(SENSOR, EDGE_FUSION_MQTT__PASSWORD=text, EDGE_FUSION_MQTT__PROTOCOL="5")
    assert password_of(settings) == text
    assert settings.mqtt.protocol is ProtocolChoice.V5


def test_what_is_wrong_in_the_environment_names_the_variable(
    problems: Callable[..., list[str]],
) -> None:
    def line(**environ: str) -> str:
        (only,) = problems(SENSOR, **environ)
        return only

    assert line(EDGE_FUSION_WINDOWS__SIZE="x").startswith(
        'EDGE_FUSION_WINDOWS__SIZE: windows.size is "x": expected a duration'
    )
    assert line(EDGE_FUSION_WINDOWS__SIZZE="1s") == (
        'EDGE_FUSION_WINDOWS__SIZZE: windows.sizze is no known key: did you mean "size"?'
    )
    assert line(EDGE_FUSION_WINDOW__SIZE="1s").startswith("EDGE_FUSION_WINDOW__SIZE: window is no")
    assert line(EDGE_FUSION_MQTT="x").startswith('EDGE_FUSION_MQTT: mqtt is "x": expected a table')
    assert "index 5 is out of range: expected 0 to 1" in line(EDGE_FUSION_SENSORS__5__TOPIC="x")
    assert line(EDGE_FUSION_SENSORS__QOS="1").startswith("EDGE_FUSION_SENSORS__QOS: there is no")
    assert line(EDGE_FUSION_WINDOWS__SIZE__X="1").startswith("EDGE_FUSION_WINDOWS__SIZE__X: ")
    assert line(EDGE_FUSION_MQTT__KEEPALIVE="1d").startswith("EDGE_FUSION_MQTT__KEEPALIVE: mqtt.k")


def test_other_variables_are_none_of_ours(read: Read) -> None:
    assert read(SENSOR, EDGE_FUSION_CONFIG="x", EDGE_FUSION_LOG_LEVEL="y", HOME="/") == read(SENSOR)
