"""Builders of pictures, frames and messages."""

import numpy as np

from stream.masks import Mask
from stream.types import (
    Box,
    CameraHealth,
    Condition,
    EpochClosed,
    EpochOpened,
    Frame,
    FrameId,
    Gap,
    GapReason,
    Instance,
    Mode,
    ModelRef,
    Picture,
    Pixels,
    Raw,
    Result,
    Size,
)
from tests.support.clock import START_US

SIZE: Size = (48, 64)
MODEL = ModelRef("bright", "b" * 64, "f32")


def picture(*boxes: tuple[int, int, int, int], size: Size = SIZE, grey: int = 255) -> Pixels:
    """Black, with a rectangle of ``grey`` in each box (x1, y1, x2, y2)."""
    pixels = np.zeros((*size, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        pixels[y1:y2, x1:x2] = grey
    return pixels


def frame(
    seq: int = 0,
    camera: str = "hall",
    *,
    epoch: int = 1,
    mode: Mode = "archive",
    time_us: int = START_US,
    image: Picture | None = None,
    size: Size = SIZE,
) -> Frame:
    """A frame; black and raw unless ``image`` says otherwise."""
    shown = Raw(picture(size=size)) if image is None else image
    return Frame(FrameId(camera, epoch, seq), mode, size, time_us, time_us, shown)


def rectangle(box: tuple[int, int, int, int], size: Size = SIZE) -> Mask:
    """The mask of a rectangle (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = box
    return Mask.from_bitmap(size, np.ones((y2 - y1, x2 - x1), np.bool_), x1, y1)


def instance(
    box: tuple[int, int, int, int] = (8, 8, 24, 40),
    label: str = "person",
    score: float = 0.75,
    size: Size = SIZE,
) -> Instance:
    """An instance whose mask is its box."""
    exact: Box = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    return Instance(label, score, exact, rectangle(box, size))


def result(
    seq: int = 0, camera: str = "hall", *instances: Instance, epoch: int = 1, size: Size = SIZE
) -> Result:
    """A result, without instances unless some are given."""
    return Result(camera, epoch, seq, START_US, START_US, size, MODEL, instances)


def gap(
    first: int, last: int, reason: GapReason = "stale", camera: str = "hall", epoch: int = 1
) -> Gap:
    """A gap of ``first``…``last``."""
    return Gap(camera, epoch, first, last, START_US, reason)


def opened(camera: str = "hall", *, epoch: int = 1, mode: Mode = "archive") -> EpochOpened:
    """An epoch's first record."""
    return EpochOpened(camera, epoch, START_US, mode, SIZE, 10.0)


def closed(frames: int, camera: str = "hall", *, epoch: int = 1) -> EpochClosed:
    """An epoch's last record, after ``frames`` frames."""
    return EpochClosed(camera, epoch, START_US, frames, "ended")


def health(
    seq: int,
    condition: Condition = "lost",
    *,
    epoch: int = 1,
    time_us: int = START_US,
    camera: str = "hall",
) -> CameraHealth:
    """A condition that holds, told before frame ``seq``."""
    return CameraHealth(camera, epoch, seq, time_us, condition, True, START_US, "so it is")
