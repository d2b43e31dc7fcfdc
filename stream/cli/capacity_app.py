"""``maskstream capacity``: its commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

capacity_app = typer.Typer(
    help="How much hardware, and what scaling makes of a day.", no_args_is_help=True
)


@capacity_app.command("replay")
def capacity_replay(
    day: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DAY.csv]",
            help="your own day, time,frames_per_s; without it, three drawn ones",
        ),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(metavar="VALUES.yaml", help="values of the chart, as you have them"),
    ] = None,
    capacity: Annotated[
        float | None,
        typer.Option(min=0.01, help="frames/s of a pod: maskstream_capacity_frames_per_second"),
    ] = None,
    fps: Annotated[float, typer.Option(min=0.01, help="frames/s of a camera")] = 10.0,
    start: Annotated[
        float | None, typer.Option(min=0, help="seconds until a pod that is asked for is ready")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="folder for a picture of each day")] = None,
) -> None:
    """Replay a day of load against KEDA's formula: what is skipped, how old results are, and what
    is saved against pods for the peak.
    """
    from stream.cli.capacity.replaying import Given, print_replays

    print_replays(Given(day, values, capacity, fps, start, plots))


@capacity_app.command("size")
def capacity_size(
    card: Annotated[
        float | None, typer.Option(min=0.01, help="frames/s that one of your cards does")
    ] = None,
) -> None:
    """Print brokers, cores, network and disk for 10, 1,000 and 100,000 cameras, in Markdown."""
    from stream.cli.capacity.sizing import print_tables

    print_tables(card)
