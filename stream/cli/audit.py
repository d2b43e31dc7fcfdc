"""``maskstream audit``: what the results alone prove."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.table import Table

from connectors import open_kafka
from stream import codec
from stream.audit import Audit, EpochAudit
from stream.cli.kafka_only import shadow_of
from stream.config import Settings, load
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError, RecordError
from stream.specs import seconds
from stream.types import MaskMessage

ANY_WIDTH = 1_000


def audit_file(path: Path, since: str | None, *, shadow: bool = False) -> int:
    """Audit a results file, or what a configuration names; returns the exit code.

    A configuration names a results file, or on Kafka the topic ``masks`` as it is now, or that of
    its ``shadow``; ``since`` then leaves out what the brokers had before (an instant, or how long
    ago).
    """
    is_config = path.suffix in {".yaml", ".yml"}
    settings = load(path, secrets=False) if is_config else None
    if settings is not None and settings.on_kafka:
        since_us = None if since is None else parse_since(since, datetime.now(UTC))
        audit = asyncio.run(_audit_topic(settings, _topic(settings, shadow), since_us))
    elif shadow:
        raise ConfigError("--shadow: there is none but on kafka://")
    elif since is not None:
        raise ConfigError(f"--since: given {since}; a results file is read whole")
    else:
        audit = Audit()
        for message in read_results(path if settings is None else results_of(path, settings)):
            audit.add(message)
    console = Console()
    if not console.is_terminal:  # nobody's window: nothing is cut
        console.width = ANY_WIDTH
    console.print(_table(audit))
    if not audit.epochs:
        console.print("no epoch in the results")
    return EXIT_OK if audit.passed and audit.epochs else EXIT_DIFFERENT


def parse_since(text: str, now: datetime) -> int:
    """Microseconds since the Unix epoch of an ISO 8601 instant, or of so long before ``now``.

    An instant without a zone is UTC. Raises `ConfigError` for anything else.
    """
    try:
        if (ago_s := _ago_s(text)) is not None:
            instant = now - timedelta(seconds=ago_s)
        else:
            instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        allowed = "how long ago (90m, 2h), or an instant (2026-01-31T06:00:00Z)"
        raise ConfigError(f"--since: given {text}; allowed: {allowed}") from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)


def _ago_s(text: str) -> float | None:
    try:
        found = seconds(text)
    except PydanticCustomError:
        return None
    return found if isinstance(found, float) else None


def _topic(settings: Settings, shadow: bool) -> str:
    if not shadow:
        return "masks"
    return shadow_of(settings).masks


async def _audit_topic(settings: Settings, topic: str, since_us: int | None) -> Audit:
    transport = open_kafka(settings)
    await transport.check("audit")
    cut = since_us is not None or await transport.is_cut(topic)
    audit, unread = Audit(cut=cut), 0
    async for record in transport.whole(topic, since_us):
        try:
            message = codec.peek(record)
        except RecordError:  # no terminal of anything: if it should be one, its frame is missing
            unread += 1
            continue
        if isinstance(message, MaskMessage):
            audit.add(message)
    if unread:
        print(f"{unread} records of {topic} cannot be read", file=sys.stderr)
    return audit


def read_results(path: Path) -> Iterator[MaskMessage]:
    """The messages in a results file, one at a time.

    Raises `ConfigError`, naming the line, at one that is not a message of ``masks``.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        hint = "; maskstream run CONFIG writes results where outputs.results says"
        raise ConfigError(f"{path}: {error.strerror}{hint}") from error
    with file:
        for number, line in enumerate(file, 1):
            try:
                message = codec.from_json(line)
            except RecordError as error:
                raise ConfigError(f"{path}:{number}: {error}") from error
            if not isinstance(message, MaskMessage):
                kind = message.__struct_config__.tag
                raise ConfigError(f"{path}:{number}: type: given {kind}; not a message of masks")
            yield message


def results_of(config: Path, settings: Settings) -> Path:
    """The results file that the configuration ``config`` names, which has to name one."""
    if settings.outputs.results is None:
        raise ConfigError(f"{config}: outputs.results: not set, so there is nothing to read")
    return settings.outputs.results


def _table(audit: Audit) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # 80 columns are enough
    table.add_column("camera/epoch", overflow="fold")
    for column in ("offered", "results"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("gaps", justify="right", min_width=16)  # may take several lines: none is cut
    for column in ("missing", "twice", "out of\norder"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("end", justify="right", min_width=10)
    for epoch in audit.epochs:
        table.add_row(
            f"{epoch.camera}/{epoch.epoch}",
            str(epoch.offered) + (f" from {epoch.first}" if epoch.first else ""),
            str(epoch.results),
            ", ".join(f"{reason} {count}" for reason, count in epoch.gaps.items()) or "0",
            str(epoch.missing),
            str(epoch.duplicates),
            str(epoch.out_of_order),
            _end(epoch),
        )
    return table


def _end(epoch: EpochAudit) -> str:
    if epoch.closed is None:
        return "unclosed tail"
    if not epoch.complete:
        return "incomplete"
    whole = epoch.closed == "ended" or epoch.expected is None
    return "complete" if whole else f"{epoch.closed} at {epoch.offered}/{epoch.expected}"
