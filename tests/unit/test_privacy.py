"""Parts of a picture that nobody is to see."""

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.privacy import black_out
from stream.specs import Polygon
from stream.types import Pixels

FINER = 16
SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def white(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)


def test_what_lies_in_a_polygon_is_black_and_the_rest_is_as_it_was() -> None:
    pixels = white(40, 80)
    black_out(pixels, [SQUARE])
    assert not pixels[10:31, 20:61].any()
    untouched = np.ones((40, 80), bool)
    untouched[8:33, 18:63] = False
    assert (pixels[untouched] == 255).all()


def touched(height: int, width: int, polygon: Polygon) -> NDArray[np.bool_]:
    """The pixels that a polygon touches, as seen in a picture that is far larger."""
    large = np.zeros((height * FINER, width * FINER), np.uint8)
    corners = np.array(polygon) * (width * FINER, height * FINER)
    cv2.fillPoly(large, [corners.astype(np.int32)], (255,))
    return np.asarray(large.reshape(height, FINER, width, FINER).any((1, 3)))


def test_a_pixel_that_a_polygon_only_touches_is_black_as_well() -> None:
    chance = np.random.default_rng(0)
    for size in ((36, 64), (54, 96)):  # the same fractions, after a change of size
        for corners in (3, 4, 5, 8):
            turns = np.sort(chance.uniform(0, 2 * np.pi, corners))
            away = chance.uniform(0.1, 0.5, corners)
            around = 0.5 + away * (np.cos(turns), np.sin(turns))
            polygon = tuple((float(x), float(y)) for x, y in around.T)
            pixels = white(*size)
            black_out(pixels, [polygon])
            assert not pixels[touched(*size, polygon)].any(), (size, polygon)


def test_a_polygon_over_the_whole_frame_leaves_nothing() -> None:
    pixels = white(36, 64)
    black_out(pixels, [((0, 0), (1, 0), (1, 1), (0, 1))])
    assert not pixels.any()


def test_polygons_may_overlap() -> None:
    pixels = white(40, 80)
    black_out(pixels, [SQUARE, SQUARE])
    assert not pixels[20, 40].any()
