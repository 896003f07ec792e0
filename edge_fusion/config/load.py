"""From a configuration file and the environment to settings, or to one line per problem.

Reads the TOML file and the password file and has no other effect.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from edge_fusion.config.alerting import alert_problems
from edge_fusion.config.keys import BASE, SOURCELESS
from edge_fusion.config.overrides import Location, Override, apply_override, find_overrides
from edge_fusion.config.problems import describe, location_of
from edge_fusion.config.secrets import with_secrets
from edge_fusion.config.settings import Settings
from edge_fusion.errors import ConfigError
from edge_fusion.model.spec import ModelSpec

__all__ = ["Settings", "config_schema", "load", "load_broker", "model_problems"]

_POSITION = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")

# Where a key wants text, "5" in the environment is meant as text.
_TEXT_WANTED: Final = frozenset({"string_type", "path_type", "enum", "zoneinfo_str"})
# It only says that another key of the same table is wrong.
_ECHO: Final = "default_factory_not_called"


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in `path`, overridden by `EDGE_FUSION_…` variables of `environ`.

    A secret comes from its key, `mqtt.password`, from a file, `mqtt.password_file` or, when neither
    is given, the file `mqtt.password` in `$CREDENTIALS_DIRECTORY`; afterwards it stands in its key.
    Likewise `web.token`.

    Raises:
        ConfigError: with one line for each problem, which names the file or the variable, the
            key, what was found and what is allowed.
    """
    draft = _Draft(path, _read(path), find_overrides(environ, Settings.model_fields))
    return with_secrets(draft.settings(), path, environ)


def load_broker(
    path: Path | None, environ: Mapping[str, str], options: Sequence[Override] = ()
) -> Settings:
    """The settings of a program that wants to know of the broker and needs no sensor to be there.

    As `load`, but there may be no file, and `options` of the command line win over both.
    """
    label = path or Path("command line")
    given = {option.location for option in options}
    found = find_overrides(environ, Settings.model_fields)
    overrides = [*(override for override in found if override.location not in given), *options]
    tree = {} if path is None else _read(path)
    draft = _Draft(label, tree, sorted(overrides, key=Override.rank), sourceless=True)
    return with_secrets(draft.settings(), label, environ)


def config_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the configuration file, with descriptions and defaults."""
    schema = Settings.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def model_problems(settings: Settings, spec: ModelSpec, path: Path) -> list[str]:
    """Where the settings in `path` do not fit a model, one line each."""
    thresholds = {label: spec.threshold(label) for label in spec.labels}
    found = alert_problems(settings.alerts, spec.name, thresholds)
    problems = [f"{path}: {each}" for each in found]
    try:
        settings.windows.size_and_every(spec.window_s)
    except ValueError as error:
        problems.append(f"{path}: windows.every {error}")
    return problems


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: what has no value is absent."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if generated.get("default", ...) is None:
            del generated["default"]
        return generated


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the file and the environment say, not yet checked."""

    path: Path
    tree: dict[str, Any]
    overrides: list[Override]
    sourceless: bool = False

    def settings(self) -> Settings:
        """The settings; raises ConfigError with everything that is wrong."""
        merged, problems = self._merged(frozenset())
        errors = self._errors(merged)
        as_text = frozenset(e["loc"] for e in errors if e["type"] in _TEXT_WANTED)
        if as_text & {override.location for override in self.overrides}:
            merged, problems = self._merged(as_text)
            errors = self._errors(merged)
        problems += [f"{self._source(error)}: {describe(error, Settings)}" for error in errors]
        if problems:
            raise ConfigError(problems)
        return self._validated(merged)

    def _merged(self, as_text: frozenset[Location]) -> tuple[dict[str, Any], list[str]]:
        """The tree with the overrides in it, those of `as_text` not taken for TOML values."""
        tree, problems = copy.deepcopy(self.tree), []
        for override in self.overrides:
            value = override.text if override.location in as_text else override.value()
            try:
                apply_override(tree, override, value)
            except ValueError as error:
                problems.append(f"{override.name}: {error}")
        return tree, problems

    def _validated(self, tree: dict[str, Any]) -> Settings:
        context = {BASE: self.path.absolute().parent, SOURCELESS: self.sourceless}
        return Settings.model_validate(tree, context=context)

    def _errors(self, tree: dict[str, Any]) -> list[ErrorDetails]:
        try:
            self._validated(tree)
        except ValidationError as error:
            return [e for e in error.errors(include_url=False) if e["type"] != _ECHO]
        return []

    def _source(self, error: ErrorDetails) -> str:
        """The variable that an error comes from, else the file."""
        location = location_of(error)
        for override in self.overrides:
            own = override.location
            set_here = location[: len(own)] == own
            made_here = own[: len(location)] == location and not _holds(self.tree, location)
            if set_here or made_here:
                return override.name
        return str(self.path)


def _holds(tree: Any, location: Location) -> bool:
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        found = error.strerror or str(error)
        raise ConfigError([f"{path}: {found}: expected a readable TOML file"]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([f"{path}: line {line} is not UTF-8: expected a TOML file"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {_with_line_first(str(error))}"]) from None


def _with_line_first(message: str) -> str:
    match = _POSITION.search(message)
    return f"{match[1]}: {message[: match.start()]}" if match else message
