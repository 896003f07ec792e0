"""`edge-fusion alerts`: what fires, on the terminal."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

alerts_app = typer.Typer(help="See what fires, now or as it happens.", no_args_is_help=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="Takes the broker from this file.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print what was published, one JSON document a line.")
]


@alerts_app.callback()
def quietly() -> None:
    """See what fires, now or as it happens."""
    # What goes wrong with the connection is told once, in our words.
    logging.getLogger("edge_fusion.mqtt").setLevel(logging.CRITICAL)


@alerts_app.command("list")
def alerts_list(config: ConfigOption, *, as_json: JsonOption = False) -> None:
    """Print what fires now, and end."""
    from edge_fusion.following import list_alerts

    list_alerts(config, os.environ, as_json=as_json)


@alerts_app.command("tail")
def alerts_tail(
    config: ConfigOption,
    *,
    as_json: JsonOption = False,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="End by itself after so many.")
    ] = None,
) -> None:
    """Print each change of an alert as it happens. Ctrl-C ends it."""
    from edge_fusion.following import tail_alerts

    tail_alerts(config, os.environ, as_json=as_json, duration=duration)
