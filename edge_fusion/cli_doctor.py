"""`edge-fusion doctor`: what a person would check by hand, with what to do next."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_fusion.leave import leave


def doctor(
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="Configuration file (TOML).")
    ],
    *,
    duration: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=86400, help="How long to listen.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of lines.")] = False,
) -> None:
    """Examine configuration, box, model, cameras, broker and devices; exit 1 on a problem."""
    from edge_fusion.doctor.examination import examine
    from edge_fusion.doctor.finding import Verdict

    # What goes wrong is told once, as a finding.
    logging.getLogger("edge_fusion").setLevel(logging.CRITICAL)
    if sys.stderr.isatty():
        print(f"listens for {duration:g} s at the end", file=sys.stderr)
    findings = []
    for finding in examine(config, os.environ, duration=duration):
        findings.append(finding)
        if not as_json:
            print(finding, flush=True)
    if as_json:
        json.dump([each.as_json() for each in findings], sys.stdout, indent=1, ensure_ascii=False)
        print()
    leave(1 if any(each.verdict is Verdict.PROBLEM for each in findings) else 0)
