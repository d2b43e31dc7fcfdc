"""A day as a picture: what is offered, what pods can do, how many there are, what is skipped."""

from pathlib import Path
from typing import Any

import numpy as np

from stream.scaling.autoscaler import SYNC_S
from stream.scaling.day import HOUR_S, MINUTE_S, Day
from stream.scaling.pods import Site
from stream.scaling.replay import Outcome

BLUE, GREY, RED, GREEN = "#4c8bf5", "#9aa0a6", "#d93025", "#188038"


def draw(path: Path, day: Day, outcome: Outcome, site: Site) -> None:
    """Write four panels as PNG, one above the other: frames/s, pods, share skipped, age."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9), layout="constrained")
    above, middle, below, last = figure.subplots(4, sharex=True, height_ratios=(3, 2, 2, 1.5))
    hours = np.arange(len(outcome.asked)) * SYNC_S / HOUR_S
    offered = outcome.offered_by_minute / MINUTE_S
    minutes = np.arange(len(offered)) * MINUTE_S / HOUR_S
    able = outcome.ready * site.capacity_per_s
    above.fill_between(minutes, offered, color=BLUE, alpha=0.35, lw=0, label="offered")
    above.step(hours, able, where="post", color=GREEN, lw=1, label="what ready pods can do")
    above.axhline(outcome.peak * site.capacity_per_s, color=GREY, ls="--", lw=1,
                  label="what pods for the peak can do")  # fmt: skip
    above.set_title(_title(day, outcome))
    middle.step(hours, outcome.asked, where="post", color=BLUE, lw=1, label="asked for")
    middle.axhline(outcome.peak, color=GREY, ls="--", lw=1, label="for the peak")
    share = outcome.skipped_by_minute / outcome.offered_by_minute.clip(1.0)
    below.bar(minutes, 100 * share, width=2.5 / 60, color=RED, label="skipped in the minute")
    last.plot(
        minutes, outcome.oldest_by_minute_s, color=BLUE, lw=1, label="oldest result of the minute"
    )
    _name(above, "frames/s")
    _name(middle, "pods")
    _name(below, "% of the minute's frames", least=5.0)
    _name(last, "s")
    last.set_xticks(range(0, 25, 2), [f"{hour}:00" for hour in range(0, 25, 2)])
    last.set_xlim(0, 24)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def _title(day: Day, outcome: Outcome) -> str:
    return (
        f"{day.name}: {outcome.skipped_share:.2%} of the frames skipped, results "
        f"{outcome.age_s(0.5):.2f} s old at the median and {outcome.age_s(0.99):.2f} s at p99, "
        f"{outcome.saving:.0%} of pod hours saved"
    )


def _name(axes: Any, unit: str, least: float = 0.0) -> None:
    axes.set_ylabel(unit)
    axes.set_ylim(0, max(least, 1.3 * axes.dataLim.ymax))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=3, loc="upper left")
