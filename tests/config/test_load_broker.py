"""The broker alone, for programs that only listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_fusion.config import load_broker
from edge_fusion.config.overrides import Override
from edge_fusion.errors import ConfigError


def option(name: str, text: str) -> Override:
    return Override(f"--{name.rpartition('.')[2]}", ("mqtt", *name.split(".")), text)


def test_without_a_file_the_broker_is_here() -> None:
    settings = load_broker(None, {})
    assert (settings.mqtt.host, settings.mqtt.port) == ("localhost", 1883)
    assert (settings.sensors, settings.cameras) == ((), ())


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text('[mqtt]\nhost = "file"\nport = 1\nusername = "file"\n', "utf-8")
    environ = {"EDGE_FUSION_MQTT__PORT": "2", "EDGE_FUSION_MQTT__HOST": "environment"}
    mqtt = load_broker(path, environ, [option("host", "option")]).mqtt
    assert (mqtt.host, mqtt.port, mqtt.username) == ("option", 2, "file")


def test_tls_by_an_option_leaves_what_the_environment_says_of_it(
    tmp_path: Path,
) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    environ = {"EDGE_FUSION_MQTT__TLS__CA": str(ca)}
    mqtt = load_broker(None, environ, [option("tls", "{}")]).mqtt
    assert mqtt.tls is not None
    assert (mqtt.tls.ca, mqtt.port) == (ca, 8883)


def test_text_that_looks_like_a_number_is_text_where_text_is_wanted() -> None:
    assert load_broker(None, {}, [option("username", "10")]).mqtt.username == "10"


def test_the_password_comes_from_where_it_always_does(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("right\n")
    by_file = load_broker(None, {}, [option("password_file", str(secret))]).mqtt.password
    by_environment = load_broker(None, {"EDGE_FUSION_MQTT__PASSWORD": "right"}).mqtt.password
    assert by_file == by_environment
    assert by_file is not None


def test_a_bad_option_is_named_as_it_was_given() -> None:
    with pytest.raises(ConfigError) as caught:
        load_broker(None, {}, [option("port", "70000")])
    assert caught.value.problems == ["--port: mqtt.port is 70000: expected at most 65535"]


def test_the_rest_of_the_file_must_be_right_too(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text('[[sensors]]\ntopic = "a/#/b"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"sensors\[0\]\.topic"):
        load_broker(path, {})
