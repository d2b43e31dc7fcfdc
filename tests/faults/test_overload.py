"""More than the device can do: what is published stays fresh, in fair parts, and the rest is told.

The model sleeps, so what it can do is set by a clock and not by what else the machine is at.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stream.audit import EpochAudit
from stream.cli.bench.published import Published, age_s, published, rate_per_s
from stream.cli.bench.sleeping import Sleep
from stream.config import Settings, load
from tests.faults.film import FULL
from tests.support.clips import write_clip
from tests.support.roles import Deployment, Seen, deployment

pytestmark = pytest.mark.slow

SECONDS = 300 if FULL else 40
GREEDY_SECONDS = 40
SLEEP = Sleep(batch_size=8, seconds=0.1)
FILE_FRAMES = 480
LIVE = [f"live-{number}" for number in range(6)]
TIMES = 3
"""The capacity that is offered."""
SETTLING_US = 3_000_000
"""From the first result until as much is late as will be."""
STILL_S = 0.5
"""Five batches long nothing at all came: the machine paused, whoever asked for how much."""


class Load:
    """A segmenter that sleeps, a file to measure what it can do, and live cameras."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self.settings: Settings = load(deployed.config, secrets=False)
        self.segment = deployed.start_sleeping(SLEEP)

    def capacity_per_s(self) -> float:
        """What comes of a file that saturates the device."""
        write_clip(self.deployed.folder / "file.mp4", FILE_FRAMES)
        assert self.deployed.start_ingest_of("file").popen.wait(60) == 0
        self.deployed.wait_closed()
        results = self.results()
        assert len(results) == FILE_FRAMES
        return rate_per_s(results)

    def play(self, fps: dict[str, int], seconds: int) -> Seen:
        """Play cameras at rates of their own until they end and are answered."""
        for camera, rate in fps.items():
            clip = self.deployed.folder / f"{camera}.mp4"
            write_clip(clip, rate * seconds, rate=Fraction(rate))
        ingest = self.deployed.start_ingest_of(*fps)
        assert ingest.popen.wait(seconds + 60) == 0
        return self.deployed.wait_closed()

    def told_per_s(self) -> float:
        """What ``segment`` says that it is able to do."""
        line = r"^maskstream_capacity_frames_per_second (\S+)$"
        (told,) = re.findall(line, self.segment.get("/metrics"), re.MULTILINE)
        return float(told)

    def warned(self) -> Counter[str]:
        """How often its log says of a camera that frames are skipped."""
        said = (
            each for each in self.segment.said() if "of its frames are skipped" in each["event"]
        )
        return Counter(each["camera"] for each in said if each["level"] == "warning")

    def results(self) -> list[Published]:
        return asyncio.run(published(self.settings))

    def settled(self) -> list[Published]:
        """The results of live cameras once it has shown what the device can do."""
        live = [each for each in self.results() if each.result.camera in LIVE]
        return [each for each in live if each.at_us >= live[0].at_us + SETTLING_US]


def cameras(folder: Path) -> list[dict[str, Any]]:
    return [
        {"id": name, "url": str(folder / f"{name}.mp4"), "mode": mode, "partition": number}
        for number, (name, mode) in enumerate(
            [*((each, "live") for each in LIVE), ("file", "archive")]
        )
    ]


def offered_per_s(results: Sequence[Published]) -> float:
    """What live cameras really offered: how frames' numbers rise with the times of arrival."""
    total = 0.0
    for name in LIVE:
        own = sorted(
            (each.result.seq, each.result.arrived_us)
            for each in results
            if each.result.camera == name
        )
        (first, from_us), (last, to_us) = own[0], own[-1]
        total += (last - first) / (to_us - from_us) * 1e6
    return total


def paused_s(results: Sequence[Published]) -> float:
    """For how long the whole machine stood still between the first result and the last."""
    waits_s = [(after.at_us - each.at_us) / 1e6 for each, after in pairwise(results)]
    return sum(each for each in waits_s if each > STILL_S)


def running_rate_per_s(results: Sequence[Published]) -> float:
    """Results per second while the machine ran."""
    span_s = (results[-1].at_us - results[0].at_us) / 1e6
    return len(results) / (span_s - paused_s(results))


def live_epochs(seen: Seen) -> dict[str, EpochAudit]:
    """Of each live camera its one epoch, with nothing missing and a reason for each gap."""
    epochs = {each.camera: each for each in seen.audit.epochs if each.camera in LIVE}
    assert len(epochs) == len(seen.audit.epochs) - 1 == len(LIVE)
    for each in epochs.values():
        assert each.complete
        assert set(each.gaps) <= {"stale", "overflow"}
        assert each.results + each.gaps.total() == each.offered
        assert each.duplicates == each.out_of_order == 0
    return epochs


@pytest.mark.timeout(SECONDS + 260)
def test_three_times_the_capacity_is_published_fresh_and_in_equal_parts(
    tmp_path: Path, kafka: str
) -> None:
    with deployment(tmp_path, kafka, cameras=cameras(tmp_path), zones=[], rules=[]) as deployed:
        played = Load(deployed)
        capacity = played.capacity_per_s()
        live_epochs(played.play(dict.fromkeys(LIVE, round(TIMES * capacity / len(LIVE))), SECONDS))
        results = played.settled()
        told, warned = played.told_per_s(), played.warned()

    assert offered_per_s(results) > 0.95 * TIMES * capacity
    assert age_s(results, 0.99) <= played.settings.freshness.max_age
    assert running_rate_per_s(results) >= 0.9 * capacity
    assert warned == dict.fromkeys(LIVE, 1)
    assert told == pytest.approx(capacity, rel=0.15)
    shares = Counter(each.result.camera for each in results)
    fair = len(results) / len(LIVE)
    assert {name: shares[name] for name in LIVE} == pytest.approx(
        dict.fromkeys(LIVE, fair), rel=0.2
    )


@pytest.mark.long
@pytest.mark.timeout(GREEDY_SECONDS + 260)
def test_a_camera_that_asks_for_too_much_takes_nothing_from_the_others(
    tmp_path: Path, kafka: str
) -> None:
    with deployment(tmp_path, kafka, cameras=cameras(tmp_path), zones=[], rules=[]) as deployed:
        played = Load(deployed)
        capacity = played.capacity_per_s()
        greedy, *modest = LIVE
        fps = {greedy: round(2 * capacity), **dict.fromkeys(modest, round(capacity / 10))}
        epochs = live_epochs(played.play(fps, GREEDY_SECONDS))
        results = played.settled()

    assert epochs[greedy].gaps["stale"] > epochs[greedy].results
    for name in modest:
        asked = epochs[name].offered - fps[name] * paused_s(results)
        assert epochs[name].results >= 0.95 * asked
    assert age_s(results, 0.99) <= played.settings.freshness.max_age
    assert running_rate_per_s(results) >= 0.9 * capacity
