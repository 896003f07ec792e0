"""Configurations written to a file and read again, or what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fusion.config import Settings, load
from edge_fusion.errors import ConfigError

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str, **environ: str) -> Settings:
        path = tmp_path / "edge.toml"
        path.write_text(text, "utf-8")
        return load(path, environ)

    return read


@pytest.fixture
def problems(read: Read, tmp_path: Path) -> Callable[..., list[str]]:
    """The problems of a text, with the name of the file cut to `edge.toml`."""

    def problems(text: str, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(text, **environ)
        lines = caught.value.problems
        assert all("\n" not in line for line in lines)
        return [line.replace(f"{tmp_path}/", "") for line in lines]

    return problems
