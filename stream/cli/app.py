"""The commands and their options; what they do is in the modules beside this one."""

from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from stream.cli.arguments import Config, DryRun, Part
from stream.cli.cameras_app import cameras_app
from stream.cli.capacity_app import capacity_app
from stream.errors import EXIT_CODES, ConfigError

_EXIT_CODES = "Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items())

app = typer.Typer(
    name="maskstream",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
model_app = typer.Typer(help="Make model artefacts from weights.", no_args_is_help=True)
rules_app = typer.Typer(help="Test rules on recorded results.", no_args_is_help=True)
topics_app = typer.Typer(
    help="Make the topics on Kafka, and tell who needs which right.", no_args_is_help=True
)
alerts_app = typer.Typer(
    help="Try an endpoint, and send again what it never took.", no_args_is_help=True
)
evidence_app = typer.Typer(help="Delete stored pictures of alerts.", no_args_is_help=True)
config_app = typer.Typer(help="Describe the configuration.", no_args_is_help=True)
metrics_app = typer.Typer(help="Describe the metrics.", no_args_is_help=True)
app.add_typer(model_app, name="model")
app.add_typer(rules_app, name="rules")
app.add_typer(topics_app, name="topics")
app.add_typer(cameras_app, name="cameras")
app.add_typer(alerts_app, name="alerts")
app.add_typer(evidence_app, name="evidence")
app.add_typer(config_app, name="config")
app.add_typer(metrics_app, name="metrics")
app.add_typer(capacity_app, name="capacity")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"maskstream {version('maskstream')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Exact instance masks from cameras and video files, and alerts made from them."""


Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="serve the live page on this port")
]


@app.command()
def run(config: Config, page: Port = None) -> None:
    """Run the whole pipeline in this process until its files end, or until Ctrl-C."""
    from stream.cli.run import run_config

    run_config(config, page)


@app.command()
def ingest(config: Config) -> None:
    """On Kafka: read the cameras and write their frames."""
    _role("ingest", config)


class Frames(StrEnum):
    """Whose frames ``segment`` may be told to keep to."""

    LIVE = "live"
    ARCHIVE = "archive"


@app.command()
def segment(
    config: Config,
    workers: Annotated[int, typer.Option(help="processes, each with a model of its own")] = 1,
    mode: Annotated[
        Frames | None, typer.Option(help="frames of live cameras only, or of files only")
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="with the network that is tried beside the first")
    ] = False,
) -> None:
    """On Kafka: make masks of frames."""
    if shadow and mode is not None:
        raise ConfigError("--shadow: given with --mode; a shadow looks at live cameras alone")
    part = Part.SHADOW if shadow else Part.WHOLE if mode is None else Part(mode.value)
    if workers == 1:
        from stream.cli.roles import run_segment

        run_segment(config, part)
        return
    from stream.cli.workers import run_workers

    raise typer.Exit(run_workers(config, workers, part))


class Host(StrEnum):
    """What takes part in the group of ``watch``."""

    OWN = "own"
    FAUST = "faust"


@app.command()
def watch(
    config: Config,
    host: Annotated[Host, typer.Option(help="what reads the masks from Kafka")] = Host.OWN,
) -> None:
    """On Kafka: make tracks and alerts of masks."""
    if host is Host.OWN:
        _role("watch", config)
        return
    from stream.cli.hosting import watch_on_faust

    watch_on_faust(config)


@app.command()
def notify(config: Config) -> None:
    """On Kafka: deliver alerts to their endpoints."""
    _role("notify", config)


@app.command()
def compare(config: Config) -> None:
    """On Kafka: tell how the network that is tried agrees with the first."""
    _role("compare", config)


@app.command()
def web(config: Config) -> None:
    """On Kafka: serve the live page and the HTTP API."""
    from stream.cli.web import run_web

    run_web(config)


def _role(name: str, config: Path) -> None:
    from stream.cli.roles import run_role

    run_role(name, config)


@app.command()
def demo(
    camera: Annotated[
        str | None, typer.Option(help="a file or an rtsp:// URL instead of the drawn yard")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="a model artefact or YOLOv8-seg weights (.pt)")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="of a model made from weights: f32 (default), bf16 or fp16")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="port of the page")] = 8080,
    once: Annotated[
        bool, typer.Option("--once", help="end after one pass, with the table")
    ] = False,
) -> None:
    """Show masks, zones, identities and alerts on a live page on 127.0.0.1."""
    from stream.cli.demo import run_demo

    run_demo(camera, model, precision, port, once)


@app.command()
def check(config: Config) -> None:
    """Validate a configuration, print it as it will be used, without its secrets, and warn of what
    may not be meant so.
    """
    from stream.cli.documents import print_checked

    print_checked(config)


@app.command()
def audit(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RESULTS", help="a configuration, or the results file of a run"
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="AGO|INSTANT", help="on Kafka, only what came since: 2h, 2026-01-31T06:00:00Z"
        ),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="on Kafka, the masks of the network that is tried")
    ] = False,
) -> None:
    """Prove from the results alone that no frame vanished; exit 1 if one did."""
    from stream.cli.audit import audit_file

    raise typer.Exit(audit_file(results, since, shadow=shadow))


@app.command()
def bench(  # noqa: PLR0913 - one for each thing to measure on
    group: Annotated[
        str | None,
        typer.Argument(help="one group of docs/benchmarks.md, as speed; without it, all"),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="write every figure as one flat object")] = None,
    plots: Annotated[Path | None, typer.Option(help="folder for the plots")] = None,
    material: Annotated[
        Path, typer.Option(help="folder with weights/ and video/ to measure on")
    ] = Path("../shared"),
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="a broker to measure on")
    ] = None,
    rtsp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="cameras to measure on: make cameras")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="only see that all still works")] = False,
) -> None:
    """Measure, interleaved with what is compared, and print tables with machine and spread."""
    from stream.cli.bench import run_groups, scale

    run_groups(group, json, plots, (scale.quick if quick else scale.full)(material, kafka, rtsp))


@app.command()
def schema(
    folder: Annotated[Path, typer.Argument(help="folder that the JSON Schemas are written to")],
) -> None:
    """Write the JSON Schema of every payload."""
    from stream.cli.documents import write_schemas

    write_schemas(folder)


@model_app.command("build")
def model_build(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="YOLOv8-seg weights (.pt)")],
    precision: Annotated[str, typer.Option(help="f32, bf16, fp16 or int8")] = "f32",
    calibrate: Annotated[Path | None, typer.Option(help="int8: a clip to calibrate on")] = None,
    output: Annotated[Path | None, typer.Option(help="folder of the artefact")] = None,
) -> None:
    """Make a model artefact from weights, in a child process that has torch."""
    from stream.cli.model import build

    build(weights, precision, calibrate, output)


@rules_app.command("test")
def rules_test(
    config: Config,
    results: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RESULTS]", help="results.jsonl of a run; without it, what CONFIG names"
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="AGO|INSTANT", help="on Kafka, only what came since: 7d, 2026-01-31T06:00:00Z"
        ),
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="draw when alerts were open")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="write every change of an alert, a line each")
    ] = None,
    expect: Annotated[
        Path | None, typer.Option(help="what --json wrote before; exit 1 where it differs")
    ] = None,
) -> None:
    """Tell which alerts these rules would have sent for what was recorded, and when."""
    from stream.cli.rules import Files, try_rules

    raise typer.Exit(try_rules(config, results, since, Files(timeline, json, expect)))


@evidence_app.command("purge")
def evidence_purge(
    config: Config,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="only what was stored longer ago: 30d")
    ] = None,
    camera: Annotated[str | None, typer.Option(metavar="ID", help="only of this camera")] = None,
    alert: Annotated[str | None, typer.Option(metavar="ID", help="only of this alert")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only print what would be deleted")
    ] = False,
) -> None:
    """Delete evidence, of a camera or an alert, or what is older than evidence.keep."""
    from stream.cli.evidence import Wanted, purge

    purge(config, Wanted(older_than, camera, alert), dry_run)


@config_app.command("docs")
def config_docs() -> None:
    """Print the reference page of the configuration."""
    from stream.cli.documents import print_reference

    print_reference()


@metrics_app.command("docs")
def metrics_docs() -> None:
    """Print the reference page of the metrics."""
    from stream.cli.metrics import print_page

    print_page()


@topics_app.command("apply")
def topics_apply(
    config: Config,
    dry_run: DryRun = False,
) -> None:
    """Make the topics that are missing and change settings that differ; again and again."""
    from stream.cli.topics import apply

    apply(config, dry_run)


@topics_app.command("acls")
def topics_acls(config: Config) -> None:
    """Print the rights that each role needs, a user for each, as arguments of kafka-acls."""
    from stream.cli.topics import print_acls

    print_acls(config)


@alerts_app.command("try")
def alerts_try(
    config: Config,
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="the id of an endpoint")],
) -> None:
    """Send a test alert to an endpoint and tell what it answers; exit 1 if it is not taken."""
    from stream.cli.trial import try_endpoint

    raise typer.Exit(try_endpoint(config, endpoint))


@alerts_app.command("replay")
def alerts_replay(
    config: Config,
    endpoint: Annotated[
        str | None, typer.Option(metavar="ID", help="only those for this endpoint")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="AGO|INSTANT", help="only those given up since: 2h, 2026-01-31T06:00:00Z"
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """On Kafka: send alerts again that an endpoint never took, to that endpoint only."""
    from stream.cli.alerts import replay

    replay(config, endpoint, since, dry_run)
