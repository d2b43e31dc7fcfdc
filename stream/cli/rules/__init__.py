"""``maskstream rules test``: a user's own rules, on what was recorded."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from stream import codec
from stream.backtest import rows
from stream.cli.audit import parse_since, results_of
from stream.cli.progress import showing
from stream.cli.rules.crew import Crew, Work
from stream.cli.rules.doubts import doubts
from stream.cli.rules.expected import differences, read_expected
from stream.cli.rules.recording import Recording, of_file, of_topic
from stream.cli.rules.table import print_tables
from stream.cli.rules.timeline import check_timeline, draw
from stream.config import Settings, load
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError
from stream.types import Alert
from stream.watching import plans


@dataclass(frozen=True)
class Files:
    """What is written besides the table, a picture and every change, and what has to come."""

    timeline: Path | None = None
    json: Path | None = None
    expect: Path | None = None


def try_rules(config: Path, results: Path | None, since: str | None, files: Files) -> int:
    """Print which alerts the rules of ``config`` give on what was recorded; returns the exit code.

    That is the file ``results``; without it what the configuration names: on Kafka its topic
    ``masks``, from ``since`` on, else its results file.
    """
    settings = load(config, secrets=False)
    recording = _recording(config, settings, results, since)
    wanted = None if files.expect is None else read_expected(files.expect)
    if files.timeline is not None:
        check_timeline(files.timeline)
    crew = Crew(Work(settings.rules, settings.zones, recording.read))
    with _written(files.json) as file:
        came = asyncio.run(_replay(crew, recording, file, keep=wanted is not None))
    found, watched = crew.found, plans(settings.rules, settings.zones)
    if recording.passed.done and all(each.first_us is None for each in found.cameras.values()):
        raise ConfigError(next(each.fault for each in found.cameras.values()))
    lines = rows(settings.rules, watched, found)
    if files.timeline is not None:
        draw(files.timeline, lines, found)
    print_tables(Console(), lines, found)
    for doubt in doubts(settings.rules, watched, found):
        print(f"warning: {doubt}", file=sys.stderr)
    return EXIT_OK if wanted is None else _compared(wanted, came)


def _recording(
    config: Path, settings: Settings, results: Path | None, since: str | None
) -> Recording:
    if results is None and settings.on_kafka:
        since_us = None if since is None else parse_since(since, datetime.now(UTC))
        return of_topic(settings, since_us)
    if since is not None:
        raise ConfigError(f"--since: given {since}; a results file is read whole")
    return of_file(results_of(config, settings) if results is None else results)


async def _replay(
    crew: Crew, recording: Recording, file: BinaryIO | None, *, keep: bool
) -> list[Alert]:
    """Replay all, and write every change to ``file``; returns them where they are to be kept."""
    came: list[Alert] = []
    console = Console(stderr=True)
    async with showing(recording.passed, console, "replaying", "results", "results"):
        async for change in crew.told(recording):
            if file is not None:
                file.write(change + b"\n")
            if keep:
                alert = codec.from_json(change)
                assert isinstance(alert, Alert)
                came.append(alert)
    return came


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("wb")
    except OSError as error:
        raise ConfigError(f"--json {path}: {error.strerror}") from error
    with file:
        yield file


def _compared(wanted: Sequence[Alert], came: Sequence[Alert]) -> int:
    lines = list(differences(wanted, came))
    for line in lines:
        print(line, file=sys.stderr)
    return EXIT_DIFFERENT if lines else EXIT_OK
