"""All inputs of a harness once more: `python -m fuzz.replay HARNESS=DIRECTORY ...`.

Under coverage.py this tells in lines and branches how far the inputs reach.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Run every file of each directory through its harness."""
    for argument in sys.argv[1:]:
        name, _, directory = argument.partition("=")
        check = importlib.import_module(f"fuzz.{name}").check
        for path in sorted(Path(directory).iterdir()):
            check(path.read_bytes())


if __name__ == "__main__":
    main()
