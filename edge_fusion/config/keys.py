"""What a single key of the configuration may hold, and how it says so when it does not.

A validator raises ValueError("expected …") where the value found should be shown before that
text, and `problem` where the text says it all.
"""

from __future__ import annotations

import os
import platform
import re
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.config.measures import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    parse_duration,
    parse_positive_duration,
    parse_size,
)
from edge_fusion.io.address import parse_address

PROBLEM: Final = "problem"
BASE: Final = "base"
"""In the validation context: the folder of the configuration file, for relative paths."""
SOURCELESS: Final = "sourceless"
"""In the validation context: whether there may be neither sensors nor cameras."""

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")
_LISTEN: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s]+)):([0-9]{1,5})")
_MAX_PORT: Final = 65_535
# The letters of RFC 6750, section 2.1; so many of them are beyond guessing over a network.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")


class Table(BaseModel):
    """A table of the file: no key but the known ones, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Provider(StrEnum):
    """An ONNX Runtime execution provider; AUTO: CUDA, then OpenVINO, then CPU."""

    AUTO = "auto"
    TENSORRT = "TensorRT"
    CUDA = "CUDA"
    OPENVINO = "OpenVINO"
    CPU = "CPU"


def problem(text: str, key: str | None = None) -> PydanticCustomError:
    """An error whose text is complete; `key` is the one to name, inside the table at hand."""
    return PydanticCustomError(PROBLEM, "{text}", {"text": text, "key": key or ""})


def seconds(default: str, description: str) -> Any:
    """A field that holds a duration, with its default as the user would write it."""
    return Field(
        default=parse_duration(default),
        description=description,
        json_schema_extra={"default": default},
    )


def size(default: str, description: str) -> Any:
    """A field that holds a number of bytes, with its default as the user would write it."""
    return Field(
        default=parse_size(default),
        description=description,
        json_schema_extra={"default": default},
    )


def host_name() -> str:
    """This machine's name, in the letters that names of boxes may have."""
    return _NOT_NAME.sub("-", platform.node())[:64] or "box"


def state_file() -> Path:
    """Where the store is kept: where services keep theirs, or for anybody else at home."""
    given = os.environ.get("STATE_DIRECTORY")
    if given or os.geteuid() == 0:
        return Path(given or "/var/lib/edge-fusion") / "state.db"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "edge-fusion" / "state.db"


def shipped_models() -> dict[str, Path]:
    """The models that came with the program, by name: in the package, else in the checkout."""
    folders = (_PACKAGE.parent / "models", _PACKAGE / "models")
    return {
        path.name: path / "model.onnx"
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }


def shipped_model(name: str) -> Path:
    """The file of the shipped model `name`, whether or not it is there."""
    return shipped_models().get(name, _PACKAGE / "models" / name / "model.onnx")


def model_path(text: str, base: Path | None) -> Path:
    """A model file: a path, or the bare name of a shipped model.

    Raises ValueError where a bare name is none of them, and for what can be no path.
    """
    path = Path(text)
    if not text or "\0" in text:
        raise ValueError("expected a path to an ONNX file")
    if "/" not in text and not path.suffix:
        if text not in shipped_models():
            names = ", ".join(shipped_models()) or "none is installed"
            raise ValueError(f"expected a path to an ONNX file, or a shipped model ({names})")
        return shipped_model(text)
    return path if base is None else base / path


def _model_path(value: object, info: ValidationInfo) -> object:
    return model_path(value, _base(info)) if isinstance(value, str) else value


def _base(info: ValidationInfo) -> Path | None:
    base = info.context.get(BASE) if info.context else None
    return base if isinstance(base, Path) else None


def _relative(path: Path, info: ValidationInfo) -> Path:
    if path == Path() or "\0" in str(path):
        raise ValueError("expected the path of a file")
    base = _base(info)
    return path if base is None else base / path


def _camera_url(url: SecretStr, info: ValidationInfo) -> SecretStr:
    return SecretStr(parse_address(url.get_secret_value(), _base(info)).location)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("expected a file that exists")
    return path


def _name(text: str) -> str:
    if not valid_name(text):
        raise ValueError("expected 1 to 64 letters, digits, _ - .")
    return text


def _pattern(text: str) -> str:
    try:
        TopicPattern.parse(text)
    except ValueError as error:
        raise problem(str(error)) from None
    return text


def _availability(value: object) -> object:
    if value is False:
        return value
    if not isinstance(value, str):
        raise ValueError('expected a topic such as "zigbee2mqtt/{device}/availability", or false')  # noqa: TRY004 - pydantic takes ValueError only
    return _pattern(value)


def _topic_prefix(text: str) -> str:
    levels = text.split("/")
    if not all(levels) or text.startswith("$") or re.search(r"[+#\0{}\s]", text):
        raise ValueError('expected topic levels without + # or blanks, such as "edge_fusion"')
    return text


def _dotted_path(text: str) -> str:
    if not text:
        raise ValueError('expected the path of a field, such as "temperature" or "air.co2"')
    return text


def _sensor_format(text: str) -> str:
    if text not in SENSOR_FORMATS:
        raise ValueError(f"expected one of {', '.join(SENSOR_FORMATS)}")
    return text


def _provider(value: object) -> object:
    names = {provider.value.lower(): provider for provider in Provider}
    if not isinstance(value, str) or value.lower() not in names:
        raise ValueError(f"expected one of {', '.join(provider.value for provider in Provider)}")
    return names[value.lower()]


def _digest(text: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text) is None:
        raise ValueError("expected 64 hexadecimal digits")
    return text.lower()


def _listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[3]) > _MAX_PORT:
        raise ValueError('expected host:port, such as "127.0.0.1:8337" or "[::1]:8337"')
    return text


def _host(text: str) -> str:
    # Not shown: who writes mqtt://user:password@broker here gives more away than he knows.
    if re.search(r"[\s/@]", text) or text.count(":") == 1:
        raise problem(
            'is no host: expected a name or an address, such as "broker.lan"; '
            "port, username and password have keys of their own"
        )
    return text


def _web_token(token: SecretStr) -> SecretStr:
    if fault := token_fault(token.get_secret_value()):
        raise problem(fault)
    return token


def token_fault(text: str) -> str | None:
    """Why `text` can't guard the web port, without showing it, or None."""
    if _TOKEN.fullmatch(text):
        return None
    return 'is no token: expected at least 16 letters and digits, as "openssl rand -hex 32" prints'


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach a checked `listen`."""
    host, _ = split_address(address)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def split_address(text: str) -> tuple[str, int]:
    """Host and port of a checked `listen`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


_DURATION_SCHEMA: Final = {
    "anyOf": [
        {"type": "number", "minimum": 0, "description": "seconds"},
        {"type": "string", "pattern": DURATION_PATTERN},
    ]
}
_SIZE_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "description": "bytes"},
        {"type": "string", "pattern": SIZE_PATTERN},
    ]
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[
    float, BeforeValidator(parse_positive_duration), WithJsonSchema(_DURATION_SCHEMA)
]
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema(_SIZE_SCHEMA)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Qos = Annotated[int, Field(strict=True, ge=0, le=1)]
Port = Annotated[int, Field(strict=True, ge=1, le=_MAX_PORT)]
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"maxLength": 64})]
Pattern = Annotated[str, AfterValidator(_pattern)]
Availability = Annotated[
    str | Literal[False],
    PlainValidator(_availability),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"const": False}]}),
]
TopicPrefix = Annotated[str, AfterValidator(_topic_prefix)]
DottedPath = Annotated[str, AfterValidator(_dotted_path)]
SensorFormat = Annotated[
    str, AfterValidator(_sensor_format), Field(json_schema_extra={"enum": sorted(SENSOR_FORMATS)})
]
ProviderName = Annotated[Provider, BeforeValidator(_provider)]
Digest = Annotated[str, AfterValidator(_digest)]
Host = Annotated[str, Field(min_length=1), AfterValidator(_host)]
WebToken = Annotated[SecretStr, AfterValidator(_web_token)]
Address = Annotated[str, AfterValidator(_listen)]
CameraUrl = Annotated[SecretStr, AfterValidator(_camera_url)]
FilePath = Annotated[Path, AfterValidator(_relative)]
ExistingFile = Annotated[Path, AfterValidator(_relative), AfterValidator(_existing)]
ModelPath = Annotated[Path, BeforeValidator(_model_path)]
