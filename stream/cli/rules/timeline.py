"""When alerts were open, as a picture: a row for each rule and camera, event time to the right."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stream.backtest import Episode, Found, Recorded, Row, Stretch
from stream.errors import ConfigError
from stream.types import Severity

COLOURS: dict[Severity, str] = {"info": "#4c8bf5", "warning": "#f29900", "critical": "#d93025"}
UNKNOWN = "#d5d8dc"
DPI = 110
WIDTH_IN, ROW_IN, MARGIN_IN, MOST_IN = 12.0, 0.34, 1.3, 180.0
"""Matplotlib draws up to 65,535 px: more rows than fit get flatter."""
BAR, TICK = (0.08, 0.5), (0.64, 0.28)
"""Where in its row something lies, from the foot of it: begin and height."""
SHARED = 400
"""Alerts of a row from which on their ticks share pixels, and get fainter: darker is more often."""


def check_timeline(path: Path) -> None:
    """Raise `ConfigError` where no picture can be drawn, before anything else is done."""
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--timeline: given {path}; allowed: a name that ends in .png")
    if not path.parent.is_dir():
        raise ConfigError(f"--timeline: given {path}; there is no folder {path.parent}")
    try:
        import matplotlib  # noqa: F401 - whether it is there
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--timeline: given {path}; needs matplotlib: pip install maskstream[plots]"
        ) from error


def draw(path: Path, rows: Sequence[Row], found: Found) -> None:
    """Write the picture as PNG: bars while alerts were open, ticks where they opened, and shaded
    what is unknown. Times are local.
    """
    from matplotlib.figure import Figure

    height_in = min(ROW_IN * max(1, len(rows)) + MARGIN_IN, MOST_IN)
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained", dpi=DPI)
    axes = figure.add_subplot()
    span = _span(found.cameras.values())
    for number, row in enumerate(rows):
        _shade(axes, number, _unknown(found.cameras.get(row.camera), span))
        _open(axes, number, row.episodes)
    _label(axes, rows, span)
    _explain(figure)
    figure.savefig(path, format="png")


def _span(cameras: Iterable[Recorded]) -> Stretch:
    """All of event time, a second at least."""
    ends = [end for each in cameras for end in (each.first_us, each.last_us) if end is not None]
    begin_us, end_us = min(ends, default=0), max(ends, default=0)
    return Stretch(begin_us, max(end_us, begin_us + 1_000_000))


def _unknown(recorded: Recorded | None, span: Stretch) -> list[Stretch]:
    """What lies between the stretches that were seen."""
    unknown = []
    upto_us = span.begin_us
    for each in sorted(recorded.seen if recorded else (), key=lambda one: one.begin_us):
        if each.begin_us > upto_us:
            unknown.append(Stretch(upto_us, each.begin_us))
        upto_us = max(upto_us, each.end_us)
    return [*unknown, Stretch(upto_us, span.end_us)] if upto_us < span.end_us else unknown


def _shade(axes: Any, number: int, unknown: Sequence[Stretch]) -> None:
    spans = [(_days(each.begin_us), _days(each.end_us - each.begin_us)) for each in unknown]
    axes.broken_barh(spans, (number, 1), color=UNKNOWN, linewidth=0)


def _open(axes: Any, number: int, episodes: Sequence[Episode]) -> None:
    alpha = min(1.0, SHARED / max(1, len(episodes)))
    for severity, colour in COLOURS.items():
        its = [each for each in episodes if each.severity == severity]
        bars = [(_days(each.opened_us), _days(each.lasted_us)) for each in its]
        # An edge keeps a bar in sight that is narrower than a pixel.
        axes.broken_barh(bars, (number + BAR[0], BAR[1]), color=colour, linewidth=0.5)
        ticks = [_days(each.opened_us) for each in its]
        top, foot = number + TICK[0], number + sum(TICK)
        axes.vlines(ticks, top, foot, color=colour, linewidth=1, alpha=alpha)


def _label(axes: Any, rows: Sequence[Row], span: Stretch) -> None:
    import matplotlib.dates
    from dateutil.tz import tzlocal

    dates: Any = matplotlib.dates
    locator = dates.AutoDateLocator(tz=tzlocal())
    axes.xaxis.set_major_locator(locator)
    formats = ["%Y", "%b", "%a %d", "%H:%M", "%H:%M", "%H:%M:%S"]
    formatter = dates.ConciseDateFormatter(locator, tz=tzlocal(), formats=formats)
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlim(_days(span.begin_us), _days(span.end_us))
    axes.set_ylim(len(rows), 0)
    names = [f"{row.rule} · {row.camera} · {_alerts(len(row.episodes))}" for row in rows]
    axes.set_yticks([number + 0.5 for number in range(len(rows))], names)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for number in range(1, len(rows)):
        axes.axhline(number, color="#999", linewidth=0.4)


def _explain(figure: Any) -> None:
    from matplotlib.patches import Patch

    shown = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
    shown.append(Patch(color=UNKNOWN, label="unknown"))
    figure.legend(handles=shown, loc="outside upper right", ncols=len(shown), frameon=False)


def _alerts(count: int) -> str:
    return f"{count:,} alert" + ("" if count == 1 else "s")


def _days(time_us: int) -> float:
    """As Matplotlib counts time: in days since the Unix epoch."""
    return time_us / 86_400e6
