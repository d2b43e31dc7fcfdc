"""Cases of cameras that are away."""

from tests.support.alarms.case import Case
from tests.support.alarms.samples import HALL, condition, state

LOST = "MaskstreamCameraLost"

CAMERAS = (
    Case("a camera is away", LOST, state(live="0x80", lost="1x80", failed="0x80"), after="1m",
         labels=HALL, summary="Camera hall of site is lost"),
    Case("a camera cannot be tried", LOST, state(live="0x80", lost="0x80", failed="1x80"),
         after="1m", labels=HALL, summary="Camera hall of site is lost"),
    Case("a camera was away for half a minute", LOST, state(live="1 0 1x80", lost="0 1 0x80")),
    Case("a camera is tried for the first time", LOST, state(connecting="1x80", lost="0x80")),
    Case("a camera is live but ill", LOST, condition("black")),
    Case("another process has the camera now", LOST, state(lost="1 1 stale", live="0 0 1x80")),
)  # fmt: skip
