"""What consumers may rely on lies in deploy/schemas, word for word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

FOLDER = Path(__file__).parents[2] / "deploy" / "schemas"
NAMES = ("alert", "config", "late", "silenced", "window")


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_published_as_it_is_printed(name: str) -> None:
    """`make schemas` writes them."""
    command = [sys.executable, "-m", "edge_fusion", "schema", name]
    done = subprocess.run(command, check=True, capture_output=True)
    assert (FOLDER / f"{name}.json").read_bytes() == done.stdout
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_no_other_schema_is_published() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == [*NAMES]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "config"])
def test_a_schema_says_what_may_change_under_its_number(name: str) -> None:
    schema = json.loads((FOLDER / f"{name}.json").read_text())
    number = schema["properties"]["schema"]
    assert number["const"] == 1
    assert "none is taken away" in number["description"]
