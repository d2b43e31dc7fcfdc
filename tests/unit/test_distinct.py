"""Things that a network finds twice in one frame: which of their masks stay."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.masks import Mask, distinct, iou

SIZE = (40, 60)
SAME = 0.8


def upright(x: int, top: int = 5, bottom: int = 35, width: int = 10) -> Mask:
    return Mask.from_bitmap(SIZE, np.ones((bottom - top, width), bool), x, top)


def test_of_masks_that_agree_the_surest_stays() -> None:
    to_the_knees, to_the_feet = upright(10, bottom=32), upright(10)
    assert distinct([to_the_knees, to_the_feet], [0.4, 0.6]) == [1]
    assert distinct([to_the_knees, to_the_feet], [0.6, 0.6]) == [0]


def test_a_part_of_somebody_is_not_the_same_thing() -> None:
    head, body = upright(10, bottom=20), upright(10)
    assert distinct([head, body], [0.4, 0.6]) == [0, 1]


def test_neighbours_stay_and_so_do_empty_masks() -> None:
    nothing = Mask.from_edges(SIZE, [])
    masks = [upright(30), nothing, upright(10), upright(20), nothing, upright(30)]
    assert distinct(masks, [0.5] * 6) == [0, 1, 2, 3, 4]
    assert distinct([], []) == []


def test_what_agrees_only_with_a_dropped_one_stays() -> None:
    masks = [upright(10), upright(11), upright(12)]
    assert distinct(masks, [0.9, 0.8, 0.7]) == [0, 2]
    assert distinct(masks, [0.8, 0.9, 0.7]) == [1]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(20, 26), st.integers(0, 3)),
        max_size=9,
    )
)
def test_each_that_goes_agrees_with_a_surer_one_that_stays(
    things: list[tuple[int, int, int, int]],
) -> None:
    masks = [upright(x, top, bottom) for x, top, bottom, _ in things]
    scores = [score / 4 for *_, score in things]
    kept = distinct(masks, scores)
    for row, mask in enumerate(masks):
        surer = [k for k in kept if k != row and iou(mask, masks[k]) >= SAME]
        if row in kept:
            assert not surer
        else:
            assert any(scores[k] >= scores[row] for k in surer)
