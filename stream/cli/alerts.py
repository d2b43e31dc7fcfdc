"""``maskstream alerts``: what endpoints never took, sent again."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from connectors import open_kafka
from stream import codec
from stream.cli.audit import parse_since
from stream.cli.columns import print_columns
from stream.cli.kafka_only import load_for_kafka
from stream.config import Settings
from stream.config.words import suggestion
from stream.errors import ConfigError, RecordError, UnsupportedVersionError
from stream.notify.replay import Letter, Outcome, Replay
from stream.ports import Record, Transport
from stream.types import DeliveryStatus

_T = TypeVar("_T")
_HEAD = ("endpoint", "camera", "rule", "alert", "change", "happened", "")
_WORDS = {
    "due": "sent again",
    "taken since": "was taken since",
    "pending": "is being tried",
    "overtaken": "a later change was taken",
    "clip": "a clip, whose frames are gone",
    "not configured": "no such endpoint is configured",
}


def replay(config: Path, endpoint: str | None, since: str | None, dry_run: bool) -> None:
    """Send again what an endpoint never took, to that endpoint only; print what was done.

    Raises `ConfigError` for an endpoint that is not configured and for a transport but Kafka.
    """
    settings = load_for_kafka(config, "dead letters end with their process")
    known = [each.id for each in settings.endpoints]
    if endpoint is not None and endpoint not in known:
        raise ConfigError(f"--endpoint: unknown endpoint {endpoint}, {suggestion(endpoint, known)}")
    since_us = None if since is None else parse_since(since, datetime.now(UTC))
    judged = asyncio.run(_replayed(settings, endpoint, since_us, dry_run))
    words = {**_WORDS, "due": "would be sent again"} if dry_run else _WORDS
    if judged:
        print_columns([_HEAD, *(_row(letter, words[outcome]) for letter, outcome in judged)])
    counts = Counter(words[outcome] for _, outcome in judged)
    told = (f"{count} {what}" for what, count in counts.items())
    print(", ".join(told) or "nothing was given up", file=sys.stderr)


async def _replayed(
    settings: Settings, endpoint: str | None, since_us: int | None, dry_run: bool
) -> list[tuple[Letter, Outcome]]:
    transport = open_kafka(settings)
    await transport.check("replay")
    records = transport.whole("dead-letters", since_us)
    letters = [Letter(*each) async for each in _read(records, codec.undelivered) if each]
    chosen = (each for each in letters if endpoint in (None, each.endpoint))
    found = Replay(chosen, settings.endpoints)
    async for status in _read(transport.whole("deliveries"), codec.decode):
        if isinstance(status, DeliveryStatus):
            found.add(status)
    judged = found.judged()
    if not dry_run:
        await _send(transport, (letter for letter, outcome in judged if outcome == "due"))
    return judged


async def _read(records: AsyncIterator[Record], read: Callable[[Record], _T]) -> AsyncIterator[_T]:
    async for record in records:
        try:
            yield read(record)
        except (RecordError, UnsupportedVersionError) as error:
            print(f"{record.key}: a record cannot be read: {error}", file=sys.stderr)


async def _send(transport: Transport, letters: Iterable[Letter]) -> None:
    async with transport.outbox("alerts") as outbox:
        for letter in letters:
            await outbox.send("alerts", codec.encode(letter.again))
        await outbox.flush()


def _row(letter: Letter, words: str) -> tuple[str, ...]:
    alert = letter.alert
    happened = codec.rfc3339(alert.time_us)
    return letter.endpoint, alert.camera, alert.rule, alert.id, alert.state, happened, words
