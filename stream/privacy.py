"""Parts of a picture that nobody is to see: blacked out before a frame leaves ingest."""

from collections.abc import Sequence

import cv2
import numpy as np

from stream.specs import Polygon
from stream.types import Pixels


def black_out(pixels: Pixels, polygons: Sequence[Polygon]) -> None:
    """Make every pixel black, in place, that a polygon (fractions of width and height) touches, and
    up to 2 px around it.
    """
    height, width = pixels.shape[:2]
    for polygon in polygons:
        corners = np.floor(np.array(polygon) * (width, height)).astype(np.int32)
        cv2.fillPoly(pixels, [corners], (0, 0, 0))
        # The fill alone leaves out pixels that a slanting side cuts, up to two thirds of each.
        cv2.polylines(pixels, [corners], isClosed=True, color=(0, 0, 0), thickness=2)
