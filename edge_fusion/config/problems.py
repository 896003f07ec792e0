"""One line for each thing that is wrong with a configuration: where, what, and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic_core import ErrorDetails

from edge_fusion.config.keys import PROBLEM, Table
from edge_fusion.config.overrides import Location

_LONGEST = 200
_SECRETS: Final = frozenset({"password", "token", "url"})

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "a text in quotes",
    "path_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "enum": "{expected}",
    "zoneinfo_str": "an IANA time zone, such as Europe/Berlin",
}


def dotted(location: Sequence[str | int]) -> str:
    """A location as people write it: `alerts[1].label`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def location_of(error: ErrorDetails) -> Location:
    """Where the key stands that an error is about."""
    key = error.get("ctx", {}).get("key") if error["type"] == PROBLEM else None
    return (*error["loc"], key) if key else error["loc"]


def describe(error: ErrorDetails, root: type[Table]) -> str:
    """What is wrong, without saying where the key stands. Never shows a password."""
    location = location_of(error)
    key = dotted(location)
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _unknown(location, root)
        case "missing":
            return f"{key} is absent: expected a value"
        case kind if kind == PROBLEM:
            return f"{key} {context['text']}"
        case "value_error":
            allowed = str(context["error"])
        case kind:
            expected = _EXPECTED.get(kind)
            allowed = f"expected {expected.format(**context)}" if expected else error["msg"]
    if error["type"] == "tuple_type" and isinstance(error["input"], dict):
        allowed += f", with two brackets: [[{key}]]"
    return f"{key} is {_shown(location, error['input'])}: {allowed}"


def known_keys(location: Location, root: type[Table]) -> list[str]:
    """The keys of the table at `location`, as the file spells them."""
    table = root
    for part in location:
        if isinstance(part, str):
            table = _table_in(_annotations(table)[part])
    return list(_annotations(table))


def _unknown(location: Location, root: type[Table]) -> str:
    allowed = known_keys(location[:-1], root)
    near = get_close_matches(str(location[-1]).lower(), allowed, n=1)
    advice = f'did you mean "{near[0]}"?' if near else f"expected one of {', '.join(allowed)}"
    return f"{dotted(location)} is no known key: {advice}"


def _annotations(table: type[Table]) -> dict[str, Any]:
    fields = table.model_fields.items()
    return {field.alias or name: field.annotation for name, field in fields}


def _table_in(annotation: Any) -> type[Table]:
    """The table class in an annotation such as `tuple[SensorSettings, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next(_table_in(part) for part in get_args(annotation) if part is not Ellipsis)


def _shown(location: Location, value: object) -> str:
    if location and location[-1] in _SECRETS:
        return "of the wrong kind"
    match value:
        case str() if value.lstrip().startswith("{"):
            # A table in the environment that is no TOML: a password may stand in it.
            return "no TOML table"
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case str() | bool() | int() | float():
            return _cut(json.dumps(value, ensure_ascii=False))
        case _:
            return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
