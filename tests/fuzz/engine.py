"""One harness under libFuzzer: `python -m fuzz.engine HARNESS [libFuzzer's arguments]`."""

from __future__ import annotations

import importlib
import sys

import atheris


def main() -> None:
    """Fuzz until libFuzzer has enough; it ends the process itself."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["edge_fusion"]):
        harness = importlib.import_module(f"fuzz.{name}")
    atheris.Setup(sys.argv, harness.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
