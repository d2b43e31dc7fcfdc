"""How many alerts, and when: as tables."""

from datetime import datetime

from rich.console import Console
from rich.table import Table

from stream.backtest import Found, Recorded, Row

DAY_S, HOUR_S, MINUTE_S = 86_400, 3600, 60


def print_tables(console: Console, rows: list[Row], found: Found) -> None:
    """Print what each rule came to on each camera, then what was recorded. Times are local."""
    if not found.cameras:
        console.print("nothing was recorded")
        return
    spans_s = [each.span_us / 1e6 for each in found.cameras.values()]
    unit, unit_s = ("day", DAY_S) if max(spans_s) >= DAY_S else ("hour", HOUR_S)
    table = _table("rule", "camera")
    counts, times = ("alerts", f"per\n{unit}"), ("first", "last", "longest")
    for name in (*counts, *times, "open\nin all", "still\nopen"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.rule, row.camera, *_cells(row, found.cameras.get(row.camera), unit_s))
    console.print(table)
    console.print()
    console.print(_recorded(found))


def _cells(row: Row, recorded: Recorded | None, unit_s: int) -> list[str]:
    episodes = row.episodes
    if not episodes or recorded is None:
        return ["0", "0", "", "", "", "", "0"]
    lasted_us = [each.lasted_us for each in episodes]
    return [
        str(len(episodes)),
        _rate(len(episodes), recorded.span_us / 1e6 / unit_s),
        moment(episodes[0].opened_us),
        moment(episodes[-1].opened_us),
        length(max(lasted_us) / 1e6),
        length(sum(lasted_us) / 1e6),
        str(sum(each.is_open for each in episodes)),
    ]


def _recorded(found: Found) -> Table:
    table = _table("camera")
    for name in ("results", "gaps", "unread", "again", "unseen", "from", "to"):
        table.add_column(name, justify="right")
    for camera, each in sorted(found.cameras.items()):
        reasons = ", ".join(f"{reason} {frames}" for reason, frames in sorted(each.gaps.items()))
        ends = [moment(end) if end is not None else "" for end in (each.first_us, each.last_us)]
        counts = map(str, (each.unread, each.again))
        unseen = length(each.unseen_us / 1e6)
        table.add_row(camera, str(each.results), reasons or "0", *counts, unseen, *ends)
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # 80 columns are enough
    for name in names:
        table.add_column(name, overflow="fold")
    return table


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
