"""What must hold after every fault, and waiting for it."""

from stream import codec
from tests.support.roles import Deployment, Seen
from tests.support.waiting import wait_until

FRAMES = 300
"""Of the demo's film at 4 frames/s."""
WINDOW = 8
"""Records that a segmenter of the demo's model may have under way."""


def assert_whole(seen: Seen, frames: int = FRAMES, *, crashes: int = 0) -> None:
    """Every frame has its result, and duplicates are what crashes explain."""
    (epoch,) = seen.audit.epochs
    assert (epoch.offered, epoch.results, epoch.missing) == (frames, frames, 0)
    assert epoch.complete
    assert seen.duplicates <= crashes * WINDOW, f"{seen.duplicates} duplicates"
    assert epoch.out_of_order == 0


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
