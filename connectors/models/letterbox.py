"""A window of a frame as the network's input, and the geometry that leads back.

The geometry is that of ``ultralytics`` ``LetterBox(auto=True)``: the longer side becomes
``image_size``, both sides keep their proportion and are rounded, and the shorter one is padded in
equal parts up to the next multiple of the stride. 768x432 runs at 640x384.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.ports import Window
from stream.types import Pixels, Size

PADDING = 114
"""Grey of the border, as ``ultralytics`` trains with."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a window of ``window`` (height, width) pixels lies in a network input of ``network``.

    ``inner`` is its size after scaling, ``top`` and ``left`` the padding before it.
    """

    window: Size
    network: Size
    inner: Size
    top: int
    left: int


@lru_cache(maxsize=256)
def fit(window: Size, image_size: int, stride: int) -> Geometry:
    """The geometry of a window at ``image_size`` pixels for its longer side."""
    height, width = window
    gain = min(image_size / height, image_size / width)
    inner_h, inner_w = max(round(height * gain), 1), max(round(width * gain), 1)
    pad_h, pad_w = (image_size - inner_h) % stride, (image_size - inner_w) % stride
    return Geometry(
        window=window,
        network=(inner_h + pad_h, inner_w + pad_w),
        inner=(inner_h, inner_w),
        top=round(pad_h / 2 - 0.1),
        left=round(pad_w / 2 - 0.1),
    )


def letterbox(pixels: Pixels, window: Window, geometry: Geometry, out: NDArray[np.uint8]) -> None:
    """Write the window into ``out``, uint8 (height, width, 3) of the network's size, BGR."""
    crop = pixels[window.y : window.y + window.height, window.x : window.x + window.width]
    (inner_h, inner_w), top, left = geometry.inner, geometry.top, geometry.left
    bottom, right = top + inner_h, left + inner_w
    inner = out[top:bottom, left:right]
    if geometry.window == geometry.inner:
        inner[...] = crop
    else:
        cv2.resize(crop, (inner_w, inner_h), dst=inner, interpolation=cv2.INTER_LINEAR)
    out[:top] = out[bottom:] = PADDING
    out[top:bottom, :left] = out[top:bottom, right:] = PADDING
