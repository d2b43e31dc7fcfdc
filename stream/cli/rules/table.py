"""How many alerts, and when: as tables."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from textwrap import wrap

from rich.console import Console
from rich.table import Table

from stream.backtest import Found, Row

Fold = Callable[[str], str]

DAY_S, HOUR_S, MINUTE_S = 86_400, 3600, 60


OTHERS = 31
"""What a table needs beside two names, in columns, with dates folded."""
LEAST = 8
"""Letters of a name that stand on a line, however short it is."""


def print_tables(console: Console, rows: list[Row], found: Found) -> None:
    """Print what each rule came to on each camera, then what was recorded. Times are local.

    Two names of 24 letters stand whole in 80 columns: the dates give way, and are folded.
    """
    if not found.cameras:
        console.print("nothing was recorded")
        return
    fold = partial(_folded, most=max(LEAST, (console.width - OTHERS) // 2))
    tables = [_counts(rows, found, fold), _times(rows, fold), *_recorded(found, fold)]
    for number, table in enumerate(table for table in tables if table.row_count):
        if number:
            console.print()
        console.print(table)


def _counts(rows: Iterable[Row], found: Found, fold: Fold) -> Table:
    spans_s = [each.span_us / 1e6 for each in found.cameras.values()]
    unit, unit_s = ("day", DAY_S) if max(spans_s) >= DAY_S else ("hour", HOUR_S)
    table = _table("rule", "camera", "alerts", f"per\n{unit}", "longest", "open\nin all")
    for row in rows:
        recorded = found.cameras.get(row.camera)
        cells = ("0", "0", "", "")
        if row.episodes and recorded is not None:
            lasted_s = [each.lasted_us / 1e6 for each in row.episodes]
            rate = _rate(len(row.episodes), recorded.span_us / 1e6 / unit_s)
            cells = (str(len(lasted_s)), rate, length(max(lasted_s)), length(sum(lasted_s)))
        table.add_row(fold(row.rule), fold(row.camera), *cells)
    return table


def _times(rows: Iterable[Row], fold: Fold) -> Table:
    table = _table("rule", "camera", "first", "last", "still\nopen")
    for row in rows:
        if row.episodes:
            ends = (moment(row.episodes[each].opened_us) for each in (0, -1))
            still_open = sum(each.is_open for each in row.episodes)
            table.add_row(fold(row.rule), fold(row.camera), *ends, str(still_open))
    return table


def _recorded(found: Found, fold: Fold) -> tuple[Table, Table]:
    counts = _table("camera", "results", "gaps", "unread", "again")
    times = _table("camera", "from", "to", "unseen")
    for camera, each in sorted(found.cameras.items()):
        reasons = ", ".join(f"{reason} {frames}" for reason, frames in sorted(each.gaps.items()))
        numbers = map(str, (each.unread, each.again))
        counts.add_row(fold(camera), str(each.results), reasons or "0", *numbers)
        if each.first_us is not None and each.last_us is not None:
            ends = (moment(each.first_us), moment(each.last_us))
            times.add_row(fold(camera), *ends, length(each.unseen_us / 1e6))
    return counts, times


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for name in names:
        is_name = name in {"rule", "camera"}
        may_fold = name in {"first", "last", "gaps"}
        table.add_column(name, justify="left" if is_name else "right", no_wrap=not may_fold)
    return table


def _folded(name: str, most: int) -> str:
    """A name on lines of ``most`` letters, after a hyphen where there is one."""
    return "\n".join(wrap(name, most))


def moment(time_us: int) -> str:
    """A local time: ``2026-01-31 06:00:00``."""
    return datetime.fromtimestamp(time_us // 1_000_000).isoformat(" ")


def length(length_s: float) -> str:
    """A length of time in its two largest units: ``4.2s``, ``3m 05s``, ``7h 12m``, ``6d 23h``."""
    whole_s = round(length_s)
    if whole_s < MINUTE_S:
        return f"{length_s:.1f}s"
    if whole_s < HOUR_S:
        return f"{whole_s // MINUTE_S}m {whole_s % MINUTE_S:02}s"
    if whole_s < DAY_S:
        return f"{whole_s // HOUR_S}h {whole_s % HOUR_S // MINUTE_S:02}m"
    return f"{whole_s // DAY_S}d {whole_s % DAY_S // HOUR_S:02}h"


def _rate(count: int, units: float) -> str:
    if not units:
        return ""
    rate = count / units
    return f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"
