"""What must hold after every fault, and waiting for it."""

import math
import os
from collections.abc import Sequence
from itertools import pairwise

from stream import codec
from tests.support.roles import Deployment, Seen
from tests.support.waiting import wait_until

FRAMES = 300
"""Of the demo's film at 4 frames/s."""
UNCOMMITTED = 4 * ((os.cpu_count() or 1) + 2)
"""Records of files that a segmenter of the demo's model may have under way: four times what the
device holds, which is a frame for each core at most, one that waits and one that is prepared."""

ALWAYS = (-math.inf, math.inf)


def assert_whole(seen: Seen, frames: int = FRAMES, *, crashes: int = 0) -> None:
    """Every frame of the one file has its result, and duplicates are what crashes explain."""
    (_,) = (each for each in seen.audit.epochs if each.mode == "archive")
    assert_each_whole(seen, frames, crashes=crashes)


def assert_each_whole(seen: Seen, frames: int, *, crashes: int) -> None:
    """The same of a file that was played again and again, or of several."""
    for epoch in (each for each in seen.audit.epochs if each.mode == "archive"):
        assert (epoch.offered, epoch.results, epoch.missing) == (frames, frames, 0)
        assert epoch.complete
        assert epoch.out_of_order == 0
    assert seen.duplicates <= crashes * UNCOMMITTED, f"{seen.duplicates} duplicates"


def wait_for_alerts(deployed: Deployment, *, repeats: bool = False) -> None:
    """The alerts are those of the masks, replayed; after a crash some may come twice."""
    wait_until(
        lambda: {each.id for each in deployed.seen().expected}
        <= {each.id for each in deployed.seen().alerts if each.state == "resolved"},
        "every alert is resolved", 60.0, pause_s=0.5,
    )  # fmt: skip
    seen = deployed.seen()
    came = list(dict.fromkeys(map(codec.to_json, seen.alerts)))
    assert came == [codec.to_json(each) for each in seen.expected]
    assert len(came) >= 6
    if not repeats:
        assert len(came) == len(seen.alerts)


def wait_for_results(deployed: Deployment, count: int) -> None:
    """At least so many results are on ``masks``."""

    def are_there() -> bool:
        return deployed.seen().results.total() >= count

    wait_until(are_there, f"{count} results", 90.0, pause_s=0.3)


def wait_for_frames(deployed: Deployment, count: int) -> None:
    """More records than that are on ``frames-archive``."""
    wait_until(lambda: deployed.records("frames-archive") > count, f"{count} frames")


def wait_for_masks(deployed: Deployment, more: int) -> None:
    """So many more records on ``masks`` than now."""
    there = deployed.records("masks")
    wait_until(lambda: deployed.records("masks") >= there + more, f"{more} more on masks", 90.0)


def wait_for_all_cameras(deployed: Deployment) -> None:
    """Something new of every camera that has something on ``masks``; each has its partition."""
    there = deployed.lengths("masks")

    def go_on() -> bool:
        return all(
            now > then for then, now in zip(there, deployed.lengths("masks"), strict=True) if then
        )

    wait_until(go_on, "all cameras go on", 90.0)


def longest_pause_s(written_ms: Sequence[int], within_ms: tuple[float, float] = ALWAYS) -> float:
    """The longest time between two records, of those that overlap ``within_ms``."""
    begin, end = within_ms
    return max(
        (later - earlier) / 1e3
        for earlier, later in pairwise(written_ms)
        if later >= begin and earlier <= end
    )
