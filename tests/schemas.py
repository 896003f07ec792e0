"""The published JSON Schemas, by the topic of a message."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).parents[1] / "deploy" / "schemas"
KINDS = {"alert": "alert", "event": "alert", "window": "window", "late": "late",
         "silenced": "silenced"}  # fmt: skip


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.json").read_text())
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def valid(topic: str, payload: bytes) -> Any:
    """The document that a message of the daemon holds, which must be as published."""
    document = json.loads(payload)
    (name,) = [KINDS[level] for level in topic.split("/")[2:3]]
    _validator(name).validate(document)
    return document
