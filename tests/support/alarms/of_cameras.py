"""Cases of cameras that are away."""

from tests.support.alarms.case import Case
from tests.support.alarms.samples import HALL, Samples, condition, reconnects, state

LOST = "MaskstreamCameraLost"

UNSTEADY = "MaskstreamCameraUnsteady"


def flapping(lost_s: int) -> Samples:
    """Lost for so many seconds of each of ten minutes, then live: samples every 10 s."""
    away = lost_s // 10
    minute = [*[1] * away, *[0] * (6 - away)]
    lost = [*minute * 10, *[0] * 30]
    return state(lost=" ".join(map(str, lost)), live=" ".join(str(1 - each) for each in lost))


CAMERAS = (
    Case("a camera is away", LOST, state(live="0x80", lost="1x80", failed="0x80"), after="2m",
         labels=HALL, summary="Camera hall of site is lost"),
    Case("a camera cannot be tried", LOST, state(live="0x80", lost="0x80", failed="1x80"),
         after="2m", labels=HALL, summary="Camera hall of site is lost"),
    Case("a camera is away for 50 s of each minute", LOST, flapping(50), after="2m",
         last="10m30s", labels=HALL, summary="Camera hall of site is lost", step="10s"),
    Case("a camera is away for 20 s of each minute", LOST, flapping(20), step="10s"),
    Case("a camera was live and is away", LOST, state(live="1x9 0x80", lost="0x9 1x20 0x20"),
         after="6m", last="16m", labels=HALL, summary="Camera hall of site is lost"),
    Case("a camera came back six times", UNSTEADY, reconnects("0 1 2 3 4 5 6x80"), after="3m",
         labels=HALL, summary="Camera hall of site comes and goes", last="15m",
         told={"description": "It was lost and came back 6 times within 15 minutes. Each time "
                              "rules see nothing for seconds."}),
    Case("a camera came back five times", UNSTEADY, reconnects("0 1 2 3 4 5x80"), after="20m"),
    Case("a camera was away for half a minute", LOST, state(live="1 0 1x80", lost="0 1 0x80")),
    Case("a camera is tried for the first time", LOST, state(connecting="1x80", lost="0x80")),
    Case("a camera is live but ill", LOST, condition("black")),
    Case("another process has the camera now", LOST, state(lost="1 1 stale", live="0 0 1x80")),
)  # fmt: skip
