"""Which parts of a frame are looked at, and how several looks become one list of instances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.masks import Mask, iou
from stream.ports import Window
from stream.specs import CameraSpec, Tiles
from stream.types import Instance
from stream.views import merge, plan

SIZE = (120, 200)
LEFT, RIGHT = Window(0, 0, 120, 120), Window(80, 0, 120, 120)


def camera(**fields: object) -> CameraSpec:
    return CameraSpec.model_validate({"id": "hall", "url": "hall.mp4", **fields})


def rectangle(x1: int, y1: int, x2: int, y2: int, score: float = 0.5, label: str = "a") -> Instance:
    bitmap = np.ones((y2 - y1, x2 - x1), np.bool_)
    mask = Mask.from_bitmap(SIZE, bitmap, x1, y1)
    return Instance(label, score, (float(x1), float(y1), float(x2), float(y2)), mask)


def seen(window: Window, whole: Instance, score: float) -> Instance:
    """What a window shows of an object."""
    x1, y1, x2, y2 = (int(side) for side in whole.box)
    right, bottom = window.x + window.width, window.y + window.height
    return rectangle(
        max(x1, window.x), max(y1, window.y), min(x2, right), min(y2, bottom), score, whole.label
    )


@pytest.mark.parametrize("spec", [None, camera()])
def test_a_camera_that_asks_for_nothing_is_seen_whole(spec: CameraSpec | None) -> None:
    assert plan(spec, (432, 768)) == [Window(0, 0, 768, 432)]


def test_a_roi_covers_every_pixel_that_it_touches() -> None:
    assert plan(camera(roi=(0.1, 0.25, 0.5, 1.0)), (10, 15)) == [Window(1, 2, 7, 8)]


def test_a_roi_thinner_than_a_pixel_is_one_pixel() -> None:
    assert plan(camera(roi=(0.999, 0.999, 1.0, 1.0)), (10, 10)) == [Window(9, 9, 1, 1)]


def test_tiles_share_the_part_that_was_asked_for() -> None:
    windows = plan(camera(tiles={"columns": 2, "rows": 1, "overlap": 0.2}), (400, 900))
    assert windows == [Window(0, 0, 500, 400), Window(400, 0, 500, 400)]


@given(
    columns=st.integers(1, 8),
    rows=st.integers(1, 8),
    overlap=st.floats(0, 0.8),
    size=st.tuples(st.integers(64, 1600), st.integers(64, 2700)),
)
def test_tiles_are_alike_and_leave_nothing_out(
    columns: int, rows: int, overlap: float, size: tuple[int, int]
) -> None:
    tiles = Tiles(columns=columns, rows=rows, overlap=overlap)
    windows = plan(camera(tiles=tiles.model_dump()), size)
    covered = np.zeros(size, np.bool_)
    for window in windows:
        assert 0 <= window.x <= size[1] - window.width
        assert 0 <= window.y <= size[0] - window.height
        covered[window.y : window.y + window.height, window.x : window.x + window.width] = True
    assert covered.all()
    assert len(windows) == columns * rows
    assert len({(window.width, window.height) for window in windows}) == 1


def test_one_window_keeps_its_instances_as_they_are() -> None:
    found = (rectangle(0, 0, 5, 5), rectangle(1, 1, 6, 6))
    assert merge([LEFT], [found]) == found


def test_an_object_seen_whole_by_two_tiles_is_one_instance_with_the_better_mask() -> None:
    low, high = rectangle(90, 20, 110, 60, 0.6), rectangle(91, 20, 110, 61, 0.8)
    assert merge([LEFT, RIGHT], [[low], [high]]) == (high,)


def test_an_object_that_one_tile_cuts_is_the_instance_of_the_other() -> None:
    whole = rectangle(95, 20, 140, 60, 0.6)
    assert merge([LEFT, RIGHT], [[seen(LEFT, whole, 0.9)], [whole]]) == (whole,)


def test_an_object_that_all_tiles_cut_is_the_union_of_its_pieces() -> None:
    whole = rectangle(20, 30, 180, 50)
    pieces = [[seen(LEFT, whole, 0.4)], [seen(RIGHT, whole, 0.7)]]
    (merged,) = merge([LEFT, RIGHT], pieces)
    assert iou(merged.mask, whole.mask) == 1
    assert merged.box == whole.box
    assert merged.score == 0.7


def test_an_object_across_three_tiles_is_one_instance() -> None:
    windows = [Window(0, 0, 80, 120), Window(60, 0, 80, 120), Window(120, 0, 80, 120)]
    whole = rectangle(10, 30, 190, 50)
    merged = merge(windows, [[seen(window, whole, 0.5)] for window in windows])
    assert [each.mask.area for each in merged] == [whole.mask.area]


def test_labels_stay_apart() -> None:
    one, other = rectangle(90, 20, 110, 60, 0.6, "a"), rectangle(90, 20, 110, 60, 0.8, "b")
    assert merge([LEFT, RIGHT], [[one], [other]]) == (other, one)


def test_neighbours_that_hardly_touch_stay_apart() -> None:
    one, other = rectangle(84, 20, 104, 60, 0.6), rectangle(98, 20, 117, 60, 0.8)
    assert merge([LEFT, RIGHT], [[one], [other]]) == (other, one)


def test_instances_of_one_tile_are_never_merged() -> None:
    one, other = rectangle(10, 20, 30, 60, 0.6), rectangle(11, 20, 30, 60, 0.8)
    assert merge([LEFT, RIGHT], [[one, other], []]) == (other, one)


def test_the_best_score_comes_first() -> None:
    low, high = rectangle(10, 10, 20, 20, 0.3), rectangle(150, 10, 160, 20, 0.9)
    assert merge([LEFT, RIGHT], [[low], [high]]) == (high, low)
