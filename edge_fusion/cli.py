"""The command line. Exit codes: 0 done, 1 a problem the user can mend, 2 usage, 78 see `run`.

Whatever is heavy is imported in the command that needs it: `--help` answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from edge_fusion import __version__
from edge_fusion.cli_alerts import alerts_app
from edge_fusion.cli_doctor import doctor
from edge_fusion.cli_model import model_app
from edge_fusion.errors import ConfigError, EdgeFusionError, ModelError, RecordingError
from edge_fusion.leave import leave
from edge_fusion.logs import LogFormat, LogLevel, is_journal, set_up_logging

if TYPE_CHECKING:
    from edge_fusion.config.settings import Settings

EX_CONFIG: Final = 78
"""Of sysexits.h; systemd is told not to restart a daemon that ends with it."""

_PROBE_TIMEOUT = 5.0

app = typer.Typer(
    name="edge-fusion",
    help="Fuses IoT sensors with cameras at the edge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(model_app, name="model")
app.add_typer(alerts_app, name="alerts")
app.command()(doctor)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="Configuration file (TOML).")
]
DurationOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", min=0.0, help="End by itself after so many seconds."),
]


def _size(text: str) -> int:
    from edge_fusion.config.measures import parse_size

    try:
        return parse_size(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


MaxBytesOption = Annotated[
    int | None,
    typer.Option(metavar="SIZE", parser=_size, help='End the recording at this size, as "2GB".'),
]
RecordingArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Directory of the recording.")
]


def main() -> None:
    """Run the command line of this process and exit."""
    # OpenCV reads these when it is imported. What a broken picture is, we say ourselves.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        app(prog_name="edge-fusion")
    except EdgeFusionError as error:
        _complain(error)
        leave(1)


def _complain(error: object) -> None:
    print(error, file=sys.stderr)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        print(f"edge-fusion {__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    *,
    log_level: Annotated[LogLevel, typer.Option(help="Log from here on.")] = LogLevel.INFO,
    log_format: Annotated[
        LogFormat, typer.Option(help="Of a line; auto: text, as the place wants it.")
    ] = LogFormat.AUTO,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Fuses IoT sensors with cameras at the edge: windows, an ONNX model, alerts over MQTT."""
    del show_version  # its callback has done it
    set_up_logging(log_level, log_format, journal=is_journal(sys.stderr, os.environ))


@app.command()
def run(
    config: ConfigOption,
    *,
    record: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write down what comes, for `replay`.")
    ] = None,
    max_bytes: MaxBytesOption = None,
) -> None:
    """Run the daemon. Exits with 78 on a bad configuration or model."""
    from edge_fusion.daemon import RecordTo
    from edge_fusion.start import run_daemon

    if max_bytes is not None and record is None:
        raise typer.BadParameter("bounds a recording: it needs --record", param_hint="--max-bytes")
    try:
        target = None if record is None else RecordTo(record, max_bytes)
        code = run_daemon(config, os.environ, target)
    except (ConfigError, ModelError, RecordingError) as error:
        _complain(error)
        code = EX_CONFIG
    leave(code)


@app.command()
def record(
    config: ConfigOption,
    directory: RecordingArgument,
    *,
    duration: DurationOption = None,
    max_bytes: MaxBytesOption = None,
) -> None:
    """Write down what the configured topics carry, for `replay`. Ctrl-C ends it."""
    from edge_fusion.record import record as write_down

    write_down(config, directory, os.environ, duration=duration, max_bytes=max_bytes)
    leave(0)


@app.command()
def replay(
    config: ConfigOption,
    directory: RecordingArgument,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all that the daemon would publish; - is stdout."),
    ] = None,
) -> None:
    """Run a recording through the pipeline, with the results of the live run."""
    from edge_fusion.replay import replay as run_through

    run_through(config, directory, os.environ, out=out)


@app.command()
def check(config: ConfigOption) -> None:
    """Validate configuration, model, broker and cameras; one line per problem."""
    from edge_fusion.config import exposures, load, loose_files

    settings = load(config, os.environ)
    for line in loose_files(settings):
        _complain(f"{config}: warning: {line}")
    # What goes wrong with the connection is told once, in our words.
    logging.getLogger("edge_fusion.mqtt").setLevel(logging.CRITICAL)
    problems = [
        *_check_model(settings, config),
        *exposures(settings, config),
        *_check_broker(settings, config),
        *_check_cameras(settings, config),
    ]
    if problems:
        raise ConfigError(problems)
    print(f"{config}: OK")


def _check_model(settings: Settings, config: Path) -> list[str]:
    from edge_fusion.assembly import configured_model
    from edge_fusion.config import model_problems
    from edge_fusion.config.measures import format_duration

    try:
        spec = configured_model(settings.model).spec
    except ModelError as error:
        return [f"{config}: model: {error}"]
    size = settings.windows.size
    if size is not None and size != spec.window_s:
        found, made_for = format_duration(size), format_duration(spec.window_s)
        _complain(
            f'{config}: warning: windows.size is "{found}": '
            f'{spec.name} was made for windows of "{made_for}"'
        )
    return model_problems(settings, spec, config)


def _check_broker(settings: Settings, config: Path) -> list[str]:
    from edge_fusion import assembly
    from edge_fusion.codecs.topics import barrier_topic
    from edge_fusion.io.probe import probe

    mqtt = settings.mqtt
    try:
        faults = probe(
            assembly.broker_settings(mqtt),
            _PROBE_TIMEOUT,
            subscriptions=(
                *assembly.sensor_subscriptions(settings),
                *assembly.camera_subscriptions(settings),
                assembly.silence_subscription(settings),
            ),
            echo=barrier_topic(mqtt.prefix, mqtt.box),
        )
    except ConfigError as error:
        return [f"{config}: {problem}" for problem in error.problems]
    return [f"{config}: broker {mqtt.host}:{mqtt.port}: {fault}" for fault in faults]


def _check_cameras(settings: Settings, config: Path) -> list[str]:
    from edge_fusion.assembly import video_sources
    from edge_fusion.io.cameras import faults

    sources = video_sources(settings)
    return [
        f"{config}: camera {source.name}: {source.address}: {fault}"
        for source, fault in zip(sources, faults(sources), strict=True)
        if fault is not None
    ]


@app.command()
def sniff(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Takes the broker from this file."),
    ] = None,
    *,
    host: Annotated[str | None, typer.Option(help="Broker, instead of a file.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Of the broker.")] = None,
    username: Annotated[
        str | None, typer.Option(help="At the broker; password: EDGE_FUSION_MQTT__PASSWORD.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that holds the password.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Connect by TLS.")] = False,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Trusted authority (PEM); implies --tls.")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate of this box (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM).")] = None,
    duration: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=86400, help="How long to listen.")
    ] = 10.0,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="FILTER", help="What to listen to. May be repeated.")
    ] = None,
) -> None:
    """Listen to a broker and print the [[sensors]] and [[cameras]] that it has."""
    given = {
        ("host",): host,
        ("port",): port,
        ("username",): username,
        ("password_file",): password_file and password_file.absolute(),
        ("tls",): "{}" if tls else None,
        ("tls", "ca"): ca and ca.absolute(),
        ("tls", "cert"): cert and cert.absolute(),
        ("tls", "key"): key and key.absolute(),
    }
    if config is not None and any(value is not None for value in given.values()):
        raise typer.BadParameter("names a broker: give no other", param_hint="--config")
    filters = _filters(topic or ["#"])

    from edge_fusion.config.overrides import Override
    from edge_fusion.sniff import sniff as listen

    logging.getLogger("edge_fusion.mqtt").setLevel(logging.CRITICAL)
    options = [
        Override(f"--{names[-1].replace('_', '-')}", ("mqtt", *names), str(value))
        for names, value in given.items()
        if value is not None
    ]
    listen(config, os.environ, options, duration=duration, filters=filters)


def _filters(topics: Sequence[str]) -> list[str]:
    from edge_fusion.codecs.topics import TopicPattern

    try:
        return [TopicPattern.parse(topic).filter for topic in topics]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--topic") from None


@app.command()
def demo(
    *,
    duration: DurationOption = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the live page and /metrics; 0: any free one.")
    ] = 0,
) -> None:
    """Show everything at work, with an embedded broker and simulated sites."""
    from edge_fusion.demo import run_demo

    raise typer.Exit(run_demo(duration, port=port))


@app.command()
def simulate(
    config: ConfigOption,
    *,
    scenario: Annotated[str, typer.Option(help="What happens: demo, mixed or one story.")] = "demo",
    sites: Annotated[int, typer.Option(min=1, help="How many sites there are.")] = 3,
    speed: Annotated[float, typer.Option(min=0.01, help="Simulated seconds a second.")] = 1.0,
    duration: DurationOption = None,
) -> None:
    """Publish as simulated devices would, to the configured broker."""
    from edge_fusion.assembly import broker_settings, simulated_topics
    from edge_fusion.config import load
    from edge_fusion.simulator.run import Topics
    from edge_fusion.simulator.run import simulate as publish

    settings = load(config, os.environ)
    topics = Topics(*simulated_topics(settings, config))
    with suppress(KeyboardInterrupt):
        publish(
            broker_settings(settings.mqtt),
            topics,
            scenario=scenario,
            sites=sites,
            speed=speed,
            duration=duration,
        )


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def train(context: typer.Context) -> None:
    """Fit, evaluate and export a model (extra "train")."""
    try:
        from edge_fusion.training.cli import app as training
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("edge_fusion"):
            raise
        raise EdgeFusionError(
            f"{error.name} is not installed: training needs pip install 'edge-fusion[train]'"
        ) from None
    training(context.args, prog_name="edge-fusion train")


class SchemaName(StrEnum):
    """What there are schemas of."""

    CONFIG = "config"
    ALERT = "alert"
    WINDOW = "window"
    LATE = "late"
    SILENCED = "silenced"


@app.command()
def schema(name: Annotated[SchemaName, typer.Argument(help="Of what.")]) -> None:
    """Print the JSON Schema of the configuration or of a payload."""
    print(json.dumps(_schema(name), indent=2, ensure_ascii=False))


def _schema(name: SchemaName) -> dict[str, Any]:
    if name is SchemaName.CONFIG:
        from edge_fusion.config import config_schema

        return config_schema()
    from edge_fusion.codecs.alert import alert_schema, late_schema, window_schema
    from edge_fusion.codecs.silence import silenced_schema

    payloads = {
        SchemaName.ALERT: alert_schema,
        SchemaName.WINDOW: window_schema,
        SchemaName.LATE: late_schema,
        SchemaName.SILENCED: silenced_schema,
    }
    return payloads[name]()
