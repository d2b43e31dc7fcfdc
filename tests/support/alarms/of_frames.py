"""Cases of what becomes of frames: how old, in error, skipped, missing, waiting."""

from tests.support.alarms.case import Case
from tests.support.alarms.samples import (
    GPU,
    HALL,
    MASKS,
    SITE,
    ages,
    batches,
    frames,
    lag,
    memory,
    missing,
)

IN_ERROR = "MaskstreamErrorRateHigh"
SKIPPED = "MaskstreamFramesSkipped"
MISSING = "MaskstreamFramesMissing"
GROWING = "MaskstreamLagGrowing"

FRAMES = (
    Case("more than one result in a hundred is old", "MaskstreamLatencyHigh",
         ages(989, 1000), after="2m30s", labels=SITE,
         summary="Live results of site are 545.5ms old"),
    Case("fewer are", "MaskstreamLatencyHigh", ages(991, 1000)),
    Case("more than one batch in a hundred is slow", "MaskstreamInferenceSlow",
         batches(989, 1000), after="2m30s", labels=SITE,
         summary="The model of site takes 545.5ms for a batch"),
    Case("fewer are", "MaskstreamInferenceSlow", batches(991, 1000)),
    Case("a card is full", "MaskstreamGpuMemoryHigh", memory(91), after="5m", labels=GPU,
         summary="GPU 0 of segment-0 has 91% of its memory in use"),
    Case("a card is nearly full", "MaskstreamGpuMemoryHigh", memory(90)),
    Case("11 frames of 200 are dead letters", IN_ERROR,
         frames(189, dead_letter=11), after="2m30s", labels=SITE,
         summary="5.5% of the frames of site cannot be handled"),
    Case("11 frames of 200 are in quarantine", IN_ERROR,
         frames(189, quarantined=11), after="2m30s", labels=SITE,
         summary="5.5% of the frames of site cannot be handled"),
    Case("9 frames of 200 are either", IN_ERROR, frames(191, dead_letter=5, quarantined=4)),
    Case("nothing but dead letters", IN_ERROR,
         frames(0, dead_letter=1), after="2m30s", labels=SITE,
         summary="100% of the frames of site cannot be handled"),
    Case("late frames are no errors", IN_ERROR, frames(9, stale=5, overflow=5, expired=5)),
    Case("a camera is in quarantine", "MaskstreamCameraQuarantined",
         frames(9, quarantined=1), after="2m30s", labels=HALL,
         summary="Camera hall of site sends what cannot be decoded"),
    Case("a camera has a few dead letters", "MaskstreamCameraQuarantined",
         frames(99, dead_letter=1)),
    *(Case(f"11 frames of 1000 are {reason}", SKIPPED,
           frames(989, "hall", **{reason: 11}), after="2m30s", labels=SITE,
           summary="1.1% of the frames of site are skipped")
      for reason in ("stale", "overflow", "expired")),
    Case("9 frames of 1000 are", SKIPPED, frames(991, stale=3, overflow=3, expired=3)),
    Case("dead letters are not skipped", SKIPPED, frames(9, dead_letter=1, quarantined=1)),
    Case("more comes than is read", GROWING, lag("0+10x80"), after="15m",
         labels=MASKS, summary="The lag of masks of site grows",
         told={"description": "More records come than are read: now 140 more wait than ten minutes "
                              "ago, and it rises still."}),
    Case("a lag goes up and down", GROWING, lag("0 90 " * 40), after="20m"),
    Case("a lag falls after an outage", GROWING, lag("0x20 2000-10x60"), after="20m"),
    Case("a lag that stays", GROWING, lag("500x80"), after="20m"),
    Case("frames are missing", MISSING, missing("0x10 2x80"), after="5m30s", last="20m",
         labels=HALL, summary="2 frames of hall of site are unaccounted for"),
    Case("frames are missing from the first count on", MISSING, missing("_x40 3x80"),
         after="20m", last="34m30s", labels=HALL,
         summary="3 frames of hall of site are unaccounted for"),
    Case("frames are missing from the first scrape of a watch on", MISSING,
         missing("_x10 3x80", "_x10 1x80", began_s=300), after="5m", last="19m30s", labels=HALL,
         summary="3 frames of hall of site are unaccounted for"),
    Case("none is missing", MISSING, missing("0x80")),
    Case("nobody scraped for a while after some were", MISSING,
         missing("5x40 _x14 5x60", "1x40 _x14 1x60"), after="50m"),
    Case("nobody scraped for hours after some were", MISSING,
         missing("5x4 _x400 5x60", "1x4 _x400 1x60"), after="225m"),
)  # fmt: skip
