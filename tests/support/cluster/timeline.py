"""What a cluster did over time: looked at again and again, kept, and drawn."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.support.cluster.release import Release, Scale
from tests.support.waiting import wait_until

LOOK_S = 0.5
SCALED_S = 300.0
"""Longer than any scaling takes with the short windows of these tests."""


@dataclass(frozen=True)
class Sample:
    """One look at a component: seconds since the beginning, the lag it scales on, its pods."""

    at_s: float
    lag: int
    scale: Scale


@dataclass
class Timeline:
    """A component, as it was scaled."""

    name: str
    component: str
    samples: list[Sample] = field(default_factory=list)
    steps: list[tuple[float, str]] = field(default_factory=list)
    """What was done, or was first seen, and when."""
    _began_s: float = field(default_factory=time.monotonic)

    def now_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began_s

    def step(self, what: str) -> float:
        """Note that something happened now, and say so; returns when."""
        at_s = self.now_s()
        self.steps.append((at_s, what))
        print(f"  {at_s:6.1f} s  {self.component}: {what}", flush=True)
        return at_s

    def look(self, release: Release, lag: Callable[[], int]) -> None:
        """Take a sample, and note what has changed since the last."""
        scale = release.scale(self.component)
        before = self.samples[-1].scale if self.samples else None
        self.samples.append(Sample(self.now_s(), lag(), scale))
        if before is None or before == scale:
            return
        if before.asked != scale.asked:
            self.step(f"{before.asked} → {scale.asked} pods asked for")
        if before.ready != scale.ready:
            self.step(f"{scale.ready} ready")

    @property
    def most(self) -> int:
        """The most pods that were asked for."""
        return max((each.scale.asked for each in self.samples), default=0)

    def wait(self, what: str, holds: Callable[[Sample], bool]) -> float:
        """Return once a new sample is as wanted, with the time."""
        seen = len(self.samples)
        found: list[float] = []

        def is_there() -> bool:
            found.extend(each.at_s for each in self.samples[seen:] if holds(each))
            return bool(found)

        wait_until(is_there, f"{self.component}: {what}", SCALED_S)
        return found[0]


@contextmanager
def watched(
    release: Release, name: str, component: str, lag: Callable[[], int]
) -> Iterator[Timeline]:
    """A timeline that goes on by itself; what it was is written to ``out/cluster``."""
    timeline, stop = Timeline(name, component), threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            timeline.look(release, lag)
            stop.wait(LOOK_S)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield timeline
    finally:
        stop.set()
        thread.join()


def write(folder: Path, timeline: Timeline, **more: Any) -> None:
    """Keep a timeline as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "component": timeline.component, **more,
        "steps": [{"at_s": round(at_s, 2), "what": what} for at_s, what in timeline.steps],
        "samples": [
            {"at_s": round(each.at_s, 2), "lag": each.lag, **asdict(each.scale)}
            for each in timeline.samples
        ],
    }  # fmt: skip
    (folder / f"{timeline.name}.json").write_text(json.dumps(document, indent=1) + "\n")


def draw(path: Path, timelines: Sequence[Timeline]) -> None:
    """Draw lag above and pods below, of each timeline a column."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6 * len(timelines), 6), layout="constrained", dpi=100)
    axes = figure.subplots(2, len(timelines), sharex="col", squeeze=False)
    for column, timeline in enumerate(timelines):
        _draw_lag(axes[0, column], timeline)
        _draw_pods(axes[1, column], timeline)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _draw_lag(axes: Any, timeline: Timeline) -> None:
    axes.set_title(timeline.name)
    axes.plot(_times(timeline), [each.lag for each in timeline.samples], color="#b3541e")
    axes.set_ylabel("lag, records")
    axes.set_ylim(bottom=0)


def _draw_pods(axes: Any, timeline: Timeline) -> None:
    lines = {
        "desired by the autoscaler": ("desired", "#888", "--"),
        "asked for": ("asked", "#1f5fa8", "-"),
        "ready": ("ready", "#2b8a3e", ":"),
    }
    for label, (name, colour, style) in lines.items():
        counts = [getattr(each.scale, name) for each in timeline.samples]
        axes.step(
            _times(timeline), counts, where="post", label=label, color=colour, linestyle=style
        )
    axes.set_ylabel("pods")
    axes.set_xlabel("seconds")
    axes.set_ylim(bottom=0, top=timeline.most + 1.5)
    axes.legend(loc="upper center", ncols=len(lines), fontsize="small")


def _times(timeline: Timeline) -> list[float]:
    return [each.at_s for each in timeline.samples]
