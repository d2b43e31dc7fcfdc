"""``maskstream cameras``: its commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from stream.cli.arguments import Config, DryRun

cameras_app = typer.Typer(
    help="Add, change and remove cameras on Kafka while everything runs.", no_args_is_help=True
)


@cameras_app.command("apply")
def cameras_apply(
    config: Config,
    cameras: Annotated[
        Path | None,
        typer.Argument(
            metavar="CAMERAS.yaml", help="the list, {cameras: [...]}; without it, CONFIG's own"
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Make the registry hold exactly this list: adds, changes and removes; again and again."""
    from stream.cli.cameras import apply

    apply(config, cameras, dry_run)


@cameras_app.command("list")
def cameras_list(config: Config) -> None:
    """Print the cameras in the registry, with their partitions."""
    from stream.cli.cameras import print_list

    print_list(config)


@cameras_app.command("add")
def cameras_add(
    config: Config,
    camera: Annotated[
        Path,
        typer.Argument(
            metavar="CAMERA.yaml", help="one camera, {id: hall, url: rtsp://...}; - is stdin"
        ),
    ],
    dry_run: DryRun = False,
) -> None:
    """Add one camera; the others stay as they are."""
    from stream.cli.cameras import add

    add(config, camera, dry_run)


@cameras_app.command("remove")
def cameras_remove(
    config: Config,
    camera: Annotated[str, typer.Argument(metavar="ID", help="the camera")],
    dry_run: DryRun = False,
) -> None:
    """Remove one camera; the others stay as they are."""
    from stream.cli.cameras import remove

    remove(config, camera, dry_run)


@cameras_app.command("status")
def cameras_status(config: Config) -> None:
    """Print the last state of each camera, since when, and why."""
    from stream.cli.cameras import print_status

    print_status(config)
