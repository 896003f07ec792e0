"""Environment variables that override keys of the configuration file.

`EDGE_FUSION_WINDOWS__SIZE` is `windows.size`, `EDGE_FUSION_SENSORS__0__TOPIC` the topic of the
first sensor. A name without `__` that is no table of the configuration is not ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

PREFIX: Final = "EDGE_FUSION_"
_SEPARATOR: Final = "__"

Location = tuple[str | int, ...]
"""Where a key stands: ("sensors", 0, "topic")."""


@dataclass(frozen=True, slots=True)
class Override:
    """One environment variable or option: its name, the key it stands for, and its text."""

    name: str
    location: Location
    text: str

    def value(self) -> Any:
        """The text as a TOML value if it is one, else as it is."""
        try:
            table = tomllib.loads(f"value = {self.text}")
        except tomllib.TOMLDecodeError:
            return self.text
        # A line break in the text could have brought further keys.
        return table["value"] if len(table) == 1 else self.text

    def rank(self) -> list[str]:
        """Sorts tables before what is in them."""
        return [str(part).zfill(6) for part in self.location]


def find_overrides(environ: Mapping[str, str], tables: Collection[str]) -> list[Override]:
    """The overrides in `environ`, tables before what is in them; `tables`: the top-level keys."""
    found = []
    for name, text in environ.items():
        parts = name.removeprefix(PREFIX).lower().split(_SEPARATOR)
        if name.startswith(PREFIX) and (len(parts) > 1 or parts[0] in tables):
            location = tuple(int(part) if part.isdecimal() else part for part in parts)
            found.append(Override(name, location, text))
    return sorted(found, key=Override.rank)


def apply_override(tree: dict[str, Any], override: Override, value: Any) -> None:
    """Put `value` where `override` says, making the tables on the way.

    Raises ValueError with what is wrong when there is no such place.
    """
    node: Any = tree
    for part, following in pairwise(override.location):
        empty: Any = [] if isinstance(following, int) else {}
        node = _enter(node, part, empty)
    _enter(node, override.location[-1], value)
    node[override.location[-1]] = value


def _enter(node: Any, part: str | int, empty: Any) -> Any:
    """The child `part` of `node`, made out of `empty` where there is none."""
    if isinstance(node, dict) and isinstance(part, str):
        return node.setdefault(part, empty)
    if not isinstance(node, list) or not isinstance(part, int):
        raise ValueError(f"there is no key {part!r} here: expected the names of the file")  # noqa: TRY004 - text of a user, not a type of ours
    if part > len(node):
        raise ValueError(f"index {part} is out of range: expected 0 to {len(node)}")
    if part == len(node):
        node.append(empty)
    return node[part]
