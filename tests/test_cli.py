from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest
from filming import clip
from onnx import TensorProto, helper, numpy_helper

from edge_fusion.model.spec import SPEC_KEY, ModelSpec

SPEC = ModelSpec("toy", 10.0, 4, ("temperature",), 1, (2, 3), ("fire", "smoke"), {"fire": 0.4})
SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def cli(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "edge_fusion", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environ},
            check=False,
        )

    return cli


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def broker(broker_factory: Callable[..., Any]) -> int:
    """The port of a mosquitto that asks for a password."""
    port: int = broker_factory(user=("box", "right")).port
    return port


def save_model(path: Path, *, scale: float = 0.001, spec: ModelSpec = SPEC) -> Path:
    """A model whose scores are `scale` times the mean of each row's sensors."""
    grid = ["N", spec.steps, len(spec.quantities)]
    image = ["N", spec.frames, *spec.image_size, 3]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, image),
        helper.make_tensor_value_info("image_mask", TensorProto.FLOAT, ["N", spec.frames]),
        helper.make_tensor_value_info("sensors", TensorProto.FLOAT, grid),
        helper.make_tensor_value_info("sensors_mask", TensorProto.FLOAT, grid),
    ]
    weights = np.full((1, len(spec.labels)), scale, np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["sensors", "axes"], ["mean"], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
            helper.make_node("MatMul", ["column", "weights"], ["scores"]),
        ],
        "toy",
        inputs,
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(spec.labels)])],
        [
            numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    onnx.save(model, str(path))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_model(tmp_path / "toy.onnx")


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_help_waits_for_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['edge-fusion', '--help']\n"
        "from edge_fusion.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'onnxruntime', 'cv2', 'numpy', 'pydantic', 'paho', 'torch'}\n"
        "assert not heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_version_is_printed(cli: Cli) -> None:
    done = cli("--version")
    assert (done.returncode, done.stdout) == (0, "edge-fusion 0.1.0\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["check"],
        ["schema", "x"],
        ["run", "-x"],
        ["run", "-c", "e.toml", "--max-bytes", "1GB"],
        ["record", "-c", "e.toml", "recording", "--max-bytes", "some"],
    ],
)
def test_wrong_usage_exits_with_2(cli: Cli, arguments: list[str]) -> None:
    assert cli(*arguments).returncode == 2


@pytest.mark.parametrize("name", ["config", "alert", "window"])
def test_schemas_are_printed(cli: Cli, name: str) -> None:
    done = cli("schema", name)
    assert done.returncode == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_training_without_its_extra_is_one_line(cli: Cli, tmp_path: Path) -> None:
    # A module that is not there, whether or not the extra is installed here.
    write(tmp_path / "torch.py", "raise ModuleNotFoundError('no torch', name='torch')")
    done = cli(
        "train", "fit", "--epochs", "3", PYTHONPATH=f"{tmp_path}:{Path(__file__).parents[1]}"
    )
    assert done.returncode == 1
    assert done.stderr == (
        "torch is not installed: training needs pip install 'edge-fusion[train]'\n"
    )


def test_check_is_content_with_what_is_right(
    cli: Cli, tmp_path: Path, broker: int, model: Path
) -> None:
    config = write(
        tmp_path / "e.toml",
        SENSOR + f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\nusername = "box"\n'
        f'[model]\npath = "{model.name}"\n[[alerts]]\nlabel = "fire"\n',
    )
    done = cli("check", "-c", config, EDGE_FUSION_MQTT__PASSWORD="right")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{config}: OK\n", "")


def test_check_names_every_problem_in_a_line_of_its_own(
    cli: Cli, tmp_path: Path, broker: int, model: Path
) -> None:
    config = write(
        tmp_path / "e.toml",
        SENSOR + f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\nusername = "box"\n'
        f'[model]\npath = "{model.name}"\n[[alerts]]\nlabel = "flood"\n',
    )
    done = cli("check", "-c", config, EDGE_FUSION_MQTT__PASSWORD="wrong")
    label, connection = done.stderr.splitlines()
    assert done.returncode == 1
    assert 'alerts[0].label is "flood": expected a label of toy: fire, smoke' in label
    assert connection.startswith(f"{config}: broker 127.0.0.1:{broker}: ")
    assert "wrong" not in done.stderr


def test_check_warns_of_windows_that_the_model_was_not_made_for(
    cli: Cli, tmp_path: Path, model: Path
) -> None:
    config = write(
        tmp_path / "e.toml",
        SENSOR + f'[mqtt]\nhost = "127.0.0.1"\nport = {free_port()}\n'
        f'[model]\npath = "{model.name}"\n[windows]\nsize = "1m"\n',
    )
    warning, connection = cli("check", "-c", config).stderr.splitlines()
    assert 'warning: windows.size is "1m": toy was made for windows of "10s"' in warning
    assert "connection refused" in connection


def test_check_opens_each_camera_once(cli: Cli, tmp_path: Path, broker: int, model: Path) -> None:
    config = write(
        tmp_path / "e.toml",
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\nusername = "box"\n'
        f'[model]\npath = "{model.name}"\n'
        f'[[cameras]]\nurl = "{clip(tmp_path / "clip.mp4").name}"\n'
        f'[[cameras]]\nurl = "rtsp://me:secret@127.0.0.1:{free_port()}/1"\nsite = "hall"\n'
        '[[cameras]]\nurl = "/dev/video9"\nsite = "hall"\ncamera = "door"\n',
    )
    done = cli("check", "-c", config, EDGE_FUSION_MQTT__PASSWORD="right")
    assert done.returncode == 1
    host, device = done.stderr.splitlines()
    assert host.startswith(f"{config}: camera hall/127.0.0.1: rtsp://127.0.0.1:")
    assert host.endswith(": connection refused")
    assert device == f"{config}: camera hall/door: /dev/video9: no such file or directory"


def test_check_names_what_is_open_and_warns_of_secrets_that_all_can_read(
    cli: Cli, tmp_path: Path, broker: int, model: Path
) -> None:
    write(tmp_path / "password", "right").chmod(0o644)
    config = write(
        tmp_path / "e.toml",
        SENSOR + f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\nusername = "box"\n'
        f'password_file = "password"\n[model]\npath = "{model.name}"\n'
        '[web]\nlisten = "0.0.0.0:8337"\n',
    )
    done = cli("check", "-c", config)
    assert done.returncode == 1
    warning, problem = done.stderr.splitlines()
    assert warning.startswith(f'{config}: warning: mqtt.password_file is "{tmp_path}/password"')
    assert problem.startswith(f'{config}: web.listen is "0.0.0.0:8337", which other machines')


def test_check_tells_what_the_broker_denies(
    cli: Cli, tmp_path: Path, broker_factory: Callable[..., Any], model: Path
) -> None:
    rules = write(tmp_path / "acl", "user box\ntopic write edge_fusion/box/+/status\n")
    strict = broker_factory(user=("box", "right"), extra=[f"acl_file {rules}"])
    config = write(
        tmp_path / "e.toml",
        SENSOR + f'[mqtt]\nhost = "127.0.0.1"\nport = {strict.port}\nusername = "box"\n'
        f'box = "b"\n[model]\npath = "{model.name}"\n',
    )
    done = cli("check", "-c", config, EDGE_FUSION_MQTT__PASSWORD="right")
    assert done.returncode == 1
    assert done.stderr == (
        f"{config}: broker 127.0.0.1:{strict.port}: not published on 'edge_fusion/box/b/barrier': "
        "Not authorized; does the ACL of the broker let user 'box' write it?\n"
    )


def test_check_of_a_bad_file_exits_with_1(cli: Cli, tmp_path: Path) -> None:
    config = write(tmp_path / "e.toml", SENSOR + "[mqtt]\nport = 0\n")
    done = cli("check", "-c", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{config}: mqtt.port is 0: expected at least 1\n"


def test_check_of_a_missing_model_says_so(cli: Cli, tmp_path: Path) -> None:
    config = write(tmp_path / "e.toml", SENSOR + '[model]\npath = "no.onnx"\n')
    done = cli("check", "-c", config, EDGE_FUSION_MQTT__PORT=str(free_port()))
    assert done.returncode == 1
    assert f"{config}: model: {tmp_path}/no.onnx: No such file" in done.stderr


def test_run_exits_with_78_on_a_bad_configuration(cli: Cli, tmp_path: Path) -> None:
    config = write(tmp_path / "e.toml", "[mqtt]\nport = 0\n")
    done = cli("run", "-c", config)
    assert done.returncode == 78
    assert f"{config}: mqtt.port is 0: expected at least 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_exits_with_78_on_a_bad_model(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "bad.onnx", "no model")
    config = write(
        tmp_path / "e.toml",
        SENSOR + '[model]\npath = "bad.onnx"\n[store]\npath = "state.db"\ndurability = "none"\n'
        '[web]\nlisten = "127.0.0.1:0"\n',
    )
    done = cli("run", "-c", config, EDGE_FUSION_MQTT__PORT=str(free_port()))
    assert done.returncode == 78
    assert "bad.onnx: not a usable ONNX file" in done.stderr
    assert "Traceback" not in done.stderr


def test_model_show_prints_the_contract(cli: Cli, model: Path) -> None:
    done = cli("model", "show", model)
    assert done.returncode == 0
    for text in ("toy", "CPU", "10 s in 4 steps", "fire (threshold 0.4)", "image tensor(uint8)"):
        assert text in done.stdout


def test_model_check_is_content_with_a_good_model(cli: Cli, model: Path) -> None:
    done = cli("model", "check", model)
    assert (done.returncode, done.stdout) == (0, f"{model}: OK\n")


@pytest.mark.parametrize(
    ("scale", "fault"), [(1.0, "of noise reach from"), (float("nan"), "are not all finite")]
)
def test_model_check_names_what_is_wrong(
    cli: Cli, tmp_path: Path, scale: float, fault: str
) -> None:
    done = cli("model", "check", save_model(tmp_path / "bad.onnx", scale=scale))
    assert done.returncode == 1
    assert fault in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_is_none_is_one_line(cli: Cli) -> None:
    done = cli("model", "show", "nonesuch")
    assert done.returncode == 1
    assert done.stderr.startswith('"nonesuch": expected a path to an ONNX file, or a shipped model')
    assert done.stderr.count("\n") == 1
