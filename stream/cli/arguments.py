"""Arguments and options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="the configuration, a YAML file")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only print what would change")]


class Part(StrEnum):
    """What a process of ``segment`` takes upon itself."""

    WHOLE = "whole"
    LIVE = "live"
    ARCHIVE = "archive"
    SHADOW = "shadow"

    @property
    def role(self) -> str:
        """What such a process calls itself."""
        # A name of its own, or it would look as if somebody looked at live cameras.
        own = {Part.ARCHIVE: "segment-archive", Part.SHADOW: "shadow"}
        return own.get(self, "segment")
