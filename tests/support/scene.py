"""A grey picture with something in it, as the live page gets it."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from connectors.jpeg import JpegCodec
from connectors.web import Page
from stream.masks import Mask
from stream.specs import ZoneSpec
from stream.types import (
    Alert,
    AlertState,
    Evidence,
    Frame,
    FrameId,
    Instance,
    Joined,
    Raw,
    Result,
    Size,
    Track,
    Tracks,
)
from tests.support.build import MODEL
from tests.support.clock import START_US, VirtualClock

GREY = 90
SIZE: Size = (120, 160)
JPEG = JpegCodec(90, max_bytes=1_000_000, max_pixels=1_000_000)
GATE = ZoneSpec(id="gate", camera="hall", polygon=((0.6, 0.1), (0.95, 0.1), (0.95, 0.9)))


def ring(size: Size = SIZE) -> Mask:
    """A disc with a hole, in the left half of the picture."""
    disc = np.zeros(size, np.uint8)
    centre, radius = (size[1] // 4, size[0] // 2), min(size) // 4
    cv2.circle(disc, centre, radius, 1, -1)
    cv2.circle(disc, centre, radius // 2, 0, -1)
    return Mask.from_bitmap(size, disc.astype(bool), 0, 0)


def away(mask: Mask, px: int) -> Any:
    """Which pixels lie further than ``px`` from the mask's border: bool, shape (height, width)."""
    pixels = mask.bitmap().astype(np.uint8)
    kernel = np.ones((2 * px + 1, 2 * px + 1), np.uint8)
    return cv2.dilate(pixels, kernel) == cv2.erode(pixels, kernel)


def joined(seq: int = 0, camera: str = "hall", *masks: Mask) -> Joined:
    """A grey picture and its result: a person with each mask, tracked."""
    frame_id, size = FrameId(camera, 1, seq), masks[0].size if masks else SIZE
    pixels = np.full((*size, 3), GREY, np.uint8)
    frame = Frame(frame_id, "live", size, START_US, START_US, Raw(pixels))
    instances = tuple(Instance("person", 0.9, _box(mask), mask) for mask in masks)
    result = Result(camera, 1, seq, START_US, START_US, size, MODEL, instances)
    tracked = tuple(
        Track(f"{camera}/1/7/{index}", "person", 0.9, each.box, (0, 0), (), index)
        for index, each in enumerate(instances)
    )
    return Joined(frame, result, Tracks(camera, 1, seq, START_US, tracked))


def alert(state: AlertState = "opened", camera: str = "hall", lasted_us: int = 0) -> Alert:
    """Somebody is in the gate."""
    evidence = Evidence(1, 0, 0.9, 0.8, (10, 10, 40, 80))
    return Alert(
        id=f"{camera}-1",
        state=state,
        rule="keep-out",
        kind="presence",
        camera=camera,
        zone="gate",
        labels=("person",),
        severity="critical",
        tracks=(f"{camera}/1/7/0",),
        opened_us=START_US,
        time_us=START_US + lasted_us,
        evidence=evidence,
        notify=(),
    )


def _box(mask: Mask) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(each) for each in mask.box)
    return x1, y1, x2, y2


def brightness(seq: int) -> int:
    """How bright the frame of a number is, in `encoded`."""
    return 20 + 6 * seq


def encoded(seq: int, camera: str = "hall", *masks: Mask) -> Joined:
    """As `joined`, the picture a JPEG: the later, the brighter."""
    made = joined(seq, camera, *masks)
    height, width = made.frame.size
    picture = JPEG.encode(np.full((height, width, 3), brightness(seq), np.uint8))
    return replace(made, frame=replace(made.frame, picture=picture))


def shown_in_a_row(page: Page, clock: VirtualClock, count: int, camera: str = "hall") -> None:
    """Show so many frames, a fifth of a second apart."""
    for seq in range(count):
        page.offer(encoded(seq, camera, ring()))
        clock.advance(0.2)
