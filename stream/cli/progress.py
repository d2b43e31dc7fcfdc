"""What a long run shows: a bar on a terminal, plain lines elsewhere, a short table at the end."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from stream.tally import Tally
from stream.types import AlertState

BAR_EVERY_S = 0.2
LINE_EVERY_S = 5.0


class Shown(Protocol):
    """How far something is; the rates are None while they are not known."""

    @property
    def done(self) -> int:
        """How many are done."""

    @property
    def total(self) -> int | None:
        """How many there are; None while that is not known."""

    @property
    def rate_per_s(self) -> float | None:
        """The rate that is shown."""

    @property
    def done_per_s(self) -> float | None:
        """How fast ``done`` rises."""


@asynccontextmanager
async def showing(
    shown: Shown, console: Console, doing: str, done: str, made: str
) -> AsyncIterator[None]:
    """Show how far ``shown`` is while the body runs: how many ``done`` are done, and how many
    ``made`` a second are.
    """
    if console.is_terminal:
        task = asyncio.create_task(_show_bar(shown, console, doing, made))
    else:
        task = asyncio.create_task(_show_lines(shown, console, done, made))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _show_bar(shown: Shown, console: Console, doing: str, made: str) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(doing, total=None, rate="")

        def update() -> None:
            rate = _rate(shown, made)
            progress.update(bar, completed=shown.done, total=shown.total, rate=rate)

        try:
            while True:
                await asyncio.sleep(BAR_EVERY_S)
                update()
        finally:
            update()


async def _show_lines(shown: Shown, console: Console, done: str, made: str) -> None:
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        total = f" of {shown.total}" if shown.total is not None else ""
        left = _left_s(shown)
        ending = f", {left:.0f} s left" if left is not None else ""
        console.print(f"{shown.done}{total} {done}, {_rate(shown, made)}{ending}", highlight=False)


def _rate(shown: Shown, made: str) -> str:
    rate = shown.rate_per_s
    return f"{rate:.1f} {made}/s" if rate is not None else "starting"


def _left_s(shown: Shown) -> float | None:
    if shown.total is None or not shown.done_per_s:
        return None
    return max(0, shown.total - shown.done) / shown.done_per_s


def summary(tally: Tally) -> Table:
    """The table that a run ends with."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, value in _rows(tally):
        table.add_row(name, value)
    return table


def _rows(tally: Tally) -> Iterator[tuple[str, str]]:
    yield "frames offered", str(sum(epoch.offered for epoch in tally.audit.epochs))
    yield "results", str(tally.results)
    for reason, frames in sorted(tally.gaps.items()):
        yield f"gaps: {reason}", str(frames)
    if not tally.gaps:
        yield "gaps", "0"
    yield "dead letters", _lost(tally.dead_letters.total())
    yield "alerts opened", str(sum(changes["opened"] for changes in tally.alerts.values()))
    for rule, changes in sorted(tally.alerts.items()):
        yield f"alerts: {rule}", _changes(changes)
    yield "deliveries made", str(tally.deliveries["delivered"])
    if tally.deliveries["given_up"]:
        yield "deliveries given up", _lost(tally.deliveries["given_up"])
    if tally.clips:
        yield "clips made", str(tally.clips["delivered"])
    if tally.clips["given_up"]:
        yield "clips given up", str(tally.clips["given_up"])
    yield "rate", _rate(tally, "results") if tally.rate_per_s else "—"
    yield "arrival to result p50 / p99", f"{_ms(tally, 0.5)} / {_ms(tally, 0.99)}"
    yield "audit", _verdict(tally)


def _changes(changes: Mapping[AlertState, int]) -> str:
    opened, resolved = changes["opened"], changes["resolved"]
    return f"{opened} opened, {resolved} resolved, {opened - resolved} still open"


def _lost(count: int) -> str:
    """What ended with the process: on ``memory://`` there is no topic to look into afterwards."""
    return f"{count}, kept nowhere" if count else "0"


def _ms(tally: Tally, part: float) -> str:
    age_us = tally.age_us.at(part)
    return "—" if age_us is None else f"{age_us / 1e3:.0f} ms"


def _verdict(tally: Tally) -> str:
    audit = tally.audit
    if not audit.epochs:
        return "no camera was opened"
    if audit.missing:
        return f"{audit.missing} frames missing"
    if not audit.passed:
        lost = sum(epoch.lost_of_archive for epoch in audit.epochs)
        return f"{lost} frames of files given up"
    tails = sum(not epoch.closed for epoch in audit.epochs)
    return f"nothing missing, {tails} unclosed" if tails else "nothing missing"
