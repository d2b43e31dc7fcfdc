"""What is asked of a picture, and how that is answered."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.types import Pixels, Size

Thumbnail = NDArray[np.uint8]
"""A small grey picture: uint8, shape `SMALL`."""
SMALL: Size = (36, 64)
_SAMPLES = (5 * SMALL[0], 5 * SMALL[1])
"""At most so many pixels are looked at: 25 in each cell average the noise away. All of a picture
of 1920×1080 would cost 3.5 ms instead of 0.1 ms."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame that is offered, as far as it matters here: its number, event time, and thumbnail.

    ``camera_us`` is when the camera says that it took it.
    """

    seq: int
    time_us: int
    thumbnail: Thumbnail
    camera_us: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a condition holds, since when, and what to tell people of it."""

    is_on: bool
    since_us: int
    detail: str = ""


def thumbnail(pixels: Pixels) -> Thumbnail:
    """The picture in small; its brightness is that of green, which is most of what eyes see."""
    rows, columns = (
        max(1, side // most) for side, most in zip(pixels.shape[:2], _SAMPLES, strict=True)
    )
    green = np.ascontiguousarray(pixels[::rows, ::columns, 1])
    # As many in each cell: of 6.5 each, averaging takes four times as long as of 6.
    even = [max(1, side // cells) * cells for side, cells in zip(green.shape, SMALL, strict=True)]
    green = cv2.resize(green, even[::-1], interpolation=cv2.INTER_NEAREST)
    small: Thumbnail = cv2.resize(green, SMALL[::-1], interpolation=cv2.INTER_AREA)
    return small
