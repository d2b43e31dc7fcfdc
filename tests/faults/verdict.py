"""What must hold after every fault, and waiting for it."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from connectors.webhook import message_id
from stream import codec
from stream.types import Alert
from tests.support.receiver import Receiver
from tests.support.roles import Deployment, Process, Seen
from tests.support.waiting import wait_until

FRAMES = 300
"""Of the demo's film at 4 frames/s."""
UNCOMMITTED = 4 * ((os.cpu_count() or 1) + 2)
"""Records of files that a segmenter of the demo's model may have under way: four times what the
device holds, which is a frame for each core at most, one that waits and one that is prepared."""
ALERTS_OF_A_BATCH = 8
"""The most that watch writes before it keeps its state: a batch is 64 frames, 16 s of the film at
4 frames/s, and after one alert it takes at least 5 s until the next is opened.
"""
TRIES = 8
"""In flight at one endpoint from one process."""
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


def wait_for_alerts(
    deployed: Deployment, *, repeats: int = 0, longest: int = ALERTS_OF_A_BATCH
) -> None:
    """The alerts are those of the masks, replayed, and their receiver has taken each.

    A crash costs a run of them that comes again, at most so often, and each at most so long.
    """
    wait_until(
        lambda: {*_names(deployed.seen().expected)} <= {*_names(deployed.seen().alerts)},
        "every alert is there", 60.0, pause_s=0.5,
    )  # fmt: skip
    seen = deployed.seen()
    came, expected = _names(seen.alerts), _names(seen.expected)
    assert len(expected) >= 6
    assert list(dict.fromkeys(came)) == expected
    assert set(map(codec.to_json, seen.alerts)) == set(map(codec.to_json, seen.expected))
    again = _again(came)
    assert len(again) <= repeats, again
    assert all(each <= longest for each in again), again
    if deployed.ops is not None:
        wait_taken(deployed, deployed.ops, expected, repeats * TRIES)


def wait_taken(deployed: Deployment, ops: Receiver, names: Sequence[str], repeats: int = 0) -> None:
    """All of these were taken and no others; of all together, so many more than once."""
    wait_until(lambda: ops.taken.keys() >= {*names}, "each alert is taken", 90.0)
    senders = [each for each in deployed.processes if each.role == "notify" and each.is_running]
    wait_until(lambda: not any(map(pending, senders)), "all is written down")
    assert ops.taken.keys() == {*names}
    assert all(len(bodies) == 1 for bodies in ops.bodies.values())
    assert ops.taken.total() - len(ops.taken) <= repeats, ops.taken


def pending(notify: Process) -> int:
    """How many deliveries wait in a process."""
    found = re.search(
        r'^maskstream_deliveries_pending\{endpoint="ops"\} (\S+)$',
        notify.get("/metrics"), re.MULTILINE,
    )  # fmt: skip
    return 0 if found is None else int(float(found[1]))


def _names(alerts: Sequence[Alert]) -> list[str]:
    return [message_id(each) for each in alerts]


def _again(came: Sequence[str]) -> list[int]:
    """How long each run of repeats is."""
    first = {name: number for number, name in enumerate(dict.fromkeys(came))}
    numbers = [first[name] for name in came]
    return [before - after + 1 for before, after in pairwise(numbers) if after <= before]


def wait_committed(deployed: Deployment, role: str, topic: str) -> Mapping[int, int]:
    """What ``role`` has committed of a topic, once it has committed all of it."""

    def is_all() -> bool:
        return sum(deployed.committed(role, topic).values()) == deployed.records(topic)

    wait_until(is_all, f"{role} has committed all of {topic}", pause_s=0.3)
    return deployed.committed(role, topic)


def wait_for_results(deployed: Deployment, count: int) -> None:
    """At least so many results are on ``masks``."""

    def are_there() -> bool:
        return deployed.seen().results.total() >= count

    wait_until(are_there, f"{count} results", 90.0, pause_s=0.3)


def wait_for_frames(deployed: Deployment, count: int) -> None:
    """More records than that are on ``frames-archive``."""
    wait_until(lambda: deployed.records("frames-archive") > count, f"{count} frames")


def wait_for_more(deployed: Deployment, topic: str, more: int) -> None:
    """So many more records on a topic than now."""
    there = deployed.records(topic)
    wait_until(lambda: deployed.records(topic) >= there + more, f"{more} more on {topic}", 90.0)


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
