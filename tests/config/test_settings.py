from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema

from edge_fusion.config import config_schema, load

SAMPLE = Path(__file__).parents[2] / "deploy" / "edge-fusion.toml"


def test_the_schema_is_a_manual_of_every_key() -> None:
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    tables = [schema, *(d for d in schema["$defs"].values() if d["type"] == "object")]
    for table in tables:
        assert table["additionalProperties"] is False
        assert table["description"]
        for key in () if table is schema else table["properties"].values():
            assert key["description"]
    assert schema["$defs"]["WindowSettings"]["properties"]["carry"]["default"] == "15m"
    assert "for" in schema["$defs"]["AlertSettings"]["properties"]


def test_the_schema_takes_what_is_read_and_refuses_what_is_unknown() -> None:
    validator = jsonschema.Draft202012Validator(config_schema())
    validator.validate(tomllib.loads(SAMPLE.read_text("utf-8")))
    assert not validator.is_valid(tomllib.loads("[mqtt]\nhosst = 'x'"))


def uncommented(text: str, mark: str) -> str:
    return re.sub(rf"^{re.escape(mark)} (?=[a-z_0-9]+ = |\[)", "", text, flags=re.MULTILINE)


def test_the_sample_states_the_defaults(tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    everything = uncommented(text, "#")
    assert everything.count("\n#") < text.count("\n#") - 30
    copy = tmp_path / SAMPLE.name
    copy.write_text(everything, "utf-8")
    assert load(copy, {}) == load(SAMPLE, {})


def test_the_sample_names_every_key() -> None:
    text = uncommented(uncommented(SAMPLE.read_text("utf-8"), "#"), "#:")
    named: dict[str, set[str]] = {}
    for line in text.splitlines():
        if header := re.match(r"\[+([a-z]+)\]+$", line):
            table = named.setdefault(header[1], set())
        elif key := re.match(r"([a-z_0-9]+) = ", line):
            table.add(key[1])
    assert named == {name: keys_of(schema) for name, schema in tables_by_name().items()}


def tables_by_name() -> dict[str, Any]:
    schema = config_schema()
    references = {
        name: key.get("$ref") or key["items"]["$ref"] for name, key in schema["properties"].items()
    }
    return {name: schema["$defs"][ref.rpartition("/")[2]] for name, ref in references.items()}


def keys_of(table: dict[str, Any]) -> set[str]:
    return set(table["properties"])


def test_the_sample_names_the_keys_of_tables_within_tables() -> None:
    text = SAMPLE.read_text("utf-8")
    for name, table in config_schema()["$defs"].items():
        if table["type"] == "object" and name not in {
            ref["title"] for ref in tables_by_name().values()
        }:
            for key in table["properties"]:
                assert re.search(rf"[{{,] {key} = ", text), f"{name}.{key}"


def test_the_sample_says_of_every_key_what_it_means() -> None:
    """On its line, or above it and other keys that follow each other."""
    text = SAMPLE.read_text("utf-8")
    examples = text[text.index("## Bare numbers") : text.index("\n[[cameras]]")]
    is_said = False
    for line in text.replace(examples, "").splitlines():
        is_key = re.match(r"(#:? )?[a-z_0-9]+ = ", line)
        says = "##" in line
        assert not is_key or says or is_said, line
        is_said = line.startswith("##") or (is_said and bool(is_key) and not says)
