"""What a long run shows: a bar on a terminal, plain lines elsewhere, a short table at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from stream.tally import Tally

BAR_EVERY_S = 0.2
LINE_EVERY_S = 5.0


@asynccontextmanager
async def showing(tally: Tally, console: Console) -> AsyncIterator[None]:
    """Show how far ``tally`` is while the body runs."""
    show = _show_bar if console.is_terminal else _show_lines
    task = asyncio.create_task(show(tally, console))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _show_bar(tally: Tally, console: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("segmenting", total=None, rate="")
        try:
            while True:
                await asyncio.sleep(BAR_EVERY_S)
                progress.update(bar, completed=tally.done, total=tally.total, rate=_rate(tally))
        finally:
            progress.update(bar, completed=tally.done, total=tally.total, rate=_rate(tally))


async def _show_lines(tally: Tally, console: Console) -> None:
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        total = f" of {tally.total}" if tally.total is not None else ""
        left = _left_s(tally)
        ending = f", {left:.0f} s left" if left is not None else ""
        console.print(f"{tally.done}{total} frames, {_rate(tally)}{ending}", highlight=False)


def _rate(tally: Tally) -> str:
    rate = tally.rate_per_s
    return f"{rate:.1f} frames/s" if rate is not None else "starting"


def _left_s(tally: Tally) -> float | None:
    if tally.total is None or not tally.done_per_s:
        return None
    return max(0, tally.total - tally.done) / tally.done_per_s


def summary(tally: Tally) -> Table:
    """The table that a run ends with."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    offered = sum(epoch.offered for epoch in tally.audit.epochs)
    table.add_row("frames offered", str(offered))
    table.add_row("results", str(tally.results))
    for reason, frames in sorted(tally.gaps.items()):
        table.add_row(f"gaps: {reason}", str(frames))
    if not tally.gaps:
        table.add_row("gaps", "0")
    table.add_row("dead letters", str(tally.dead_letters.total()))
    table.add_row("alerts opened", str(tally.alerts["opened"]))
    table.add_row("deliveries made", str(tally.deliveries["delivered"]))
    if tally.deliveries["given_up"]:
        table.add_row("deliveries given up", str(tally.deliveries["given_up"]))
    table.add_row("rate", _rate(tally) if tally.rate_per_s else "—")
    table.add_row("age p50 / p99", f"{_ms(tally, 0.5)} / {_ms(tally, 0.99)}")
    table.add_row("audit", _verdict(tally))
    return table


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
