"""Writes the dashboards: `python deploy/grafana/source`."""

from __future__ import annotations

import json
from pathlib import Path

from health import health
from overview import overview

DASHBOARDS = Path(__file__).parent.parent / "dashboards"


def main() -> None:
    for name, content in (("overview", overview()), ("health", health())):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (DASHBOARDS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
