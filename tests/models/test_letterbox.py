"""The network's input is what ultralytics would make of the same picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.models.letterbox import fit, letterbox
from stream.ports import Window


@pytest.mark.parametrize(
    ("window", "network"),
    [
        ((432, 768), (384, 640)),
        ((360, 640), (384, 640)),
        ((576, 704), (544, 640)),
        ((1520, 2688), (384, 640)),
        ((768, 432), (640, 384)),
        ((1, 3000), (32, 640)),
    ],
)
def test_the_network_runs_at_the_smallest_fitting_size(
    window: tuple[int, int], network: tuple[int, int]
) -> None:
    assert fit(window, 640, 32).network == network


@settings(max_examples=60)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    image_size=st.sampled_from([64, 320, 416]),
)
def test_every_picture_becomes_what_ultralytics_makes_of_it(
    reference: None, height: int, width: int, image_size: int
) -> None:
    from ultralytics.data.augment import LetterBox

    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)
    expected = LetterBox((image_size, image_size), auto=True, stride=32)(image=pixels)
    geometry = fit((height, width), image_size, 32)
    out = np.empty((*geometry.network, 3), np.uint8)
    letterbox(pixels, Window(0, 0, width, height), geometry, out)
    np.testing.assert_array_equal(out, expected)


def test_a_window_is_seen_as_if_it_were_the_picture() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    window = Window(x=31, y=17, width=222, height=111)
    geometry = fit((111, 222), 320, 32)
    cut, copied = (np.empty((*geometry.network, 3), np.uint8) for _ in range(2))
    letterbox(pixels, window, geometry, cut)
    crop = pixels[17:128, 31:253].copy()
    letterbox(crop, Window(0, 0, 222, 111), geometry, copied)
    np.testing.assert_array_equal(cut, copied)
