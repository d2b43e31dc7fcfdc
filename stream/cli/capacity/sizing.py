"""``maskstream capacity size``: the tables of docs/capacity.md, from what was measured."""

from collections.abc import Sequence

from stream.kafka_spec import RETENTION_S
from stream.scaling import costs
from stream.scaling.sizing import Needs, needs, series_of_a_camera

CAMERAS = (10, 1_000, 100_000)


def print_tables(card_per_s: float | None) -> None:
    """Print what was measured and what follows, in Markdown."""
    print(tables(card_per_s))


def tables(card_per_s: float | None) -> str:
    """Both tables. ``card_per_s``: frames/s that the reader's card does."""
    found = [needs(each, RETENTION_S, card_per_s) for each in CAMERAS]
    return (
        f"{_measured()}\n\n{_table(('cameras', *(f'{each:,}' for each in CAMERAS)), _rows(found))}"
    )


def _measured() -> str:
    rows = [
        (each.what, f"{each.value:,.6g} {each.unit}", f"[{_name(each.source)}]({each.source})")
        for each in costs.ALL
    ]
    series = series_of_a_camera()
    told = ", ".join(f"{role} {count}" for role, count in series.items())
    name = "[metrics](metrics.md)"
    rows.append(("series of a live camera in Prometheus", f"{sum(series.values())} ({told})", name))
    return _table(("what", "measured", "where"), rows)


def _rows(found: Sequence[Needs]) -> list[tuple[str, ...]]:
    def row(name: str, *cells: str) -> tuple[str, ...]:
        return (name, *cells)

    return [
        row("frames/s", *(f"{each.frames_per_s:,.0f}" for each in found)),
        row("`ingest`, cores", *(_few(each.ingest_cores) for each in found)),
        row("`segment` on cores, f32", *(_few(each.f32_cores) for each in found)),
        row("`segment` on cores, bf16 (AMX)", *(_few(each.bf16_cores) for each in found)),
        row("… or cards", *(_cards(each) for each in found)),
        row("`watch`, cores", *(_few(each.watch_cores) for each in found)),
        row("`web`, cores of one process (can use one)", *(_few(each.web_cores) for each in found)),
        row("written to Kafka", *(_bytes(each.written, "/s") for each in found)),
        row("moved by brokers", *(_bytes(each.moved, "/s") for each in found)),
        row("on disks", *(_bytes(each.kept, "") for each in found)),
        row("of it masks, for one mirror", *(_bytes(each.mirrored, "/s") for each in found)),
        row("brokers, cores", *(_few(each.broker_cores) for each in found)),
        row("brokers of 8 cores, 10 Gbit/s", *(f"{each.brokers:,}" for each in found)),
        row("pods of `segment`, 2 cores, bf16", *(f"{each.pods:,}" for each in found)),
        row("partitions", *(f"{each.partitions:,}" for each in found)),
        row("series in Prometheus", *(f"{each.series:,}" for each in found)),
    ]


def _cards(each: Needs) -> str:
    return f"{each.frames_per_s / 0.7:,.0f} / R" if each.cards is None else f"{each.cards:,}"


def _few(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _bytes(value: float, per: str) -> str:
    unit = next(name for name, size in _UNITS if value >= size)
    return f"{value / dict(_UNITS)[unit]:.3g} {unit}{per}"


_UNITS = (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 0.0))


def _name(source: str) -> str:
    page = source.partition("#")[0].rpartition("/")[2].removesuffix(".md")
    return f"decision {int(page[:4])}" if page[:4].isdigit() else page


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
