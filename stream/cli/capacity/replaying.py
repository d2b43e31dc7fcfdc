"""``maskstream capacity replay``: days beside policies, as tables and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from stream.cli.bench.report import Report
from stream.cli.capacity.picture import draw
from stream.errors import ConfigError
from stream.scaling.day import HOUR_S, Day, flat, harsh, of_rates, office, parse
from stream.scaling.pods import Site
from stream.scaling.policy import DEFAULT, Direction, Forecast, Policy, Schedule, Step
from stream.scaling.replay import Outcome, peak_replicas, replay
from stream.scaling.values import policy_of

CAMERAS, MOST = 100, 24
"""Of the drawn days, and the most replicas for them: half of the partitions that there are, so that
two of them are a pod's at least."""
HEAD = (
    "", "skipped", "worst minute", "age p50", "age p99", "pod hours", "saved", "most pods",
    "changes",
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What was asked for on the command line."""

    day: Path | None
    values: Path | None
    capacity_per_s: float | None
    fps: float
    start_s: float | None
    plots: Path | None

    def site(self) -> Site:
        """What is replayed on: what was measured, unless it is said otherwise."""
        site = Site()
        if self.capacity_per_s is not None:
            site = replace(site, capacity_per_s=self.capacity_per_s)
        if self.start_s is not None:
            site = replace(site, start_s=self.start_s, spread_s=min(site.spread_s, self.start_s))
        return site

    def policy(self) -> Policy:
        """The values' own, or the chart's with room for the drawn days."""
        if self.values is None:
            return replace(DEFAULT, most=MOST)
        return policy_of(_read(self.values), str(self.values))

    def days(self) -> list[Day]:
        """The file's, or the drawn ones."""
        if self.day is None:
            return [drawn(CAMERAS, self.fps) for drawn in (office, harsh, flat)]
        return [of_rates(self.day.stem, parse(_read(self.day), str(self.day)), self.fps)]


def print_replays(given: Given) -> None:
    """A table for each day: the policy as it is, others beside it, and pods for the peak.

    Raises `ConfigError` for a file that cannot be read or a value that is not allowed.
    """
    if given.plots is not None and find_spec("matplotlib") is None:
        raise ConfigError("--plots: needs matplotlib: pip install maskstream[plots]")
    report = Report(Console(width=120), given.plots)
    site, policy = given.site(), given.policy()
    for day in given.days():
        outcomes = {
            name: replay(day, each, on) for name, (each, on) in beside(policy, day, site).items()
        }
        report.say(f"\n{day.name}: {day.offered.min():.0f} to {day.offered.max():.0f} frames/s")
        report.table(HEAD, [[name, *_cells(each)] for name, each in outcomes.items()])
        if given.plots is not None:
            draw(given.plots / f"capacity-{day.name}.png", day, outcomes["as it is"], site)


def beside(policy: Policy, day: Day, site: Site) -> Mapping[str, tuple[Policy, Site]]:
    """The policy, others that differ in one thing each, and what they stand on."""
    peak = peak_replicas(day, policy, site)
    quarter = Direction(policy.down.window_s, (Step("Percent", 25, 120), Step("Pods", 1, 120)))
    fast = Direction(0, (Step("Percent", 100, 15),))
    early = (Schedule(7 * HOUR_S + HOUR_S // 2, 20 * HOUR_S, peak),)
    return {
        "as it is": (policy, site),
        "without lag": (replace(policy, lag_share=None), site),
        "up after 30 s": (replace(policy, up=replace(policy.up, window_s=30)), site),
        "down by a quarter": (replace(policy, down=quarter), site),
        "down at once": (replace(policy, down=fast), site),
        "with predict_linear": (replace(policy, forecast=Forecast(900, 300)), site),
        "with cron, 7:30 to 20:00": (replace(policy, schedules=early), site),
        "pods ready in 10 s": (policy, replace(site, start_s=10.0)),
        "capacity told 1.25 times": (policy, replace(site, told=1.25)),
        "  without lag": (replace(policy, lag_share=None), replace(site, told=1.25)),
        "fixed at the peak": (replace(policy, least=peak, most=peak), site),
    }


def _cells(outcome: Outcome) -> list[str]:
    return [
        f"{outcome.skipped_share:.2%}",
        f"{outcome.worst_minute:.0%}",
        f"{outcome.age_s(0.5):.2f} s",
        f"{outcome.age_s(0.99):.2f} s",
        f"{outcome.pod_hours:.0f}",
        f"{outcome.saving:.1%}",
        str(outcome.asked.max()),
        str(outcome.steps),
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
