"""Parts of a picture that nobody is to see."""

import numpy as np

from stream.privacy import black_out
from stream.types import Pixels

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def white(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)


def test_what_lies_in_a_polygon_is_black_and_the_rest_is_as_it_was() -> None:
    pixels = white(40, 80)
    black_out(pixels, [SQUARE])
    assert not pixels[10:31, 20:61].any()
    untouched = np.ones((40, 80), bool)
    untouched[10:31, 20:61] = False
    assert (pixels[untouched] == 255).all()


def test_a_pixel_that_a_polygon_only_touches_is_black_as_well() -> None:
    pixels = white(100, 100)
    black_out(pixels, [((0.105, 0.105), (0.905, 0.105), (0.905, 0.905))])
    for x, y in ((10, 10), (90, 10), (90, 90), (50, 50)):
        assert not pixels[y, x].any(), (x, y)


def test_a_polygon_over_the_whole_frame_leaves_nothing() -> None:
    pixels = white(36, 64)
    black_out(pixels, [((0, 0), (1, 0), (1, 1), (0, 1))])
    assert not pixels.any()


def test_polygons_may_overlap() -> None:
    pixels = white(40, 80)
    black_out(pixels, [SQUARE, SQUARE])
    assert not pixels[20, 40].any()
